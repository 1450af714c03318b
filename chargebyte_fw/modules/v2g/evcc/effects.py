"""Effects of the car's machine."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.modules.v2g.evcc.credentials import Identity
from chargebyte_fw.modules.v2g.evcc.facts import Paused


class SendSdp(msgspec.Struct, frozen=True):
    """Send this datagram to the SDP multicast address and port."""

    data: bytes


class Connect(msgspec.Struct, frozen=True):
    """Connect to the charger (TCP, the address is link-local: the interface is the owner's)."""

    address: str
    port: int
    tls: bool = False
    """With TLS: the connection is open when its handshake is over."""


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
    CONTRACT = "contract installation"
    AUTHORIZING = "authorizing"
    AUTHORIZED = "authorized"
    SERVICE = "service"
    """ISO 15118-20: energy service and control mode are selected."""
    PARAMETERS = "parameters"
    CABLE_CHECK = "cable check"
    PRECHARGE = "pre-charge"
    CHARGING = "charging"
    RENEGOTIATING = "renegotiating"
    STOPPING = "stopping"
    WELDING_DETECTION = "welding detection"
    MISBEHAVING = "misbehaving"
    """On purpose: the script wants it (`evcc/misbehaviour.py`)."""
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
    """Of a paused session: its id."""
    paused: Paused | None = None
    """Of a paused session: what resumes it."""


class NewContract(msgspec.Struct, frozen=True):
    """The car got a contract over the charger: keep it for the next sessions."""

    standard: str
    """`iso2` or `iso20`: its place in the key store."""
    contract: Identity
    emaid: str
