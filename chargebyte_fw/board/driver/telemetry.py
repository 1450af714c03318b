"""Temperatures and telemetry as the contracts have them: only what this board can measure."""

from __future__ import annotations

from chargebyte_fw.board.driver.charge_state import any_closed
from chargebyte_fw.board.link.messages.charge_som import ChargeState, Pt1000State
from chargebyte_fw.contracts.types.evse_board_support import Telemetry
from chargebyte_fw.contracts.types.temperature import Temperature
from chargebyte_fw.kernel.paths import Root

CHIP_SENSOR = "/sys/class/thermal/thermal_zone0/temp"


def temperatures(state: Pt1000State, names: tuple[str, ...]) -> list[Temperature]:
    """Return the channels that are in use and plausible."""
    return [
        Temperature(temperature=temperature_C, identification=name)
        for name, (temperature_C, failed, _) in zip(names, state.channels, strict=True)
        if temperature_C is not None and not failed
    ]


def chip_temperature_C(root: Root) -> float | None:
    """Return the processor's temperature, None where the kernel has none."""
    try:
        return int(root.read(CHIP_SENSOR).read_text()) / 1000
    except (OSError, ValueError):
        return None


def telemetry(pt1000: Pt1000State | None, charge_state: ChargeState | None, chip_C: float | None) -> Telemetry | None:
    """Return what is known, None without any temperature. This board has no fan and does not measure its 12 V: 0."""
    plug = [one[0] for one in pt1000.channels if one[0] is not None and not one[1]] if pt1000 is not None else []
    evse_C = chip_C if chip_C is not None else max(plug, default=None)
    if evse_C is None:
        return None
    return Telemetry(
        evse_temperature_C=evse_C,
        fan_rpm=0.0,
        supply_voltage_12V=0.0,
        supply_voltage_minus_12V=0.0,
        relais_on=charge_state is not None and any_closed(charge_state),
        plug_temperature_C=max(plug, default=None),
    )
