"""From a file to module plans: one path for `secc check` and `secc run`, every finding at once."""

from __future__ import annotations

import os
from collections.abc import Mapping as Environment
from pathlib import Path

import msgspec

from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, ModuleConfig
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager import index
from chargebyte_fw.manager.configuration.connections import connect, find_rings
from chargebyte_fw.manager.configuration.entries import Written, read_entry
from chargebyte_fw.manager.configuration.overlay import FOLDER, lay_over
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report, nearest
from chargebyte_fw.manager.configuration.settings import Settings, read_settings
from chargebyte_fw.manager.configuration.tree import MapNode, Place
from chargebyte_fw.manager.configuration.values import fill
from chargebyte_fw.manager.discovery import MODULES_DIR, CannotLoad, Found, Installed, discover
from chargebyte_fw.manager.plan import ModulePlan, objections

TOP_LEVEL = ("active_modules", "settings", "x-module-layout")


class Configuration(msgspec.Struct):
    """What a file came to. With errors among the findings, `plans` holds only what is sound."""

    path: Path
    settings: Settings = msgspec.field(default_factory=Settings)
    plans: list[ModulePlan] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    origins: dict[str, Found] = msgspec.field(default_factory=dict)
    """Where each module's code comes from, by module id."""

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop the start."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def require_sound(self) -> Configuration:
        """Return the configuration itself; raises ConfigError with every finding if anything stops the start."""
        if self.errors:
            raise ConfigError(self.findings)
        return self


def load(
    path: Path,
    root: Root,
    *,
    shown: str = "",
    environment: Environment[str, str] | None = None,
    installed: Installed | None = None,
    overlay: bool = True,
) -> Configuration:
    """Read and check the file at `path`, overlaid by the user's; never raises for what is in the files."""
    report = Report()
    result = Configuration(path)
    document = read(path, report, shown)
    if document is not None:
        # EVerest takes the settings from the main file alone.
        settings_node = _section(document, "settings", report)
        result.settings = read_settings(settings_node, os.environ if environment is None else environment, report)
        if overlay:
            document = _overlaid(path, document, root, report)
        if installed is None:
            installed = discover([_modules_dir(result.settings, root)], index_file=root.read(index.PLACE))
        _modules(document, installed, result, report)
    result.findings = report.findings
    return result


def _modules_dir(settings: Settings, root: Root) -> Path:
    return root.read(settings.modules_dir or MODULES_DIR)


def _section(document: MapNode, key: str, report: Report) -> MapNode | None:
    return report.a_map(document.entries[key].node, key) if key in document.entries else None


def overlay_path(path: Path, root: Root) -> Path:
    """Return where the user's overlay of `path` is: what this run's root holds wins over what was shipped."""
    beside = path.parent / FOLDER / path.name
    if path.is_relative_to(root.static):
        return root.read(str(beside.relative_to(root.static)))
    return beside


def _overlaid(path: Path, document: MapNode, root: Root, report: Report) -> MapNode:
    beside = overlay_path(path, root)
    if not beside.is_file():
        return document
    patch = read(beside, report)
    if patch is None:
        return document
    if "settings" in patch.entries:
        place = patch.entries["settings"].place
        report.warning(place, "settings in the overlay have no effect", "put them into the main file")
    if "active_modules" not in patch.entries and any(key not in TOP_LEVEL for key in patch.entries):
        entry = next(entry for key, entry in patch.entries.items() if key not in TOP_LEVEL)
        report.error(entry.place, f"the overlay has no key {entry.key}", "module ids go below active_modules:")
        return document
    return lay_over(document, patch)


def _modules(document: MapNode, installed: Installed, result: Configuration, report: Report) -> None:
    for entry in document.entries.values():
        if entry.key not in TOP_LEVEL:
            report.unknown_key(entry, "the configuration", TOP_LEVEL)
    section = _section(document, "active_modules", report)
    if section is None or not section.entries:
        if section is not None or "active_modules" not in document.entries:
            place = section.place if section is not None else document.place
            report.error(place, "no module is configured", "add modules below active_modules:")
        return
    written = [one for e in section.entries.values() if (one := read_entry(e.key, e.place, e.node, report)) is not None]
    loaded: dict[str, type[Module] | None] = dict.fromkeys(section.entries)
    for one in written:
        loaded[one.id] = _load(one, installed, result, report)
    find_rings(written, loaded, report)
    for one in written:
        cls = loaded[one.id]
        if cls is not None:
            plan = _plan(one, cls, loaded, report)
            if plan is not None:
                result.plans.append(plan)
    by_id = {one.id: one for one in written}
    for plan, objection in objections(result.plans):
        report.error(_place_of(objection.about, by_id[plan.id]), f"{plan.id}: {objection.what}", objection.hint)


def _place_of(about: str, written: Written) -> Place:
    if about in written.config.entries:
        return written.config.entries[about].place
    return written.connections[about][0] if about in written.connections else written.place


def _load(written: Written, installed: Installed, result: Configuration, report: Report) -> type[Module] | None:
    if not written.module:
        return None
    places = installed.by_name.get(written.module, [])
    if not places:
        hint = nearest(written.module, installed.names()) or "secc modules lists what is installed"
        report.error(written.module_place, f"no module {written.module} is installed", hint)
        return None
    if len(places) > 1:
        both = " and ".join(f"{one.origin} ({one.target})" for one in places)
        report.error(written.module_place, f"module {written.module} is installed twice: {both}", "remove one")
        return None
    try:
        cls = places[0].load()
    except CannotLoad as error:
        report.error(written.module_place, f"module {written.module} cannot be loaded: {error}")
        return None
    result.origins[written.id] = places[0]
    return cls


def _plan(
    written: Written, cls: type[Module], loaded: dict[str, type[Module] | None], report: Report
) -> ModulePlan | None:
    config = fill(cls.Config, written.config, written.module, written.place, report)
    configs: dict[str, ModuleConfig] = {}
    for name, (place, _) in written.implementation_configs.items():
        if name not in cls.provisions:
            report.error(place, f"{written.module} provides no {name}", nearest(name, cls.provisions))
    for name, provision in cls.provisions.items():
        place, given = written.implementation_configs.get(name, (written.place, MapNode(written.place)))
        values = fill(provision.config, given, f"{written.module}.{name}", place, report)
        if values is not None:
            configs[name] = values
    connections = connect(written, cls, loaded, report)
    mappings = _implementation_mappings(written, cls, report)
    if config is None or len(configs) < len(cls.provisions):
        return None
    return ModulePlan(written.id, cls, config, configs, connections, written.mapping, mappings)


def _implementation_mappings(written: Written, cls: type[Module], report: Report) -> dict[str, Mapping]:
    found = {}
    for name, (place, tier) in written.implementation_mappings.items():
        if name not in cls.provisions:
            report.warning(place, f"{written.module} provides no {name} to map", nearest(name, cls.provisions))
            continue
        if written.mapping is not None and written.mapping.evse != tier.evse:
            report.warning(
                place,
                f"{name} is mapped to EVSE {tier.evse}, its module to EVSE {written.mapping.evse}",
                "the first wins",
            )
        found[name] = tier
    return found
