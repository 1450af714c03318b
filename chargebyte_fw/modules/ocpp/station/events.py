"""What a station is fed: frames that were decoded, answers to what it sent, facts of the stack."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import SessionEvent
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.faults import Fault


class WallClockSet(msgspec.Struct, frozen=True):
    """The wall time at monotonic second 0, in s since 1970 (UTC): fed at the start and whenever the clock is set."""

    offset_s: float


class Loaded(msgspec.Struct, frozen=True):
    """What the last run saved: documents by table and key. Fed once, before anything else but the clock."""

    tables: dict[str, dict[str, bytes]]
    queued: dict[str, int] = {}
    """How many messages of a transaction wait in the queue, by its session."""


class Started(msgspec.Struct, frozen=True):
    """The stack is ready. Fed once, after `Loaded` and what the stack published before it was ready."""

    boot_reason: BootReason = BootReason.Unknown
    resumed: frozenset[str] = frozenset()
    """Sessions that go on after a restart of the stack (`SessionResumed`)."""
    going_on: frozenset[str] = frozenset()
    """Sessions that have gone on without the station, or have ended without it: their end follows."""


class CallReceived(msgspec.Struct, frozen=True):
    """The CSMS sent a request, which was decoded and is to be answered."""

    call_id: str
    action: str
    request: Any


class MessageAnswered(msgspec.Struct, frozen=True):
    """The CSMS answered a request of ours with a CALLRESULT."""

    message_id: str
    """That of `Enqueue`, however often the message was sent."""
    action: str
    request: Any
    response: Any
    transaction: str | None = None
    """That of `Enqueue`."""


class MessageFailed(msgspec.Struct, frozen=True):
    """A request of ours ended without a CALLRESULT."""

    message_id: str
    action: str
    request: Any
    code: str
    """The error code of a CALLERROR, `Timeout`, `Offline` (never sent) or `Dropped` (the queue was full)."""
    description: str = ""
    details: Any = None
    transaction: str | None = None


class Connected(msgspec.Struct, frozen=True):
    """A WebSocket to a CSMS is open and the sub-protocol is chosen."""

    slot: int
    url: str
    identity: str
    security_profile: int
    ocpp_version: str
    """The sub-protocol: `ocpp1.6`, `ocpp2.0.1` or `ocpp2.1`."""
    ocpp_interface: str = ""
    ocpp_transport: str = "JSON"


class Disconnected(msgspec.Struct, frozen=True):
    """The connection is gone."""

    reason: str


class CredentialsKnown(msgspec.Struct, frozen=True):
    """What EvseSecurity has installed for the connection to a CSMS."""

    csms_root: bool
    client_certificate: bool


class ClientCertificateProven(msgspec.Struct, frozen=True):
    """A CSMS was reached with one of the two client certificates."""

    former: bool


class CsmsRootProven(msgspec.Struct, frozen=True):
    """A CSMS was reached after its root was replaced."""

    former: bool
    """The new root does not verify it."""


class SlotConfirmed(msgspec.Struct, frozen=True):
    """BootNotification was accepted over this slot: ActiveNetworkProfile and SecurityProfile are to be written."""

    slot: int
    security_profile: int


class SecurityProfileSwitched(msgspec.Struct, frozen=True):
    """`SwitchSecurityProfile` has ended: this profile is used from now on."""

    security_profile: int
    succeeded: bool


class SecurityEventFound(msgspec.Struct, frozen=True):
    """The connection found a security event: `InvalidMessages`, `InvalidCsmsCertificate`, ... of 2.x."""

    type: str
    tech_info: str
    """At most 255 characters."""


class SessionEventReceived(msgspec.Struct, frozen=True):
    """`evse_manager.session_event` of an EVSE."""

    evse_id: int
    event: SessionEvent


class PowermeterReceived(msgspec.Struct, frozen=True):
    """`evse_manager.powermeter` of an EVSE."""

    evse_id: int
    powermeter: Powermeter


class FactReceived(msgspec.Struct, frozen=True):
    """A variable of a required interface without an event of its own: `system.log_status`, `evse_manager.ev_info`."""

    interface: str
    variable: str
    value: Any
    evse_id: int | None = None
    """The EVSE that the provider is mapped to."""


class Served(msgspec.Struct, frozen=True):
    """Another module sent a command to an interface that the station's module provides."""

    reply_id: str
    interface: str
    command: str
    args: tuple[Any, ...] = ()


class CommandDone(msgspec.Struct, frozen=True):
    """A command to another module returned."""

    command_id: int
    result: Any


class CommandFailed(msgspec.Struct, frozen=True):
    """A command to another module failed, or was not answered in time."""

    command_id: int
    reason: str


class ErrorRaised(msgspec.Struct, frozen=True):
    """An error anywhere in the stack began."""

    fault: Fault


class ErrorCleared(msgspec.Struct, frozen=True):
    """An error ended."""

    fault: Fault
