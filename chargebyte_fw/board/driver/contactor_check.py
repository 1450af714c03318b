"""Whether a contactor follows its order: a deviation counts when it lasts for longer than a contactor may take."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.wiring import PARAMETER_VALUES, FeedbackType
from chargebyte_fw.board.link.messages.charge_som import ContactorState
from chargebyte_fw.kernel.machine import Machine, on


class Check(Enum):
    """A contactor against its order."""

    AS_ORDERED = auto()
    STAYS_OPEN = auto()
    """It is ordered to be closed, and its feedback reports that it is open."""
    STAYS_CLOSED = auto()
    """It is closed without an order."""
    DID_NOT_CLOSE = auto()
    DID_NOT_OPEN = auto()


_C = Check


class Reported(msgspec.Struct, frozen=True):
    """Event: what the controller reports of the contactor."""

    contactor: ContactorState
    ordered: bool
    """It is ordered to be closed."""
    in_state_c: bool
    """The car requests energy: the controller may close it."""


class ContactorReleased(msgspec.Struct, frozen=True):
    """Event: the controller opens everything by itself; what lasts from then on counts anew."""


class ContactorCheck(Machine):
    """One contactor. `name`: for messages; `speed` is the clock's (timing.patient).

    A contactor that did not open keeps that state until it is reported open, also over a reset of the controller and a
    lost link. CLOSED is an observation whatever the feedback; OPEN proves nothing without feedback.
    """

    initial = Check.AS_ORDERED

    def __init__(self, name: str, feedback: FeedbackType, speed: float | None = 1.0) -> None:
        super().__init__()
        self._name = name
        self._feedback = feedback
        self._limit_s = timing.patient(timing.CONTACTOR_LIMIT_S, speed)

    @on(_C.AS_ORDERED, event=Reported, to=(_C.STAYS_OPEN, _C.STAYS_CLOSED))
    @on(_C.STAYS_OPEN, event=Reported, to=(_C.AS_ORDERED, _C.STAYS_CLOSED))
    @on(_C.STAYS_CLOSED, event=Reported, to=(_C.AS_ORDERED, _C.STAYS_OPEN))
    @on(_C.DID_NOT_CLOSE, event=Reported, to=(_C.AS_ORDERED, _C.STAYS_CLOSED))
    def _compare(self, event: Reported, now: float) -> list[Any]:
        """Compare the report with the order; give a new deviation its time."""
        deviation = self._deviation(event)
        if deviation is self.state or (deviation is _C.STAYS_OPEN and self.state is _C.DID_NOT_CLOSE):
            return []
        if deviation is not _C.AS_ORDERED:
            self.start("limit", now + self._limit_s)
        return self.enter(deviation)

    @on(_C.DID_NOT_OPEN, event=Reported, to=(_C.AS_ORDERED, _C.STAYS_OPEN))
    def _until_open(self, event: Reported, now: float) -> list[Any]:
        """Stay until it is reported open."""
        if event.contactor in (ContactorState.OPEN, ContactorState.UNUSED):
            return self._compare(event, now)
        return []

    def _deviation(self, event: Reported) -> Check:
        if event.contactor is ContactorState.CLOSED and not event.ordered:
            return _C.STAYS_CLOSED
        stays_open = event.contactor is ContactorState.OPEN and event.ordered and event.in_state_c
        if stays_open and self._feedback is not FeedbackType.none:
            return _C.STAYS_OPEN
        return _C.AS_ORDERED

    @on(_C.STAYS_OPEN, timer="limit", to=_C.DID_NOT_CLOSE)
    def _did_not_close(self, now: float) -> list[Any]:
        """Count it as failed."""
        return self.enter(_C.DID_NOT_CLOSE)

    @on(_C.STAYS_CLOSED, timer="limit", to=_C.DID_NOT_OPEN)
    def _did_not_open(self, now: float) -> list[Any]:
        """Count it as closed without an order."""
        return self.enter(_C.DID_NOT_OPEN)

    @on(_C.AS_ORDERED, _C.STAYS_OPEN, _C.STAYS_CLOSED, _C.DID_NOT_CLOSE, event=ContactorReleased, to=_C.AS_ORDERED)
    def _released(self, _: ContactorReleased, now: float) -> list[Any]:
        """Compare anew."""
        return self.enter(_C.AS_ORDERED)

    @on(_C.DID_NOT_OPEN, event=ContactorReleased)
    def _still_closed(self, _: ContactorReleased, now: float) -> None:
        """Stay until it is reported open."""

    @property
    def did_not_close(self) -> str:
        """In words that it did not close; empty: it did, or it is not known."""
        return self._text("close") if self.state is _C.DID_NOT_CLOSE else ""

    @property
    def did_not_open(self) -> str:
        """In words that it is closed without an order; empty: it is not."""
        return self._text("open") if self.state is _C.DID_NOT_OPEN else ""

    def _text(self, did: str) -> str:
        text = f"{self._name} did not {did}"
        if self._feedback is FeedbackType.none:
            return text
        value = PARAMETER_VALUES[self._feedback]
        return f"{text}; if it did, its feedback is not {self._feedback.value} ({value} in the parameter block)"


class HvReadyCheck(ContactorCheck):
    """The controller's HV ready bit, where no contactor is configured."""

    @property
    def did_not_open(self) -> str:
        """In words that it is on without an order; empty: it is not."""
        return "HV ready is on without an order to switch on" if self.state is _C.DID_NOT_OPEN else ""
