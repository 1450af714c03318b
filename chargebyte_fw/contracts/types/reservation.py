"""EVerest type file `reservation`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.types import evse_manager


class ReservationResult(StrEnum):
    """EVerest enumeration `ReservationResult`."""

    Accepted = "Accepted"
    Faulted = "Faulted"
    Occupied = "Occupied"
    Rejected = "Rejected"
    Unavailable = "Unavailable"


class ReservationEndReason(StrEnum):
    """GlobalReservationRequirementDropped = this EVSE is no longer needed for a station-wide reservation."""

    Expired = "Expired"
    Cancelled = "Cancelled"
    UsedToStartCharging = "UsedToStartCharging"
    GlobalReservationRequirementDropped = "GlobalReservationRequirementDropped"


class ReservationCheckStatus(StrEnum):
    """Relation of a token to the reservation of an EVSE."""

    NotReserved = "NotReserved"
    ReservedForToken = "ReservedForToken"
    ReservedForOtherToken = "ReservedForOtherToken"
    ReservedForOtherTokenAndHasParentToken = "ReservedForOtherTokenAndHasParentToken"


class Reservation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `reservation.Reservation`."""

    reservation_id: int
    id_token: str
    expiry_time: str
    evse_id: int | None = None
    """Absent = any EVSE."""
    parent_id_token: str | None = None
    connector_type: evse_manager.ConnectorTypeEnum | None = None
    """Wanted plug type."""


class ReservationEnd(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `reservation.ReservationEnd`."""

    reason: ReservationEndReason
    reservation_id: int


class ReservationCheck(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `reservation.ReservationCheck`."""

    id_token: str
    evse_id: int | None = None
    group_id_token: str | None = None


class ReservationUpdateStatusReservationStatus(FieldEnum):
    """Values of `ReservationUpdateStatus.reservation_status`."""

    Expired = "Expired"
    Removed = "Removed"
    Placed = "Placed"
    Cancelled = "Cancelled"
    Used = "Used"


class ReservationUpdateStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `reservation.ReservationUpdateStatus`."""

    reservation_id: int
    reservation_status: ReservationUpdateStatusReservationStatus
