"""Which module runs in which process, and what each process may take: the default, or a groups file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.decoding import convert, decode_yaml
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.manager.groups import CHARGE, CLOUD
from chargebyte_fw.manager.module_restarts import FAILURES
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.watched_process import PROGRAM_MEMORY_MB

MEMORY_MB = 160
"""Of a group, unless the file has another bound."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,14}")
MB = Annotated[int, Meta(ge=16)]


class GroupEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One group of a groups file."""

    modules: list[str] = msgspec.field(default_factory=list)
    """Module ids; a module that no group names is in `charge` or `cloud`, as it declares."""
    memory_MB: MB = MEMORY_MB


class ProgramEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One program of another vendor."""

    memory_MB: MB = PROGRAM_MEMORY_MB


class GroupsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Content of a groups file."""

    groups: dict[str, GroupEntry] = msgspec.field(default_factory=dict)
    programs: dict[str, ProgramEntry] = msgspec.field(default_factory=dict)
    failures: Annotated[int, Meta(ge=0)] = FAILURES
    """So many in a row, and a process is not started again; 0: it always is."""


class Grouping(msgspec.Struct, frozen=True):
    """Module ids by group, and the bounds of each process."""

    modules: dict[str, list[str]]
    memory_MB: dict[str, int]
    """By the name of the group, or the id of the program."""
    failures: int = FAILURES


def read_groups_file(path: Path) -> GroupsFile:
    """Read a groups file; raises ConfigError."""
    try:
        found: GroupsFile = convert(decode_yaml(path.read_bytes()) or {}, GroupsFile)
    except OSError as error:
        raise ConfigError(
            [Finding(str(path), f"the groups file cannot be read: {error.strerror}", number="C200")]
        ) from error
    except ValueError as error:
        hint = "groups: NAME: {modules: [ID, ...], memory_MB: N}; programs: ID: {memory_MB: N}; failures: N"
        raise ConfigError([Finding(str(path), f"this is no groups file: {error}", hint, number="C200")]) from error
    return found


def grouped(plans: Sequence[ModulePlan], file: GroupsFile | None = None, named: str = "the groups file") -> Grouping:
    """Divide the modules; raises ConfigError with everything that is wrong with the file.

    Modules that drive each other (an interface with one user: contactors, power supply, connector lock) have to be in
    one process: whoever ends with power on must end together with what can switch it off.
    """
    file = file or GroupsFile()
    findings: list[Finding] = []
    ours = {plan.id: plan for plan in plans if not plan.module.is_program}
    programs = {plan.id for plan in plans if plan.module.is_program}
    group_of: dict[str, str] = {}
    for name, entry in file.groups.items():
        if not _NAME.fullmatch(name):
            hint = "small letters, digits and _, at most 15"
            findings.append(Finding(named, f"{name} is no name of a group", hint, number="C201"))
        for module_id in entry.modules:
            findings += _wrong_member(named, name, module_id, ours, programs, group_of)
            group_of[module_id] = name
    for module_id in file.programs:
        if module_id not in programs:
            what = f"programs: {module_id} is no program of this configuration"
            findings.append(Finding(named, what, nearest(module_id, programs), number="C202"))
    for module_id, plan in ours.items():
        group_of.setdefault(module_id, CHARGE if plan.module.group == CHARGE else CLOUD)
    findings += _split(named, ours, group_of)
    if findings:
        raise ConfigError(findings)
    modules: dict[str, list[str]] = {}
    for module_id in ours:
        modules.setdefault(group_of[module_id], []).append(module_id)
    memory_MB = {name: file.groups[name].memory_MB if name in file.groups else MEMORY_MB for name in modules}
    memory_MB |= {one: file.programs[one].memory_MB if one in file.programs else PROGRAM_MEMORY_MB for one in programs}
    return Grouping(modules, memory_MB, file.failures)


def _wrong_member(
    named: str, name: str, module_id: str, ours: dict[str, Any], programs: set[str], group_of: dict[str, str]
) -> list[Finding]:
    if module_id in programs:
        what = f"{name}: {module_id} is a program, which is a process of its own"
        return [Finding(named, what, "leave it out", number="C203")]
    if module_id not in ours:
        return [Finding(named, f"{name}: there is no module {module_id}", nearest(module_id, ours), number="C202")]
    if module_id in group_of:
        what = f"{module_id} is in {group_of[module_id]} and in {name}"
        return [Finding(named, what, "leave it out of one", number="C204")]
    return []


def _split(named: str, ours: dict[str, ModulePlan], group_of: dict[str, str]) -> list[Finding]:
    found = []
    for plan in ours.values():
        for requirement, ends in plan.connections.items():
            contract = plan.module.requirements[requirement].contract
            for end in ends:
                apart = end.module_id in ours and group_of[end.module_id] != group_of[plan.id]
                if apart and contract.one_user and contract.interface != "energy":
                    what = (
                        f"{plan.id} ({group_of[plan.id]}) drives {end.module_id} ({group_of[end.module_id]}) "
                        f"by {contract.interface}: the power path may not be split"
                    )
                    found.append(Finding(named, what, f"put both into {group_of[plan.id]}", number="C205"))
    return found
