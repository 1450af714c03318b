"""Calculations of the DC power path: targets of the EV within everybody's limits, in both directions."""

from __future__ import annotations

from typing import NamedTuple

from chargebyte_fw.contracts.types.power_supply_DC import Capabilities, Mode
from chargebyte_fw.modules.evse.machine.events import DynamicLimits, EvMaximum, EvTargets
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits

EPSILON = 1e-6
LEAST_VOLTAGE_V = 10.0
"""A lower measured voltage is no base for a power."""


class Limited(NamedTuple):
    """A current, and what limits it, for the log."""

    current_A: float
    by: str


def _least(*limits: Limited | None) -> Limited:
    return min((limit for limit in limits if limit is not None), key=lambda limit: limit.current_A)


def clamped_voltage(target: EvTargets, ev: EvMaximum) -> float:
    """Return the EV's target voltage within its own maximum, in V."""
    return min(target.voltage_V, ev.voltage_V) if ev.voltage_V else target.voltage_V


def export_current(target: EvTargets, ev: EvMaximum, limits: PowerPathLimits | None, present_V: float) -> Limited:
    """Return the current towards the EV within its own maximum and the EVSE's `limits` (None: they do not count)."""
    found = _least(
        Limited(target.current_A, "the EV asks for"),
        Limited(ev.current_A, "the EV takes at most") if ev.current_A else None,
    )
    if limits is not None:
        at_V = present_V if present_V > LEAST_VOLTAGE_V else clamped_voltage(target, ev)
        by_power = None
        if at_V > LEAST_VOLTAGE_V:
            by_power = Limited(limits.power_W / at_V, f"{limits.power_W:.0f} W allow")
        found = _least(found, Limited(limits.current_A, "the EVSE allows"), by_power)
    return Limited(max(found.current_A, 0.0), found.by)


def import_current(target: EvTargets, limits: PowerPathLimits, present_V: float, *, signed: bool = False) -> Limited:
    """Return the current out of the EV within the EVSE's limits.

    `signed`: only a negative target offers some (ISO 15118-20); otherwise its magnitude does.
    """
    offered_A = max(0.0, -target.current_A) if signed else abs(target.current_A)
    at_V = present_V if present_V > LEAST_VOLTAGE_V else max(target.voltage_V, 1.0)
    return _least(
        Limited(offered_A, "the EV offers"),
        Limited(limits.discharge_current_A, "the EVSE takes at most"),
        Limited(limits.discharge_power_W / at_V, f"{limits.discharge_power_W:.0f} W allow"),
    )


def dynamic_target(
    ev: DynamicLimits, limits: PowerPathLimits, present_V: float, *, exports: bool, supply_min_V: float
) -> EvTargets:
    """Return the target of ISO 15118-20's dynamic mode: the EV reports limits, the EVSE decides.

    `exports`: the EV gives energy back.
    """
    if exports:
        voltage_V = max(ev.min_voltage_V, supply_min_V)
        power_W = min(ev.discharge_power_W or 0.0, limits.discharge_power_W)
        current_A = min(ev.discharge_current_A or 0.0, limits.discharge_current_A)
        return EvTargets(voltage_V, -min(current_A, power_W / max(present_V, voltage_V, 1.0)))
    power_W = min(ev.max_power_W, limits.power_W)
    at_V = present_V if present_V > LEAST_VOLTAGE_V else ev.max_voltage_V
    current_A = min(ev.max_current_A, limits.current_A, power_W / max(at_V, 1.0))
    return EvTargets(ev.max_voltage_V, current_A)


def with_fraction(current_A: float, limits: PowerPathLimits | None) -> float:
    """Return what is offered to an EV that asks for whole amperes just below it, otherwise what it asks for."""
    if limits is None or current_A != int(current_A):
        return current_A
    return limits.current_A if 0.0 < limits.current_A - current_A < 1.0 else current_A


def supply_range(supply: Capabilities, mode: Mode) -> tuple[float, float, float]:
    """Return the supply's lowest and highest voltage in V and its highest current in A in this direction."""
    if mode is Mode.Export:
        return supply.min_export_voltage_V, supply.max_export_voltage_V, supply.max_export_current_A
    return (
        supply.min_import_voltage_V or 0.0,
        supply.max_import_voltage_V or 0.0,
        supply.max_import_current_A or 0.0,
    )
