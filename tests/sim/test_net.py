"""The car's network does the same in memory and over sockets: SDP, connect, bytes both ways, every kind of end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from chargebyte_fw.kernel import memory
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.sim.net import MemoryNet
from chargebyte_fw.sim.net_sockets import PacketPort, SocketNet
from tests.netns import Namespace, cable

__all__ = ["cable"]


class Ear:
    """Someone who asked for a connection."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def connected(self) -> None:
        self.heard.append("connected")

    def received(self, data: bytes) -> None:
        self.heard.append(data)

    def disconnected(self, reason: str) -> None:
        self.heard.append(reason)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_memory_sdp_reaches_the_charger_and_its_answer_comes_back(run: Any) -> None:
    async def main() -> None:
        charger, host = memory.link()
        answers: list[bytes] = []
        charger.bind(lambda data, origin: charger.send_datagram(data[::-1], origin[1], sdp.PORT), sdp.PORT)
        net = MemoryNet(host)
        net.send_sdp(b"lost: not open")
        net.open(answers.append)
        net.send_sdp(b"abc")
        await turns()
        assert answers == [b"cba"]
        net.close()
        net.send_sdp(b"lost: closed")
        await turns()
        assert answers == [b"cba"]

    run(main())


def test_memory_connection_hears_bytes_and_the_chargers_end_of_it(run: Any) -> None:
    async def main() -> None:
        charger, host = memory.link()
        accepted: list[memory.StreamEnd] = []
        port = charger.listen(accepted.append)
        ear = Ear()
        line = MemoryNet(host).connect(charger.address, port, ear)
        accepted[0].receive = lambda data: accepted[0].send(data + data)
        await turns()
        line.send(b"ab")
        await turns()
        accepted[0].close()
        await turns()
        assert ear.heard == ["connected", b"abab", "the charger closed the connection"]

    run(main())


def test_memory_connection_to_nobody_or_nowhere_is_refused(run: Any) -> None:
    async def main() -> None:
        charger, host = memory.link()
        nobody, nowhere = Ear(), Ear()
        MemoryNet(host).connect(charger.address, 1, nobody)
        MemoryNet(host).connect("fe80::dead", 1, nowhere)
        await turns()
        assert nobody.heard == ["nothing listens on port 1"]
        assert nowhere.heard == ["no way to fe80::dead"]

    run(main())


def test_an_abandoned_line_is_silent_on_both_sides(run: Any) -> None:
    """A pulled cable sends nothing, not even an end."""

    async def main() -> None:
        charger, host = memory.link()
        accepted: list[memory.StreamEnd] = []
        port = charger.listen(accepted.append)
        ended: list[str] = []
        ear = Ear()
        line = MemoryNet(host).connect(charger.address, port, ear)
        accepted[0].closed = lambda: ended.append("closed")
        await turns()
        line.abandon()
        line.send(b"x")
        accepted[0].send(b"y")
        await turns()
        assert ended == [] and ear.heard == ["connected"]

    run(main())


async def ask_again_and_again(net: SocketNet) -> None:
    """As a car does: a fresh interface may not have its address yet."""
    while True:
        net.send_sdp(b"who")
        await asyncio.sleep(0.1)


def test_sockets_carry_slac_frames_sdp_and_v2g_over_a_cable(cable: tuple[Namespace, Namespace]) -> None:
    charger, car = cable

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with charger.entered():
            theirs = PacketPort(charger.interface)
            server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            server.bind(("::", 0))
            server.listen()
            server.setblocking(False)
            ears = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            ears.bind(("::", sdp.PORT))
            group = socket.inet_pton(socket.AF_INET6, sdp.MULTICAST)
            index = socket.if_nametoindex(charger.interface)
            ears.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + index.to_bytes(4, "little"))
            ears.setblocking(False)
        with car.entered():
            ours = PacketPort(car.interface)
            net = SocketNet(car.interface)
            frames: list[bytes] = []
            theirs.receive = frames.append
            ours.send(b"\xff" * 6 + ours.mac + b"\x88\xe1" + bytes(46))
            answers: list[bytes] = []
            net.open(answers.append)
            asking = loop.create_task(ask_again_and_again(net))
            data, origin = await loop.sock_recvfrom(ears, 100)
            asking.cancel()
            await loop.sock_sendto(ears, data + b" is there", origin)
            ear = Ear()
            line = net.connect(charger.link_local, server.getsockname()[1], ear)
            end, _ = await loop.sock_accept(server)
            line.send(b"early")
            while not ear.heard:
                await asyncio.sleep(0.01)
            line.send(b"ping")
            assert await loop.sock_recv(end, 100) == b"ping"
            await loop.sock_sendall(end, b"pong")
            while len(ear.heard) < 2:
                await asyncio.sleep(0.01)
            end.close()
            while len(ear.heard) < 3 or not answers or not frames:
                await asyncio.sleep(0.01)
            assert ear.heard == ["connected", b"pong", "the charger closed the connection"]
            assert set(answers) == {b"who is there"}
            assert frames[0][6:12] == ours.mac
            refused = Ear()
            net.connect(charger.link_local, 9, refused)
            while not refused.heard:
                await asyncio.sleep(0.01)
            assert "cannot connect" in refused.heard[0]
        for thing in (ours, theirs, net, server, ears):
            thing.close()

    async def limited() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(limited())
