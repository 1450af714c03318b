"""How far a connection of a car is, and what is known of it apart from protocol and session."""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.secc.effects import SessionEnd
from chargebyte_fw.modules.v2g.security import PLAIN, Security


class SeccState(Enum):
    """How far the connection is."""

    IDLE = auto()
    HANDSHAKE = auto()
    SESSION = auto()
    FINISHING = auto()
    """The last response is out; the car may close first."""
    SHUT_DOWN = auto()
    """Our side is shut down; the car should close now."""
    ENDED = auto()


class ConnectionFacts(msgspec.Struct):
    """What is known of this connection, apart from protocol and session."""

    security: Security = PLAIN
    last_request: str = ""
    """The name of the last request of the session; empty before the first."""
    end: SessionEnd = "error"
    """How the session ends."""
    ended_by_charger: bool = False
    not_understood: int = 0
    next_request_s: float = timing.V2G_SECC_SEQUENCE_TIMEOUT_S
    """How long the next request is waited for."""
