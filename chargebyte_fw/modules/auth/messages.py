"""What authorization is told, and what it wants done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    IdToken,
    ProvidedIdToken,
    SelectionAlgorithm,
    TokenValidationStatus,
    ValidationResult,
    ValidationResultUpdate,
    WithdrawAuthorizationRequest,
)
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, SessionEvent, StopTransactionRequest
from chargebyte_fw.contracts.types.reservation import Reservation, ReservationUpdateStatusReservationStatus
from chargebyte_fw.contracts.types.text_message import MessageContent


class Rules(msgspec.Struct):
    """What the configuration decides."""

    connection_timeout_s: float
    selection: SelectionAlgorithm = SelectionAlgorithm.FindFirst
    prioritize_authorization: bool = True
    stop_on_reswipe: bool = True
    ignore_faults: bool = False
    plug_in_timeout: bool = False
    master_pass: str = ""


class EvsesKnown(msgspec.Struct, frozen=True):
    """All EVSEs are known: their connectors and the type of each."""

    evses: dict[int, dict[int, ConnectorTypeEnum]]


class TokenPresented(msgspec.Struct, frozen=True):
    """Somebody presents a token."""

    token: ProvidedIdToken


class Validated(msgspec.Struct, frozen=True):
    """Every validator has answered, in the order of the configuration."""

    token_id: int
    results: list[ValidationResult]


class Authorized(msgspec.Struct, frozen=True):
    """The EVSE has taken the authorization, or it has not."""

    token_id: int
    taken: bool


class TransactionStopped(msgspec.Struct, frozen=True):
    """The EVSE ends its transaction, or it does not."""

    token_id: int
    done: bool


class SessionEventReceived(msgspec.Struct, frozen=True):
    """An event of a charging session."""

    evse_id: int
    event: SessionEvent


class InoperativeChanged(msgspec.Struct, frozen=True):
    """An EVSE cannot be used, or it can again."""

    evse_id: int
    active: bool


class ValidationUpdated(msgspec.Struct, frozen=True):
    """A validator changes its mind."""

    update: ValidationResultUpdate


class WithdrawRequested(msgspec.Struct, frozen=True):
    """Somebody takes authorizations back; `Answer` carries the request_id."""

    request_id: int
    request: WithdrawAuthorizationRequest


class SetConnectionTimeout(msgspec.Struct, frozen=True):
    """Another time for the next timers."""

    timeout_s: float


class SetMasterPassGroup(msgspec.Struct, frozen=True):
    """Another group whose tokens end every transaction; empty: none."""

    group: str


class ReservationRequested(msgspec.Struct, frozen=True):
    """A reservation until `until_at` (None: its expiry time is no time); now is `wall_at`. Ticket 0: from the store."""

    request_id: int
    reservation: Reservation
    until_at: datetime | None
    wall_at: datetime


class WallClockSet(msgspec.Struct, frozen=True):
    """The wall clock was set, or is known for the first time."""

    wall_at: datetime


class EvseReserved(msgspec.Struct, frozen=True):
    """The EVSE keeps itself for a reservation, or it does not."""

    request_id: int
    reservation_id: int
    taken: bool


class EvseReleased(msgspec.Struct, frozen=True):
    """The EVSE has given a reservation up."""

    evse_id: int


class CancelRequested(msgspec.Struct, frozen=True):
    """Somebody gives a reservation up."""

    request_id: int
    reservation_id: int


class CheckRequested(msgspec.Struct, frozen=True):
    """Somebody asks for whom an EVSE (or any) is reserved."""

    request_id: int
    id_token: str
    evse_id: int | None
    group: str | None


class Say(msgspec.Struct, frozen=True):
    """Effect: tell where a token stands."""

    token: ProvidedIdToken
    status: TokenValidationStatus
    messages: list[MessageContent] = msgspec.field(default_factory=list)


class ValidateToken(msgspec.Struct, frozen=True):
    """Effect: ask every validator; answer with `Validated`."""

    token_id: int
    token: ProvidedIdToken


class AuthorizeEvse(msgspec.Struct, frozen=True):
    """Effect: tell an EVSE of a token and what it is good for; answer with `Authorized` unless `token_id` is None."""

    evse_id: int
    token: ProvidedIdToken
    result: ValidationResult
    token_id: int | None


class StopTransaction(msgspec.Struct, frozen=True):
    """Effect: have an EVSE end its transaction; answer with `Stopped` unless `token_id` is None."""

    evse_id: int
    request: StopTransactionRequest
    token_id: int | None


class WithdrawAuthorization(msgspec.Struct, frozen=True):
    """Effect: an EVSE's authorization holds no longer."""

    evse_id: int


class Reply(msgspec.Struct, frozen=True):
    """Effect: the result of a command."""

    request_id: int
    result: Any


class ReserveEvse(msgspec.Struct, frozen=True):
    """Effect: reserve an EVSE (-1: for one of several reservations); the answer to a request is `EvseReserved`."""

    evse_id: int
    reservation_id: int
    request_id: int | None


class ReleaseEvse(msgspec.Struct, frozen=True):
    """Effect: have an EVSE give its reservation up; answer with `Released`."""

    evse_id: int


class Tell(msgspec.Struct, frozen=True):
    """Effect: tell what became of a reservation."""

    reservation_id: int
    status: ReservationUpdateStatusReservationStatus


class StoreReservations(msgspec.Struct, frozen=True):
    """Effect: write all reservations down."""

    reservations: list[Reservation]


class Log(msgspec.Struct, frozen=True):
    """Effect: a line for the log, with the session's story (`info`) or a decision (`debug`)."""

    text: str
    level: str = "info"


def same(a: str, b: str) -> bool:
    """Compare identifiers as OCPP does: letter case does not matter."""
    return a.casefold() == b.casefold()


def value_of(token: IdToken | None) -> str | None:
    """Return the identifier of an optional token."""
    return token.value if token is not None else None
