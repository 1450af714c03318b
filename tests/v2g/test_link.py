"""The link on real sockets: two network namespaces, a cable between them, and the interface that comes and goes."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.link import TCP_PORT, V2gLink
from chargebyte_fw.modules.v2g.listener import FAULT
from tests.netns import Namespace, namespace, require
from tests.netns import connect as connect_ends
from tests.v2g.station import Manager, Security, StreamCar


class Cable:
    """Two namespaces, `secc` with eth1 and `car` with ev0, and a veth pair between them once plugged."""

    def __init__(self, secc: Namespace, car: Namespace) -> None:
        self.secc, self.car = secc, car

    def plug(self) -> None:
        connect_ends(self.secc, self.secc.interface, self.car, self.car.interface)

    def pull(self) -> None:
        self.secc.ip("link", "del", self.secc.interface)


@pytest.fixture
def cable() -> Iterator[Cable]:
    with require(), namespace("eth1", "secc") as secc, namespace("ev0", "car") as car:
        yield Cable(secc, car)


def station(assemble: Any) -> Any:
    return assemble(
        v2g=(EvseV2G, {"device": "eth1"}, {"security": "security.main"}),
        manager=(Manager, {}, {"hlc": "v2g.charger"}),
        security=(Security,),
    )


def in_secc(cable: Cable, assemble: Any, story: Callable[[Any], Any]) -> None:
    """Run `story(world)` with the station's sockets in its namespace, on the real clock."""

    async def main() -> None:
        world = station(assemble)
        await world.start()
        try:
            async with asyncio.timeout(30):
                await story(world)
        finally:
            await world.stop()
        for module in world.modules.values():
            assert module.failed is None or not module.failed.done(), module.failed

    with cable.secc.entered():
        clock.run(main())


async def until(condition: Callable[[], Any], limit_s: float = 15.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.05)


def index_in(cable: Cable) -> int:
    with cable.car.entered():
        return socket.if_nametoindex("ev0")


def car_socket(cable: Cable, kind: int) -> socket.socket:
    with cable.car.entered():
        return socket.socket(socket.AF_INET6, kind)


async def find(cable: Cable) -> sdp.Response:
    """Ask as a car does until somebody answers."""
    loop = asyncio.get_running_loop()
    sock = car_socket(cable, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@I", index_in(cable)))
    try:
        for _ in range(40):
            try:
                sock.sendto(sdp.Request().to_bytes(), (sdp.MULTICAST, sdp.PORT, 0, index_in(cable)))
                async with asyncio.timeout(0.25):
                    return sdp.parse_response(await loop.sock_recv(sock, 100))
            except (TimeoutError, OSError):
                await asyncio.sleep(0.1)
        raise AssertionError("nobody answered SDP")
    finally:
        sock.close()


async def connect(cable: Cable, where: sdp.Response) -> socket.socket:
    sock = car_socket(cable, socket.SOCK_STREAM)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (str(where.address), where.port, 0, index_in(cable)))
    return sock


def test_a_session_over_sdp_and_tcp(cable: Cable, assemble: Any) -> None:
    cable.plug()

    async def story(world: Any) -> None:
        manager = world.modules["manager"]
        manager.authorize_s = 0.1
        await manager.hlc.dlink_ready(True)
        where = await find(cable)
        assert where.port == TCP_PORT and where.address.is_link_local
        car = StreamCar(await connect(cable, where), where, CarSettings(ongoing_pause_s=0.05, timeout_factor=8.0))
        car.start()
        await car.until("charging")
        await asyncio.sleep(0.5)
        car.wish(stop=True)
        assert (await car.ended).outcome == "terminated"
        await until(lambda: manager.names()[-1] == "dlink_terminate")

    in_secc(cable, assemble, story)


def test_of_ten_silent_connections_the_last_is_kept_and_no_descriptor_leaks(cable: Cable, assemble: Any) -> None:
    cable.plug()

    async def story(world: Any) -> None:
        loop = asyncio.get_running_loop()
        await world.modules["manager"].hlc.dlink_ready(True)
        where = await find(cable)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            socks = [await connect(cable, where) for _ in range(10)]
            ends = [asyncio.create_task(loop.sock_recv(sock, 10)) for sock in socks[:-1]]
            assert await asyncio.gather(*ends) == [b""] * 9
            assert world.modules["v2g"].engine.is_connected()
            for sock in socks:
                sock.close()
            await until(lambda: not world.modules["v2g"].engine.is_connected())
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before)

    in_secc(cable, assemble, story)


