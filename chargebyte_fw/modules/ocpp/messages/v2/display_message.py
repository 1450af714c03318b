"""Display messages (OCPP 2.x part 2, block O)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, Items, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import ComponentType
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType


class ClearMessageStatusEnumType(Values):
    Accepted = "Accepted"
    Unknown = "Unknown"
    Rejected = "Rejected", SINCE_21, "Unknown"


class DisplayMessageStatusEnumType(Values):
    Accepted = "Accepted"
    NotSupportedMessageFormat = "NotSupportedMessageFormat"
    Rejected = "Rejected"
    NotSupportedPriority = "NotSupportedPriority"
    NotSupportedState = "NotSupportedState"
    UnknownTransaction = "UnknownTransaction"
    LanguageNotSupported = "LanguageNotSupported", SINCE_21, "Rejected"


class GetDisplayMessagesStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Unknown = "Unknown"


class MessagePriorityEnumType(StrEnum):
    AlwaysFront = "AlwaysFront"
    InFront = "InFront"
    NormalCycle = "NormalCycle"


class MessageStateEnumType(Values):
    Charging = "Charging"
    Faulted = "Faulted"
    Idle = "Idle"
    Unavailable = "Unavailable"
    Suspended = "Suspended", SINCE_21
    Discharging = "Discharging", SINCE_21


class MessageInfoType(V2Type, kw_only=True):
    id: Annotated[int, In21(Range(0))]
    priority: MessagePriorityEnumType
    message: MessageContentType
    display: ComponentType | None = None
    state: MessageStateEnumType | None = None
    start_date_time: datetime | None = field(name="startDateTime", default=None)
    end_date_time: datetime | None = field(name="endDateTime", default=None)
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)
    message_extra: Annotated[list[MessageContentType] | None, Items(1, 4), SINCE_21] = field(
        name="messageExtra", default=None
    )


class SetDisplayMessageRequest(V2Request, kw_only=True):
    message: MessageInfoType


class SetDisplayMessageResponse(V2Response, kw_only=True):
    status: DisplayMessageStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetDisplayMessagesRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    id: Annotated[list[Annotated[int, In21(Range(0))]] | None, Items(1)] = None
    priority: MessagePriorityEnumType | None = None
    state: MessageStateEnumType | None = None


class GetDisplayMessagesResponse(V2Response, kw_only=True):
    status: GetDisplayMessagesStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ClearDisplayMessageRequest(V2Request, kw_only=True):
    id: Annotated[int, In21(Range(0))]


class ClearDisplayMessageResponse(V2Response, kw_only=True):
    status: ClearMessageStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyDisplayMessagesRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    message_info: Annotated[list[MessageInfoType] | None, Items(1)] = field(name="messageInfo", default=None)
    tbc: bool = False


class NotifyDisplayMessagesResponse(V2Response, kw_only=True):
    pass
