"""The EVSE on external MQTT: topics of EVerest's Node-RED panel, and its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.energy import EnforcedLimits
from chargebyte_fw.contracts.types.evse_board_support import Telemetry
from chargebyte_fw.contracts.types.evse_manager import Limits
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.contract import Guard
from chargebyte_fw.kernel.runtime import ExternalMqtt
from chargebyte_fw.modules.evse.machine.events import Charging

ORDER = tuple(Charging)


class Panel:
    """`everest_external/nodered/<connector>/...`."""

    def __init__(self, mqtt: ExternalMqtt, module_id: str, connector_id: int) -> None:
        self._mqtt = mqtt
        self._base = f"everest_external/nodered/{connector_id}"
        self._log_topic = f"everest_api/{module_id}/var/hlc_log"
        self._stops: list[Callable[[], None]] = []

    def mirror(self, evse: EvseManager, guard: Guard) -> None:
        """Publish what the EVSE publishes; `guard` gets an exception."""
        evse.telemetry.subscribe(self._telemetry, guard=guard)
        evse.limits.subscribe(self._limits, guard=guard)
        evse.enforced_limits.subscribe(self._enforced_limits, guard=guard)
        evse.powermeter.subscribe(self._powermeter, guard=guard)

    def commands(self, **handlers: Callable[[str], None]) -> None:
        """Call a handler with the payload of `cmd/<name>`."""
        for name, handler in handlers.items():

            def call(_topic: str, payload: str, handler: Callable[[str], None] = handler) -> None:
                handler(payload)

            self._stops.append(self._mqtt.subscribe(f"{self._base}/cmd/{name}", call))

    def close(self) -> None:
        """Take no more commands."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    def _put(self, topic: str, value: Any) -> None:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self._mqtt.publish(f"{self._base}/{topic}", text)

    def state(self, state: Charging) -> None:
        """Publish the charging state as text and as its number."""
        self._put("state/state_string", state.value)
        self._put("state/state", ORDER.index(state))

    def _telemetry(self, value: Telemetry) -> None:
        self._put("state/temperature", value.evse_temperature_C)

    def _limits(self, value: Limits) -> None:
        self._put("state/max_current", value.max_current)

    def _enforced_limits(self, value: EnforcedLimits) -> None:
        power_W = value.limits_root_side.total_power_W
        if power_W is not None:
            self._put("state/max_watt", power_W.value)

    def _powermeter(self, value: Powermeter) -> None:
        if value.phase_seq_error is not None:
            self._put("powermeter/phaseSeqError", value.phase_seq_error)
        self._put("powermeter/time_stamp", value.timestamp)
        if value.power_W is not None:
            self._put("powermeter/totalKw", value.power_W.total / 1000)
        self._put("powermeter/totalKWattHr", value.energy_Wh_import.total / 1000)
        if value.energy_Wh_export is not None:
            self._put("powermeter/totalExportKWattHr", value.energy_Wh_export.total / 1000)
        self._mqtt.publish(f"{self._base}/powermeter_json", msgspec.json.encode(value).decode())

    def log(self, origin: str, target: str, iso15118: bool, text: str) -> None:
        """Publish a line of the session log."""
        line = {"origin": origin, "target": target, "iso15118": iso15118, "msg": text}
        self._mqtt.publish(self._log_topic, msgspec.json.encode(line).decode())
