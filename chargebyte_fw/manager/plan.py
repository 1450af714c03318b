"""One checked plan per module of the configuration, ready to be built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import ITSELF, ConfigIssue, End, Module, ModuleConfig


class Connection(msgspec.Struct, frozen=True):
    """The other end of a requirement."""

    module_id: str
    implementation_id: str


class Rights(msgspec.Struct, frozen=True):
    """What a module may do with the configuration of another one (`access` in EVerest's configuration)."""

    allow_read: bool = False
    allow_write: bool = False
    allow_set_read_only: bool = False


class Access(msgspec.Struct, frozen=True):
    """What a module may do with the configuration of all others, and more of single ones."""

    allow_global_read: bool = False
    allow_global_write: bool = False
    allow_set_read_only: bool = False
    modules: dict[str, Rights] = msgspec.field(default_factory=dict)


class ModulePlan(msgspec.Struct, frozen=True):
    """One entry of `active_modules`: found, checked, with every default filled in."""

    id: str
    module: type[Module]
    config: ModuleConfig
    implementation_configs: dict[str, ModuleConfig] = msgspec.field(default_factory=dict)
    """By implementation id; a missing one stands for all defaults."""
    connections: dict[str, list[Connection]] = msgspec.field(default_factory=dict)
    mapping: Mapping | None = None
    implementation_mappings: dict[str, Mapping] = msgspec.field(default_factory=dict)
    standalone: bool = False
    """The program is started from outside; it is waited for."""
    capabilities: tuple[str, ...] = ()
    """Linux capabilities of the program, by name."""
    access: Access | None = None
    telemetry_id: int | None = None
    awaited: bool = True
    """Whether the others wait for a program that is started from outside."""


def config_issues(plans: Sequence[ModulePlan]) -> Iterable[tuple[ModulePlan, ConfigIssue]]:
    """Yield what the modules report of their plans, where every module that they are connected to has a valid one."""
    known = {plan.id: plan for plan in plans}

    def end(to: Connection, deep: int) -> End:
        plan = known[to.module_id]
        mapping = plan.implementation_mappings.get(to.implementation_id, plan.mapping)
        return End(plan.id, plan.config, mapping, ends_of(plan, deep - 1) if deep else {})

    def ends_of(plan: ModulePlan, deep: int) -> dict[str, list[End]]:
        return {
            name: [end(each, deep) for each in connections if each.module_id in known]
            for name, connections in plan.connections.items()
        }

    for plan in plans:
        if any(each.module_id not in known for connections in plan.connections.values() for each in connections):
            continue
        connected = ends_of(plan, 2)
        connected[ITSELF] = [End(plan.id, plan.config, plan.mapping)]
        for issue in plan.module.config_issues(plan.config, connected):
            yield plan, issue
