"""The content of a YAML file: plain values with their places."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.yaml_text import Place


class Scalar(msgspec.Struct):
    """Text, number, truth value or null."""

    value: str | int | float | bool | None
    place: Place
    source: str = ""
    """As it was written, without quotes."""
    readable: bool = True
    """False: there is a finding that it cannot be read."""


class ListNode(msgspec.Struct):
    """A list."""

    items: list[Node]
    place: Place


class Entry(msgspec.Struct):
    """One key of a map with its value."""

    key: str
    place: Place
    node: Node


class MapNode(msgspec.Struct):
    """A map from text to nodes, in the file's order."""

    place: Place
    entries: dict[str, Entry] = msgspec.field(default_factory=dict)
    removed: dict[str, Place] = msgspec.field(default_factory=dict)
    """Keys that an overlay has removed, and where."""


Node = Scalar | ListNode | MapNode


def plain(node: Node) -> Any:
    """Return the node without its places: dict, list, scalar."""
    if isinstance(node, MapNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


def kind(node: Node) -> str:
    """Return the kind of a node for a message."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the truth value {str(node.value).lower()}"
    if isinstance(node.value, int | float):
        return f"the number {node.source}"
    return f'the text "{shorten(node.value)}"'


def shorten(text: str, limit: int = 60) -> str:
    """Cut long text for a message."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def unreadable(node: Node) -> bool:
    """Whether there is a finding that `node` cannot be read."""
    return isinstance(node, Scalar) and not node.readable
