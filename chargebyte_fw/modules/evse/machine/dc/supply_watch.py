"""A power supply that is on although the EVSE has not ordered it: a fault, and it is switched off."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import ClearFault, LogLine, RaiseFault
from chargebyte_fw.modules.evse.machine.events import SupplyMeasured, SupplyMode
from chargebyte_fw.modules.evse.machine.fault_policy import INTERNAL
from chargebyte_fw.modules.evse.machine.signals import SupplyOrdered

Effects = list[Any]
FLOWING = (Mode.Export, Mode.Import)
SUB_TYPE = "PowerSupplyOnWithoutOrder"


class Finding(Enum):
    """Whether the supply does what is ordered."""

    Unknown = "unknown"
    """It has not reported anything in the life of this process."""
    AsOrdered = "as ordered"
    Late = "late"
    """On, but the order to be off is recent."""
    WithoutOrder = "on without order"
    Quiet = "quiet"
    """Off again, for less than the time that ends the fault."""


GOOD = (Finding.Unknown, Finding.AsOrdered, Finding.Late)
FAULTY = (Finding.WithoutOrder, Finding.Quiet)
JUDGED = (Finding.AsOrdered, Finding.Late, Finding.WithoutOrder)
"""What a good state may lead to."""


class SupplyWatch(Machine):
    """Compares the order with what the supply reports: its mode and its current.

    A voltage alone is no evidence: capacitors keep it, and through closed contactors it may be the EV's. One that does
    not fall below 60 V fails the cable check.
    """

    initial = Finding.Unknown

    def __init__(self) -> None:
        super().__init__()
        self._ordered = Mode.Off
        self._off_since_s = float("-inf")
        """When the supply was ordered off last."""
        self._reported = Mode.Off
        self._current_A = 0.0
        self._again_s = 0.0
        """Before this second the order to be off is not repeated."""

    @on(*GOOD, event=SupplyOrdered, to=JUDGED)
    @on(*FAULTY, event=SupplyOrdered, to=FAULTY)
    def ordered(self, event: SupplyOrdered, now: float) -> Effects:
        """The power path has ordered a mode."""
        if event.mode is Mode.Off and self._ordered is not Mode.Off:
            self._off_since_s = now
        self._ordered = event.mode
        return self._judge(now)

    @on(Finding.Unknown, event=SupplyMode, to=JUDGED)
    def first_report(self, event: SupplyMode, now: float) -> Effects:
        """An earlier process may have left it on: it is switched off, and has the time for it before it is a fault."""
        self._reported = event.mode
        if event.mode not in FLOWING:
            return self._judge(now)
        self._off_since_s = self._again_s = now
        return self._switch_off(now) + self._judge(now)

    @on(Finding.AsOrdered, Finding.Late, event=SupplyMode, to=JUDGED)
    @on(*FAULTY, event=SupplyMode, to=FAULTY)
    def mode(self, event: SupplyMode, now: float) -> Effects:
        """The supply reports its mode."""
        self._reported = event.mode
        return self._judge(now)

    @on(*GOOD, event=SupplyMeasured, to=JUDGED)
    @on(*FAULTY, event=SupplyMeasured, to=FAULTY)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        """The supply reports its current."""
        self._current_A = event.current_A
        return self._judge(now)

    @on(Finding.Late, timer="late", to=Finding.WithoutOrder)
    def still_on(self, now: float) -> Effects:
        """The time that an order takes is over."""
        return self._judge(now)

    @on(Finding.WithoutOrder, timer="again")
    def again(self, now: float) -> Effects:
        """It is still on: the order is repeated."""
        return self._switch_off(now)

    @on(Finding.Quiet, timer="quiet", to=Finding.AsOrdered)
    def stayed_off(self, now: float) -> Effects:
        """The fault is over."""
        return self.enter(Finding.AsOrdered, LogLine("the power supply stays off again"), ClearFault(INTERNAL))

    def _evidence(self) -> str:
        """Return what shows that the supply is on, or nothing."""
        if self._reported in FLOWING:
            return f"it reports {self._reported.value}"
        if abs(self._current_A) > timing.SUPPLY_OFF_CURRENT_A:
            return f"it reports {self._current_A:.1f} A"
        return ""

    def _judge(self, now: float) -> Effects:
        if self._ordered is not Mode.Off:
            self.stop("again")
            self.stop("quiet")
            return self.enter(Finding.AsOrdered) if self.state in GOOD else []
        evidence = self._evidence()
        if self.state in GOOD:
            return self._suspect(evidence, now) if evidence else self.enter(Finding.AsOrdered)
        if evidence:
            self.enter(Finding.WithoutOrder)
            return self._switch_off(now)
        if self.due("quiet") is None:
            self.enter(Finding.Quiet)
            self.start("quiet", now + timing.SUPPLY_QUIET_S)
        return []

    def _suspect(self, evidence: str, now: float) -> Effects:
        late_s = self._off_since_s + timing.SUPPLY_OFF_S
        if now < late_s:
            self.enter(Finding.Late)
            self.start("late", late_s)
            return []
        self._again_s = now
        self.enter(Finding.WithoutOrder)
        text = f"the power supply is on without an order: {evidence}"
        return [*self._switch_off(now), RaiseFault(INTERNAL, text, SUB_TYPE)]

    def _switch_off(self, now: float) -> Effects:
        """Order it off, at a bounded pace."""
        effects: Effects = []
        if now >= self._again_s:
            self._again_s = now + timing.SUPPLY_OFF_AGAIN_S
            effects = [call(PowerSupplyDC.setMode, Mode.Off, ChargingPhase.Other).urgently()]
        if self.state is Finding.WithoutOrder:
            self.start("again", self._again_s)
        return effects
