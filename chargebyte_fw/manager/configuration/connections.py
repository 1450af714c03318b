"""Connections: every requirement met, by the right interface, often enough and not too often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chargebyte_fw.kernel.module import Module, Requirement
from chargebyte_fw.kernel.names import closest, nearest
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.entries import Wish, Written
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.plan import Connection

PROBE_ID = "probe"
"""How EVerest's tests call the module that they play, and add to a configuration that is connected to it."""
Loaded = Mapping[str, "type[Module] | None"]
"""Every module id of the configuration; None where the class could not be loaded (which was reported)."""


def connect(
    written: Written, module: type[Module], loaded: Loaded, removed: Mapping[str, Place], report: Report
) -> dict[str, list[Connection]]:
    """Check the connections of one module and return them; `removed` are the modules that an overlay has taken out."""
    found: dict[str, list[Connection]] = {}
    unclear = set(written.unclear)
    for name, (place, wishes) in written.connections.items():
        requirement = module.requirements.get(name)
        if requirement is None:
            report.error(
                place, f"{written.module} has no requirement {name}", nearest(name, module.requirements), number="C061"
            )
            unclear.add(closest(name, module.requirements) or name)
            continue
        for wish in wishes:
            _check_end(name, requirement, wish, loaded, removed, report)
        found[name] = [Connection(wish.module_id, wish.implementation_id) for wish in wishes]
        if len(wishes) > requirement.maximum:
            report.error(
                place,
                f"{name} has {_times(len(wishes))}, {written.module} takes at most {requirement.maximum}",
                number="C062",
            )
        elif 0 < len(wishes) < requirement.minimum and name not in unclear:
            report.error(
                place,
                f"{name} has {_times(len(wishes))}, {written.module} needs at least {requirement.minimum}",
                number="C063",
            )
    for name, requirement in module.requirements.items():
        unmet = requirement.minimum > 0 and not written.connections.get(name, (None, []))[1]
        if unmet and name not in unclear and "connections" not in unclear:
            report.error(
                written.connections[name][0] if name in written.connections else written.place,
                f"{written.id} ({written.module}) needs a connection {name} to interface {requirement.interface}",
                _candidates(requirement, loaded),
                number="C063",
            )
    return found


def find_rings(written: Sequence[Written], loaded: Loaded, report: Report) -> None:
    """Report rings: modules that are connected to themselves through one interface (an energy tree)."""
    edges: dict[tuple[str, str], list[tuple[str, Place]]] = {}
    for one in written:
        cls = loaded[one.id]
        if cls is None:
            continue
        provided = {provision.interface for provision in cls.provisions.values()}
        for name, (_, wishes) in one.connections.items():
            requirement = cls.requirements.get(name)
            if requirement is None or requirement.contract.declaration().both_ways:
                continue
            interface = requirement.interface
            if interface in provided:
                edges.setdefault((interface, one.id), []).extend((wish.module_id, wish.place) for wish in wishes)
    for (interface, start), ends in edges.items():
        for target, place in ends:
            way = _way(edges, interface, target, start)
            if way is not None and start == min(way):
                ring = " -> ".join([start, *way])
                report.error(place, f"a ring of {interface}: {ring}", "cut one of these connections", number="C067")


def _way(
    edges: Mapping[tuple[str, str], list[tuple[str, Place]]], interface: str, start: str, goal: str
) -> list[str] | None:
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == goal:
            return way
        for target, _ in edges.get((interface, way[-1]), []):
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return None


def _times(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"


def _candidates(requirement: Requirement, loaded: Loaded) -> str:
    offers = _offers(requirement.interface, loaded)
    if not offers:
        return "no module of this configuration provides it"
    return f"provided by {', '.join(offers[:4])}"


def _offers(interface: str, loaded: Loaded) -> list[str]:
    return [
        f"{module_id}.{name}"
        for module_id, module in loaded.items()
        if module is not None
        for name, provision in module.provisions.items()
        if provision.interface == interface
    ]


def _check_end(
    name: str, requirement: Requirement, wish: Wish, loaded: Loaded, removed: Mapping[str, Place], report: Report
) -> None:
    if wish.module_id not in loaded:
        gone = removed.get(wish.module_id)
        hint = nearest(wish.module_id, loaded) if gone is None else f"taken out at {gone}"
        if wish.module_id == PROBE_ID:
            hint = "EVerest's tests add it: module ProbeModule, standalone: true"
        report.error(wish.module_place, f"there is no module {wish.module_id}", hint, number="C064")
        return
    module = loaded[wish.module_id]
    if module is None:
        return
    provision = module.provisions.get(wish.implementation_id)
    if provision is None:
        report.error(
            wish.implementation_place,
            f"{wish.module_id} ({module.module_name()}) provides no {wish.implementation_id}",
            nearest(wish.implementation_id, module.provisions),
            number="C065",
        )
    elif provision.interface != requirement.interface:
        report.error(
            wish.place,
            f"{name} wants interface {requirement.interface}, "
            f"{wish.module_id}.{wish.implementation_id} is {provision.interface}",
            _candidates(requirement, loaded),
            number="C066",
        )
