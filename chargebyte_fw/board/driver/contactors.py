"""In which order contactors close and open: their wiring decides, and their feedback.

Contactor 1 is the primary, contactor 2 the secondary. In series the secondary is never switched under load: it closes
first and opens last. In mutual wiring each connects the car by itself, and both closed would be a short circuit
(`switch_3ph1ph_wiring` in docs/power-hardware.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.wiring import ALL_OPEN, BOTH, SECONDARY, FeedbackType, Orders, PhaseWiring, Wiring
from chargebyte_fw.board.link.messages.charge_som import ChargeState, ContactorState
from chargebyte_fw.kernel.machine import Machine, on


class ContactorStep(Enum):
    """What is ordered of the contactors."""

    OPEN = auto()
    SECONDARY = auto()
    """In series: the secondary alone, on the way to closed or to open."""
    CLOSED = auto()


_S = ContactorStep


class Follow(msgspec.Struct, frozen=True):
    """Event: the contactors are to be as in `goal`; the controller reports `state`."""

    goal: Orders
    state: ChargeState


class Released(msgspec.Struct, frozen=True):
    """Event: the controller opens everything by itself: it is being reset, or in its safe state."""


class Contactors(Machine):
    """What is ordered of the contactors now, step by step. `speed` is the clock's (timing.period).

    The owner repeats Follow with every report of the controller, and when a timer was over.
    """

    initial = ContactorStep.OPEN

    def __init__(self, wiring: Wiring, speed: float | None = 1.0) -> None:
        super().__init__()
        self.wiring = wiring
        self.orders: Orders = ALL_OPEN
        self._settle_s = timing.period(timing.CONTACTOR_SETTLE_S, speed)

    @on(_S.OPEN, event=Follow, to=(_S.SECONDARY, _S.CLOSED))
    def _close(self, event: Follow, now: float) -> list[Any]:
        """Begin to close when everything is open."""
        still_closed = ContactorState.CLOSED in event.state.contactors
        if event.goal == ALL_OPEN or still_closed or not self._followed(event.state, now):
            return []
        if self.wiring.in_series and event.goal == BOTH:
            return self._order(_S.SECONDARY, SECONDARY, now)
        return self._order(_S.CLOSED, event.goal, now)

    @on(_S.SECONDARY, event=Follow, to=(_S.OPEN, _S.CLOSED))
    def _go_on(self, event: Follow, now: float) -> list[Any]:
        """Close the primary behind a closed secondary; open the secondary behind an open primary, at the latest soon.

        An opening does not wait for longer than OPENING_LIMIT_S.
        """
        if event.goal == ALL_OPEN:
            if self._is(0, False, event.state, now) or self._over("opening limit", now):
                return self._order(_S.OPEN, ALL_OPEN, now)
        elif self._followed(event.state, now):
            return self._order(_S.CLOSED, BOTH, now) if event.goal == BOTH else self._order(_S.OPEN, ALL_OPEN, now)
        return []

    @on(_S.CLOSED, event=Follow, to=(_S.OPEN, _S.SECONDARY))
    def _open(self, event: Follow, now: float) -> list[Any]:
        """Open at once; in series the primary first. From one goal to another everything opens in between."""
        if event.goal == self.orders or (event.goal != ALL_OPEN and not self._followed(event.state, now)):
            return []
        if self.wiring.in_series and self.orders == BOTH:
            return self._order(_S.SECONDARY, SECONDARY, now)
        return self._order(_S.OPEN, ALL_OPEN, now)

    def _order(self, step: ContactorStep, orders: Orders, now: float) -> list[Any]:
        self.orders = orders
        self.start("settled", now + self._settle_s)
        self.start("opening limit", now + timing.OPENING_LIMIT_S)
        return self.enter(step)

    @on(_S.OPEN, _S.SECONDARY, _S.CLOSED, timer="settled")
    @on(_S.OPEN, _S.SECONDARY, _S.CLOSED, timer="opening limit")
    def _look_again(self, now: float) -> None:
        """Nothing by itself: the owner repeats Follow."""

    @on(_S.OPEN, _S.SECONDARY, _S.CLOSED, event=Released, to=_S.OPEN)
    def _released(self, _: Released, now: float) -> list[Any]:
        """Order nothing any more."""
        self.orders = ALL_OPEN
        return self.enter(_S.OPEN)

    @property
    def _watched(self) -> Sequence[int]:
        """The contactors whose order counts."""
        return (0, 1) if self.wiring.phases is not PhaseWiring.none and self.wiring.dc is None else ()

    def _followed(self, state: ChargeState, now: float) -> bool:
        """Whether the step before is done."""
        return all(self._is(index, self.orders[index], state, now) for index in self._watched)

    def _is(self, index: int, closed: bool, state: ChargeState, now: float) -> bool:
        """Whether a contactor is as wanted; one without feedback gets a moment, but must not report the opposite."""
        reported = state.contactors[index]
        wanted, opposite = ContactorState.OPEN, ContactorState.CLOSED
        if closed:
            wanted, opposite = opposite, wanted
        if self.wiring.feedback[index] is not FeedbackType.none:
            return reported is wanted
        return reported is not opposite and self._over("settled", now)

    def _over(self, timer: str, now: float) -> bool:
        due_s = self.due(timer)
        return due_s is None or now >= due_s
