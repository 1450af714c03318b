"""Availability (OCPP 2.x part 2, block G)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import In21, Range
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType, StatusInfoType


class ChangeAvailabilityStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Scheduled = "Scheduled"


class ConnectorStatusEnumType(StrEnum):
    Available = "Available"
    Occupied = "Occupied"
    Reserved = "Reserved"
    Unavailable = "Unavailable"
    Faulted = "Faulted"


class OperationalStatusEnumType(StrEnum):
    Inoperative = "Inoperative"
    Operative = "Operative"


class StatusNotificationRequest(V2Request, kw_only=True):
    timestamp: datetime
    connector_status: ConnectorStatusEnumType = field(name="connectorStatus")
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    connector_id: Annotated[int, In21(Range(0))] = field(name="connectorId")


class StatusNotificationResponse(V2Response, kw_only=True):
    pass


class HeartbeatRequest(V2Request, kw_only=True):
    pass


class HeartbeatResponse(V2Response, kw_only=True):
    current_time: datetime = field(name="currentTime")


class ChangeAvailabilityRequest(V2Request, kw_only=True):
    operational_status: OperationalStatusEnumType = field(name="operationalStatus")
    evse: EVSEType | None = None


class ChangeAvailabilityResponse(V2Response, kw_only=True):
    status: ChangeAvailabilityStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
