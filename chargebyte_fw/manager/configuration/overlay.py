"""The user's overlay `user-config/<same name>`: applied to the shipped file as a JSON merge patch (RFC 7386)."""

from __future__ import annotations

from chargebyte_fw.manager.configuration.tree import Entry, MapNode, Scalar

FOLDER = "user-config"


def lay_over(base: MapNode, patch: MapNode) -> MapNode:
    """Return `base` changed by `patch`: maps merge, lists and scalars replace, nothing (null) deletes.

    Every value keeps the place of the file it came from.
    """
    merged = MapNode(base.place, dict(base.entries), dict(base.removed))
    for key, entry in patch.entries.items():
        if isinstance(entry.node, Scalar) and entry.node.value is None:
            if merged.entries.pop(key, None) is not None:
                merged.removed[key] = entry.place
            continue
        if not isinstance(entry.node, MapNode):
            merged.entries[key] = entry
            continue
        below = merged.entries.get(key)
        if below is not None and isinstance(below.node, MapNode):
            merged.entries[key] = Entry(key, below.place, lay_over(below.node, entry.node))
        else:
            merged.entries[key] = Entry(key, entry.place, lay_over(MapNode(entry.node.place), entry.node))
    return merged
