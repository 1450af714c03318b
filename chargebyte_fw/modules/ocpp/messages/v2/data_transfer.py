"""Data transfer (OCPP 2.x part 2, block P)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated, Any

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType


class DataTransferStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownMessageId = "UnknownMessageId"
    UnknownVendorId = "UnknownVendorId"


class DataTransferRequest(V2Request, kw_only=True):
    vendor_id: Annotated[str, Text(255)] = field(name="vendorId")
    message_id: Annotated[str | None, Text(50)] = field(name="messageId", default=None)
    data: Any = None


class DataTransferResponse(V2Response, kw_only=True):
    status: DataTransferStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    data: Any = None
