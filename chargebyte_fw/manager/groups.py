"""Which modules fail together: `charge` as one, each module of `cloud` alone (docs/architecture.md, "Errors")."""

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
