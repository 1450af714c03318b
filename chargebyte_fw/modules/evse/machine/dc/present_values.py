"""What HLC reports to the EV of the output: the supply's voltage and current."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.iso15118 import DcEvsePresentVoltageCurrent
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.events import ModuleReady, SupplyMeasured
from chargebyte_fw.modules.evse.machine.signals import SupplyOrdered

Effects = list[Any]


class PresentState(Enum):
    """Whether the supply has measured."""

    Unknown = "unknown"
    Known = "known"


class PresentValues(Machine):
    """Sends HLC each change of the measured values."""

    initial = PresentState.Unknown

    def __init__(self, config: EvseConfig) -> None:
        super().__init__()
        self._offset_A = config.hack_present_current_offset
        self._sent = (0.0, 0.0)
        self._imports = False

    @on(*PresentState, event=SupplyOrdered)
    def ordered(self, event: SupplyOrdered, now: float) -> None:
        """A current out of the EV is negative; where none is ordered, a negative one is noise."""
        self._imports = event.mode is Mode.Import

    @on(PresentState.Unknown, event=ModuleReady)
    def module_ready(self, _: ModuleReady, now: float) -> Effects:
        """Before the first measurement nothing is at the output."""
        return self._send(0.0, 0.0)

    @on(PresentState.Unknown, event=SupplyMeasured, to=PresentState.Known)
    def first(self, event: SupplyMeasured, now: float) -> Effects:
        """Send the first measurement, whatever it is."""
        return self.enter(PresentState.Known, *self._send(event.voltage_V, event.current_A))

    @on(PresentState.Known, event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        """Send a measurement that differs from the last."""
        changed = (event.voltage_V, event.current_A) != self._sent
        return self._send(event.voltage_V, event.current_A) if changed else []

    def _send(self, voltage_V: float, current_A: float) -> Effects:
        self._sent = voltage_V, current_A
        # The offset belongs to a current that flows: 0 A stays 0 A.
        offset_A = self._offset_A if current_A else 0.0
        magnitude_A = max(abs(current_A) + offset_A, 0.0)
        from_ev = self._imports and current_A < 0.0
        values = DcEvsePresentVoltageCurrent(
            evse_present_voltage=max(voltage_V, 0.0), evse_present_current=-magnitude_A if from_ev else magnitude_A
        )
        return [call(Iso15118Charger.update_dc_present_values, values).latest_only()]
