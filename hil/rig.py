"""A rig is one YAML file: resources, and for each protocol the driver that does it; read with every finding at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_origin

import msgspec

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import Entry, MapNode, Node, Scalar, kind, plain
from chargebyte_fw.manager.configuration.values import base_type, fill
from hil.drivers import DRIVERS, RESOURCES, Driver, Resource, Stage, find
from hil.findings import errors, read_map
from hil.protocols import NEEDED, PROTOCOLS
from hil.scenario import CARS, Scenario

FOLDER = Path(__file__).parent / "rigs"
CLOCKS = ("virtual", "real")
KEYS = ("description", "clock", "fresh", "resolution_s", "cars", "has", "wiring", "resources", "drivers")
HAS = ("rcm", "config")
"""What a board on a rig may have beside the protocols: a residual current monitor; a configuration that a scenario may
change."""


class Part(msgspec.Struct):
    """One resource or driver as the file has it."""

    name: str
    cls: type[Any]
    options: Any
    bindings: dict[str, str]


class Rig(msgspec.Struct):
    """What a file came to."""

    name: str
    description: str = ""
    clock: str = "real"
    fresh: bool = False
    """Whether each scenario gets everything anew: possible where nothing is real."""
    cars: list[str] = msgspec.field(default_factory=lambda: list(CARS))
    """Which scenarios make sense on it, by their car."""
    resolution_s: float = 0.0
    """How long before another signal one may seem to change: what must not come early is judged this much milder."""
    has: list[str] = []
    wiring: list[str] = []
    resources: list[Part] = []
    drivers: list[Part] = []

    @property
    def features(self) -> frozenset[str]:
        """The protocols that it has, and what its board has."""
        return frozenset([part.name for part in self.drivers] + self.has)

    def lacks(self, scenario: Scenario) -> str:
        """Return why a scenario cannot be run on it; "": it can."""
        if scenario.car not in self.cars:
            return f"the rig charges no {scenario.car} car"
        missing = sorted(scenario.needs - self.features)
        return f"the rig has no {', '.join(missing)}" if missing else ""


class Assembled:
    """A rig put together: resources first, then drivers; `drivers` holds them by protocol."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.resources: dict[str, Resource] = {}
        self.drivers: dict[str, Driver] = {}
        for part in rig.resources:
            bound = {key: self.resources[name] for key, name in part.bindings.items()}
            self.resources[part.name] = part.cls(part.name, part.options, bound)
        for part in rig.drivers:
            bound = {key: self.resources[name] for key, name in part.bindings.items()}
            self.drivers[part.name] = part.cls(part.name, part.options, bound)

    def lacking(self) -> list[str]:
        """Return what this machine lacks for the rig, a sentence each."""
        parts = (*self.resources.values(), *self.drivers.values())
        return [f"{one.name}: {what}" for one in parts for what in one.lacking()]

    async def activate(self, stage: Stage) -> None:
        """Activate everything; what was activated is let go again when a later one cannot be."""
        try:
            for one in (*self.resources.values(), *self.drivers.values()):
                await one.activate(stage)
        except BaseException:
            await self.deactivate()
            raise

    async def deactivate(self) -> None:
        """Let everything go, drivers first, in the reverse order."""
        for one in reversed((*self.resources.values(), *self.drivers.values())):
            await one.deactivate()


def rig_file(given: str) -> Path:
    """Find the file that a person means: a path, or the name of one in `hil/rigs`; raises ConfigError."""
    short, typed = FOLDER / f"{given}.yaml", Path(given)
    if "/" not in given and short.exists():
        return short
    if "/" not in given and not typed.exists() and not typed.suffix:
        known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
        raise ConfigError([Finding("RIG", f"there is no rig {given}", nearest(given, known), number="C500")])
    return typed


def load(path: Path) -> Rig:
    """Read a rig; raises ConfigError with every finding."""
    report = Report()
    rig = check(path, report)
    if rig is None:
        raise ConfigError(report.findings)
    return rig


