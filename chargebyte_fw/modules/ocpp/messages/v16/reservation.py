"""Profile Reservation of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Request, Response, Text


class CancelReservationRequest(Request, kw_only=True):
    reservation_id: int = field(name="reservationId")


class CancelReservationStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class CancelReservationResponse(Response, kw_only=True):
    status: CancelReservationStatus


class ReserveNowRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    expiry_date: datetime = field(name="expiryDate")
    id_tag: Annotated[str, Text(20, folded=True)] = field(name="idTag")
    reservation_id: int = field(name="reservationId")
    parent_id_tag: Annotated[str | None, Text(20, folded=True)] = field(name="parentIdTag", default=None)


class ReservationStatus(StrEnum):
    Accepted = "Accepted"
    Faulted = "Faulted"
    Occupied = "Occupied"
    Rejected = "Rejected"
    Unavailable = "Unavailable"


class ReserveNowResponse(Response, kw_only=True):
    status: ReservationStatus
