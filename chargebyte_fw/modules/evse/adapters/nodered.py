"""The EVSE on external MQTT: topics of EVerest's node-red panel, and its commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.powermeter import Powermeter
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

    def commands(self, **handlers: Callable[[str], None]) -> None:
        """Call a handler with the payload of `cmd/<name>`."""
        for name, handler in handlers.items():

            def call(_topic: str, payload: str, handler: Callable[[str], None] = handler) -> None:
                handler(payload)

            self._stops.append(self._mqtt.subscribe(f"{self._base}/cmd/{name}", call))

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    def _put(self, topic: str, value: Any) -> None:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self._mqtt.publish(f"{self._base}/{topic}", text)

    def state(self, state: Charging) -> None:
        """Tell the charging state as text and as its number."""
        self._put("state/state_string", state.value)
        self._put("state/state", ORDER.index(state))

    def temperature(self, temperature_C: float) -> None:
        """Tell the EVSE's temperature."""
        self._put("state/temperature", temperature_C)

    def limits(self, current_A: float | None = None, power_W: float | None = None) -> None:
        """Tell what may be drawn."""
        if current_A is not None:
            self._put("state/max_current", current_A)
        if power_W is not None:
            self._put("state/max_watt", power_W)

    def meter(self, value: Powermeter) -> None:
        """Tell the meter's values."""
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
        """Tell a line of the session's log."""
        line = {"origin": origin, "target": target, "iso15118": iso15118, "msg": text}
        self._mqtt.publish(self._log_topic, msgspec.json.encode(line).decode())
