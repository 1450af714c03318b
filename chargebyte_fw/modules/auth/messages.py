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


class Begin(msgspec.Struct, frozen=True):
    """All EVSEs are known: their connectors and the type of each."""

    evses: dict[int, dict[int, ConnectorTypeEnum]]


class Presented(msgspec.Struct, frozen=True):
    """Somebody presents a token."""

    token: ProvidedIdToken


class Validated(msgspec.Struct, frozen=True):
    """Every validator has answered, in the order of the configuration."""

    flight: int
    results: list[ValidationResult]


class Authorized(msgspec.Struct, frozen=True):
    """The EVSE has taken the authorization, or it has not."""

    flight: int
    taken: bool


class Stopped(msgspec.Struct, frozen=True):
    """The EVSE ends its transaction, or it does not."""

    flight: int
    done: bool


class Happened(msgspec.Struct, frozen=True):
    """An event of a charging session."""

    evse_id: int
    event: SessionEvent


class Inoperative(msgspec.Struct, frozen=True):
    """An EVSE cannot be used, or it can again."""

    evse_id: int
    active: bool


class Updated(msgspec.Struct, frozen=True):
    """A validator changes its mind."""

    update: ValidationResultUpdate


class Withdraw(msgspec.Struct, frozen=True):
    """Somebody takes authorizations back; `Answer` carries the ticket."""

    ticket: int
    request: WithdrawAuthorizationRequest


class SetConnectionTimeout(msgspec.Struct, frozen=True):
    """Another time for the next timers."""

    timeout_s: float


class SetMasterPass(msgspec.Struct, frozen=True):
    """Another group whose tokens end every transaction; empty: none."""

    group: str


class Reserve(msgspec.Struct, frozen=True):
    """A reservation until `until_at` (None: its expiry time is no time); now is `wall_at`. Ticket 0: from the store."""

    ticket: int
    reservation: Reservation
    until_at: datetime | None
    wall_at: datetime


class WallSet(msgspec.Struct, frozen=True):
    """The wall clock was set, or is known for the first time."""

    wall_at: datetime


class Reserved(msgspec.Struct, frozen=True):
    """The EVSE keeps itself for a reservation, or it does not."""

    ticket: int
    reservation_id: int
    taken: bool


class Released(msgspec.Struct, frozen=True):
    """The EVSE has given a reservation up."""

    evse_id: int


class Cancel(msgspec.Struct, frozen=True):
    """Somebody gives a reservation up."""

    ticket: int
    reservation_id: int


class Look(msgspec.Struct, frozen=True):
    """Somebody asks for whom an EVSE (or any) is reserved."""

    ticket: int
    id_token: str
    evse_id: int | None
    group: str | None


class Say(msgspec.Struct, frozen=True):
    """Effect: tell where a token stands."""

    token: ProvidedIdToken
    status: TokenValidationStatus
    messages: list[MessageContent] = msgspec.field(default_factory=list)


class Validate(msgspec.Struct, frozen=True):
    """Effect: ask every validator; answer with `Validated`."""

    flight: int
    token: ProvidedIdToken


class Authorize(msgspec.Struct, frozen=True):
    """Effect: tell an EVSE of a token and what it is good for; answer with `Authorized` unless `flight` is None."""

    evse_id: int
    token: ProvidedIdToken
    result: ValidationResult
    flight: int | None


class Stop(msgspec.Struct, frozen=True):
    """Effect: have an EVSE end its transaction; answer with `Stopped` unless `flight` is None."""

    evse_id: int
    request: StopTransactionRequest
    flight: int | None


class TakeBack(msgspec.Struct, frozen=True):
    """Effect: an EVSE's authorization holds no longer."""

    evse_id: int


class Answer(msgspec.Struct, frozen=True):
    """Effect: the result of a command."""

    ticket: int
    result: Any


class ReserveAt(msgspec.Struct, frozen=True):
    """Effect: have an EVSE keep itself free (-1: for one of several); answer with `Reserved` unless ticket is None."""

    evse_id: int
    reservation_id: int
    ticket: int | None


class ReleaseAt(msgspec.Struct, frozen=True):
    """Effect: have an EVSE give its reservation up; answer with `Released`."""

    evse_id: int


class Tell(msgspec.Struct, frozen=True):
    """Effect: tell what became of a reservation."""

    reservation_id: int
    status: ReservationUpdateStatusReservationStatus


class Keep(msgspec.Struct, frozen=True):
    """Effect: write all reservations down."""

    reservations: list[Reservation]


class Note(msgspec.Struct, frozen=True):
    """Effect: a line for the log, with the session's story (`info`) or a decision (`debug`)."""

    text: str
    level: str = "info"


def same(a: str, b: str) -> bool:
    """Compare identifiers as OCPP does: letter case does not matter."""
    return a.casefold() == b.casefold()


def value_of(token: IdToken | None) -> str | None:
    """Return the identifier of an optional token."""
    return token.value if token is not None else None