def test_a_car_that_resets_its_connection_is_forgotten(cable: Cable, assemble: Any) -> None:
    cable.plug()

    async def story(world: Any) -> None:
        await world.modules["manager"].hlc.dlink_ready(True)
        sock = await connect(cable, await find(cable))
        await until(world.modules["v2g"].engine.is_connected)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        await until(lambda: not world.modules["v2g"].engine.is_connected())
        assert "dlink_error" in world.modules["manager"].names()

    in_secc(cable, assemble, story)


def test_the_link_waits_for_its_interface_and_survives_its_loss(cable: Cable, assemble: Any) -> None:
    async def story(world: Any) -> None:
        v2g = world.modules["v2g"]
        await until(lambda: v2g.charger.faults.is_active(FAULT))
        (fault,) = v2g.charger.faults.active
        assert "no interface eth1" in fault.message
        cable.plug()
        await until(lambda: not v2g.charger.faults.active)
        await world.modules["manager"].hlc.dlink_ready(True)
        car = await connect(cable, await find(cable))
        await until(v2g.engine.is_connected)
        cable.pull()
        await until(lambda: v2g.charger.faults.is_active(FAULT))
        assert not v2g.engine.is_connected()
        car.close()
        cable.plug()
        await until(lambda: not v2g.charger.faults.active)
        assert (await find(cable)).port == TCP_PORT

    in_secc(cable, assemble, story)


def bring_another_interface(host: Namespace) -> None:
    """Add an interface that comes first by name and has a link-local address, too."""
    host.ip("link", "add", "aaa0", "type", "veth", "peer", "name", "aaa1")
    host.up("aaa0")
    host.up("aaa1")


def test_the_chosen_address_stays_while_it_is_listed(
    cable: Cable, assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A second address, another order, another interface, and a carrier that is lost for a moment end no session."""
    cable.plug()

    async def story(world: Any) -> None:
        v2g, secc = world.modules["v2g"], cable.secc
        await world.modules["manager"].hlc.dlink_ready(True)
        where = await find(cable)
        car = await connect(cable, where)
        await until(v2g.engine.is_connected)
        secc.ip("addr", "add", "fe80::1/64", "dev", "eth1", "nodad")
        secc.ip("addr", "add", "fe80::ffff:1/64", "dev", "eth1")
        bring_another_interface(secc)
        await asyncio.sleep(2.5)
        # The chosen one comes last now: taken off and put on again, it would be gone for a moment.
        secc.ip("link", "del", "aaa0")
        cable.car.down("ev0")
        await asyncio.sleep(1.2)
        cable.car.up("ev0")
        await asyncio.sleep(2.5)
        assert v2g.engine.is_connected() and v2g.charger.faults.active == ()
        secc.ip("addr", "del", "fe80::1/64", "dev", "eth1")
        await asyncio.sleep(1.5)
        assert v2g.engine.is_connected()
        secc.ip("addr", "del", f"{where.address}/64", "dev", "eth1")
        await until(lambda: not v2g.engine.is_connected())
        await until(lambda: not v2g.charger.faults.active)
        await world.modules["manager"].hlc.dlink_ready(True)
        assert str((await find(cable)).address) == "fe80::ffff:1"
        car.close()

    with caplog.at_level(logging.WARNING, logger="secc.v2g"):
        in_secc(cable, assemble, story)
    losses = [record.getMessage() for record in caplog.records if "no V2G communication" in record.getMessage()]
    assert len(losses) == 1 and "eth1 lost fe80::" in losses[0]


def test_auto_stays_with_its_interface(cable: Cable, assemble: Any) -> None:
    cable.plug()

    async def main() -> None:
        link = V2gLink("auto", Runtime().wires, lambda _: False, lambda _: False, lambda *_: None)
        told: list[str] = []
        task = asyncio.create_task(link.keep_open(told.append, told.append))
        await until(lambda: told and told[-1].endswith("on eth1"))
        told.clear()
        cable.pull()
        bring_another_interface(cable.secc)
        await asyncio.sleep(3.0)
        assert told == ["eth1 is gone"], "aaa0 is not the modem's"
        cable.plug()
        await until(lambda: len(told) == 2)
        assert told[1].endswith("on eth1")
        task.cancel()
        link.close()

    with cable.secc.entered():
        clock.run(main())


def test_a_second_charger_on_the_port_is_a_fault_and_no_crash(cable: Cable, assemble: Any, tmp_path: Any) -> None:
    cable.plug()

    async def story(world: Any) -> None:
        v2g = world.modules["v2g"]
        await until(lambda: v2g.engine.link.available)
        second = V2gLink("eth1", Runtime().wires, lambda _: False, lambda _: False, lambda *_: None)
        told: list[str] = []
        task = asyncio.create_task(second.keep_open(told.append, told.append))
        await until(lambda: told)
        assert "cannot listen on eth1" in told[0]
        task.cancel()

    in_secc(cable, assemble, story)
