"""IsoMux before programs: bytes are passed on, over a wire in memory and over real sockets."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock, memory
from chargebyte_fw.modules.v2g import handshake, sdp
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.evse15118_d20 import Evse15118D20
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.iso_mux import TCP_PORT, IsoMux
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.netns import Namespace, connect, namespace, require
from tests.v2g.mux.test_iso_mux import D2, D20, shake
from tests.v2g.mux.world import CONNECTIONS, Program, World, charge
from tests.v2g.station import Manager, StreamCar
from tests.v2g.test_link import until
from tests.v2g.tls.world import Store

SECURITY = {"security": "security.main"}
OLD: Any = (Program, {}, {"real_charger": "old_v2g.charger", "real_extensions": "old_v2g.extensions"})
NEW: Any = (Program, {}, {"real_charger": "new_v2g.charger", "real_extensions": "new_v2g.extensions"})


def foreign(assemble: Any, runtime: Any, tmp_path: Path, **values: Any) -> World:
    """A multiplexer whose back ends are reached over another link in memory."""
    theirs, ours = memory.link("fe80::7", "fe80::8")
    runtime.wires.plug("ip:inner", theirs)
    runtime.wires.plug("ip:proxy", ours)
    config = {"device": "inner", "enable_sdp_server": False}
    before = {"old_v2g": (EvseV2G, config, SECURITY), "new_v2g": (Evse15118D20, config, SECURITY)}
    entries: dict[str, Any] = {"old_entry": OLD, "new_entry": NEW}
    return World(assemble, runtime, tmp_path, before=before, proxy_device="proxy", **entries, **values)


def test_three_cars_through_a_relay(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with foreign(assemble, runtime, tmp_path) as world:
            assert not world.mux.multiplexer.back_ends[0].engine
            for protocols, tls in (
                (("DIN70121",), "none"),
                (("ISO15118D2", "ISO15118D20"), "require"),
                (("ISO15118D20", "ISO15118D2"), "none"),
            ):
                await world.manager.hlc.dlink_ready(True)
                await charge(world.car(*protocols, tls=tls))
                await world.manager.hlc.dlink_ready(False)
            assert world.selected == ["DIN70121", "ISO15118-2-2013", "ISO15118-20:DC"]
            names = world.manager.names()
            assert names.count("dlink_terminate") == 3 and "hlc_session_failed" not in names

    run(main())


def test_iso_20_with_tls_1_2_goes_to_no_program(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with foreign(assemble, runtime, tmp_path) as world:
            assert await shake(world, D20, D2) == "ISO15118D20"
            world.car("ISO15118D2", "ISO15118D20", tls="require")
            await asyncio.sleep(5)
            assert world.selected[-1] == "ISO15118-2-2013"

    run(main())


def test_a_program_that_does_not_listen(run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any) -> None:
    async def main() -> None:
        async with foreign(assemble, runtime, tmp_path, proxy_port_iso20=50_001) as world:
            with pytest.raises(TimeoutError):
                await shake(world, D20)
            assert world.manager.names()[-2:] == ["dlink_error", "hlc_session_failed"]
            assert "no connection to the back end: new at nothing listens on port 50001" in caplog.messages
            assert await shake(world, D2) == "ISO15118D2"

    run(main())


def test_the_data_link_takes_a_relayed_session_away(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with foreign(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            engine: Any = world.assembly.modules["new_v2g"]
            assert engine.engine.is_connected()
            await world.manager.hlc.dlink_ready(False)
            await asyncio.sleep(0.1)
            assert not engine.engine.is_connected() and world.mux.multiplexer._connection is None
            assert (await car.ended).outcome != "terminated"
            await world.manager.hlc.dlink_ready(True)
            await charge(world.car("ISO15118D2"))

    run(main())


# -- real sockets


@pytest.fixture
def ends() -> Iterator[tuple[Namespace, Namespace]]:
    with require(), namespace("eth1", "secc") as secc, namespace("ev0", "car") as car:
        secc.ip("link", "set", "lo", "up")
        connect(secc, "eth1", car, "ev0")
        yield secc, car


class Raw(asyncio.Protocol):
    """A back end that takes a connection and does what the test wants."""

    transport: Any

    def __init__(self) -> None:
        self.received = b""
        self.closed = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True


async def connected(car: Namespace, secc: Namespace) -> socket.socket:
    """Connect as soon as the addresses of both can be used."""
    async with asyncio.timeout(15):
        while True:
            with car.entered():
                sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
                index = socket.if_nametoindex("ev0")
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, (secc.link_local, TCP_PORT, 0, index))
            except OSError:
                sock.close()
                await asyncio.sleep(0.1)
                continue
            return sock


def multiplexer_at_programs(assemble: Any, device: str) -> Any:
    """A multiplexer on the EV's interface, its back ends on another one."""
    config = {"device": device, "enable_sdp_server": False}
    return assemble(
        security=(Store,),
        old_v2g=(EvseV2G, config, SECURITY),
        new_v2g=(Evse15118D20, config, SECURITY),
        old=OLD,
        new=NEW,
        mux=(IsoMux, {"device": "eth1"}, CONNECTIONS),
        manager=(Manager, {}, {"hlc": "mux.charger"}),
    )


