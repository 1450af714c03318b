"""What a budget and a cable allow an EV to draw."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.evse.machine.events import Budget

LEAST_A = 6.0
"""IEC 61851-1: no duty cycle stands for less. An EV that is allowed less gets no power."""
ROUNDING_A = 0.01
"""6 A that come as watts, or through a rounded limit, are 6 A."""


class Allowance(msgspec.Struct):
    """The budget that holds now and the cable that carries it."""

    budget: Budget | None = None
    cable_A: float | None = None
    """Rating of a socket's cable; None without socket, 0 unknown."""
    expired: bool = False

    def take(self, budget: Budget) -> None:
        """Replace the budget."""
        self.budget = budget
        self.expired = False

    @property
    def over_s(self) -> float | None:
        """When the budget becomes nothing, a whole second after its validity; None without one that holds."""
        return None if self.budget is None or self.expired else self.budget.until_s + 1.0

    def age(self, now: float) -> bool:
        """Let a budget that is over become nothing; returns true once."""
        if self.over_s is None or now < self.over_s:
            return False
        self.expired = True
        return True

    @property
    def current_A(self) -> float:
        """Current per phase that the EV may draw, or return, in A."""
        if self.budget is None or self.expired:
            return 0.0
        allowed_A = max(self.budget.ac_A, self.budget.ac_discharge_A, 0.0)
        return allowed_A if self.cable_A is None else min(allowed_A, self.cable_A)

    @property
    def discharges(self) -> bool:
        """Whether an EV with alternating current is to return energy."""
        return self.current_A > 0.0 and self.budget is not None and self.budget.ac_discharge_A > 0.0

    @property
    def signed_A(self) -> float:
        """The same current, below zero while the EV is to return energy (`Limits.max_current`)."""
        return -self.current_A if self.discharges else self.current_A

    @property
    def pilot_A(self) -> float:
        """The current that a nominal duty cycle stands for: no less than its least while the EV returns energy."""
        return max(self.current_A, LEAST_A) if self.discharges else self.current_A

    @property
    def why_none(self) -> str:
        """Return which limit leaves nothing to charge with."""
        if self.budget is None or self.expired:
            return "the energy management is silent"
        if self.cable_A is not None and self.cable_A < LEAST_A - ROUNDING_A <= self.budget.ac_A:
            return f"the cable carries {self.cable_A:g} A, an EV needs {LEAST_A:g} A"
        return self.budget.limited_by or "no limit is known"

    def available(self, *, dc: bool) -> bool:
        """Whether there is power to charge with."""
        if self.budget is None or self.expired:
            return False
        if dc:
            return self.budget.dc_A > 0.0 and self.budget.dc_W > 0.0
        return self.discharges or self.current_A >= LEAST_A - ROUNDING_A
