"""One entry of `active_modules`: its keys, its shape, its tier mapping. The module's own checks come later."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.access import read_access
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import Entry, MapNode, Node, Scalar
from chargebyte_fw.manager.plan import Access

ID_PATTERN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
NAME_PATTERN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*")
KEYS = (
    "module",
    "config_module",
    "config_implementation",
    "connections",
    "mapping",
    "standalone",
    "capabilities",
    "telemetry",
    "access",
)


class Wish(msgspec.Struct):
    """One connection as written."""

    module_id: str
    implementation_id: str
    place: Place
    module_place: Place
    implementation_place: Place


class Written(msgspec.Struct):
    """One module entry as written, with its places."""

    id: str
    place: Place
    module: str
    module_place: Place
    config: MapNode
    implementation_configs: dict[str, tuple[Place, MapNode]] = msgspec.field(default_factory=dict)
    connections: dict[str, tuple[Place, list[Wish]]] = msgspec.field(default_factory=dict)
    mapping: Mapping | None = None
    implementation_mappings: dict[str, tuple[Place, Mapping]] = msgspec.field(default_factory=dict)
    standalone: Place | None = None
    """Where it is written that the program is started from outside."""
    from_outside: bool = False
    """The command line has it started from outside, whichever module it is."""
    capabilities: tuple[str, ...] = ()
    capabilities_place: Place | None = None
    access: Access | None = None
    telemetry_id: int | None = None
    unknown: list[Entry] = msgspec.field(default_factory=list)
    """Unknown keys; where they belong is known with the module."""
    unclear: set[str] = msgspec.field(default_factory=set)
    """Keys and requirements with a finding already: what is missing there is not reported again."""


def read_entry(module_id: str, place: Place, node: Node, report: Report, others: Sequence[str] = ()) -> Written | None:
    """Check the shape of one entry; None when it is no map. `others` are ids that may have been meant instead."""
    if not ID_PATTERN.fullmatch(module_id):
        report.error(
            place, f'"{module_id}" cannot be a module id', "use letters, digits, '_', '-' and '.'", number="C042"
        )
    entry = report.a_map(node, f"the entry {module_id}")
    if entry is None:
        return None
    keys = entry.entries
    name = report.text(keys["module"].node, "module") if "module" in keys else None
    unknown = [key for key in keys.values() if key.key not in KEYS]
    if "module" not in keys:
        meant = closest(module_id, others)
        hint = "add module: <Name>" if meant is None else f"did you mean {meant}?"
        if all(closest(key.key, KEYS) != "module" for key in unknown):
            report.error(place, f"the entry {module_id} does not say which module it is", hint, number="C043")
    elif name is not None and not NAME_PATTERN.fullmatch(name):
        report.error(keys["module"].node.place, f'"{name}" cannot be the name of a module', number="C044")
        name = None
    written = Written(
        id=module_id,
        place=place,
        module=name or "",
        module_place=keys["module"].node.place if "module" in keys else place,
        config=MapNode(place),
        unknown=unknown,
    )
    written.config = _map_at(entry, "config_module", written, report) or written.config
    _implementation_configs(entry, written, report)
    _connections(entry, written, report)
    _mapping(entry, written, report)
    _the_rest(entry, written, report)
    return written


def _map_at(entry: MapNode, key: str, written: Written, report: Report) -> MapNode | None:
    if key not in entry.entries:
        return None
    found = report.a_map(entry.entries[key].node, key)
    if found is None:
        written.unclear.add(key)
    return found


def _implementation_configs(entry: MapNode, written: Written, report: Report) -> None:
    given = _map_at(entry, "config_implementation", written, report)
    for one in given.entries.values() if given else ():
        values = report.a_map(one.node, f"config_implementation of {one.key}")
        if values is None:
            written.unclear.add("config_implementation")
        else:
            written.implementation_configs[one.key] = (one.place, values)


def _connections(entry: MapNode, written: Written, report: Report) -> None:
    given = _map_at(entry, "connections", written, report)
    for one in given.entries.values() if given else ():
        ends = report.a_list(one.node, f"the connections of {one.key}", _as_a_list(one.node))
        wishes = [_wish(item, one.key, report) for item in ends.items] if ends is not None else []
        if ends is None or None in wishes:
            written.unclear.add(one.key)
        written.connections[one.key] = (one.place, [wish for wish in wishes if wish is not None])


def _as_a_list(node: Node) -> str:
    """Return how to write the one connection that `node` means."""
    if isinstance(node, MapNode) and node.entries:
        return f"write '- ' before {next(iter(node.entries))}, and two spaces before the rest"
    if isinstance(node, Scalar) and isinstance(node.value, str):
        module_id, _, implementation_id = node.value.partition(".")
        return f"write - {{module_id: {module_id}, implementation_id: {implementation_id or 'main'}}}"
    return ""


def _wish(node: Node, requirement: str, report: Report) -> Wish | None:
    end = report.a_map(node, f"a connection of {requirement}")
    if end is None:
        return None
    known = ("module_id", "implementation_id")
    for one in end.entries.values():
        if one.key not in known:
            report.unknown_key(one, f"a connection of {requirement}", known)
    found: dict[str, str] = {}
    for key in known:
        if key not in end.entries:
            report.error(end.place, f"a connection of {requirement} has no {key}", f"add {key}: <id>", number="C060")
        elif (text := report.text(end.entries[key].node, key)) is not None:
            found[key] = text
    if len(found) < 2:
        return None
    first, second = (end.entries[key].node.place for key in known)
    return Wish(found["module_id"], found["implementation_id"], end.place, first, second)


def _mapping(entry: MapNode, written: Written, report: Report) -> None:
    given = _map_at(entry, "mapping", written, report)
    for one in given.entries.values() if given else ():
        if one.key == "module":
            written.mapping = _tier(one.node, "mapping of the module", report, evse_needed=False)
        elif one.key == "implementations":
            inner = report.a_map(one.node, "mapping.implementations")
            for implementation in inner.entries.values() if inner else ():
                tier = _tier(implementation.node, f"mapping of {implementation.key}", report, evse_needed=True)
                if tier is not None:
                    written.implementation_mappings[implementation.key] = (implementation.place, tier)
        else:
            hint = f"write module: {{{one.key}: ...}}" if one.key in ("evse", "connector") else ""
            report.unknown_key(one, "mapping", ("module", "implementations"), hint)


def _tier(node: Node, of: str, report: Report, *, evse_needed: bool) -> Mapping | None:
    given = report.a_map(node, f"the {of}")
    if given is None:
        return None
    numbers: dict[str, int] = {}
    for one in given.entries.values():
        if one.key not in ("evse", "connector"):
            report.warning(one.place, f"the {of} has no key {one.key}", "known: evse, connector", number="C050")
        elif (value := report.integer(one.node, one.key)) is not None:
            if value < 0:
                report.error(one.node.place, f"{one.key} cannot be negative, not {value}", number="C051")
            numbers[one.key] = value
    if "evse" not in numbers:
        if "evse" not in given.entries and evse_needed:
            report.error(given.place, f"the {of} does not say which EVSE", "add evse: <number>", number="C052")
        elif "evse" not in given.entries and given.entries:
            report.warning(given.place, f"the {of} has no effect without evse", "add evse: <number>", number="C053")
        return None
    return Mapping(numbers["evse"], numbers.get("connector"))


def _the_rest(entry: MapNode, written: Written, report: Report) -> None:
    keys = entry.entries
    if "standalone" in keys and report.boolean(keys["standalone"].node, "standalone"):
        written.standalone = keys["standalone"].place
    if "capabilities" in keys and (names := report.a_list(keys["capabilities"].node, "capabilities")) is not None:
        given = [report.text(item, "a capability") for item in names.items]
        written.capabilities = tuple(name for name in given if name is not None)
        written.capabilities_place = keys["capabilities"].place
    if "telemetry" in keys and (telemetry := report.a_map(keys["telemetry"].node, "telemetry")) is not None:
        for one in telemetry.entries.values():
            if one.key == "id":
                written.telemetry_id = report.integer(one.node, "telemetry.id")
            else:
                report.unknown_key(one, "telemetry", ("id",))
    if "access" in keys and (access := report.a_map(keys["access"].node, "access")) is not None:
        written.access = read_access(access, report)
