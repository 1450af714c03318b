"""One TLS connection as a machine: bytes of the wire and plaintext in, both out, and its end with a reason.

OpenSSL is behind `End`; the server makes its end only after it has read the ClientHello.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g import timing, v2gtp
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport.tls import alerts
from chargebyte_fw.modules.v2g.transport.tls.alerts import TlsError
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello, HelloReader


class End(Protocol):
    """OpenSSL on buffers in memory (`openssl_end.py`)."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""

    def take(self) -> bytes:
        """Return the bytes for the wire."""

    def handshake(self) -> bool:
        """Go on with the handshake; return whether it is complete. Raises TlsError."""

    def read(self) -> bytes:
        """Return the plaintext that arrived, empty if none did. Raises TlsError once everything before it is read."""

    def write(self, data: bytes) -> None:
        """Encrypt plaintext. Raises TlsError."""

    def close(self) -> None:
        """Send close_notify."""

    @property
    def security(self) -> Security:
        """How the connection is secured."""


class TlsState(Enum):
    """How far a TLS connection is."""

    IDLE = auto()
    HELLO = auto()
    """The server waits for the ClientHello."""
    HANDSHAKE = auto()
    OPEN = auto()
    CLOSING = auto()
    """Our side is closed; the peer should close now."""
    ENDED = auto()


S = TlsState
_LIVE = (S.HELLO, S.HANDSHAKE, S.OPEN, S.CLOSING)

# -- events


class Begin(msgspec.Struct, frozen=True):
    """The wire is connected."""


class Arrived(msgspec.Struct, frozen=True):
    """Bytes came from the wire."""

    data: bytes


class Write(msgspec.Struct, frozen=True):
    """Send this plaintext."""

    data: bytes


class Close(msgspec.Struct, frozen=True):
    """Close in order."""


class WireClosed(msgspec.Struct, frozen=True):
    """The wire is closed; the reason is empty where the peer closed it in good order."""

    reason: str


# -- effects


class Transmit(msgspec.Struct, frozen=True):
    """Send these bytes over the wire."""

    data: bytes


class Established(msgspec.Struct, frozen=True):
    """The handshake is complete."""

    security: Security


class Deliver(msgspec.Struct, frozen=True):
    """This plaintext came."""

    data: bytes


class Lost(msgspec.Struct, frozen=True):
    """The connection is over; the reason is empty where the peer closed it in good order."""

    reason: str


class ShutWire(msgspec.Struct, frozen=True):
    """Close our side of the wire: what was sent still arrives."""


class PlainInstead(msgspec.Struct, frozen=True):
    """The car speaks V2GTP without TLS, which this server lets it; these are its first bytes."""

    data: bytes


class DropWire(msgspec.Struct, frozen=True):
    """Close the wire at once."""


