"""over_voltage_monitor_API: a client of MQTT is the over-voltage monitor."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import Send, driven_by_client


class Limits(msgspec.Struct):
    """Payload of `set_limits`, in V."""

    emergency_limit_V: float
    error_limit_V: float


_COMMANDS = {
    "set_limits": Send("set_limits", Limits),
    "start": Send("start"),
    "stop": Send("stop"),
    "reset_over_voltage_error": Send("reset_over_voltage_error"),
}


class over_voltage_monitor_API(Bridge):
    """A client of MQTT is the over-voltage monitor."""

    api_type = "over_voltage_monitor"
    watched = ("main", "over_voltage_monitor/CommunicationFault")
    errors_at = ("main",)

    main = provides(driven_by_client(OverVoltageMonitor, _COMMANDS), description="The over-voltage monitor.")

    def open(self) -> None:
        """Declare what the monitor reports."""
        self.take("voltage_measurement_V", float, self.main.voltage_measurement_V.publish)
