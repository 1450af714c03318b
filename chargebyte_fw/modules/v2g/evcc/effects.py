"""Effects of the car's machine."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SendSdp(msgspec.Struct, frozen=True):
    """Send this datagram to the SDP multicast address and port."""

    data: bytes


class Connect(msgspec.Struct, frozen=True):
    """Connect to the charger (TCP, the address is link-local: the interface is the owner's)."""

    address: str
    port: int


class Send(msgspec.Struct, frozen=True):
    """Send these bytes; `name` is the message's."""

    data: bytes
    name: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection."""


class SetPilot(msgspec.Struct, frozen=True):
    """Set the control pilot to state `B` or `C` (open or close S2)."""

    state: str


class Power(msgspec.Struct, frozen=True):
    """Close or open the car's contactors towards the battery (DC), begin or end drawing (AC)."""

    on: bool


class Step(StrEnum):
    """Where in the session the car is; reported when it gets there."""

    SEARCHING = "searching"
    CONNECTED = "connected"
    NEGOTIATED = "negotiated"
    SESSION = "session"
    AUTHORIZING = "authorizing"
    AUTHORIZED = "authorized"
    PARAMETERS = "parameters"
    CABLE_CHECK = "cable check"
    PRECHARGE = "pre-charge"
    CHARGING = "charging"
    RENEGOTIATING = "renegotiating"
    STOPPING = "stopping"
    WELDING_DETECTION = "welding detection"
    ENDED = "ended"


class Report(msgspec.Struct, frozen=True):
    """The session got to `step`; `what` is detail for the log."""

    step: Step
    what: str = ""


class SessionStopped(msgspec.Struct, frozen=True):
    """The session is over: `terminated` or `paused` as agreed, or `failed` and why."""

    outcome: str
    reason: str = ""
    session_id: bytes = b""
    """Of a paused session: what resumes it."""
