"""DisplayParameters of ISO 15118-20 in EVerest's words."""

from __future__ import annotations

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages.iso20_types import DisplayParametersType
from chargebyte_fw.modules.v2g.rational import not_negative


def display_parameters(display: DisplayParametersType) -> iso15118.DisplayParameters:
    """Return what the car shows its driver; a state of charge beyond 100 % is dropped."""
    return iso15118.DisplayParameters(
        present_soc=_percent(display.PresentSOC),
        minimum_soc=_percent(display.MinimumSOC),
        target_soc=_percent(display.TargetSOC),
        maximum_soc=_percent(display.MaximumSOC),
        remaining_time_to_minimum_soc=display.RemainingTimeToMinimumSOC,
        remaining_time_to_target_soc=display.RemainingTimeToTargetSOC,
        remaining_time_to_maximum_soc=display.RemainingTimeToMaximumSOC,
        charging_complete=display.ChargingComplete,
        battery_energy_capacity=not_negative(display.BatteryEnergyCapacity),
        inlet_hot=display.InletHot,
    )


def _percent(value: int | None) -> float | None:
    return None if value is None or value > 100 else float(value)
