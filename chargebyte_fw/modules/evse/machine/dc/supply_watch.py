"""A power supply that is on although the EVSE has not ordered it: a fault, and it is switched off."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Clear, Raise, Say
from chargebyte_fw.modules.evse.machine.events import SupplyMeasured, SupplyMode
from chargebyte_fw.modules.evse.machine.fault_policy import INTERNAL
from chargebyte_fw.modules.evse.machine.signals import SupplyOrdered

Effects = list[Any]
FLOWING = (Mode.Export, Mode.Import)
SUB_TYPE = "PowerSupplyOnWithoutOrder"


class Finding(Enum):
    """Whether the supply does what is ordered."""

    AsOrdered = "as ordered"
    WithoutOrder = "on without order"


class SupplyWatch(Machine):
    """Compares the order with what the supply reports: its mode and its current.

    A voltage alone is no evidence: capacitors keep it, and through closed contactors it may be the EV's. One that does
    not fall below 60 V fails the cable check.
    """

    def __init__(self) -> None:
        super().__init__(Finding.AsOrdered)
        self._ordered = Mode.Off
        self._off_since_s: float | None = None
        """None before the first report of this process' life."""
        self._mode = Mode.Off
        self._current_A = 0.0
        self._again_s = 0.0
        self._quiet_since_s: float | None = None

    @on(event=SupplyOrdered)
    def ordered(self, event: SupplyOrdered, now: float) -> Effects:
        if event.mode is Mode.Off and self._ordered is not Mode.Off:
            self._off_since_s = now
        self._ordered = event.mode
        return self._look(now)

    @on(event=SupplyMode)
    def mode(self, event: SupplyMode, now: float) -> Effects:
        self._mode = event.mode
        if self._off_since_s is None and event.mode in FLOWING:
            # An earlier process has left it on: it is switched off, and has the time for it before it is a fault.
            self._off_since_s = self._again_s = now
            return [*self._switch_off(now), *self._look(now)]
        return self._look(now)

    @on(event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        self._current_A = event.current_A
        return self._look(now)

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        return self._look(now)

    def _evidence(self) -> str:
        """Say what shows that the supply is on, or nothing."""
        if self._mode in FLOWING:
            return f"it reports {self._mode.value}"
        if abs(self._current_A) > timing.SUPPLY_OFF_CURRENT_A:
            return f"it reports {self._current_A:.1f} A"
        return ""

    def _look(self, now: float) -> Effects:
        if self._off_since_s is None:
            self._off_since_s = now - timing.SUPPLY_OFF_S
        self.deadline = None
        if self._ordered is not Mode.Off:
            return []
        evidence = self._evidence()
        if self.state is Finding.AsOrdered:
            return self._suspect(evidence, now) if evidence else []
        if evidence:
            self._quiet_since_s = None
            return self._switch_off(now)
        if self._quiet_since_s is None:
            self._quiet_since_s = now
        over_s = self._quiet_since_s + timing.SUPPLY_QUIET_S
        if now < over_s:
            self.deadline = over_s
            return []
        self.state = Finding.AsOrdered
        return [Say("the power supply stays off again"), Clear(INTERNAL)]

    def _suspect(self, evidence: str, now: float) -> Effects:
        late_s = (self._off_since_s or 0.0) + timing.SUPPLY_OFF_S
        if now < late_s:
            self.deadline = late_s
            return []
        self.state, self._again_s, self._quiet_since_s = Finding.WithoutOrder, now, None
        text = f"the power supply is on without an order: {evidence}"
        return [*self._switch_off(now), Raise(INTERNAL, text, SUB_TYPE)]

    def _switch_off(self, now: float) -> Effects:
        self.deadline = self._again_s
        if now < self._again_s:
            return []
        self.deadline = self._again_s = now + timing.SUPPLY_OFF_AGAIN_S
        return [Call("supply", "setMode", (Mode.Off, ChargingPhase.Other), urgent=True)]
