"""One connection of a car before several back ends: until one of them has it, or as long as it is passed on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.mux.selection import Candidate, offers_of, select
from chargebyte_fw.modules.v2g.secc.effects import (
    Abort,
    Connected,
    Disconnected,
    LinkLost,
    Log,
    ProtocolViolation,
    Received,
    ShutDown,
)
from chargebyte_fw.modules.v2g.security import PLAIN
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Receiver

MOST_UNDECIDED_BYTES = 16_384
"""Two frames of the greatest length: with more the first back end judges what no handshake is found in."""
BACK_END_CONNECTS_S = 2.0
"""How long the connection to a back end in another process may take: a car waits 2 s for its response."""


class MuxState(Enum):
    """Who has the connection."""

    IDLE = auto()
    HANDSHAKE = auto()
    """The first frame is not complete."""
    HANDED_OVER = auto()
    """A back end in this process has it."""
    CONNECTING = auto()
    """To a back end in another process."""
    RELAYING = auto()
    CAR_CLOSED = auto()
    """The back end may close in its own time."""
    BACK_END_CLOSED = auto()
    """The car may read what was sent, and close."""
    ENDED = auto()


S = MuxState

# -- events


class BackEndConnected(msgspec.Struct, frozen=True):
    """The connection to the back end stands."""


class BackEndUnreachable(msgspec.Struct, frozen=True):
    """There is no connection to the back end."""

    why: str


class BackEndSent(msgspec.Struct, frozen=True):
    """Bytes from the back end."""

    data: bytes


class BackEndClosed(msgspec.Struct, frozen=True):
    """The back end has closed its connection, or lost it."""


# -- effects


class HandOver(msgspec.Struct, frozen=True):
    """Give the connection to a back end of this process, with what the car has sent so far."""

    place: int
    received: bytes


class ConnectTo(msgspec.Struct, frozen=True):
    """Connect to a back end of another process."""

    place: int


class ToCar(msgspec.Struct, frozen=True):
    """Send these bytes of the back end to the car."""

    data: bytes


class ToBackEnd(msgspec.Struct, frozen=True):
    """Send these bytes of the car to the back end."""

    data: bytes


class ShutDownBackEnd(msgspec.Struct, frozen=True):
    """Close our side of the connection to the back end, which may still read what was sent."""


class AbortBackEnd(msgspec.Struct, frozen=True):
    """Close the connection to the back end, or give it up."""


class Released(msgspec.Struct, frozen=True):
    """The connection is over: the next car may come."""


class MuxConnection(Machine):
    """One connection; `candidates` are the back ends that may get it, `elsewhere` those of them that are not here."""

    initial = S.IDLE

    def __init__(self, candidates: Sequence[Candidate], elsewhere: frozenset[int]) -> None:
        super().__init__()
        self.candidates = candidates
        self.elsewhere = elsewhere
        self._security = PLAIN
        self._receiver = Receiver()
        self._received = b""
        """What no back end has yet."""

    @on(S.IDLE, event=Connected, to=S.HANDSHAKE)
    def connected(self, event: Connected, now: float) -> list[Any]:
        """Wait for the handshake."""
        self._security = event.security
        self.start("handshake", now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S)
        return self.enter(S.HANDSHAKE)

    @on(S.HANDSHAKE, event=Received, to=(S.HANDED_OVER, S.CONNECTING))
    def received(self, event: Received, now: float) -> list[Any]:
        """Choose the back end by the first frame with the car's offers; whatever else comes is the first one's."""
        self._received += event.data
        try:
            frames = [one for one in self._receiver.feed(event.data) if one.payload_type == EXI_DIN_ISO2]
        except PeerError:
            return self._chosen(0, now)
        if frames:
            offers = offers_of(frames[0])
            return self._chosen(0 if offers is None else select(offers, self.candidates, self._security), now)
        return self._chosen(0, now) if len(self._received) > MOST_UNDECIDED_BYTES else []

    def _chosen(self, place: int, now: float) -> list[Any]:
        self.stop("handshake")
        if place in self.elsewhere:
            self.start("connect", now + BACK_END_CONNECTS_S)
            return self.enter(S.CONNECTING, ConnectTo(place))
        received, self._received = self._received, b""
        return self.enter(S.HANDED_OVER, HandOver(place, received))

    @on(S.HANDSHAKE, timer="handshake", to=S.ENDED)
    def silent(self, now: float) -> list[Any]:
        """Close: the car offers nothing."""
        limit_s = timing.V2G_SECC_SEQUENCE_TIMEOUT_S
        return self._failed(ProtocolViolation(f"no request for {limit_s:g} s"), Abort())

    @on(S.HANDSHAKE, event=Disconnected, to=S.ENDED)
    def gone_before(self, event: Disconnected, now: float) -> list[Any]:
        """End: the car has closed before any back end had the connection."""
        return self._failed()

    @on(S.IDLE, S.HANDSHAKE, event=LinkLost, to=S.ENDED)
    def link_lost_before(self, event: LinkLost, now: float) -> list[Any]:
        """Close before any back end has the connection."""
        error = publish(Iso15118Charger.dlink_error, None)
        return self.enter(S.ENDED, Log(f"V2G connection closed: {event.reason}"), Abort(), error, Released())

    # -- passed on

    @on(S.CONNECTING, event=Received, to=S.ENDED)
    def received_early(self, event: Received, now: float) -> list[Any]:
        """Keep what comes before the back end is there, within bounds."""
        self._received += event.data
        if len(self._received) <= MOST_UNDECIDED_BYTES:
            return []
        return self._failed(ProtocolViolation("requests without waiting for their answers"), AbortBackEnd(), Abort())

    @on(S.CONNECTING, event=BackEndConnected, to=S.RELAYING)
    def back_end_connected(self, event: BackEndConnected, now: float) -> list[Any]:
        """Send the back end what the car has sent so far, unchanged."""
        received, self._received = self._received, b""
        return self.enter(S.RELAYING, ToBackEnd(received))

    @on(S.CONNECTING, event=BackEndUnreachable, to=S.ENDED)
    def back_end_unreachable(self, event: BackEndUnreachable, now: float) -> list[Any]:
        """Close: the back end cannot be had."""
        return self._failed(ProtocolViolation(f"no connection to the back end: {event.why}"), Abort())

    @on(S.CONNECTING, event=BackEndClosed, to=S.ENDED)
    def back_end_refused(self, event: BackEndClosed, now: float) -> list[Any]:
        """Close: the back end did not keep the connection."""
        return self._failed(ProtocolViolation("the back end has closed the connection"), Abort())

    @on(S.CONNECTING, timer="connect", to=S.ENDED)
    def back_end_is_late(self, now: float) -> list[Any]:
        """Close: the car does not wait any longer."""
        what = f"no connection to the back end within {BACK_END_CONNECTS_S:g} s"
        return self._failed(ProtocolViolation(what), AbortBackEnd(), Abort())

    @on(S.CONNECTING, event=Disconnected, to=S.ENDED)
    def gone_meanwhile(self, event: Disconnected, now: float) -> list[Any]:
        """End: the car did not wait for the back end."""
        return self._failed(AbortBackEnd())

    @on(S.RELAYING, event=Received)
    def from_car(self, event: Received, now: float) -> list[Any]:
        """Pass on what the car sends."""
        return [ToBackEnd(event.data)]

    @on(S.RELAYING, S.CAR_CLOSED, event=BackEndSent)
    def from_back_end(self, event: BackEndSent, now: float) -> list[Any]:
        """Pass on what the back end sends, while there is a car."""
        return [] if self.state is S.CAR_CLOSED else [ToCar(event.data)]

    @on(S.RELAYING, event=Disconnected, to=S.CAR_CLOSED)
    def car_closed(self, event: Disconnected, now: float) -> list[Any]:
        """Close towards the back end as the car did, and let it end its session."""
        self.start("close", now + timing.WAIT_FOR_FIN_S)
        return self.enter(S.CAR_CLOSED, ShutDownBackEnd())

    @on(S.RELAYING, event=BackEndClosed, to=S.BACK_END_CLOSED)
    def back_end_closed(self, event: BackEndClosed, now: float) -> list[Any]:
        """Close towards the car as the back end did, and let it read what was sent."""
        self.start("close", now + timing.WAIT_FOR_FIN_S)
        return self.enter(S.BACK_END_CLOSED, ShutDown())

    @on(S.CAR_CLOSED, event=BackEndClosed, to=S.ENDED)
    @on(S.BACK_END_CLOSED, event=Disconnected, to=S.ENDED)
    def both_closed(self, event: BackEndClosed | Disconnected, now: float) -> list[Any]:
        """End: both sides have closed."""
        return self.enter(S.ENDED, Released())

    @on(S.CAR_CLOSED, S.BACK_END_CLOSED, timer="close", to=S.ENDED)
    def one_does_not_close(self, now: float) -> list[Any]:
        """Close what is still open."""
        return self.enter(S.ENDED, AbortBackEnd(), Abort(), Released())

    @on(S.CONNECTING, S.RELAYING, S.CAR_CLOSED, S.BACK_END_CLOSED, event=LinkLost, to=S.ENDED)
    def link_lost(self, event: LinkLost, now: float) -> list[Any]:
        """Close both sides at once."""
        gone = Log(f"V2G connection closed: {event.reason}")
        return self.enter(S.ENDED, gone, AbortBackEnd(), Abort(), Released())

    # -- end

    def _failed(self, *effects: Any) -> list[Any]:
        """The car has no session: release the data link."""
        error = publish(Iso15118Charger.dlink_error, None)
        reason = publish(Iso15118Charger.hlc_session_failed, FailureReason.ProtocolNegotiationFailed)
        return self.enter(S.ENDED, *effects, error, reason, Released())

    @on(S.HANDED_OVER, event=LinkLost)
    @on(S.BACK_END_CLOSED, S.ENDED, event=Received)
    @on(S.ENDED, event=Disconnected)
    @on(S.ENDED, event=LinkLost)
    @on(S.ENDED, event=BackEndConnected)
    @on(S.ENDED, event=BackEndUnreachable)
    @on(S.BACK_END_CLOSED, S.ENDED, event=BackEndSent)
    @on(S.ENDED, event=BackEndClosed)
    def ignored(self, event: Any, now: float) -> list[Any]:
        """Ignore what comes after the end, and after the hand-over."""
        return []
