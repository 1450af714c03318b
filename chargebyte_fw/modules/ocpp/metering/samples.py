"""The measurands of one reading, as OCPP names them: value, unit and phase, in the order of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue

PHASES = ("L1", "L2", "L3", "N")
DECIMALS = 3
"""Digits behind the point that are sent: binary fractions of a meter have no meaning beyond."""


class Offered(msgspec.Struct, frozen=True):
    """What the station offers the car (`enforced_limits`)."""

    current_A: float | None = None
    power_W: float | None = None


class Reading(msgspec.Struct, frozen=True):
    """Everything that is measured at an EVSE at one time."""

    at: datetime
    powermeter: Powermeter | None = None
    soc_percent: float | None = None
    offered: Offered = Offered()


class Sample(msgspec.Struct, frozen=True):
    """One value of one measurand."""

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    """None: the total, or a value without phases."""
    location: str | None = None
    signed: SignedMeterValue | None = None
    """What the meter signed of it (OCMF ...)."""

    @property
    def text(self) -> str:
        """The value as a decimal number without exponent and binary tail."""
        return decimal(self.value)

    @property
    def money_text(self) -> str:
        """The same with two decimals, as EVerest sends what a CSMS is to compute a cost from."""
        return f"{self.value:.2f}"


def decimal(value: float) -> str:
    """Return a number in plain notation, with at most three decimals."""
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def integer_Wh(reading: Powermeter) -> int:
    """Return the imported energy as a whole number, as `meterStart` and `meterStop` of OCPP 1.6 want it."""
    return round(reading.energy_Wh_import.total)


def samples(reading: Reading, wanted: Iterable[str]) -> list[Sample]:
    """Return the values of the wanted measurands; those that nothing measures are left out.

    A wanted measurand is a name (`Voltage`: the total, or every phase of it) or a name and a phase
    (`Current.Import.L1`, `Voltage-L1`), as OCPP 1.6 §9.1.16 allows it.
    """
    found: list[Sample] = []
    for name in wanted:
        measurand, phase = split(name.strip())
        source = _SOURCES.get(measurand)
        if source is not None:
            found += [one for one in source(reading, measurand) if phase is None or one.phase == phase]
    return found


def split(name: str) -> tuple[str, str | None]:
    """Return measurand and phase of an item of a list of measurands."""
    for separator in ("-", "."):
        head, found, tail = name.rpartition(separator)
        if found and tail in PHASES:
            return head, tail
    return name, None


def known(name: str) -> bool:
    """Return whether this product can measure an item of a list of measurands."""
    return split(name.strip())[0] in _SOURCES


def _phases(
    value: Any, measurand: str, unit: str, *, total: str | None = None, signed: Any = None, sign: int = 1
) -> list[Sample]:
    """The total first, then the phases that have a value; `sign` -1 takes the other direction."""
    if value is None:
        return []
    found = []
    for name in (total, *PHASES):
        number = getattr(value, name, None) if name is not None else None
        if number is not None:
            shown = max(sign * number, 0.0) if sign else number
            phase = None if name == total else name
            found.append(Sample(measurand, shown, unit, phase, signed=getattr(signed, name or "", None)))
    return found


def _of_meter(
    field: str, unit: str, total: str | None, sign: int = 0, signed: str = ""
) -> Callable[[Reading, str], list[Sample]]:
    def source(reading: Reading, measurand: str) -> list[Sample]:
        meter = reading.powermeter
        if meter is None:
            return []
        signatures = getattr(meter, signed, None) if signed else None
        return _phases(getattr(meter, field), measurand, unit, total=total, signed=signatures, sign=sign)

    return source


def _soc(reading: Reading, measurand: str) -> list[Sample]:
    if reading.soc_percent is None:
        return []
    return [Sample(measurand, reading.soc_percent, "Percent", location="EV")]


def _temperature(reading: Reading, measurand: str) -> list[Sample]:
    temperatures = reading.powermeter.temperatures if reading.powermeter is not None else None
    return [Sample(measurand, one.temperature, "Celsius", location="Body") for one in (temperatures or [])[:1]]


def _offered(field: str, unit: str) -> Callable[[Reading, str], list[Sample]]:
    def source(reading: Reading, measurand: str) -> list[Sample]:
        value = getattr(reading.offered, field)
        return [] if value is None else [Sample(measurand, value, unit)]

    return source


_SOURCES: dict[str, Callable[[Reading, str], list[Sample]]] = {
    "Energy.Active.Import.Register": _of_meter("energy_Wh_import", "Wh", "total", signed="energy_Wh_import_signed"),
    "Energy.Active.Export.Register": _of_meter("energy_Wh_export", "Wh", "total", signed="energy_Wh_export_signed"),
    # A meter of EVerest has one number for both directions: positive is import.
    "Power.Active.Import": _of_meter("power_W", "W", "total", 1, signed="power_W_signed"),
    "Power.Active.Export": _of_meter("power_W", "W", "total", -1, signed="power_W_signed"),
    "Power.Reactive.Import": _of_meter("VAR", "var", "total", 1, signed="VAR_signed"),
    "Power.Reactive.Export": _of_meter("VAR", "var", "total", -1, signed="VAR_signed"),
    "Current.Import": _of_meter("current_A", "A", "DC", 1, signed="current_A_signed"),
    "Current.Export": _of_meter("current_A", "A", "DC", -1, signed="current_A_signed"),
    "Voltage": _of_meter("voltage_V", "V", "DC", signed="voltage_V_signed"),
    "Frequency": _of_meter("frequency_Hz", "Hertz", None, signed="frequency_Hz_signed"),
    "SoC": _soc,
    "Temperature": _temperature,
    "Current.Offered": _offered("current_A", "A"),
    "Power.Offered": _offered("power_W", "W"),
}
