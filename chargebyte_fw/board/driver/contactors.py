"""In which order contactors close and open: what is wired behind them decides, and their feedback.

Contactor 1 is the primary, contactor 2 the secondary. In series the secondary is never switched under load: it closes
first and opens last. In mutual wiring each is a way of its own to the car, and both closed would be a short circuit.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages.charge_som import ChargeState, ContactorState, CpState

Orders = tuple[bool, bool, bool]
"""Which contactors shall be closed, the first one first."""

ALL_OPEN: Orders = (False, False, False)
BOTH: Orders = (True, True, False)
PRIMARY: Orders = (True, False, False)
SECONDARY: Orders = (False, True, False)
_AS_ALWAYS: Orders = (True, True, True)
_HV_READY = -1
"""In the place of a contactor's index: the controller's HV ready bit, where it has no contactor."""


class FeedbackType(StrEnum):
    """What tells whether a contactor is closed."""

    none = "none"
    no = "no"
    nc = "nc"


class PhaseWiring(StrEnum):
    """How two contactors make one or three phases."""

    none = "none"
    serial = "serial"
    simultaneous = "simultaneous"
    mutual = "mutual"


class DcWiring(StrEnum):
    """How contactors switch direct current: not at all, one for both poles, one for each (1 plus, 2 minus)."""

    none = "none"
    single = "single"
    dual = "dual"


PARAMETER_WORDS = {
    FeedbackType.none: "without-feedback",
    FeedbackType.no: "with-feedback-normally-open",
    FeedbackType.nc: "with-feedback-normally-closed",
}
"""What the parameter block has to say of a contactor."""


class Wiring(msgspec.Struct, frozen=True):
    """What is wired; `dc` None: alternating current. Without a word on it every contactor that exists is closed."""

    phases: PhaseWiring = PhaseWiring.none
    dc: DcWiring | None = None
    feedback: tuple[FeedbackType, FeedbackType] = (FeedbackType.none, FeedbackType.none)

    @property
    def needed(self) -> tuple[bool, bool]:
        """Whether the first and the second contactor must exist."""
        if self.dc is not None:
            return self.dc is not DcWiring.none, self.dc is DcWiring.dual
        both = self.phases is not PhaseWiring.none
        return both, both

    def closed(self, three: bool) -> Orders:
        """Return which contactors carry the current."""
        if self.dc is not None:
            return {DcWiring.dual: BOTH, DcWiring.single: PRIMARY, DcWiring.none: _AS_ALWAYS}[self.dc]
        match self.phases:
            case PhaseWiring.none:
                return _AS_ALWAYS
            case PhaseWiring.mutual:
                return PRIMARY if three else SECONDARY
            case _:
                return BOTH if three else PRIMARY

    def contradiction(self, state: ChargeState) -> str:
        """Say where the parameter block has other contactors than this wiring; empty: nowhere."""
        for number, needed in enumerate(self.needed, 1):
            if needed and state.contactors[number - 1] is ContactorState.UNUSED:
                word = PARAMETER_WORDS[self.feedback[number - 1]]
                return f"the wiring needs contactor {number}: the parameter block must call it {word}"
        if self.dc is DcWiring.none and any(one is not ContactorState.UNUSED for one in state.contactors):
            return "dc_contactor_wiring is none: the parameter block must call every contactor disabled"
        return ""


class Contactors:
    """What is ordered of the contactors now, step by step. `speed` is the clock's (timing.period)."""

    def __init__(self, wiring: Wiring, three: bool = True, speed: float | None = 1.0) -> None:
        self.wiring = wiring
        self.three = three
        """Whether three phases are to be closed, or one."""
        self.orders: Orders = ALL_OPEN
        self.closing = False
        """Whether contactors in series close, and the last on the way to the car is not closed yet."""
        self.denial = ""
        """Which contactor did not close on its order, by its feedback, in words; empty: none."""
        self.deadline: float | None = None
        self._settle_s = timing.period(timing.CONTACTOR_SETTLE_S, speed)
        self._limit_s = timing.patient(timing.CONTACTOR_LIMIT_S, speed)
        self._since = 0.0
        self._deviates: dict[tuple[str, int], float] = {}
        self._closed_unordered: dict[int, str] = {}

    def let_go(self) -> None:
        """The controller opens everything by itself: it is being reset, or in its safe state."""
        self.orders, self.closing, self.deadline, self.denial = ALL_OPEN, False, None, ""
        self._deviates.clear()

    @property
    def closed_unordered(self) -> str:
        """Which contactors are closed although nobody ordered it, in words; empty: none.

        A contactor stays listed until it is reported open, also over a reset of the controller and a lost link.
        """
        return "; ".join(self._closed_unordered.values())

    def advance(self, close: bool, state: ChargeState | None, now: float) -> None:
        """Take the next step on the way to all that `close` asks for."""
        self.deadline = None
        goal = self.wiring.closed(self.three) if close else ALL_OPEN
        if state is None:
            # Nothing is known: open what was ordered, close nothing.
            self.let_go()
            return
        if self.orders != goal:
            step = self._next(goal)
            if step != self.orders and self._may_go(state, now, opening=not close):
                self.orders, self._since = step, now
        serial = self.wiring.phases is PhaseWiring.serial
        self.closing = serial and close and state.contactors[0] is not ContactorState.CLOSED
        if self.orders != goal:
            self._wake(self._since + self._settle_s, now)
            self._wake(self._since + timing.OPENING_LIMIT_S, now)
        self.denial = self._unfaithful(state, now)
        self._look_for_unordered(state, now)

    def _next(self, goal: Orders) -> Orders:
        """The step after the present orders; everything is open in between two ways to close."""
        serial = self.wiring.phases is PhaseWiring.serial and self.wiring.dc is None
        if goal != ALL_OPEN and self.orders not in (ALL_OPEN, *((SECONDARY,) if serial and goal == BOTH else ())):
            goal = ALL_OPEN
        if serial and goal == BOTH and self.orders == ALL_OPEN:
            return SECONDARY
        if serial and goal == ALL_OPEN and self.orders == BOTH:
            return SECONDARY
        return goal

    def _may_go(self, state: ChargeState, now: float, *, opening: bool) -> bool:
        """Whether the step before is done; an opening never waits long."""
        if self.orders == ALL_OPEN:
            still_closed = ContactorState.CLOSED in state.contactors
            return not still_closed and all(self._is(index, False, state, now) for index in self._watched)
        if not opening:
            return all(self._is(index, self.orders[index], state, now) for index in self._watched)
        if self.orders != SECONDARY or self.wiring.phases is not PhaseWiring.serial:
            return True
        return self._is(0, False, state, now) or now >= self._since + timing.OPENING_LIMIT_S

    @property
    def _watched(self) -> Sequence[int]:
        """The contactors whose order counts."""
        return (0, 1) if self.wiring.phases is not PhaseWiring.none and self.wiring.dc is None else ()

    def _is(self, index: int, closed: bool, state: ChargeState, now: float) -> bool:
        """Whether a contactor is as wanted; one without feedback gets a moment, but must not say the opposite."""
        said = state.contactors[index]
        wanted, opposite = ContactorState.OPEN, ContactorState.CLOSED
        if closed:
            wanted, opposite = opposite, wanted
        if self.wiring.feedback[index] is not FeedbackType.none:
            return said is wanted
        return said is not opposite and now >= self._since + self._settle_s

    def _unfaithful(self, state: ChargeState, now: float) -> str:
        """Return which contactor with feedback stays open on its order; without feedback OPEN proves nothing."""
        for index, feedback in enumerate(self.wiring.feedback):
            said, ordered = state.contactors[index], self.orders[index]
            stays_open = said is ContactorState.OPEN and ordered and state.cp_state is CpState.C
            if self._lasts("open", index, stays_open and feedback is not FeedbackType.none, now):
                return self._in_words(index, "close")
        return ""

    def _look_for_unordered(self, state: ChargeState, now: float) -> None:
        """Note what is closed without an order. CLOSED is an observation: no configured feedback type voids it."""
        for index, said in enumerate(state.contactors):
            if said in (ContactorState.OPEN, ContactorState.UNUSED):
                self._closed_unordered.pop(index, None)
            if self._lasts("closed", index, said is ContactorState.CLOSED and not self.orders[index], now):
                self._closed_unordered[index] = self._in_words(index, "open")
        unused = all(said is ContactorState.UNUSED for said in state.contactors)
        switched = unused and state.hv_ready
        if not switched:
            self._closed_unordered.pop(_HV_READY, None)
        if self._lasts("closed", _HV_READY, switched and self.orders == ALL_OPEN, now):
            self._closed_unordered[_HV_READY] = "HV ready is on without an order to switch on"

    def _lasts(self, what: str, index: int, present: bool, now: float) -> bool:
        """Whether a deviation has lasted for longer than a contactor may take."""
        if not present:
            self._deviates.pop((what, index), None)
            return False
        over_s = self._deviates.setdefault((what, index), now) + self._limit_s
        if now >= over_s:
            return True
        self._wake(over_s, now)
        return False

    def _in_words(self, index: int, did: str) -> str:
        feedback = self.wiring.feedback[index] if index < len(self.wiring.feedback) else FeedbackType.none
        text = f"contactor {index + 1} did not {did}"
        if feedback is FeedbackType.none:
            return text
        word = PARAMETER_WORDS[feedback]
        return f"{text}; if it did, its feedback is not {feedback.value} ({word} in the parameter block)"

    def _wake(self, at: float, now: float) -> None:
        if at > now:
            self.deadline = at if self.deadline is None else min(self.deadline, at)
