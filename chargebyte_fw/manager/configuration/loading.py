"""From a file to module plans: one path for `secc check` and `secc run`, every finding at once."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from collections.abc import Mapping as Environment
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.files import folder_oddity, oddity
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager import index
from chargebyte_fw.manager.configuration.connections import find_rings
from chargebyte_fw.manager.configuration.energy_tree import check_energy_tree
from chargebyte_fw.manager.configuration.entries import Written, read_entry
from chargebyte_fw.manager.configuration.overlay import FOLDER, lay_over
from chargebyte_fw.manager.configuration.owners import check_claims, check_users, place_of
from chargebyte_fw.manager.configuration.planning import find_module, plan_module
from chargebyte_fw.manager.configuration.probe import PROBE, probe_module
from chargebyte_fw.manager.configuration.reading import parse, read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.settings import Settings, read_settings
from chargebyte_fw.manager.configuration.tree import MapNode
from chargebyte_fw.manager.discovery import MODULES_DIR, Found, Installed, discover
from chargebyte_fw.manager.plan import ModulePlan, config_issues

TOP_LEVEL = ("active_modules", "settings", "x-module-layout")


class Wanted(msgspec.Struct, frozen=True):
    """What the command line chooses, see `load`."""

    programs: frozenset[str]
    standalone: frozenset[str]
    ignored: frozenset[str]
    empty: bool


class Configuration(msgspec.Struct):
    """The result of loading a file. With errors among the findings, `plans` holds only what is valid."""

    path: Path
    settings: Settings = msgspec.field(default_factory=Settings)
    plans: list[ModulePlan] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    origins: dict[str, Found] = msgspec.field(default_factory=dict)
    """Where each module's code comes from, by module id."""
    notices: list[str] = msgspec.field(default_factory=list)
    """What is in the file and has no effect, although the start goes on."""

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
    programs: Collection[str] = (),
    standalone: Collection[str] = (),
    ignored: Collection[str] = (),
    empty: bool = False,
) -> Configuration:
    """Read and check the file at `path`, overlaid by the user's; never raises for what is in the files.

    `programs` are the modules (`all` of them) of which a program takes the place of this product's module. Modules
    with the ids `standalone` are started from outside, those of `ignored` are not there at all. `empty`: a
    configuration without modules is a sound one.
    """
    report = Report()
    result = Configuration(path)
    document = read(path, report, shown)
    wanted = Wanted(frozenset(programs), frozenset(standalone), frozenset(ignored), empty)
    if document is not None:
        # EVerest takes the settings from the main file alone.
        settings_node = _section(document, "settings", report)
        result.settings = read_settings(settings_node, os.environ if environment is None else environment, report)
        if overlay:
            document = _overlaid(path, document, root, report, result.notices)
        _modules(document, installed or _installed(result.settings, root), result, report, wanted)
    result.findings = report.findings
    return result


def load_stored(
    modules: MappingOf[str, Any],
    place: Path,
    settings_of: Path | None,
    root: Root,
    *,
    standalone: Collection[str] = (),
    ignored: Collection[str] = (),
) -> Configuration:
    """Check modules that a configuration database has (at `place`), as `load` checks those of a file.

    The settings are those of the file `settings_of`; None: the defaults.
    """
    report = Report()
    result = Configuration(settings_of or place)
    main = read(settings_of, report) if settings_of is not None else MapNode(Place(str(place)))
    document = parse(json.dumps({"active_modules": modules}), str(place), report)
    if main is not None and document is not None:
        result.settings = read_settings(_section(main, "settings", report), os.environ, report)
        wanted = Wanted(frozenset(), frozenset(standalone), frozenset(ignored), empty=True)
        _modules(document, _installed(result.settings, root), result, report, wanted)
    result.findings = report.findings
    return result


def _installed(settings: Settings, root: Root) -> Installed:
    return discover([_modules_dir(settings, root)], index_file=root.read(index.PLACE))


def _modules_dir(settings: Settings, root: Root) -> Path:
    return root.read(settings.modules_dir or MODULES_DIR)


def _section(document: MapNode, key: str, report: Report) -> MapNode | None:
    return report.a_map(document.entries[key].node, key) if key in document.entries else None


