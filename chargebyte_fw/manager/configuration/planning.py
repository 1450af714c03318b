"""From an entry to a module's plan: its class, its values, its connections, and where a misplaced key belongs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingOf
from pathlib import Path

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, ModuleConfig
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.connections import Loaded, connect
from chargebyte_fw.manager.configuration.entries import KEYS, Written
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import MapNode
from chargebyte_fw.manager.configuration.values import fill
from chargebyte_fw.manager.discovery import CannotLoad, Found, Installed
from chargebyte_fw.manager.plan import ModulePlan

EVERY = "all"
"""Stands for every module in a list of programs."""


def find_module(
    written: Written, others: Sequence[Written], installed: Installed, report: Report, programs: Collection[str] = ()
) -> tuple[type[Module], Found] | None:
    """Return the class that an entry names, and where it comes from. `others` are all entries: the users of it.

    `programs` are the modules of which the program is taken where this product has a module of that name, too.
    """
    if not written.module:
        return None
    places = installed.by_name.get(written.module, [])
    if not places:
        # A list of names is read here only.
        from chargebyte_fw.manager.configuration.everest import what_is_missing

        missing = what_is_missing(written, others)
        if missing is not None:
            report.error(written.module_place, *missing, number="C045")
            return None
        hint = nearest(written.module, installed.names()) or "secc modules lists what is installed"
        report.error(written.module_place, f"no module {written.module} is installed", hint, number="C046")
        return None
    if len(places) > 1 and (written.module in programs or EVERY in programs):
        places = [one for one in places if one.is_program] or places
    if len(places) > 1:
        both = " and ".join(f"{one.origin} ({one.target})" for one in places)
        hint = "remove one"
        if any(one.is_program for one in places):
            hint = f"remove one, or choose the program with --program {written.module}"
        report.error(written.module_place, f"module {written.module} is installed twice: {both}", hint, number="C047")
        return None
    try:
        cls = places[0].load()
    except CannotLoad as error:
        report.error(written.module_place, f"module {written.module} cannot be loaded: {error}", number="C048")
        return None
    if written.from_outside and not cls.is_program:
        cls = _played_from_outside(cls)
    _check_capabilities(written, cls, report)
    if written.standalone is not None and not cls.is_program:
        what = f"{written.module} is a part of this program: it cannot be started from outside"
        report.error(written.standalone, what, "leave standalone out", number="C054")
    elif written.standalone is None and (lack := cls.missing_program()):
        report.error(written.module_place, f"module {written.module} cannot be loaded: {lack}", number="C048")
    return cls, places[0]


def _played_from_outside(cls: type[Module]) -> type[Module]:
    """Return what stands for a program that takes the place of a module of this process."""
    # Imported only here, as for every program.
    from chargebyte_fw.manager.manifest import manifest_of
    from chargebyte_fw.manager.wire.foreign import class_of

    return class_of(Path(cls.module_name()), manifest_of(cls))


def _check_capabilities(written: Written, cls: type[Module], report: Report) -> None:
    if (place := written.capabilities_place) is None:
        return
    if not cls.is_program or written.standalone is not None:
        report.warning(place, "capabilities has no effect: the process keeps those it started with", number="C055")
        return
    # Imported only where a program asks for capabilities.
    from chargebyte_fw.kernel.child_rights import CAPABILITIES

    for name in written.capabilities:
        if name.lower() not in CAPABILITIES:
            report.error(place, f"Linux has no capability {name}", nearest(name.lower(), CAPABILITIES), number="C056")


def plan_module(written: Written, loaded: Loaded, removed: MappingOf[str, Place], report: Report) -> ModulePlan | None:
    """Check the configuration of a module; None (with findings) when it is wrong.

    `removed` are the modules that an overlay has taken out.
    """
    cls = loaded[written.id]
    for key in written.unknown:
        hint = _home(key.key, cls) if cls is not None else ""
        report.unknown_key(key, f"the entry {written.id}", KEYS, hint)
    if cls is None:
        return None
    config = None
    if "config_module" not in written.unclear:
        config = fill(cls.Config, written.config, written.module, written.place, report, _homes(cls, "config_module"))
    configs: dict[str, ModuleConfig] = {}
    for name, (place, _) in written.implementation_configs.items():
        if name not in cls.provisions:
            report.error(place, f"{written.module} provides no {name}", nearest(name, cls.provisions), number="C057")
    for name, provision in cls.provisions.items():
        place, given = written.implementation_configs.get(name, (written.place, MapNode(written.place)))
        if given.entries or "config_implementation" not in written.unclear:
            values = fill(provision.config, given, f"{written.module}.{name}", place, report, _homes(cls, name))
            if values is not None:
                configs[name] = values
    connections = connect(written, cls, loaded, removed, report)
    mappings = _implementation_mappings(written, cls, report)
    if config is None or len(configs) < len(cls.provisions):
        return None
    return ModulePlan(
        written.id,
        cls,
        config,
        configs,
        connections,
        written.mapping,
        mappings,
        written.standalone is not None,
        written.capabilities,
        written.access,
        written.telemetry_id,
    )


def _homes(cls: type[Module], of: str) -> dict[str, str]:
    """Return where each key of the module belongs, except those of `of` (`config_module` or an implementation)."""
    sections = {
        name: (f"config_implementation: {name}:", provision.config) for name, provision in cls.provisions.items()
    }
    sections["config_module"] = ("config_module:", cls.Config)
    return {
        info.encode_name: f"it belongs below {place}"
        for name, (place, config) in sections.items()
        if name != of
        for info in msgspec.structs.fields(config)
    }


def _home(key: str, cls: type[Module]) -> str:
    """Return where a key of the entry itself belongs, or nothing."""
    return "it belongs below connections:" if key in cls.requirements else _homes(cls, "").get(key, "")


def _implementation_mappings(written: Written, cls: type[Module], report: Report) -> dict[str, Mapping]:
    found = {}
    for name, (place, tier) in written.implementation_mappings.items():
        if name not in cls.provisions:
            report.warning(
                place, f"{written.module} provides no {name} to map", nearest(name, cls.provisions), number="C058"
            )
            continue
        if written.mapping is not None and written.mapping.evse != tier.evse:
            report.warning(
                place,
                f"{name} is mapped to EVSE {tier.evse}, its module to EVSE {written.mapping.evse}",
                "the first wins",
                number="C059",
            )
        found[name] = tier
    return found
