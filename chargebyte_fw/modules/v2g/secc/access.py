"""Who may connect, and until when: the data link's state and V2G_SECC_CommunicationSetup_Timer (ISO 15118-2 8.7.3)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g.secc.effects import Log
from chargebyte_fw.modules.v2g.timing import (
    CONNECT_AFTER_SDP_AT_MOST_S,
    CONNECT_AFTER_SDP_S,
    DATA_LINK_SETUP_S,
    V2G_SECC_COMMUNICATION_SETUP_S,
)

FIRST_CONNECTION_S = DATA_LINK_SETUP_S + V2G_SECC_COMMUNICATION_SETUP_S
"""What is announced as data link may be the match alone; the car's own 20 s count from its link, up to 12 s later."""
_FAILURE_PAUSE_S = 1.0
"""Failed handshakes within so short a time are published as one: a peer can make hundreds of them."""


class AccessState(Enum):
    """Whether a car may find us and connect."""

    SHUT = auto()
    OPEN = auto()
    """The data link is up, no car is connected yet."""
    SILENT = auto()
    """A connection stands, no request has come: another one takes its place, since a car that lost it comes again."""
    CONNECTED = auto()


class DataLink(msgspec.Struct, frozen=True):
    """The data link (SLAC) is ready, or no longer."""

    ready: bool


class SdpAnswered(msgspec.Struct, frozen=True):
    """A car asked where to connect and was answered."""


class CarConnected(msgspec.Struct, frozen=True):
    """A connection was accepted."""


class CarSpoke(msgspec.Struct, frozen=True):
    """The car has sent its first request."""


class CarGone(msgspec.Struct, frozen=True):
    """The connection has ended."""


class HandshakeFailed(msgspec.Struct, frozen=True):
    """A connection was lost before its TLS handshake was complete."""


class CloseConnection(msgspec.Struct, frozen=True):
    """Effect: the running connection must be closed."""

    reason: str


class Access(Machine):
    """Opens with the data link, closes with it or when no car comes in time. One car at a time."""

    initial = AccessState.SHUT

    def __init__(self) -> None:
        super().__init__()
        self._latest = 0.0
        """When the wait for the first connection is over, whatever is asked meanwhile."""
        self._failed_at: float | None = None
        """When a failed handshake was last published, since the data link or the last connection."""

    @property
    def open(self) -> bool:
        """Whether SDP is answered and a connection may be accepted."""
        return self.state in (AccessState.OPEN, AccessState.SILENT)

    @on(AccessState.SHUT, AccessState.OPEN, event=DataLink, to=(AccessState.OPEN, AccessState.SHUT))
    def data_link(self, event: DataLink, now: float) -> list[Any]:
        """Open with the data link, shut without."""
        if not event.ready:
            return self.enter(AccessState.SHUT)
        self._failed_at = None
        self._latest = now + FIRST_CONNECTION_S + CONNECT_AFTER_SDP_AT_MOST_S
        self.start("first connection", now + FIRST_CONNECTION_S)  # [V2G2-723]
        return self.enter(AccessState.OPEN)

    @on(AccessState.SILENT, AccessState.CONNECTED, event=DataLink, to=AccessState.SHUT)
    def data_link_lost(self, event: DataLink, now: float) -> list[Any]:
        """Take the connection away with the data link."""
        if event.ready:
            return []
        return self.enter(AccessState.SHUT, CloseConnection("the data link is gone"))

    @on(AccessState.OPEN, event=SdpAnswered)
    def answered(self, event: SdpAnswered, now: float) -> list[Any]:
        """Leave the car that asks late the time to connect."""
        self._leave_time(now)
        return []

    def _leave_time(self, now: float) -> None:
        due = self.due("first connection")
        if due is not None:
            self.start("first connection", max(due, min(now + CONNECT_AFTER_SDP_S, self._latest)))

    @on(AccessState.OPEN, event=HandshakeFailed)
    def handshake_failed(self, event: HandshakeFailed, now: float) -> list[Any]:
        """Publish that the session failed, and let the car try again for V2G_SECC_CommunicationSetup_Timer at most."""
        if self.due("first connection") is None:
            # The car comes again on a data link that has had a connection.
            self._latest = now + V2G_SECC_COMMUNICATION_SETUP_S + CONNECT_AFTER_SDP_AT_MOST_S
            self.start("first connection", now + V2G_SECC_COMMUNICATION_SETUP_S)
        self._leave_time(now)
        if self._failed_at is not None and now - self._failed_at < _FAILURE_PAUSE_S:
            return []
        self._failed_at = now
        return [publish(Iso15118Charger.hlc_session_failed, FailureReason.FailedTLSHandshake)]

    @on(AccessState.SHUT, AccessState.SILENT, AccessState.CONNECTED, event=HandshakeFailed)
    def another_failed(self, event: HandshakeFailed, now: float) -> list[Any]:
        """It was not the handshake of the car that is served."""
        return []

    @on(AccessState.SHUT, AccessState.SILENT, AccessState.CONNECTED, event=SdpAnswered)
    def answered_before(self, event: SdpAnswered, now: float) -> list[Any]:
        """The connection, or the end of the data link, was faster; or the car is about to connect once more."""
        return []

    @on(AccessState.OPEN, event=CarConnected, to=AccessState.SILENT)
    def connected(self, event: CarConnected, now: float) -> list[Any]:
        """Wait for its first request, whose time is the connection's."""
        self._failed_at = None
        return self.enter(AccessState.SILENT)

    @on(AccessState.SILENT, event=CarConnected)
    def replaced(self, event: CarConnected, now: float) -> list[Any]:
        """Another connection has taken the place."""
        return []

    @on(AccessState.SILENT, event=CarSpoke, to=AccessState.CONNECTED)
    def spoke(self, event: CarSpoke, now: float) -> list[Any]:
        """Serve this car and no other."""
        return self.enter(AccessState.CONNECTED)

    @on(AccessState.SHUT, AccessState.OPEN, AccessState.CONNECTED, event=CarSpoke)
    def spoke_again(self, event: CarSpoke, now: float) -> list[Any]:
        """It is known, or the end of the data link was faster."""
        return []

    @on(AccessState.SILENT, AccessState.CONNECTED, event=CarGone, to=AccessState.OPEN)
    def gone(self, event: CarGone, now: float) -> list[Any]:
        """Let the car come again while the data link stands: after a pause, or after it lost the connection."""
        return self.enter(AccessState.OPEN)

    @on(AccessState.SHUT, AccessState.OPEN, event=CarGone)
    def gone_before(self, event: CarGone, now: float) -> list[Any]:
        """The data link was faster."""
        return []

    @on(AccessState.OPEN, timer="first connection", to=AccessState.SHUT)
    def no_connection(self, now: float) -> list[Any]:
        """No car came, or none whose handshake succeeded: the data link is of no use."""
        why = f"no car connected within {FIRST_CONNECTION_S:g} s of the match"
        if self._failed_at is not None:
            why = "no car connected after its TLS handshake had failed"
        return self.enter(
            AccessState.SHUT,
            Log(why),
            publish(Iso15118Charger.dlink_error, None),
        )
