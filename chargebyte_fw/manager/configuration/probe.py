"""`ProbeModule`, the module of EVerest's tests: it provides and requires whatever the configuration connects it to.

No manifest of it is installed. A test program plays it, so it is started from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.configuration.connections import Loaded
from chargebyte_fw.manager.configuration.entries import Written
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.discovery import Found
from chargebyte_fw.manager.manifest import LICENSE

PROBE = "ProbeModule"


def probe_module(
    probe: Written, all_written: Sequence[Written], loaded: Loaded, report: Report
) -> tuple[type[Module], Found] | None:
    """Return the class of the probe, made of the connections to it and from it; `loaded` are all other modules."""
    if probe.standalone is None:
        what = f"{PROBE} is played by a test program and is not started from here"
        report.error(probe.module_place, what, "add standalone: true", number="C080")
    if any(one.module == PROBE and one.id != probe.id for one in all_written):
        report.error(probe.module_place, f"there is more than one {PROBE}", "leave one", number="C081")
        return None
    provides = _provided(probe, all_written, loaded, report)
    if provides is None:
        return None
    manifest: dict[str, Any] = {
        "description": "Played by a test program",
        "provides": provides or {"none": {"interface": "empty", "description": "Nothing is connected"}},
        "requires": _required(probe, loaded),
        "metadata": {"license": LICENSE, "authors": ["everest"]},
    }
    # Imported only where there is a probe, as for every program.
    from chargebyte_fw.manager.wire.foreign import BadManifest, class_of

    try:
        return class_of(Path(PROBE), manifest), Found(PROBE, "EVerest's tests", PROBE)
    except BadManifest as error:
        report.error(probe.module_place, f"{PROBE}: {error}", number="C082")
        return None


def _provided(
    probe: Written, all_written: Sequence[Written], loaded: Loaded, report: Report
) -> dict[str, dict[str, str]] | None:
    """Return what others are connected to; None after reporting two interfaces for one implementation."""
    found: dict[str, dict[str, str]] = {}
    for one in all_written:
        cls = loaded[one.id] if one.id != probe.id else None
        for name, (_, wishes) in one.connections.items():
            requirement = cls.requirements.get(name) if cls is not None else None
            for wish in wishes:
                if requirement is None or wish.module_id != probe.id:
                    continue
                entry = {"interface": requirement.interface, "description": f"For {one.id}"}
                before = found.setdefault(wish.implementation_id, entry)["interface"]
                if before != requirement.interface:
                    what = f"{wish.implementation_id} of {PROBE} would be {before} and {requirement.interface}"
                    report.error(wish.implementation_place, what, "use two implementation ids", number="C082")
                    return None
    return found


def _required(probe: Written, loaded: Loaded) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, (_, wishes) in probe.connections.items():
        for wish in wishes:
            target = loaded.get(wish.module_id)
            provision = None if target is None else target.provisions.get(wish.implementation_id)
            if provision is not None:
                count = len(wishes)
                found[name] = {"interface": provision.interface, "min_connections": 1, "max_connections": count}
    return found