def overlay_path(path: Path, root: Root) -> Path:
    """Return where the user's overlay of `path` is: a file of this run before a shipped one."""
    beside = path.parent / FOLDER / path.name
    if path.is_relative_to(root.static):
        return root.read(str(beside.relative_to(root.static)))
    return beside


def _overlaid(path: Path, document: MapNode, root: Root, report: Report, notices: list[str]) -> MapNode:
    beside = overlay_path(path, root)
    for found, odd in ((beside.parent, folder_oddity(beside.parent)), (beside, oddity(beside))):
        if odd:
            what = f"the user's changes are left out: this is {odd}"
            wanted = "a folder of files" if found is beside.parent else "a file"
            report.warning(Place(str(found)), what, f"put {wanted} there, or take it away", number="C035")
            notices.append(f"{found}: {what}")
            return document
    if not beside.is_file():
        return document
    patch = read(beside, report)
    if patch is None:
        return document
    if "settings" in patch.entries:
        place = patch.entries["settings"].place
        report.warning(place, "settings in the overlay have no effect", "put them into the main file", number="C036")
    if "active_modules" not in patch.entries and any(key not in TOP_LEVEL for key in patch.entries):
        entry = next(entry for key, entry in patch.entries.items() if key not in TOP_LEVEL)
        report.error(
            entry.place, f"the overlay has no key {entry.key}", "module ids go below active_modules:", number="C037"
        )
        return document
    return lay_over(document, patch)


def _written(section: MapNode, report: Report, wanted: Wanted) -> list[Written]:
    """Return the entries of `active_modules` that have a shape."""
    shipped = [entry.key for entry in section.entries.values() if entry.place.file == section.place.file]
    written: list[Written] = []
    for entry in section.entries.values():
        others = () if entry.key in shipped else shipped
        one = read_entry(entry.key, entry.place, entry.node, report, others)
        if one is not None:
            if one.id in wanted.standalone | wanted.ignored:
                one.standalone, one.from_outside = one.standalone or one.place, True
            written.append(one)
    return written


def _modules(document: MapNode, installed: Installed, result: Configuration, report: Report, wanted: Wanted) -> None:
    if not _top_level(document, report):
        return
    section = _section(document, "active_modules", report)
    if section is None or not section.entries:
        if wanted.empty:
            return
        if section is not None or "active_modules" not in document.entries:
            place = section.place if section is not None else document.place
            report.error(place, "no module is configured", "add modules below active_modules:", number="C040")
        return
    written = _written(section, report, wanted)
    loaded: dict[str, type[Module] | None] = dict.fromkeys(section.entries)
    # The probe is made of what the others are.
    for one in sorted(written, key=lambda one: one.module == PROBE):
        if one.module == PROBE and PROBE not in installed.by_name:
            found = probe_module(one, written, loaded, report)
        else:
            found = find_module(one, written, installed, report, wanted.programs)
        if found is not None:
            loaded[one.id], result.origins[one.id] = found
    find_rings(written, loaded, report)
    check_users(written, loaded, report)
    check_energy_tree(written, loaded, report)
    for one in written:
        plan = plan_module(one, loaded, section.removed, report)
        if plan is not None:
            awaited = one.id not in wanted.ignored
            result.plans.append(plan if awaited else msgspec.structs.replace(plan, awaited=False))
    by_id = {one.id: one for one in written}
    for plan, issue in config_issues(result.plans):
        add = report.error if issue.severity == "error" else report.warning
        add(place_of(issue.about, by_id[plan.id]), f"{plan.id}: {issue.what}", issue.hint, number=issue.number)
    check_claims(result.plans, by_id, report)


def _top_level(document: MapNode, report: Report) -> bool:
    """Report keys that do not belong there; False when the modules themselves are at the top, and that is reported."""
    unknown = [entry for entry in document.entries.values() if entry.key not in TOP_LEVEL]
    modules = [entry for entry in unknown if isinstance(entry.node, MapNode) and "module" in entry.node.entries]
    if modules and "active_modules" not in document.entries:
        what = (
            f"{modules[0].key} and other modules stand at the top"
            if len(modules) > 1
            else f"{modules[0].key} stands at the top"
        )
        report.error(
            modules[0].place, what, "write active_modules: above, and indent the modules below it", number="C041"
        )
        return False
    for entry in unknown:
        hint = "a module? indent it below active_modules:" if entry in modules else ""
        report.unknown_key(entry, "the configuration", TOP_LEVEL, hint)
    return True
