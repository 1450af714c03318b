"""What authorization is told, and what it wants done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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


@dataclass(slots=True)
class Rules:
    """What the configuration decides."""

    connection_timeout_s: float
    selection: SelectionAlgorithm = SelectionAlgorithm.FindFirst
    prioritize_authorization: bool = True
    stop_on_reswipe: bool = True
    ignore_faults: bool = False
    plug_in_timeout: bool = False
    master_pass: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """All EVSEs are known: their connectors and the type of each."""

    evses: dict[int, dict[int, ConnectorTypeEnum]]


@dataclass(frozen=True, slots=True)
class Presented:
    """Somebody presents a token."""

    token: ProvidedIdToken


@dataclass(frozen=True, slots=True)
class Validated:
    """Every validator has answered, in the order of the configuration."""

    flight: int
    results: list[ValidationResult]


@dataclass(frozen=True, slots=True)
class Authorized:
    """The EVSE has taken the authorization, or it has not."""

    flight: int
    taken: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The EVSE ends its transaction, or it does not."""

    flight: int
    done: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a charging session."""

    evse_id: int
    event: SessionEvent


@dataclass(frozen=True, slots=True)
class Inoperative:
    """An EVSE cannot be used, or it can again."""

    evse_id: int
    active: bool


@dataclass(frozen=True, slots=True)
class Updated:
    """A validator changes its mind."""

    update: ValidationResultUpdate


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Somebody takes authorizations back; `Answer` carries the ticket."""

    ticket: int
    request: WithdrawAuthorizationRequest


@dataclass(frozen=True, slots=True)
class SetConnectionTimeout:
    """Another time for the next timers."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class SetMasterPass:
    """Another group whose tokens end every transaction; empty: none."""

    group: str


@dataclass(frozen=True, slots=True)
class Reserve:
    """Somebody reserves; `remaining_s` until the end is None for a time that is none. Ticket 0: read from the store."""

    ticket: int
    reservation: Reservation
    remaining_s: float | None


@dataclass(frozen=True, slots=True)
class Reserved:
    """The EVSE keeps itself for a reservation, or it does not."""

    ticket: int
    reservation_id: int
    taken: bool


@dataclass(frozen=True, slots=True)
class Released:
    """The EVSE has given a reservation up."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody gives a reservation up."""

    ticket: int
    reservation_id: int


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody asks for whom an EVSE (or any) is reserved."""

    ticket: int
    id_token: str
    evse_id: int | None
    group: str | None


@dataclass(frozen=True, slots=True)
class Say:
    """Effect: tell where a token stands."""

    token: ProvidedIdToken
    status: TokenValidationStatus
    messages: list[MessageContent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Validate:
    """Effect: ask every validator; answer with `Validated`."""

    flight: int
    token: ProvidedIdToken


@dataclass(frozen=True, slots=True)
class Authorize:
    """Effect: tell an EVSE of a token and what it is good for; answer with `Authorized` unless `flight` is None."""

    evse_id: int
    token: ProvidedIdToken
    result: ValidationResult
    flight: int | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Effect: have an EVSE end its transaction; answer with `Stopped` unless `flight` is None."""

    evse_id: int
    request: StopTransactionRequest
    flight: int | None


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Effect: an EVSE's authorization holds no longer."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Effect: the result of a command."""

    ticket: int
    result: Any


@dataclass(frozen=True, slots=True)
class ReserveAt:
    """Effect: have an EVSE keep itself free (-1: for one of several); answer with `Reserved` unless ticket is None."""

    evse_id: int
    reservation_id: int
    ticket: int | None


@dataclass(frozen=True, slots=True)
class ReleaseAt:
    """Effect: have an EVSE give its reservation up; answer with `Released`."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Effect: tell what became of a reservation."""

    reservation_id: int
    status: ReservationUpdateStatusReservationStatus


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: write all reservations down."""

    reservations: list[Reservation]


@dataclass(frozen=True, slots=True)
class Note:
    """Effect: a line for the log, with the session's story (`info`) or a decision (`debug`)."""

    text: str
    level: str = "info"


def same(a: str, b: str) -> bool:
    """Compare identifiers as OCPP does: letter case does not matter."""
    return a.casefold() == b.casefold()


def value_of(token: IdToken | None) -> str | None:
    """Return the identifier of an optional token."""
    return token.value if token is not None else None
