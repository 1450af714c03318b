"""Types that many blocks of OCPP 2.0.1 and 2.1 share."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import In21, In201, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type


class GenericDeviceModelStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotSupported = "NotSupported"
    EmptyResultSet = "EmptyResultSet"


class GenericStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class EVSEType(V2Type, kw_only=True):
    id: Annotated[int, In21(Range(0))]
    connector_id: Annotated[int | None, In21(Range(0))] = field(name="connectorId", default=None)


class StatusInfoType(V2Type, kw_only=True):
    reason_code: Annotated[str, Text(20)] = field(name="reasonCode")
    additional_info: Annotated[str | None, Text(1024), In201(Text(512))] = field(name="additionalInfo", default=None)
