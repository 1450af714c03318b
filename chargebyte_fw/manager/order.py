"""The order in which modules are stopped: the power first, then the rest of `charge`, then `cloud`."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.plan import ModulePlan

POWER = "evse_board_support"
"""Modules that require this interface command pilot and contactors: no other module may delay their stop."""


def stop_order(started: Sequence[Module], plans: Sequence[ModulePlan]) -> list[Module]:
    """Return the modules in their order: by stage, and within one who uses others before those whom it uses."""
    ids = {module.id for module in started}
    used: dict[str, set[str]] = {module.id: set() for module in started}
    for plan in plans:
        if plan.id in ids:
            ends = {end.module_id for ends in plan.connections.values() for end in ends}
            used[plan.id] = (ends & ids) - {plan.id}
    holders = [module.id for module in started if any(one.interface == POWER for one in module.requirements.values())]
    powered = _reach(holders, used)
    stages: dict[tuple[int, str], list[Module]] = {}
    for module in reversed(started):
        stage = 0 if module.id in powered else 1 if module.group == "charge" else 2
        stages.setdefault((stage, module.group if stage == 2 else ""), []).append(module)
    return [module for key in sorted(stages) for module in _users_first(stages[key], used)]


def _reach(starts: Sequence[str], used: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(used[one])
    return found


def _users_first(modules: Sequence[Module], used: dict[str, set[str]]) -> list[Module]:
    waiting = list(modules)
    order: list[Module] = []
    while waiting:
        needed = {one for module in waiting for one in used[module.id]}
        # In a ring of users none is free; the one started last is first.
        chosen = next((module for module in waiting if module.id not in needed), waiting[0])
        waiting.remove(chosen)
        order.append(chosen)
    return order
