"""What API publishes: the payloads of `everest_api/...` from kept facts, rounded as configured."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.uk_random_delay import CountDown
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.modules.api.evse_view import EvseView
from chargebyte_fw.modules.api.rounding import round_all, rounded

_METER_KEYS = {
    "energy_Wh_import": "powermeter_energy_import",
    "energy_Wh_export": "powermeter_energy_export",
    "power_W": "powermeter_power",
    "voltage_V": "powermeter_voltage",
    "VAR": "powermeter_VAR",
    "current_A": "powermeter_current",
    "frequency_Hz": "powermeter_frequency",
}
_METER_NAMES = ("timestamp", "meter_id", "phase_seq_error")
_CAPABILITY_KEYS = {
    "max_current_A_export": "hw_caps_max_current_export",
    "max_current_A_import": "hw_caps_max_current_import",
    "min_current_A_export": "hw_caps_min_current_export",
    "min_current_A_import": "hw_caps_min_current_import",
    "max_plug_temperature_C": "hw_caps_max_plug_temperature_C",
}
_TELEMETRY_KEYS = {
    "evse_temperature_C": ("temperature", "telemetry_evse_temperature_C"),
    "fan_rpm": ("fan_rpm", "telemetry_fan_rpm"),
    "supply_voltage_12V": ("supply_voltage_12V", "telemetry_supply_voltage_12V"),
    "supply_voltage_minus_12V": ("supply_voltage_minus_12V", "telemetry_supply_voltage_minus_12V"),
    "plug_temperature_C": ("plug_temperature_C", "telemetry_plug_temperature_C"),
}
QUANTITIES = (
    *_METER_KEYS.values(),
    *_CAPABILITY_KEYS.values(),
    "limits_max_current",
    *(key for _, key in _TELEMETRY_KEYS.values()),
)
"""Every quantity that has the configuration keys `<quantity>_decimal_places` and `<quantity>_round_to`."""


class Payloads:
    """Writes payloads; `config` has the two rounding keys of every quantity."""

    def __init__(self, config: ModuleConfig) -> None:
        self._rounding = {
            name: (getattr(config, f"{name}_decimal_places"), getattr(config, f"{name}_round_to"))
            for name in QUANTITIES
        }

    def _round(self, quantity: str, value: Any) -> Any:
        return round_all(value, *self._rounding[quantity])

    def session_info(self, view: EvseView, delay: CountDown | None, permanent_fault: bool, at: datetime) -> Any:
        """Return state, energy and duration of the EVSE's session."""
        session, source = view.session, view.enable_source
        info: dict[str, Any] = {
            "state": str(session.state),
            "permanent_fault": permanent_fault,
            "charged_energy_wh": int(session.charged_energy_Wh),
            "discharged_energy_wh": int(session.discharged_energy_Wh),
            "latest_total_w": rounded(session.latest_total_W, *self._rounding["powermeter_power"]),
            "charging_duration_s": view.duration_s,
            "datetime": rfc3339(at),
            "active_enable_disable_source": {
                "source": str(source.enable_source) if source is not None else "Unspecified",
                "state": str(source.enable_state) if source is not None else "Enabled",
                "priority": source.enable_priority if source is not None else 0,
            },
        }
        if delay is not None and delay.countdown_s > 0:
            info["uk_random_delay"] = {
                "remaining_s": delay.countdown_s,
                "current_limit_after_delay_A": delay.current_limit_after_delay_A,
                "current_limit_during_delay_A": delay.current_limit_during_delay_A,
                "start_time": delay.start_time or "",
            }
        return info

    def powermeter(self, view: EvseView) -> Any:
        """Return the billing meter's value."""
        plain = msgspec.to_builtins(view.meter)
        names = {key: plain[key] for key in _METER_NAMES if key in plain}
        return names | {key: self._round(quantity, plain[key]) for key, quantity in _METER_KEYS.items() if key in plain}

    def hardware_capabilities(self, view: EvseView) -> Any:
        """Return what the board can do."""
        plain = msgspec.to_builtins(view.capabilities)
        plain.pop("supports_cp_state_E", None)
        return {
            key: self._round(_CAPABILITY_KEYS[key], v) if key in _CAPABILITY_KEYS else v for key, v in plain.items()
        }

    def limits(self, view: EvseView) -> Any:
        """Return what is available to the car."""
        return self._round("limits_max_current", msgspec.to_builtins(view.limits))

    def telemetry(self, view: EvseView) -> Any:
        """Return the board's telemetry under API's names."""
        plain = msgspec.to_builtins(view.telemetry)
        values = {
            name: self._round(quantity, plain[key]) for key, (name, quantity) in _TELEMETRY_KEYS.items() if key in plain
        }
        meter = view.meter
        values["phase_seq_error"] = bool(meter.phase_seq_error) if meter is not None else False
        return values
