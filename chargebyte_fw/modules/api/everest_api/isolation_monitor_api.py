"""isolation_monitor_API: a client of MQTT is the insulation monitor."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import Send, driven_by_client


def _empty() -> dict[str, Any]:
    return {}


_COMMANDS = {"start": Send("start", _empty), "stop": Send("stop", _empty), "start_self_test": Send("start_self_test")}


class isolation_monitor_API(Bridge):
    """A client of MQTT is the insulation monitor."""

    api_type = "isolation_monitor"
    watched = ("main", "isolation_monitor/CommunicationFault")
    errors_at = ("main",)

    main = provides(driven_by_client(IsolationMonitor, _COMMANDS), description="The insulation monitor.")

    def open(self) -> None:
        """Declare what the monitor reports."""
        self.take("isolation_measurement", IsolationMeasurement, self.main.isolation_measurement.publish)
        self.take("self_test_result", bool, self.main.self_test_result.publish)
