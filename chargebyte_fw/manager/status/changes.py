"""What has changed between two pictures of a charger, for `secc watch`: a path, the value before, the value now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from chargebyte_fw.manager.status.model import Status

PASSING = frozenset(("time", "for_s", "ends_in_s", "duration_s", "memory_MB"))
"""Fields that change all the time without anything happening."""
_KEYS = {
    "evses": ("id",),
    "faults": ("module", "implementation", "type", "sub_type"),
    "limits": ("quantity", "source"),
    "modules": ("id",),
    "processes": ("name",),
    "links": ("name", "of"),
}
"""What makes an element of a list the same one a second later."""


class Change(msgspec.Struct, frozen=True):
    """One change; None stands for what was not there, or is not there any more."""

    what: str
    """Path: `evses.connector.state`, `faults.bsp.evse_board_support.evse_board_support/DiodeFault`."""
    was: Any
    now: Any


def changes(before: Status, after: Status) -> list[Change]:
    """Return what is different, in the order of the declaration."""
    return list(_of("", _plain(before), _plain(after)))


def _plain(status: Status) -> Any:
    return _keyed("", msgspec.to_builtins(status))


def _keyed(name: str, value: Any) -> Any:
    """Replace lists of named things by maps, and leave out what passes."""
    if isinstance(value, dict):
        return {key: _keyed(key, member) for key, member in value.items() if key not in PASSING}
    if isinstance(value, list) and name in _KEYS:
        keyed: dict[str, Any] = {}
        for member in value:
            identity = ".".join(str(member[key]) for key in _KEYS[name] if member[key] not in ("", None))
            keyed[identity] = _keyed("", member)
        return keyed
    return value


def _of(path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _of(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        return
    yield Change(path, before, after)
