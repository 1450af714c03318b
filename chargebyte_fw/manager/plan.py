"""What the configuration comes to: one checked plan per module, ready to be built."""

from __future__ import annotations

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, ModuleConfig


class Connection(msgspec.Struct, frozen=True):
    """The other end of a requirement."""

    module_id: str
    implementation_id: str


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
