"""A message with values of enumerations that the version spoken does not have: made under 2.1, sent under 2.0.1.

A queue outlives a connection, and the CSMS may choose another version when it is connected again.
"""

from __future__ import annotations

import copy
from enum import Enum
from typing import Any

from chargebyte_fw.modules.ocpp.messages.declared import Array, Enumeration, Node, Object
from chargebyte_fw.modules.ocpp.messages.model import Values


class _Omitted(Enum):
    OMITTED = "omitted"


OMITTED = _Omitted.OMITTED


class LaterValueError(ValueError):
    """A value that a later version added, and that nothing stands for."""


def adapted(node: Object, message: Any) -> Any:
    """Return the message with values that the version has, as a copy where that is another one.

    A value becomes the one that stands for it (`Values.instead`). Where none does, the item of the innermost list with
    it is left out: a sampled value without its measurand would be an energy. Raises LaterValueError where there is no
    list.
    """
    found = _adapted(node, message)
    if found is OMITTED:
        raise LaterValueError
    return found


def _adapted(node: Node, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(node, Enumeration):
        if value in node.values:
            return value
        later = next((one for one in node.kind if one == value), None)
        return later.instead if isinstance(later, Values) and later.instead is not None else OMITTED
    if isinstance(node, Array):
        items = [_adapted(node.item, item) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        kept = [item for item in items if item is not OMITTED]
        return kept if len(kept) >= node.low else OMITTED
    return _adapted_object(node, value) if isinstance(node, Object) else value


def _adapted_object(node: Object, value: Any) -> Any:
    changes: dict[str, Any] = {}
    for member in node.members:
        old = getattr(value, member.attribute)
        new = _adapted(member.node, old)
        if new is OMITTED:
            if member.required or not isinstance(member.node, Array):
                return OMITTED
            new = None
        if new is not old:
            changes[member.attribute] = new
    if not changes:
        return value
    changed = copy.copy(value)
    for attribute, new in changes.items():
        setattr(changed, attribute, new)
    return changed
