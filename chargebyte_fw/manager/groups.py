"""Which modules fail together: `charge` as one; each module of `cloud`, and most programs, alone (architecture.md)."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.manager.plan import ModulePlan

CHARGE, CLOUD = "charge", "cloud"


def groups_of(plans: Sequence[ModulePlan]) -> dict[str, str]:
    """Return the group of each module by its id; whatever is not `charge` fails alone.

    A module of ours declares it (`Module.group`). A program of another vendor cannot: it belongs to `charge` if a
    module of `charge`, or a program that does so for this reason, requires one of its implementations.
    """
    groups = {plan.id: CLOUD if plan.module.is_program else plan.module.group for plan in plans}
    by_id = {plan.id: plan for plan in plans}
    waiting = [module_id for module_id, group in groups.items() if group == CHARGE]
    while waiting:
        plan = by_id[waiting.pop()]
        for end in (end for ends in plan.connections.values() for end in ends):
            provider = by_id.get(end.module_id)
            if provider is not None and provider.module.is_program and groups[provider.id] != CHARGE:
                groups[provider.id] = CHARGE
                waiting.append(provider.id)
    return groups


def fails_alone(plans: Sequence[ModulePlan], groups: dict[str, str]) -> set[str]:
    """Return the ids of the modules that are started again alone.

    Those are the modules of `cloud`, and each program that drives nothing: who used what it provides is notified by a
    fault, and without it no power flows where it was a part of the power path. A program that drives a power supply or
    a board itself (an interface with one user) would leave it without control, so all end with it.
    """
    by_id = {plan.id: plan for plan in plans}
    return {
        plan.id for plan in plans if groups[plan.id] != CHARGE or (plan.module.is_program and not _drives(plan, by_id))
    }


def _drives(plan: ModulePlan, by_id: dict[str, ModulePlan]) -> bool:
    connected = (name for name, ends in plan.connections.items() if any(end.module_id in by_id for end in ends))
    return any(plan.module.requirements[name].contract.one_user == "error" for name in connected)
