"""From three phases to one and back while a car charges: the board's own sequence on the pilot.

The car is told to stop (+12 V), gets its time to do so, is taken off the grid, stays off for a while, and begins anew.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.contactors import ALL_OPEN, Contactors, PhaseWiring
from chargebyte_fw.board.driver.events import Log, PhasesAvailable, PilotOutput
from chargebyte_fw.board.driver.faults import any_closed
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState
from chargebyte_fw.board.link.messages.generations import LAST_OLD_CONTACTOR_BITS, Generation

_DRAWING = (CpState.C, CpState.D)
HLC_DUTY_PERCENT = (3.0, 7.0)
"""A duty cycle between says that the car is told by data what it may draw (IEC 61851-1 table A.7)."""


class Step(Enum):
    """Where the sequence is."""

    IDLE = auto()
    STOPPING = auto()
    """+12 V is on the pilot; contactors stay closed until the car has stopped."""
    OPENING = auto()
    RESTING = auto()


class PhaseSwitch:
    """Changes `contactors.three`, never while one of them is closed."""

    def __init__(self, contactors: Contactors) -> None:
        self._contactors = contactors
        self.step = Step.IDLE
        self.deadline: float | None = None
        self._three = contactors.three
        self._was_charging = False
        self._told: tuple[bool, bool] | None = None

    @property
    def _wired(self) -> bool:
        return self._contactors.wiring.phases is not PhaseWiring.none

    def refusal(self, generation: Generation, version: str, charging_at: PilotOutput | None) -> str:
        """Say why not now; empty: it can be. `charging_at`: what a car that may charge is shown on the pilot."""
        if not self._wired:
            return "this board cannot switch (switch_3ph1ph_wiring is none)"
        if generation.old_contactor_bits:
            newest = ".".join(str(number) for number in LAST_OLD_CONTACTOR_BITS)
            return f"that needs firmware newer than {newest} on the safety controller, which has {version}"
        least, most = HLC_DUTY_PERCENT
        if charging_at is not None and charging_at.pwm_active and least <= charging_at.duty_percent <= most:
            return "the car is under high-level communication"
        return ""

    def tell(self, able: bool) -> list[Any]:
        """Return what there is to publish of the phases. `able`: the firmware that runs tells contactors apart."""
        now = (self._contactors.three, able)
        if not self._wired or now == self._told:
            return []
        self._told = now
        return [PhasesAvailable(*now)]

    @property
    def holds_pilot(self) -> bool:
        """Whether +12 V is on the pilot in place of what is wished."""
        return self.step is not Step.IDLE and self._was_charging

    @property
    def holds_contactors(self) -> bool:
        """Whether the contactors stay open whatever is permitted."""
        return self.step in (Step.OPENING, Step.RESTING)

    def ask(self, three: bool, state: ChargeState | None, permitted: bool, now: float) -> None:
        """Begin, or change where a sequence under way leads."""
        self._three = three
        if self.step is not Step.IDLE or three is self._contactors.three:
            return
        closed = state is not None and any_closed(state)
        if not closed and self._contactors.orders == ALL_OPEN:
            self._contactors.three = three
            return
        self._was_charging = permitted
        self.step = Step.STOPPING if permitted else Step.OPENING
        self.deadline = now + timing.SWITCH_STOP_S if permitted else None

    def look(self, state: ChargeState, now: float) -> list[Any]:
        """Go on as far as the car and the contactors have."""
        over = self.deadline is not None and now >= self.deadline
        if self.step is Step.STOPPING and (over or state.cp_state not in _DRAWING):
            self.step, self.deadline = Step.OPENING, None
            if state.cp_state in _DRAWING:
                late = "the car did not stop within %g s: its phases are switched all the same"
                return [Log(logging.WARNING, late, (timing.SWITCH_STOP_S,))]
        elif self.step is Step.OPENING and self._contactors.orders == ALL_OPEN and not any_closed(state):
            self._contactors.three = self._three
            if not self._was_charging:
                self.step = Step.IDLE
                return []
            self.step, self.deadline = Step.RESTING, now + timing.SWITCH_PAUSE_S
        elif self.step is Step.RESTING and over:
            self.step, self.deadline, self._was_charging = Step.IDLE, None, False
            self._contactors.three = self._three
        return []

    def let_go(self) -> None:
        """The controller has opened everything by itself: the rest of the sequence is done."""
        self.step, self.deadline, self._was_charging = Step.IDLE, None, False
        self._contactors.three = self._three
