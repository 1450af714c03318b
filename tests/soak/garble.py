"""The car's network with faults of its own: bytes that are not EXI, SDP lost or answered with nonsense, TCP resets."""

from __future__ import annotations

import random
from collections.abc import Callable

from chargebyte_fw.sim.net import Connecting, Line, Net


class GarbledNet:
    """Stands between a car and its network."""

    def __init__(self, inner: Net, chance: random.Random) -> None:
        self._inner = inner
        self._chance = chance
        self.exi_share = 0.0
        """Share of the car's messages in which a byte is another one."""
        self.sdp_lost = False
        self.sdp_garbage = False
        self.lines: list[_GarbledLine] = []

    def open(self, heard: Callable[[bytes], None]) -> None:
        self._inner.open(heard)

    def send_sdp(self, data: bytes) -> None:
        if self.sdp_lost:
            return
        if self.sdp_garbage:
            data = self._garbled(data)
        self._inner.send_sdp(data)

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        line = _GarbledLine(self, who)
        line.inner = self._inner.connect(address, port, line)
        self.lines.append(line)
        return line

    def close(self) -> None:
        self._inner.close()

    def reset(self) -> None:
        """Reset every connection: both ends are notified."""
        for line in tuple(self.lines):
            line.reset()

    def touched(self, data: bytes) -> bytes:
        return self._garbled(data) if self.exi_share and self._chance.random() < self.exi_share else data

    def _garbled(self, data: bytes) -> bytes:
        place = self._chance.randrange(len(data))
        return data[:place] + self._chance.randbytes(1) + data[place + 1 :]


class _GarbledLine:
    """One connection, both ways."""

    inner: Line

    def __init__(self, net: GarbledNet, who: Connecting) -> None:
        self._net = net
        self._who: Connecting | None = who

    def reset(self) -> None:
        who, self._who = self._who, None
        self._forget()
        self.inner.close()
        if who is not None:
            who.disconnected("connection reset")

    def _forget(self) -> None:
        if self in self._net.lines:
            self._net.lines.remove(self)

    def send(self, data: bytes) -> None:
        self.inner.send(self._net.touched(data))

    def close(self) -> None:
        self._who = None
        self._forget()
        self.inner.close()

    def abandon(self) -> None:
        self._who = None
        self._forget()
        self.inner.abandon()

    def connected(self) -> None:
        if self._who is not None:
            self._who.connected()

    def received(self, data: bytes) -> None:
        if self._who is not None:
            self._who.received(data)

    def disconnected(self, reason: str) -> None:
        who, self._who = self._who, None
        self._forget()
        if who is not None:
            who.disconnected(reason)
