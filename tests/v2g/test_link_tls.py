"""TLS on real sockets: a session between two network namespaces, its key log on the link, and what stays behind."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.modules.v2g import evcc, sdp
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.link import FIRST_DYNAMIC_PORT, TLS_PORT
from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls.client import TlsClient
from tests.v2g.station import Manager, StreamCar
from tests.v2g.test_link import Cable, cable, car_socket, connect, index_in, until
from tests.v2g.tls import pki
from tests.v2g.tls.world import Store

__all__ = ["cable"]


class TlsStreamCar(StreamCar):
    """A car's machine with TLS on a connected TCP socket."""

    def __init__(self, sock: Any, where: sdp.Response, settings: CarSettings, client: TlsClient) -> None:
        self.tls = client.connection(utc_now())
        super().__init__(sock, where, settings)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while self._sock.fileno() >= 0 and (data := await loop.sock_recv(self._sock, 4096)):
            self.feed(tls.Arrived(data))
        self.feed(tls.WireClosed(""))

    def feed(self, event: Any) -> None:
        for effect in self.tls.feed(event, 0.0):
            match effect:
                case tls.Transmit(data):
                    self._sock.sendall(data)
                case tls.Established(security):
                    self.pump.feed(evcc.Connected(security.tls_version))
                case tls.Deliver(data):
                    self.pump.feed(evcc.Received(data))
                case tls.Lost(reason):
                    self.pump.feed(evcc.Disconnected(reason))

    def _act(self, effect: Any) -> None:
        match effect:
            case evcc.Connect():
                self.log.append(effect)
                self.feed(tls.Begin())
            case evcc.Send(data):
                self.log.append(effect)
                self.feed(tls.Write(data))
            case evcc.Close():
                self.feed(tls.Close())
                super()._act(effect)
            case _:
                super()._act(effect)


async def find(cable: Cable) -> sdp.Response:
    """Ask for TLS as a car does until the charger answers."""
    loop = asyncio.get_running_loop()
    with car_socket(cable, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@I", index_in(cable)))
        request = sdp.Request(sdp.SECURITY_TLS).to_bytes()
        for _ in range(40):
            try:
                sock.sendto(request, (sdp.MULTICAST, sdp.PORT, 0, index_in(cable)))
                async with asyncio.timeout(0.25):
                    return sdp.parse_response(await loop.sock_recv(sock, 100))
            except (TimeoutError, OSError):
                await asyncio.sleep(0.1)
    raise AssertionError("no answer to SDP")


def key_receiver(cable: Cable, port: int) -> socket.socket:
    """Return a socket of the car that gets datagrams for ff02::1 at a port."""
    sock = car_socket(cable, socket.SOCK_DGRAM)
    sock.bind(("::", port))
    group = socket.inet_pton(socket.AF_INET6, sdp.MULTICAST) + struct.pack("@I", index_in(cable))
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    sock.setblocking(False)
    return sock


@pytest.fixture
def leaf() -> pki.Party:
    """A chain that is valid by the machine's own clock."""
    now = utc_now()
    root = pki.issue("root", begin=now - pki.DAY, end=now + pki.DAY)
    return pki.issue("SECC", root, ca=False, begin=now - pki.DAY, end=now + pki.DAY)


def test_a_session_over_tls_and_its_keys_on_the_link(
    cable: Cable, assemble: Any, tmp_path: Path, leaf: pki.Party
) -> None:
    cable.plug()

    async def main() -> None:
        config = {"device": "eth1", "tls_key_logging": True, "tls_key_logging_path": "/keys"}
        world = assemble(
            v2g=(EvseV2G, config, {"security": "security.main"}),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
            security=(Store,),
        )
        world.modules["security"].main.put(tmp_path / "chains", leaf)
        await world.start()
        try:
            async with asyncio.timeout(30):
                await story(world)
        finally:
            await world.stop()
        for module in world.modules.values():
            assert module.failed is None or not module.failed.done(), module.failed

    async def story(world: Any) -> None:
        manager = world.modules["manager"]
        manager.authorize_s = 0.1
        await manager.hlc.dlink_ready(True)
        where = await find(cable)
        assert (where.port, where.security) == (TLS_PORT, sdp.SECURITY_TLS)
        descriptors = len(os.listdir("/proc/self/fd"))
        sock = await connect(cable, where)
        with key_receiver(cable, sock.getsockname()[1]) as keys:
            settings = CarSettings(protocols=("ISO15118D2",), tls="require", ongoing_pause_s=0.05, timeout_factor=8.0)
            car = TlsStreamCar(sock, where, settings, TlsClient((leaf.root.der,), ("1.2",)))
            car.start()
            await car.until("charging")
            async with asyncio.timeout(5):
                line, source = await asyncio.get_running_loop().sock_recvfrom(keys, 500)
        assert line.startswith(b"CLIENT_RANDOM ") and source[1] == FIRST_DYNAMIC_PORT
        assert (tmp_path / "keys/tls_session_keys.log").read_bytes() == line + b"\n"
        await asyncio.sleep(0.3)
        car.wish(stop=True)
        assert (await car.ended).outcome == "terminated"
        await until(lambda: manager.names()[-1] == "dlink_terminate")
        await until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)

    with cable.secc.entered():
        clock.run(main())
