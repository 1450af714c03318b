"""The data of the EV in this session (variable `ev_info`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import CarManufacturer, EVInfo
from chargebyte_fw.contracts.types.iso15118 import AcEvPowerLimits, DisplayParameters

VOLKSWAGEN = ("00:7D:FA",)
TESLA = ("0C:29:8F", "4C:FC:AA", "54:F8:F0", "98:ED:5C", "DC:44:27:1")


def manufacturer_from_mac(mac: str) -> CarManufacturer:
    """Return the maker of an EV by its MAC address; Unknown for all but a few."""
    if mac.upper().startswith(VOLKSWAGEN):
        return CarManufacturer.VolkswagenGroup
    if mac.upper().startswith(TESLA):
        return CarManufacturer.Tesla
    return CarManufacturer.Unknown


def ac_power_limits(limits: AcEvPowerLimits) -> dict[str, Any]:
    """Return an AC EV's power limits as fields of its data."""
    fields = {
        "ac_max_charge_power": limits.max_charge_power,
        "ac_min_charge_power": limits.min_charge_power,
        "ac_max_discharge_power": limits.max_discharge_power,
        "ac_min_discharge_power": limits.min_discharge_power,
    }
    return {name: value.total for name, value in fields.items() if value is not None}


def displayed(values: DisplayParameters) -> dict[str, Any]:
    """Return what an EV of ISO 15118-20 shows its driver as fields of its data."""
    fields = {
        "soc": values.present_soc,
        "battery_full_soc": values.target_soc,
        "battery_capacity": values.battery_energy_capacity,
    }
    return {name: value for name, value in fields.items() if value is not None}


class EvInfoAdapter:
    """Collects the EV's data; `publish` is called with each change, except those of the present values alone."""

    def __init__(self, publish: Callable[[EVInfo], None]) -> None:
        self._publish = publish
        self.info = EVInfo()
        self._in_session = False
        self._present: tuple[float, float] | None = None

    def learn(self, **fields: Any) -> None:
        """Set fields; publish if one of them has changed."""
        if self._set(fields):
            self._publish(self.info)

    def measured(self, voltage_V: float, current_A: float) -> None:
        """Set present values that change during a session; the next change of another field publishes them."""
        changed, self._present = (voltage_V, current_A) != self._present, (voltage_V, current_A)
        if changed and self._in_session:
            self._set({"present_voltage": voltage_V, "present_current": current_A})

    def _set(self, fields: dict[str, Any]) -> bool:
        if all(getattr(self.info, name) == value for name, value in fields.items()):
            return False
        self.info = msgspec.structs.replace(self.info, **fields)
        return True

    def begin(self, *, session: bool) -> None:
        """Begin or end a session: nothing is known of the EV, and clients are to see that."""
        self._in_session = session
        self.info = EVInfo()
        self._publish(self.info)
