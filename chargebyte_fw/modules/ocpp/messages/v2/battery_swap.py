"""Battery swap (OCPP 2.1 part 2, block S)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType


class BatterySwapEventEnumType(StrEnum):
    BatteryIn = "BatteryIn"
    BatteryOut = "BatteryOut"
    BatteryOutTimeout = "BatteryOutTimeout"


class BatteryDataType(V2Type, kw_only=True):
    evse_id: Annotated[int, Range(0)] = field(name="evseId")
    serial_number: Annotated[str, Text(50)] = field(name="serialNumber")
    soc_percent: Annotated[float, Range(0, 100)] = field(name="soC")
    soh_percent: Annotated[float, Range(0, 100)] = field(name="soH")
    production_date: datetime | None = field(name="productionDate", default=None)
    vendor_info: Annotated[str | None, Text(500)] = field(name="vendorInfo", default=None)


class BatterySwapRequest(V2Request, kw_only=True):
    battery_data: Annotated[list[BatteryDataType], Items(1)] = field(name="batteryData")
    event_type: BatterySwapEventEnumType = field(name="eventType")
    id_token: IdTokenType = field(name="idToken")
    request_id: int = field(name="requestId")


class BatterySwapResponse(V2Response, kw_only=True):
    pass


class RequestBatterySwapRequest(V2Request, kw_only=True):
    id_token: IdTokenType = field(name="idToken")
    request_id: int = field(name="requestId")


class RequestBatterySwapResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
