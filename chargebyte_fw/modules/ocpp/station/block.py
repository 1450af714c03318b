"""A functional block: rows for requests of the CSMS, for answers and failures of our own requests, and for events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from chargebyte_fw.modules.ocpp.station.station import Station

F = TypeVar("F", bound=Callable[..., Any])
ANSWERS, ANSWERED, FAILED, RECEIVES, SERVES = "answers", "answered", "failed", "receives", "serves"
Key = type | tuple[str, str]
"""What a row is for: a type of messages or events, or a command by its interface and name."""


def _row(kind: str, message: Key) -> Callable[[F], F]:
    def mark(method: F) -> F:
        method.station_rows = (*getattr(method, "station_rows", ()), (kind, message))  # type: ignore[attr-defined]
        return method

    return mark


def answers(request: type) -> Callable[[F], F]:
    """The method below answers this request of the CSMS.

    It takes the request and returns the response, or a `Deferred` of the station. It raises `RequestRefused` for a
    CALLERROR. Only one block of a station answers a request.
    """
    return _row(ANSWERS, request)


def answered(request: type) -> Callable[[F], F]:
    """The method below takes `(request, response)` when the CSMS answered a request of this type, whoever sent it."""
    return _row(ANSWERED, request)


def failed(request: type) -> Callable[[F], F]:
    """The method below takes `(request, failure)` when a request of this type ended without a CALLRESULT."""
    return _row(FAILED, request)


def receives(event: type) -> Callable[[F], F]:
    """The method below takes this event (`station.events`, or one that another block published with `notify`)."""
    return _row(RECEIVES, event)


def serves(command: Callable[..., Any]) -> Callable[[F], F]:
    """The method below serves a command of an interface that the module provides (an unbound method of a contract).

    It takes the arguments and returns the result, or a `Deferred`. It raises `RequestRefused` to fail the command.
    """
    return _row(SERVES, (command.interface, command.__name__))  # type: ignore[attr-defined]


class Block:
    """One functional block of a station. Pure: it opens nothing, awaits nothing and reads no clock."""

    rows: ClassVar[dict[tuple[str, Key], str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        rows: dict[tuple[str, Key], str] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                for key in getattr(member, "station_rows", ()):
                    if rows.get(key, name) != name:
                        raise TypeError(f"{cls.__qualname__}: {rows[key]} and {name} are both the row of {key}")
                    rows[key] = name
        cls.rows = rows

    def __init__(self, station: Station) -> None:
        self.station = station
