"""Events of the authorizer: commands of the interfaces `auth` and `reservation`, tokens, answers, session events."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    ProvidedIdToken,
    ValidationResult,
    ValidationResultUpdate,
    WithdrawAuthorizationRequest,
)
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, SessionEvent
from chargebyte_fw.contracts.types.reservation import Reservation


class EvsesKnown(msgspec.Struct, frozen=True):
    """Every EVSE has reported its connectors and the type of each; the authorizer begins."""

    evses: dict[int, dict[int, ConnectorTypeEnum]]


class TokenPresented(msgspec.Struct, frozen=True):
    """A token provider has published a token."""

    token: ProvidedIdToken


class Validated(msgspec.Struct, frozen=True):
    """Every validator has answered, in the order of the configuration."""

    token_id: int
    results: list[ValidationResult]


class Authorized(msgspec.Struct, frozen=True):
    """The EVSE has answered `AuthorizeEvse`; `accepted`: it has taken the authorization."""

    token_id: int
    accepted: bool


class TransactionStopped(msgspec.Struct, frozen=True):
    """The EVSE has answered `StopTransaction`; `stopping`: its transaction ends."""

    token_id: int
    stopping: bool


class SessionEventReceived(msgspec.Struct, frozen=True):
    """An EVSE has published a session event."""

    evse_id: int
    event: SessionEvent


class InoperativeChanged(msgspec.Struct, frozen=True):
    """The fault `evse_manager/Inoperative` of an EVSE was raised or cleared."""

    evse_id: int
    active: bool


class ValidationUpdated(msgspec.Struct, frozen=True):
    """A validator has replaced the result of a token that is in use."""

    update: ValidationResultUpdate


class WithdrawRequested(msgspec.Struct, frozen=True):
    """Command `withdraw_authorization`; `Reply` carries the result."""

    request_id: int
    request: WithdrawAuthorizationRequest


class SetConnectionTimeout(msgspec.Struct, frozen=True):
    """Command `set_connection_timeout`: for timers that start from now on."""

    timeout_s: float


class SetMasterPassGroup(msgspec.Struct, frozen=True):
    """Command `set_master_pass_group_id`; empty: no group."""

    group: str


class ReservationRequested(msgspec.Struct, frozen=True):
    """Command `reserve_now`, or (request 0) a reservation read from the store.

    `until_at` is the expiry time, None when it cannot be read; `wall_at` is the present wall time.
    """

    request_id: int
    reservation: Reservation
    until_at: datetime | None
    wall_at: datetime


class WallClockSet(msgspec.Struct, frozen=True):
    """The wall clock was set."""

    wall_at: datetime


class EvseReserved(msgspec.Struct, frozen=True):
    """The EVSE has answered `ReserveEvse`; `accepted`: it is reserved."""

    request_id: int
    reservation_id: int
    accepted: bool


class EvseReleased(msgspec.Struct, frozen=True):
    """The EVSE has answered `ReleaseEvse`."""

    evse_id: int


class CancelRequested(msgspec.Struct, frozen=True):
    """Command `cancel_reservation`."""

    request_id: int
    reservation_id: int


class CheckRequested(msgspec.Struct, frozen=True):
    """Command `exists_reservation`: for whom an EVSE (None: any) is reserved."""

    request_id: int
    id_token: str
    evse_id: int | None
    group: str | None