class TlsConnection(Machine):
    """What server and client share: from the handshake to the end."""

    initial = S.IDLE

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self.timeout_s = timeout_s
        self._end: End | None = None
        self._lost = False

    @on(S.HANDSHAKE, event=Arrived, to=(S.OPEN, S.CLOSING))
    def handshake_bytes(self, event: Arrived, now: float) -> list[Any]:
        """Go on with the handshake."""
        assert self._end is not None
        self._end.feed(event.data)
        return self._advance(now)

    @on(S.OPEN, event=Arrived, to=S.CLOSING)
    def session_bytes(self, event: Arrived, now: float) -> list[Any]:
        """Deliver what the bytes hold; end with an alert or close_notify."""
        assert self._end is not None
        self._end.feed(event.data)
        return self._deliver(now)

    @on(S.OPEN, event=Write, to=S.CLOSING)
    def write(self, event: Write, now: float) -> list[Any]:
        """Send plaintext."""
        assert self._end is not None
        try:
            self._end.write(event.data)
        except TlsError as error:
            return self._failed(error, now)
        return self._outgoing()

    @on(S.OPEN, event=Close, to=S.CLOSING)
    def close(self, event: Close, now: float) -> list[Any]:
        """Close our side with close_notify, and the wire."""
        assert self._end is not None
        self._end.close()
        return self._closing(self._outgoing(), now)

    @on(S.HELLO, S.HANDSHAKE, event=Close, to=S.CLOSING)
    def close_early(self, event: Close, now: float) -> list[Any]:
        """Give the handshake up."""
        return self._closing([], now)

    @on(*_LIVE, event=WireClosed, to=S.ENDED)
    def wire_closed(self, event: WireClosed, now: float) -> list[Any]:
        """End with the wire."""
        early = self.state in (S.HELLO, S.HANDSHAKE)
        reason = event.reason or ("the peer closed the connection in the middle of the handshake" if early else "")
        return self.enter(S.ENDED, *self._report(reason))

    @on(S.HELLO, S.HANDSHAKE, timer="handshake", to=S.ENDED)
    def handshake_over(self, now: float) -> list[Any]:
        """End: the handshake takes too long."""
        what = "sent no complete ClientHello" if self.state is S.HELLO else "did not complete the handshake"
        return self.enter(S.ENDED, *self._report(f"the peer {what} within {self.timeout_s:g} s"), DropWire())

    @on(S.CLOSING, timer="close", to=S.ENDED)
    def close_over(self, now: float) -> list[Any]:
        """End: the peer does not close its side."""
        return self.enter(S.ENDED, *self._report(""), DropWire())

    @on(S.IDLE, S.HELLO, S.HANDSHAKE, S.CLOSING, S.ENDED, event=Write)
    @on(S.IDLE, S.CLOSING, S.ENDED, event=Close)
    @on(S.IDLE, S.CLOSING, S.ENDED, event=Arrived)
    @on(S.IDLE, S.ENDED, event=WireClosed)
    @on(*_LIVE, S.ENDED, event=Begin)
    def ignored(self, event: Any, now: float) -> list[Any]:
        """Ignore what comes before the beginning or after the end."""
        return []

    def _advance(self, now: float) -> list[Any]:
        assert self._end is not None
        try:
            complete = self._end.handshake()
        except TlsError as error:
            return self._failed(error, now)
        effects = self._outgoing()
        if not complete:
            return effects
        effects = self.enter(S.OPEN, *effects, Established(self._end.security))
        # The first request may have come with the last bytes of the handshake.
        return effects + self._deliver(now)

    def _deliver(self, now: float) -> list[Any]:
        assert self._end is not None
        effects: list[Any] = []
        try:
            while data := self._end.read():
                effects.append(Deliver(data))
        except TlsError as error:
            if error.in_order:
                self._end.close()
                return self._closing([*effects, *self._outgoing(), *self._report("")], now)
            return [*effects, *self._failed(error, now)]
        return effects + self._outgoing()

    def _failed(self, error: PeerError, now: float) -> list[Any]:
        return self._closing([*self._outgoing(), *self._report(error.what)], now)

    def _closing(self, effects: list[Any], now: float) -> list[Any]:
        self.start("close", now + timing.WAIT_FOR_FIN_S)
        return self.enter(S.CLOSING, *effects, ShutWire())

    def _outgoing(self) -> list[Any]:
        data = self._end.take() if self._end is not None else b""
        return [Transmit(data)] if data else []

    def _report(self, reason: str) -> list[Any]:
        """Return the effect that notifies the owner of the end, once."""
        lost, self._lost = self._lost, True
        return [] if lost else [Lost(reason)]


class TlsServerConnection(TlsConnection):
    """The charger's side. `decide` returns the end for a ClientHello, or raises Refused or TlsError."""

    def __init__(self, decide: Callable[[ClientHello], End], timeout_s: float, *, plain: bool = False) -> None:
        super().__init__(timeout_s)
        self._plain = plain
        self._decide = decide
        self._reader = HelloReader()

    @on(S.IDLE, event=Begin, to=S.HELLO)
    def begin(self, event: Begin, now: float) -> list[Any]:
        """Wait for the ClientHello."""
        self.start("handshake", now + self.timeout_s)
        return self.enter(S.HELLO)

    @on(S.HELLO, event=Arrived, to=(S.HANDSHAKE, S.OPEN, S.CLOSING, S.ENDED))
    def hello_bytes(self, event: Arrived, now: float) -> list[Any]:
        """Read the ClientHello, choose by it, and go on with OpenSSL; leave a car without TLS where it may."""
        if self._plain and not self._reader.data and event.data[0] == v2gtp.VERSION:
            return self.enter(S.ENDED, PlainInstead(event.data))
        try:
            hello = self._reader.feed(event.data)
            if hello is None:
                return []
            self._end = self._decide(hello)
        except PeerError as error:
            alert = getattr(error, "alert", alerts.Alert.internal_error)
            answer = [Transmit(alerts.record(alert))] if alert is not None else []
            return self._closing([*answer, *self._report(error.what)], now)
        self._end.feed(self._reader.data)
        self.enter(S.HANDSHAKE)
        return self._advance(now)


class TlsClientConnection(TlsConnection):
    """The car's side."""

    def __init__(self, end: End, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._end = end

    @on(S.IDLE, event=Begin, to=(S.HANDSHAKE, S.CLOSING))
    def begin(self, event: Begin, now: float) -> list[Any]:
        """Send the ClientHello."""
        self.start("handshake", now + self.timeout_s)
        self.enter(S.HANDSHAKE)
        return self._advance(now)
