"""Which shipped configuration a scenario's charger runs, and what is laid over it: for its car, and by the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargebyte_fw.cli import demo_charger


def configuration(
    car: str, changes: Mapping[str, Mapping[str, Any]], power_supply: str = "simulator"
) -> tuple[str, dict[str, Any]]:
    """Return the name of the shipped file, and the modules of the overlay; `changes` are values by module id."""
    modules = demo_charger.overlay(car, power_supply=power_supply)
    for module_id, values in changes.items():
        modules.setdefault(module_id, {}).setdefault("config_module", {}).update(values)
    return demo_charger.shipped(car, power_supply), modules
