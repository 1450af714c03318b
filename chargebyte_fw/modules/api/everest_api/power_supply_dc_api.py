"""power_supply_DC_API: a client of MQTT is the power supply."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities, ChargingPhase, Mode, VoltageCurrent
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import Send, driven_by_client


class ModeAndPhase(msgspec.Struct):
    """Payload of `mode`."""

    mode: Mode
    charging_phase: ChargingPhase


class SetPoint(msgspec.Struct):
    """Payload of `export_voltage_current` and `import_voltage_current`, in V and A."""

    voltage_V: float
    current_A: float


_COMMANDS = {
    "setMode": Send("mode", ModeAndPhase),
    "setExportVoltageCurrent": Send("export_voltage_current", SetPoint),
    "setImportVoltageCurrent": Send("import_voltage_current", SetPoint),
}


class power_supply_DC_API(Bridge):
    """A client of MQTT is the power supply."""

    api_type = "power_supply_DC"
    watched = ("main", "power_supply_DC/CommunicationFault")
    errors_at = ("main",)

    main = provides(driven_by_client(PowerSupplyDC, _COMMANDS), description="The power supply.")

    def open(self) -> None:
        """Declare what the power supply reports."""
        self.take("voltage_current", VoltageCurrent, self.main.voltage_current.publish)
        self.take("mode", Mode, self.main.mode.publish)
        self.take("capabilities", Capabilities, self.main.capabilities.publish)
