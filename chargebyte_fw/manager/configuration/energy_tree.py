"""The energy tree: which modules are in it, and whether an energy manager is at its root."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.configuration.connections import Loaded
from chargebyte_fw.manager.configuration.entries import Written
from chargebyte_fw.manager.configuration.report import Report

INTERFACE = "energy"


def check_energy_tree(written: Sequence[Written], loaded: Loaded, report: Report) -> None:
    """Warn of an EVSE in no energy node, a node below no other, a tree without an energy manager."""
    # A module that is not installed may be what is missing: all its connections count.
    used = {
        (wish.module_id, wish.implementation_id)
        for one in written
        for name, (_, wishes) in one.connections.items()
        if _may_be_energy(loaded[one.id], name)
        for wish in wishes
    }
    whole = all(module is not None for module in loaded.values())
    managed = any(module is not None and _requires(module) and not _provides(module) for module in loaded.values())
    nodes = []
    for one in written:
        module = loaded[one.id]
        if module is None:
            continue
        provided = _provides(module)
        free = [name for name in provided if (one.id, name) not in used]
        if not _requires(module):
            for name in free:
                what = f"{one.id}.{name} is in no energy node: no fuse and no limit counts for it"
                report.warning(
                    one.place,
                    what,
                    f"connect it as energy_consumer of an EnergyNode: module_id: {one.id}",
                    number="C070",
                )
        elif provided:
            nodes.append(one)
            if free and managed:
                what = f"{one.id} is below no energy node and no energy manager: no energy is granted to it"
                report.warning(
                    one.place,
                    what,
                    f"connect it as energy_trunk of the EnergyManager: module_id: {one.id}",
                    number="C071",
                )
    if nodes and not managed and whole:
        what = "there is no energy manager: no energy is granted to the EVSEs"
        report.warning(nodes[0].place, what, f"add an EnergyManager with energy_trunk: {nodes[0].id}", number="C072")


def _may_be_energy(module: type[Module] | None, name: str) -> bool:
    if module is None:
        return True
    return name in module.requirements and module.requirements[name].interface == INTERFACE


def _requires(module: type[Module]) -> bool:
    return any(one.interface == INTERFACE for one in module.requirements.values())


def _provides(module: type[Module]) -> list[str]:
    return [name for name, one in module.provisions.items() if one.interface == INTERFACE]
