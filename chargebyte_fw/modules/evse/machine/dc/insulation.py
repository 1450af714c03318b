"""Insulation while energy flows: resistance, voltage to earth (IEC 61851-23 6.3.1.112.2), and when the monitor runs."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.iso15118 import IsolationStatus
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Raise, isolation_line
from chargebyte_fw.modules.evse.machine.events import (
    Charging,
    DcOpenContactor,
    InsulationMeasured,
    SupplyMeasured,
    SupplyTold,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged, StateIs

Effects = list[Any]
RESUME_W = 1000.0


class Insulation(Machine):
    """Watches in state Charging; ends the monitor's work with the power path."""

    def __init__(self, fault_Ohm: float, *, pause_in_precharge: bool) -> None:
        super().__init__(Charging.Idle)
        self._fault_Ohm = fault_Ohm
        self._pause_in_precharge = pause_in_precharge
        self._paused = False
        self._may_run = False
        self._min_V = 0.0
        self._max_V = 0.0
        self._told: IsolationStatus | None = None
        self._bad_since: float | None = None

    @on(event=SupplyTold)
    def supply(self, event: SupplyTold, now: float) -> Effects:
        self._min_V = event.supply.min_export_voltage_V
        self._max_V = event.supply.max_export_voltage_V
        return []

    @on(event=StateIs)
    def kernel_state(self, event: StateIs, now: float) -> Effects:
        before, self.state = self.state, event.state
        self._bad_since = None
        if event.state is Charging.PrepareCharging:
            # In a renegotiation the monitor waits for the next cable check.
            ended = self._stop() if before is Charging.Charging else []
            self._may_run = True
            self._paused = self._pause_in_precharge
            self._told = None
            return ended
        if event.state in (Charging.Finished, Charging.ChargingPausedEVSE, Charging.TStepX1):
            return self._stop()
        return []

    @on(event=DcOpenContactor)
    def open_contactor(self, _: DcOpenContactor, now: float) -> Effects:
        return self._stop()

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        return self._stop()

    def _stop(self) -> Effects:
        if not self._may_run:
            return []
        self._may_run = False
        return [Call("imd", "stop")]

    @on(event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        if self.state is Charging.Charging and self._paused and event.voltage_V * event.current_A > RESUME_W:
            self._paused = False
            return [Call("imd", "start")]
        return []

    @on(event=InsulationMeasured)
    def sample(self, event: InsulationMeasured, now: float) -> Effects:
        if self.state is not Charging.Charging:
            return []
        resistance_Ohm = event.sample.resistance_F_Ohm
        low = resistance_Ohm < self._fault_Ohm
        effects: Effects = [isolation_line(resistance_Ohm, valid=not low)]
        status = IsolationStatus.Fault if low else IsolationStatus.Valid
        if status is not self._told:
            self._told = status
            effects.append(Call("hlc", "update_isolation_status", (status,)))
        if low:
            text = f"{resistance_Ohm:.0f} Ohm while charging"
            effects.append(Raise("MREC22ResistanceFault", text, "Resistance", Severity.Medium))
        return effects + self._to_earth(event.sample, now)

    def _to_earth(self, sample: IsolationMeasurement, now: float) -> Effects:
        voltage_V, l1e_V, l2e_V = sample.voltage_V, sample.voltage_to_earth_l1e_V, sample.voltage_to_earth_l2e_V
        if voltage_V is None or l1e_V is None or l2e_V is None or voltage_V <= self._min_V:
            self._bad_since = None
            return []
        limit_V = 1.1 * voltage_V if self._max_V > 500.0 else 550.0
        if max(abs(l1e_V), abs(l2e_V)) <= limit_V:
            self._bad_since = None
            return []
        if self._bad_since is None:
            self._bad_since = now
            return []
        if now - self._bad_since < timing.EARTH_VOLTAGE_S:
            return []
        text = f"{l1e_V:.0f} V and {l2e_V:.0f} V to earth at {voltage_V:.0f} V"
        return [Raise("MREC22ResistanceFault", text, "VoltageToEarth", Severity.Medium)]
