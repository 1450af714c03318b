"""`access` of an entry: which configurations of others a module may read and change."""

from __future__ import annotations

from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import Entry, MapNode
from chargebyte_fw.manager.plan import Access, Rights

_GLOBAL = ("allow_global_read", "allow_global_write", "allow_set_read_only")
_RIGHTS = ("allow_read", "allow_write", "allow_set_read_only")


def read_access(access: MapNode, report: Report) -> Access | None:
    """Check `access` and return what it grants; None without `config`."""
    found = None
    for one in access.entries.values():
        if one.key != "config":
            report.unknown_key(one, "access", ("config",))
        elif (config := report.a_map(one.node, "access.config")) is not None:
            found = _config(config, report)
    return found


def _config(config: MapNode, report: Report) -> Access:
    modules: dict[str, Rights] = {}
    flags: dict[str, bool] = {}
    for one in config.entries.values():
        if one.key == "modules":
            given = report.a_map(one.node, "access.config.modules")
            for module in given.entries.values() if given else ():
                modules[module.key] = _rights(module, report)
        else:
            _flag(one, "access.config", (*_GLOBAL, "modules"), flags, report)
    return Access(**flags, modules=modules)


def _rights(module: Entry, report: Report) -> Rights:
    flags: dict[str, bool] = {}
    given = report.a_map(module.node, f"the access to {module.key}")
    for one in given.entries.values() if given else ():
        _flag(one, f"the access to {module.key}", _RIGHTS, flags, report)
    return Rights(**flags)


def _flag(one: Entry, of: str, known: tuple[str, ...], flags: dict[str, bool], report: Report) -> None:
    if one.key not in known:
        report.unknown_key(one, of, known)
    elif (value := report.boolean(one.node, one.key)) is not None:
        flags[one.key] = value
