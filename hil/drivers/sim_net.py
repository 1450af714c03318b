"""The car's IPv6 over a power line that can go dead, and a car that falls silent: held and lost without notice."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.sim.net import Connecting, Line, Net


class LineNet:
    """Stands between a car and its network; `dead` holds what a connection carries, as TCP does, and drops the rest."""

    def __init__(self, inner: Net) -> None:
        self._inner = inner
        self._dead = False
        self._open = False
        self._lines: list[_HeldLine] = []
        self._silent: list[Line] = []

    @property
    def dead(self) -> bool:
        """Whether nothing passes."""
        return self._dead

    @dead.setter
    def dead(self, dead: bool) -> None:
        self._dead = dead
        for line in tuple(self._lines):
            line.flush()

    def open(self, received: Callable[[bytes], None]) -> None:
        """Take part in SDP."""
        self._open = True
        self._inner.open(lambda data: received(data) if self._open and not self._dead else None)

    def send_sdp(self, data: bytes) -> None:
        """Send a datagram, or lose it."""
        if not self._dead:
            self._inner.send_sdp(data)

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        """Begin a connection over the line."""
        line = _HeldLine(self, who)
        self._lines.append(line)
        line.inner = self._inner.connect(address, port, line)
        return line

    def forget(self, line: _HeldLine) -> None:
        """Take a connection off the list that is over."""
        if line in self._lines:
            self._lines.remove(line)

    def fall_silent(self, line: _HeldLine) -> None:
        """Keep a connection that the car let go of: an operating system would notify the charger of its end at once."""
        self.forget(line)
        self._silent.append(line.inner)

    def close(self) -> None:
        """Take no more part; what fell silent goes on being silent until the `end`."""
        self._open = False
        if not self._silent:
            self._inner.close()

    def end(self) -> None:
        """Give everything back."""
        silent, self._silent = self._silent, []
        for line in silent:
            line.abandon()
        self._inner.close()


class _HeldLine:
    """One connection, both ways: towards the charger a Line, towards the car a Connecting."""

    inner: Line

    def __init__(self, net: LineNet, who: Connecting) -> None:
        self._net = net
        self._who: Connecting | None = who
        self._waiting: list[Callable[[], None]] = []

    def _do(self, what: Callable[[], None]) -> None:
        if self._net.dead:
            self._waiting.append(what)
        else:
            what()

    def flush(self) -> None:
        """Let pass what has waited, in its order."""
        while self._waiting and not self._net.dead:
            self._waiting.pop(0)()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._do(lambda: self.inner.send(data))

    def close(self) -> None:
        """Close in order."""
        self._net.forget(self)
        self._do(self.inner.close)

    def abandon(self) -> None:
        """Let go without a word."""
        self._who = None
        self._waiting.clear()
        self._net.fall_silent(self)

    def connected(self) -> None:
        """The connection stands."""
        self._do(lambda: self._notify(lambda who: who.connected()))

    def received(self, data: bytes) -> None:
        """Bytes came."""
        self._do(lambda: self._notify(lambda who: who.received(data)))

    def disconnected(self, reason: str) -> None:
        """The connection is gone."""
        self._net.forget(self)
        self._do(lambda: self._notify(lambda who: who.disconnected(reason)))

    def _notify(self, news: Callable[[Connecting], None]) -> None:
        if self._who is not None:
            news(self._who)
