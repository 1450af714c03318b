"""Contactors and phases as one: machines that each report of the controller, and time, let go on."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.board.driver.charge_state import CHARGING, any_closed, no_contactor_configured
from chargebyte_fw.board.driver.contactor_check import ContactorCheck, ContactorReleased, HvReadyCheck, Reported
from chargebyte_fw.board.driver.contactors import Contactors, Follow, Released
from chargebyte_fw.board.driver.phase_switch import Abort, Observed, PhaseSwitch, SwitchTo
from chargebyte_fw.board.driver.wiring import ALL_OPEN, FeedbackType, Orders, Wiring
from chargebyte_fw.board.link.messages.charge_som import ChargeState, ContactorState, CpState


class PowerPath:
    """The way from the grid to the car. `three`: phases at first; `speed`: of the clock (timing.patient)."""

    def __init__(self, wiring: Wiring, three: bool = True, speed: float | None = 1.0) -> None:
        self.wiring = wiring
        self.phases = PhaseSwitch(three)
        self._contactors = Contactors(wiring, speed)
        feedback = (*wiring.feedback, FeedbackType.none)
        self._checks = [ContactorCheck(f"contactor {n}", one, speed) for n, one in enumerate(feedback, 1)]
        self._hv_ready = HvReadyCheck("HV ready", FeedbackType.none, speed)
        self._machines = (self._contactors, *self._checks, self._hv_ready, self.phases)

    @property
    def orders(self) -> Orders:
        """What is ordered of the contactors now."""
        return self._contactors.orders

    @property
    def deadline(self) -> float | None:
        """The second at which `wake` is to be called, None: never."""
        return min((at_s for one in self._machines if (at_s := one.deadline) is not None), default=None)

    @property
    def did_not_close(self) -> str:
        """Which contactor did not close on its order, in words; empty: none."""
        return next((text for one in self._checks if (text := one.did_not_close)), "")

    @property
    def did_not_open(self) -> str:
        """Which contactors are closed without an order, in words; empty: none."""
        return "; ".join(text for one in (*self._checks, self._hv_ready) if (text := one.did_not_open))

    def advance(self, state: ChargeState, permitted: bool, now: float) -> list[Any]:
        """Let contactors and phases take every step that the report allows; compare each contactor with its order."""
        effects: list[Any] = []
        before = None
        while before != (before := (self.phases.state, self.orders)):
            disconnected = self.orders == ALL_OPEN and not any_closed(state)
            effects += self.phases.feed(Observed(state.cp_state in CHARGING, disconnected), now)
            goal = self.wiring.closed(self.phases.three) if self._closes(permitted) else ALL_OPEN
            effects += self._contactors.feed(Follow(goal, state), now)
        in_state_c = state.cp_state is CpState.C
        for check, reported, ordered in zip(self._checks, state.contactors, self.orders, strict=True):
            check.feed(Reported(reported, ordered, in_state_c), now)
        hv_ready = no_contactor_configured(state) and state.hv_ready
        reported = ContactorState.CLOSED if hv_ready else ContactorState.OPEN
        self._hv_ready.feed(Reported(reported, self.orders != ALL_OPEN, in_state_c), now)
        return effects

    def _closes(self, permitted: bool) -> bool:
        return permitted and not self.phases.holds_contactors

    def is_closing(self, state: ChargeState, permitted: bool) -> bool:
        """Whether contactors in series close, and the one to the car is not reported closed yet."""
        not_closed = state.contactors[0] is not ContactorState.CLOSED
        return self.wiring.in_series and self._closes(permitted) and not_closed

    def switch(self, three: bool, state: ChargeState | None, permitted: bool, now: float) -> list[Any]:
        """Connect three phases, or one."""
        connected = self.orders != ALL_OPEN or (state is not None and any_closed(state))
        return self.phases.feed(SwitchTo(three, connected, permitted), now)

    def wake(self, now: float) -> list[Any]:
        """Let time pass; `advance` follows."""
        return [effect for one in self._machines for effect in one.wake(now)]

    def release(self, now: float) -> None:
        """The controller opens everything by itself: order nothing, and compare anew."""
        self._contactors.feed(Released(), now)
        for check in (*self._checks, self._hv_ready):
            check.feed(ContactorReleased(), now)

    def abort(self, now: float) -> None:
        """The controller is reset, or gone: a phase sequence under way is done, too."""
        self.phases.feed(Abort(), now)
        self.release(now)
