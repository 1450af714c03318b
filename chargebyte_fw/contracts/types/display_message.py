"""EVerest type file `display_message`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import text_message


class IdentifierType(StrEnum):
    """EVerest enumeration `IdentifierType`."""

    IdToken = "IdToken"
    SessionId = "SessionId"
    TransactionId = "TransactionId"


class MessagePriorityEnum(StrEnum):
    """AlwaysFront replaces/overrides all others; InFront is shown before the cycle (several rotate); NormalCycle
    is the default.
    """

    AlwaysFront = "AlwaysFront"
    InFront = "InFront"
    NormalCycle = "NormalCycle"


class MessageStateEnum(StrEnum):
    """EVerest enumeration `MessageStateEnum`."""

    Charging = "Charging"
    Faulted = "Faulted"
    Idle = "Idle"
    Unavailable = "Unavailable"
    Suspending = "Suspending"
    Discharging = "Discharging"


class DisplayMessageStatusEnum(StrEnum):
    """EVerest enumeration `DisplayMessageStatusEnum`."""

    Accepted = "Accepted"
    NotSupportedMessageFormat = "NotSupportedMessageFormat"
    Rejected = "Rejected"
    NotSupportedPriority = "NotSupportedPriority"
    NotSupportedState = "NotSupportedState"
    UnknownTransaction = "UnknownTransaction"


class ClearMessageResponseEnum(StrEnum):
    """EVerest enumeration `ClearMessageResponseEnum`."""

    Accepted = "Accepted"
    Unknown = "Unknown"


class DisplayMessage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `display_message.DisplayMessage`."""

    message: text_message.MessageContent
    id: int | None = None
    priority: MessagePriorityEnum | None = None
    """Absent = NormalCycle."""
    state: MessageStateEnum | None = None
    """Absent = any state."""
    timestamp_from: str | None = None
    """Absent = now."""
    timestamp_to: str | None = None
    """Absent = until removed."""
    identifier_id: Annotated[str, Meta(max_length=36)] | None = None
    """Message bound to this token/session/transaction."""
    identifier_type: IdentifierType | None = None
    """Absent = SessionId."""
    qr_code: str | None = None


class SetDisplayMessageResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `display_message.SetDisplayMessageResponse`."""

    status: DisplayMessageStatusEnum
    status_info: str | None = None


class GetDisplayMessageRequest(OpenType, kw_only=True, omit_defaults=True):
    """All fields are filters; none = return everything."""

    id: list[int] | None = None
    priority: MessagePriorityEnum | None = None
    state: MessageStateEnum | None = None


class GetDisplayMessageResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `display_message.GetDisplayMessageResponse`."""

    status_info: str | None = None
    messages: list[DisplayMessage] | None = None


class ClearDisplayMessageRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `display_message.ClearDisplayMessageRequest`."""

    id: int


class ClearDisplayMessageResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `display_message.ClearDisplayMessageResponse`."""

    status: ClearMessageResponseEnum
    status_info: str | None = None
