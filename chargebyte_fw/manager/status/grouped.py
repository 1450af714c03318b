"""The status of a charger in process groups: the manager's processes, and what the groups answer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chargebyte_fw import VERSION
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.manager.grouped.unit import Unit
from chargebyte_fw.manager.grouped.units import ProgramUnit
from chargebyte_fw.manager.groups import groups_of
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.status.answer import Answer, ModuleFacts, ProcessFacts
from chargebyte_fw.manager.status.answering import facts_of, faults_of, merged
from chargebyte_fw.manager.status_file import Status as StatusFile
from chargebyte_fw.manager.watched_process import memory_MB

MANAGER = "secc"


def status_of(
    plans: Sequence[ModulePlan],
    units: Sequence[Unit],
    answers: Mapping[str, Any],
    status: StatusFile,
    absent: Iterable[Faults],
) -> Answer:
    """Return the answer of the whole charger; `answers` are those of the groups, `absent` the manager's own faults."""
    whole = Answer(
        time=rfc3339(utc_now()),
        version=VERSION,
        configuration=status.configuration,
        ready=status.ready,
        modules=list(_modules(plans, units)),
        faults=faults_of(absent),
        processes=[
            ProcessFacts(MANAGER, "manager", os.getpid(), memory_MB=memory_MB(os.getpid())),
            *(_process(unit) for unit in units),
        ],
        broker=status.broker,
        on_broker=status.on_broker,
        notices=list(status.notices),
    )
    return merged(answers, whole)


def _modules(plans: Sequence[ModulePlan], units: Sequence[Unit]) -> Iterable[ModuleFacts]:
    """Yield what is known of each module without its group: that is all where the group does not answer."""
    groups = groups_of(plans)
    places = {module_id: unit for unit in units for module_id in unit.ids}
    for plan in plans:
        facts = facts_of(plan, groups[plan.id])
        if (unit := places.get(plan.id)) is not None:
            facts.process, facts.state = unit.name, unit.state
            facts.restarts, facts.reason = unit.restarts, unit.reason
        yield facts


def _process(unit: Unit) -> ProcessFacts:
    return ProcessFacts(
        unit.name,
        "program" if isinstance(unit, ProgramUnit) else "group",
        unit.pid,
        unit.state,
        unit.restarts,
        memory_MB(unit.pid) if unit.pid else 0.0,
        unit.memory_MB,
        len(unit.ids),
    )