def check(path: Path, report: Report) -> Rig | None:
    """Read a rig and report everything that is wrong with it; None: it cannot be used."""
    before = errors(report)
    node = read_map(path, report, "a rig", KEYS)
    if node is None:
        return None
    for entry in node.entries.values():
        if entry.key not in KEYS:
            report.unknown_key(entry, "a rig", KEYS)
    rig = Rig(path.stem)
    _read_scalars(rig, node, report)
    rig.wiring = _texts(node, "wiring", report)
    rig.has = _texts(node, "has", report, HAS)
    rig.cars = _texts(node, "cars", report, CARS) or rig.cars
    resources = _resources(node, report)
    rig.drivers = _drivers(node, resources, report)
    rig.resources = [part for part in resources if part.cls is not object]
    missing = [name for name in NEEDED if name not in rig.features]
    if missing and errors(report) == before:
        report.error(
            node.place, f"a rig cannot do without {', '.join(missing)}", "add them below drivers:", number="C503"
        )
    if errors(report) > before:
        return None
    _warn_of_unused(rig, _section(node, "resources", report), report)
    return rig


def _read_scalars(rig: Rig, node: MapNode, report: Report) -> None:
    if "description" in node.entries:
        rig.description = report.text(node.entries["description"].node, "description") or ""
    if "fresh" in node.entries:
        rig.fresh = bool(report.boolean(node.entries["fresh"].node, "fresh"))
    if "clock" in node.entries:
        clock = report.text(node.entries["clock"].node, "clock")
        if clock in CLOCKS:
            rig.clock = clock or "real"
        elif clock is not None:
            report.error(
                node.entries["clock"].node.place, f"{clock} is no clock", nearest(clock, CLOCKS), number="C027"
            )
    if "resolution_s" in node.entries:
        written = node.entries["resolution_s"].node
        value = written.value if isinstance(written, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            what = f"resolution_s must be a number from 0 to 1, not {kind(written)}"
            report.error(written.place, what, number="C027")
        else:
            rig.resolution_s = float(value)


def _warn_of_unused(rig: Rig, resources: MapNode, report: Report) -> None:
    used = {bound for part in (*rig.drivers, *rig.resources) for bound in part.bindings.values()}
    for part in rig.resources:
        if part.name not in used:
            report.warning(resources.entries[part.name].place, f"no driver uses {part.name}", number="C504")


def _texts(node: MapNode, key: str, report: Report, known: tuple[str, ...] = ()) -> list[str]:
    """Read a list of texts, each one of `known` unless that is empty."""
    written = report.a_list(node.entries[key].node, key) if key in node.entries else None
    texts = []
    for item in written.items if written is not None else []:
        text = report.text(item, key)
        if text is not None and known and text not in known:
            report.error(item.place, f"{key} holds {text}", nearest(text, known), number="C027")
        elif text is not None:
            texts.append(text)
    return texts


def _section(node: MapNode, key: str, report: Report) -> MapNode:
    entry = node.entries.get(key)
    if entry is None:
        report.error(node.place, f"a rig needs {key}", f"add {key}:", number="C026")
        return MapNode(node.place)
    return report.a_map(entry.node, key) or MapNode(entry.place)


def _resources(node: MapNode, report: Report) -> list[Part]:
    """Read them; one that is wrong stays as a plain object, so that what needs it is not reported to lack it."""
    parts: list[Part] = []
    for entry in _section(node, "resources", report).entries.values():
        part = _part(entry, RESOURCES, "resource", parts, report)
        parts.append(part or Part(entry.key, object, None, {}))
    return parts


def _drivers(node: MapNode, resources: list[Part], report: Report) -> list[Part]:
    parts = []
    for entry in _section(node, "drivers", report).entries.values():
        if entry.key not in PROTOCOLS:
            hint = nearest(entry.key, PROTOCOLS)
            report.error(entry.place, f"{entry.key} is no protocol", hint, number="C505")
            continue
        part = _part(entry, DRIVERS, "driver", resources, report)
        if part is None:
            continue
        if part.cls.protocol != entry.key:
            place = _type_node(entry.node).place
            what = f"{part.cls.__name__} does {part.cls.protocol}, not {entry.key}"
            report.error(place, what, number="C506")
        parts.append(part)
    return parts


def _type_node(node: Node) -> Node:
    return node.entries["type"].node if isinstance(node, MapNode) and "type" in node.entries else node


def _part(entry: Entry, table: dict[str, str], what: str, resources: list[Part], report: Report) -> Part | None:
    """Read `name: {type: T, binding: resource, option: value}`; `name: T` stands for `{type: T}`."""
    node = entry.node
    if isinstance(node, Scalar) and isinstance(node.value, str):
        node = MapNode(node.place, {"type": Entry("type", node.place, node)})
    given = report.a_map(node, f"{what} {entry.key}")
    if given is None:
        return None
    if "type" not in given.entries:
        hint = f"known: {', '.join(table)}"
        report.error(entry.place, f"{what} {entry.key} needs a type", hint, number="C026")
        return None
    written = given.entries["type"].node
    name = report.text(written, "type")
    if name is None:
        return None
    if name not in table:
        hint = nearest(name, table) or f"known: {', '.join(table)}"
        report.error(written.place, f"there is no {what} {name}", hint, number="C507")
        return None
    try:
        cls = find(table, name)
    except ImportError as error:
        line = extras.missing(error)
        what = f"{name} cannot be used: {line or error}"
        hint = "" if line else "pip install 'chargebyte-fw[rig]'"
        report.error(written.place, what, hint, number="C049")
        return None
    bindings = _bindings(entry, cls, given, resources, report)
    options = _options(entry, cls, given, report)
    return None if bindings is None or options is None else Part(entry.key, cls, options, bindings)


def _bindings(
    entry: Entry, cls: type[Any], given: MapNode, resources: list[Part], report: Report
) -> dict[str, str] | None:
    bound: dict[str, str] = {}
    sound = True
    for key, wanted in cls.bindings.items():
        fitting = [part.name for part in resources if wanted in (base.__name__ for base in part.cls.__mro__)]
        if key not in given.entries:
            if len(fitting) == 1:
                bound[key] = fitting[0]  # there is no choice
                continue
            # What a resource that is wrong itself would have been good for is no finding of its own.
            if fitting or not any(part.cls is object for part in resources):
                hint = ", ".join(fitting) or f"add a {wanted}"
                report.error(entry.place, f"{entry.key} needs a {wanted} as {key}", hint, number="C508")
            sound = False
            continue
        written = given.entries[key].node
        name = report.text(written, key)
        if name is None or name not in fitting:
            broken = any(part.name == name and part.cls is object for part in resources)
            if name is not None and not broken:
                report.error(written.place, f"{name} is no {wanted}", nearest(name, fitting), number="C508")
            sound = False
            continue
        bound[key] = name
    return bound if sound else None


def _options(entry: Entry, cls: type[Any], given: MapNode, report: Report) -> Any:
    fields = {info.encode_name: info for info in msgspec.structs.fields(cls.Options)}
    simple = MapNode(given.place)
    nested: dict[str, Any] = {}
    for key, one in given.entries.items():
        if key == "type" or key in cls.bindings:
            continue
        if key in fields and get_origin(base_type(fields[key].type)) in (dict, list):
            try:
                nested[key] = msgspec.convert(plain(one.node), fields[key].type)
            except msgspec.ValidationError as error:
                what = f"{key}: {str(error)[:1].lower()}{str(error)[1:]}"
                report.error(one.place, what, number="C027")
                return None
        else:
            simple.entries[key] = one
    options = fill(cls.Options, simple, f"{cls.__name__} {entry.key}", entry.place, report)
    return None if options is None else msgspec.structs.replace(options, **nested)
