"""From the watts that the energy management allows to the limits of HLC and of the power path; external derating."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.iso15118 import DcEvseMaximumLimits, DcEvseMinimumLimits
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.modules.evse.machine.effects import SessionLogLine, number
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits

LEAST_VOLTAGE_V = 10.0


def derated(supply: Capabilities, derating: ExternalDerating, present_V: float) -> Capabilities:
    """Return the supply's capabilities within the derating; a missing partner follows from the present voltage."""
    export_A, export_W = _pair(derating.max_export_current_A, derating.max_export_power_W, present_V)
    import_A, import_W = _pair(derating.max_import_current_A, derating.max_import_power_W, present_V)
    return msgspec.structs.replace(
        supply,
        max_export_current_A=_least(supply.max_export_current_A, export_A),
        max_export_power_W=_least(supply.max_export_power_W, export_W),
        max_import_current_A=_optional(supply.max_import_current_A, import_A),
        max_import_power_W=_optional(supply.max_import_power_W, import_W),
    )


def _pair(current_A: float | None, power_W: float | None, present_V: float) -> tuple[float | None, float | None]:
    if present_V > LEAST_VOLTAGE_V:
        if current_A is None and power_W is not None:
            current_A = power_W / present_V
        elif power_W is None and current_A is not None:
            power_W = current_A * present_V
    return current_A, power_W


def _least(value: float, limit: float | None) -> float:
    return value if limit is None else min(value, limit)


def _optional(value: float | None, limit: float | None) -> float | None:
    return None if value is None else _least(value, limit)


def limits_from_budget(
    supply: Capabilities, granted_W: float, *, target_V: float, present_V: float, bidirectional: bool
) -> PowerPathLimits:
    """Return what the power path may do with `granted_W` at the grid (negative: into the grid)."""
    charge_W = min(max(granted_W, 0.0) * (supply.conversion_efficiency_export or 1.0), supply.max_export_power_W)
    current_A = supply.max_export_current_A
    if target_V > LEAST_VOLTAGE_V:
        current_A = min(current_A, charge_W / (present_V if present_V > LEAST_VOLTAGE_V else target_V))
    least_A = supply.min_export_current_A
    if current_A < least_A or charge_W < least_A * supply.min_export_voltage_V:
        # What the supply gives at least is more than what is allowed: nothing.
        charge_W = 0.0
    discharge_A = discharge_W = 0.0
    if bidirectional and supply.bidirectional and granted_W < 0.0:
        # Nothing is taken from the EV unless the energy management takes it.
        discharge_A = supply.max_import_current_A or 0.0
        discharge_W = min(supply.max_import_power_W or 0.0, -granted_W / (supply.conversion_efficiency_import or 1.0))
    return PowerPathLimits(
        voltage_V=supply.max_export_voltage_V,
        current_A=0.0 if charge_W <= 0.0 else current_A,
        power_W=charge_W,
        min_voltage_V=supply.min_export_voltage_V,
        discharge_current_A=discharge_A,
        discharge_power_W=discharge_W,
    )


def maximum_for_hlc(limits: PowerPathLimits, *, bidirectional: bool, negative: bool = False) -> DcEvseMaximumLimits:
    """Write the maxima for HLC; `negative`: an EV that discharges is given them as SAE J2847/2 has them."""
    return DcEvseMaximumLimits(
        evse_maximum_current_limit=-limits.discharge_current_A if negative else limits.current_A,
        evse_maximum_power_limit=-limits.discharge_power_W if negative else limits.power_W,
        evse_maximum_voltage_limit=limits.voltage_V,
        evse_maximum_discharge_current_limit=limits.discharge_current_A if bidirectional else None,
        evse_maximum_discharge_power_limit=limits.discharge_power_W if bidirectional else None,
    )


def minimum_for_hlc(supply: Capabilities) -> DcEvseMinimumLimits:
    """Write the minima for HLC."""
    discharge_A = supply.min_import_current_A if supply.bidirectional else None
    discharge_V = supply.min_import_voltage_V if supply.bidirectional else None
    return DcEvseMinimumLimits(
        evse_minimum_current_limit=supply.min_export_current_A,
        evse_minimum_voltage_limit=supply.min_export_voltage_V,
        evse_minimum_power_limit=supply.min_export_voltage_V * supply.min_export_current_A,
        evse_minimum_discharge_current_limit=discharge_A,
        evse_minimum_discharge_power_limit=None
        if discharge_A is None or discharge_V is None
        else discharge_A * discharge_V,
    )


def limits_line(limits: PowerPathLimits, target_V: float, present_V: float, *, bidirectional: bool) -> SessionLogLine:
    """Return the session log's line of new DC limits."""
    return SessionLogLine(
        f"Change HLC Limits: {number(limits.power_W)}W/{number(limits.current_A)}A, target_voltage {number(target_V)}, "
        f"actual_voltage {number(present_V)}, bpt_active {str(bidirectional).lower()}",
        iso15118=True,
    )


class SignificantChange:
    """Remembers what the last limits were computed from, so that only a significant change computes new ones."""

    def __init__(self) -> None:
        self._last: tuple[float, ...] = ()

    def seen(self, granted_W: float, supply: Capabilities, target_V: float, present_V: float) -> bool:
        """Return whether limits must be computed anew: 0.1 of any value, 1 V at the output."""
        values = (
            granted_W,
            target_V,
            supply.max_export_power_W,
            supply.max_export_current_A,
            supply.max_export_voltage_V,
            present_V / 10.0,
        )
        if len(self._last) == len(values) and all(
            abs(value - last) <= 0.1 for value, last in zip(values, self._last, strict=True)
        ):
            return False
        self._last = values
        return True
