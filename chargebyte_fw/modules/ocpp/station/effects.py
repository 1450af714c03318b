"""What a station asks of its owner, in order."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles, ConnectionSettings
from chargebyte_fw.modules.ocpp.queue.settings import Settings as QueueSettings


class Enqueue(msgspec.Struct, frozen=True):
    """Send a request to the CSMS, by the rules of the queue for its action."""

    message_id: str
    request: Any
    transaction: str | None = None
    """The session id of the transaction that it belongs to: OCPP 1.6 puts the transaction id in once it is known."""
    triggered: bool = False
    """The CSMS asked for it: sent while the registration is pending, and not dropped as superfluous."""


class Answer(msgspec.Struct, frozen=True):
    """Answer a request of the CSMS."""

    call_id: str
    response: Any


class Refuse(msgspec.Struct, frozen=True):
    """Answer a request of the CSMS with a CALLERROR."""

    call_id: str
    code: str
    description: str = ""
    details: Any = None


class LeaveUnanswered(msgspec.Struct, frozen=True):
    """A request of the CSMS gets no answer; the next frame may be another one."""

    call_id: str


class Reply(msgspec.Struct, frozen=True):
    """Return the result of a command that another module sent (`events.Served`)."""

    reply_id: str
    result: Any


class ReplyError(msgspec.Struct, frozen=True):
    """Fail a command that another module sent."""

    reply_id: str
    reason: str


class Command(msgspec.Struct, frozen=True):
    """Send a command to another module; `CommandDone` or `CommandFailed` is the answer."""

    command_id: int
    call: Call
    evse_id: int | None = None
    """To the provider that is mapped to this EVSE; None: to the only one, or to every one."""


class KeepElsewhere(msgspec.Struct, frozen=True):
    """Have another part of the charger keep a value; `CommandDone` or `CommandFailed` is the answer."""

    command_id: int
    what: Any


class KeepFormerCertificate(msgspec.Struct, frozen=True):
    """Use the former client certificate as well where the new one does not connect; None: there is one again.

    `ClientCertificateProven` is the answer, with each connection.
    """

    former: ClientFiles | None


class TryRoot(msgspec.Struct, frozen=True):
    """Try this root of the CSMS (PEM) before all others; empty: there is no new one. `CsmsRootProven` is the answer."""

    new_root: str


class DiscardCertificate(msgspec.Struct, frozen=True):
    """Delete a client certificate of the station; `CommandDone` or `CommandFailed` is the answer."""

    command_id: int
    discarded: ClientFiles
    kept: ClientFiles


class Save(msgspec.Struct, frozen=True):
    """Write a document, or delete it (None), in order with the queue's own writes."""

    table: str
    key: str
    value: bytes | None


class Connect(msgspec.Struct, frozen=True):
    """Open the connection (again)."""


class Disconnect(msgspec.Struct, frozen=True):
    """Close the connection and stay offline until `Connect`."""

    reason: str


class Reconnect(msgspec.Struct, frozen=True):
    """Close the connection and open it again, when what was sent before has left."""

    reason: str


class SwitchSecurityProfile(msgspec.Struct, frozen=True):
    """Use another security profile in the active slot (1.6): `SecurityProfileSwitched` is the answer.

    Without a connection within the time the former profile is used again.
    """

    security_profile: int
    timeout_s: float


class ConfigureConnection(msgspec.Struct, frozen=True):
    """Use these settings from now on: pings at once, all others with the next attempt to connect."""

    settings: ConnectionSettings


class ConfigureQueue(msgspec.Struct, frozen=True):
    """Use these settings from now on."""

    settings: QueueSettings


class RegistrationChanged(msgspec.Struct, frozen=True):
    """The CSMS answered a BootNotification: what the queue may send depends on it."""

    status: str
    """`Accepted`, `Pending` or `Rejected`."""


class RowFailed(msgspec.Struct, frozen=True):
    """A row failed on what the CSMS sent: to be logged with its traceback."""

    error: Exception
