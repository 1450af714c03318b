"""Effects of the authorizer. Those that ask for something name the event that answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.reservation import Reservation as ReservationInterface
from chargebyte_fw.contracts.types.authorization import (
    ProvidedIdToken,
    TokenValidationStatus,
    TokenValidationStatusMessage,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import StopTransactionRequest
from chargebyte_fw.contracts.types.reservation import (
    Reservation,
    ReservationUpdateStatus,
    ReservationUpdateStatusReservationStatus,
)
from chargebyte_fw.contracts.types.text_message import MessageContent
from chargebyte_fw.kernel.effects import Publish, publish


class ValidateToken(msgspec.Struct, frozen=True):
    """Ask every validator; answered by `Validated`."""

    token_id: int
    token: ProvidedIdToken


class AuthorizeEvse(msgspec.Struct, frozen=True):
    """Send an EVSE a token and its validation; answered by `Authorized` unless `token_id` is None."""

    evse_id: int
    token: ProvidedIdToken
    result: ValidationResult
    token_id: int | None


class StopTransaction(msgspec.Struct, frozen=True):
    """Stop the transaction of an EVSE; answered by `TransactionStopped` unless `token_id` is None."""

    evse_id: int
    request: StopTransactionRequest
    token_id: int | None


class WithdrawAuthorization(msgspec.Struct, frozen=True):
    """Withdraw the authorization of an EVSE."""

    evse_id: int


class Reply(msgspec.Struct, frozen=True):
    """The result of a command."""

    request_id: int
    result: Any


class ReserveEvse(msgspec.Struct, frozen=True):
    """Reserve an EVSE (-1: for one of several reservations); answered by `EvseReserved` if there is a request."""

    evse_id: int
    reservation_id: int
    request_id: int | None


class ReleaseEvse(msgspec.Struct, frozen=True):
    """Cancel the reservation of an EVSE; answered by `EvseReleased`."""

    evse_id: int


class StoreReservations(msgspec.Struct, frozen=True):
    """Write all reservations to the store."""

    reservations: list[Reservation]


class Log(msgspec.Struct, frozen=True):
    """A line for the log at level `info` or `debug`."""

    text: str
    level: str = "info"


def token_status(
    token: ProvidedIdToken, status: TokenValidationStatus, messages: Sequence[MessageContent] = ()
) -> Publish:
    """Return the effect that publishes how far a token has come."""
    value = TokenValidationStatusMessage(token=token, status=status, messages=list(messages))
    return publish(Auth.token_validation_status, value)


def reservation_status(reservation_id: int, status: ReservationUpdateStatusReservationStatus) -> Publish:
    """Return the effect that publishes what became of a reservation."""
    value = ReservationUpdateStatus(reservation_id=reservation_id, reservation_status=status)
    return publish(ReservationInterface.reservation_update, value)
