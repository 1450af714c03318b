"""Which limit keeps an EV from charging, as text."""

from __future__ import annotations

from chargebyte_fw.contracts.limit_sources import rule_of
from chargebyte_fw.contracts.types.energy import LimitsRes
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.modules.evse.machine.allowance import LEAST_A

EPSILON_A = 1e-6
NO_SOURCE = "a limit without a source"


def too_little_ac(limits: LimitsRes, charge_A: float, *, delayed: bool) -> str:
    """Return how much current there is and which limit rules, empty where it is enough to charge with."""
    if charge_A >= LEAST_A:
        return ""
    if delayed:
        return f"{charge_A:.2f} A from the random delay, an EV needs {LEAST_A:g} A"
    amperes, watts = limits.ac_max_current_A, limits.total_power_W
    by_current = amperes is not None and abs(amperes.value - charge_A) < EPSILON_A
    rules = amperes if by_current or watts is None else watts
    name = rule_of(rules.source) if rules is not None else NO_SOURCE
    return f"{charge_A:.2f} A from {name}, an EV needs {LEAST_A:g} A"


def too_little_dc(limits: LimitsRes, granted_W: float, supply: Capabilities | None) -> str:
    """Return how much power there is and which limit rules; `supply` is None before it has reported."""
    if supply is None:
        return "the power supply has not reported its capabilities"
    names = [rule_of(one.source) for one in (limits.total_power_W, limits.ac_max_current_A) if one is not None]
    least_A = supply.min_export_current_A
    name = names[0] if names else NO_SOURCE
    return f"{granted_W:.0f} W from {name}, the power supply gives at least {least_A:g} A"