def on_the_real_clock(secc: Namespace, assembly: Callable[[], Any], story: Callable[[Any], Any]) -> None:
    async def main() -> None:
        world = assembly()
        await world.start()
        try:
            async with asyncio.timeout(60):
                await until(lambda: world.modules["mux"].multiplexer.listener.link.available)
                await world.modules["manager"].hlc.dlink_ready(True)
                await story(world.modules)
        finally:
            await world.stop()
        for module in world.modules.values():
            assert not module.failed.done(), module.failed

    with secc.entered():
        clock.run(main())


def test_a_session_through_the_loopback_interface(ends: tuple[Namespace, Namespace], assemble: Any) -> None:
    """EvseV2G and Evse15118D20 as programs at ::1, as EVerest has them."""
    secc, car_side = ends

    async def story(modules: Any) -> None:
        await until(lambda: all(modules[name].engine.link.available for name in ("old_v2g", "new_v2g")))
        for protocol in ("ISO15118D2", "ISO15118D20"):
            sock = await connected(car_side, secc)
            where = sdp.Response(ipaddress.IPv6Address(secc.link_local), TCP_PORT)
            car = StreamCar(sock, where, CarSettings(protocols=(protocol,)))
            car.start()
            await car.until("charging", 30)
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await until(lambda: modules["mux"].multiplexer._connection is None)

    on_the_real_clock(secc, lambda: multiplexer_at_programs(assemble, "lo"), story)


def test_a_connection_over_tcp_is_handed_over(ends: tuple[Namespace, Namespace], assemble: Any) -> None:
    secc, car_side = ends
    config = {"device": "lo", "enable_sdp_server": False}

    def in_one_process() -> Any:
        return assemble(
            security=(Store,),
            old=(EvseV2G, config, SECURITY),
            new=(Evse15118D20, config, SECURITY),
            mux=(IsoMux, {"device": "eth1"}, CONNECTIONS),
            manager=(Manager, {}, {"hlc": "mux.charger"}),
        )

    async def story(modules: Any) -> None:
        loop = asyncio.get_running_loop()
        for app, name in ((D20, "new"), (D2, "old")):
            engine = modules[name].engine
            sock = await connected(car_side, secc)
            await loop.sock_sendall(sock, Frame(0x8001, codec("sap").encode(handshake.offer([app]))).to_bytes())
            response = await loop.sock_recv(sock, 100)
            assert response == bytes.fromhex("01fe80010000000480400040")
            assert engine.is_connected()
            sock.close()
            await until(lambda: modules["mux"].multiplexer._connection is None)
            assert not engine.is_connected()

    on_the_real_clock(secc, in_one_process, story)


def test_either_side_closes_and_a_back_end_that_reads_nothing(ends: tuple[Namespace, Namespace], assemble: Any) -> None:
    secc, car_side = ends
    backs: list[Raw] = []
    hello = bytes.fromhex("01fe800100000001ff")

    def made() -> Raw:
        backs.append(Raw())
        return backs[-1]

    async def begin(number: int) -> socket.socket:
        sock = await connected(car_side, secc)
        await asyncio.get_running_loop().sock_sendall(sock, hello)
        await until(lambda: len(backs) == number and backs[-1].received == hello)
        return sock

    async def flood(sock: socket.socket) -> None:
        async with asyncio.timeout(20):
            while True:
                await asyncio.get_running_loop().sock_sendall(sock, bytes(65_536))

    async def story(modules: Any) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(made, "::1", 61_341)
        multiplexer = modules["mux"].multiplexer

        sock = await begin(1)
        second = await connected(car_side, secc)
        assert await loop.sock_recv(second, 1) == b""  # one EV at a time
        second.close()
        sock.close()
        await until(lambda: backs[0].closed and multiplexer._connection is None)

        sock = await begin(2)
        backs[1].transport.write(b"last")
        backs[1].transport.close()
        assert await loop.sock_recv(sock, 100) == b"last"
        assert await loop.sock_recv(sock, 100) == b""
        sock.close()
        await until(lambda: multiplexer._connection is None)

        sock = await begin(3)
        backs[2].transport.pause_reading()
        with pytest.raises(ConnectionError):
            await flood(sock)
        sock.close()
        await until(lambda: multiplexer._connection is None)
        backs[2].transport.abort()
        server.close()

    on_the_real_clock(secc, lambda: multiplexer_at_programs(assemble, "none"), story)
