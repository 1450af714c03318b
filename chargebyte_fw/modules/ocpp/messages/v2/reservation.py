"""Reservation (OCPP 2.x part 2, block H)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, OneOf, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType


class CancelReservationStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class ConnectorEnumType(StrEnum):
    cCCS1 = "cCCS1"
    cCCS2 = "cCCS2"
    cG105 = "cG105"
    cTesla = "cTesla"
    cType1 = "cType1"
    cType2 = "cType2"
    s309_1P_16A = "s309-1P-16A"
    s309_1P_32A = "s309-1P-32A"
    s309_3P_16A = "s309-3P-16A"
    s309_3P_32A = "s309-3P-32A"
    sBS1361 = "sBS1361"
    sCEE_7_7 = "sCEE-7-7"
    sType2 = "sType2"
    sType3 = "sType3"
    Other1PhMax16A = "Other1PhMax16A"
    Other1PhOver16A = "Other1PhOver16A"
    Other3Ph = "Other3Ph"
    Pan = "Pan"
    wInductive = "wInductive"
    wResonant = "wResonant"
    Undetermined = "Undetermined"
    Unknown = "Unknown"


class ReservationUpdateStatusEnumType(Values):
    Expired = "Expired"
    Removed = "Removed"
    NoTransaction = "NoTransaction", SINCE_21, "Expired"


class ReserveNowStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Faulted = "Faulted"
    Occupied = "Occupied"
    Rejected = "Rejected"
    Unavailable = "Unavailable"


class ReserveNowRequest(V2Request, kw_only=True):
    id: Annotated[int, In21(Range(0))]
    expiry_date_time: datetime = field(name="expiryDateTime")
    id_token: IdTokenType = field(name="idToken")
    connector_type: Annotated[str | None, Text(20), In201(OneOf(ConnectorEnumType))] = field(
        name="connectorType", default=None
    )
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)
    group_id_token: IdTokenType | None = field(name="groupIdToken", default=None)


class ReserveNowResponse(V2Response, kw_only=True):
    status: ReserveNowStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class CancelReservationRequest(V2Request, kw_only=True):
    reservation_id: Annotated[int, In21(Range(0))] = field(name="reservationId")


class CancelReservationResponse(V2Response, kw_only=True):
    status: CancelReservationStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ReservationStatusUpdateRequest(V2Request, kw_only=True):
    reservation_id: Annotated[int, In21(Range(0))] = field(name="reservationId")
    reservation_update_status: ReservationUpdateStatusEnumType = field(name="reservationUpdateStatus")


class ReservationStatusUpdateResponse(V2Response, kw_only=True):
    pass
