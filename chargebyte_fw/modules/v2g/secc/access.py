"""Who may connect, and until when: the data link's state and V2G_SECC_CommunicationSetup_Timer (ISO 15118-2 8.7.3)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.v2g.secc.effects import Note, Publish
from chargebyte_fw.modules.v2g.timing import V2G_SECC_COMMUNICATION_SETUP_S


class AccessState(Enum):
    """Whether a car may find us and connect."""

    SHUT = auto()
    OPEN = auto()
    """The data link is up, no car is connected yet."""
    CONNECTED = auto()


class DataLink(msgspec.Struct, frozen=True):
    """The data link (SLAC) is ready, or no longer."""

    ready: bool


class CarConnected(msgspec.Struct, frozen=True):
    """A connection was accepted."""


class CarGone(msgspec.Struct, frozen=True):
    """The connection has ended."""


class CloseConnection(msgspec.Struct, frozen=True):
    """Effect: the running connection must go."""

    reason: str


class Access(Machine):
    """Opens with the data link, closes with it or when no car comes within 18 s. One car at a time."""

    def __init__(self) -> None:
        super().__init__(AccessState.SHUT)

    @property
    def open(self) -> bool:
        """Whether SDP is answered and a connection may be accepted."""
        return self.state is AccessState.OPEN

    @on(event=DataLink)
    def data_link(self, event: DataLink, now: float) -> list[Any]:
        """Open with the data link; take the connection away with it."""
        connected = self.state is AccessState.CONNECTED
        if event.ready:
            if connected:
                return []
            return self.enter(AccessState.OPEN, until=now + V2G_SECC_COMMUNICATION_SETUP_S)
        effects = [CloseConnection("the data link is gone")] if connected else []
        return self.enter(AccessState.SHUT, *effects)

    @on(AccessState.OPEN, event=CarConnected)
    def connected(self, event: CarConnected, now: float) -> list[Any]:
        """Serve this car and no other."""
        return self.enter(AccessState.CONNECTED)

    @on(AccessState.CONNECTED, event=CarGone)
    def gone(self, event: CarGone, now: float) -> list[Any]:
        """Let the car come again while the data link stands: after a pause, or after it lost the connection."""
        return self.enter(AccessState.OPEN)

    @on(AccessState.SHUT, AccessState.OPEN, event=CarGone)
    def gone_before(self, event: CarGone, now: float) -> list[Any]:
        """The data link was faster."""
        return []

    @on(AccessState.OPEN, event=Timeout)
    def nobody(self, event: Timeout, now: float) -> list[Any]:
        """Nobody came: the data link is of no use."""
        return self.enter(
            AccessState.SHUT,
            Note(f"no car connected within {V2G_SECC_COMMUNICATION_SETUP_S:g} s of the data link"),
            Publish("dlink_error"),
        )
