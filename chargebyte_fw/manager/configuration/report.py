"""The list of findings, filled by every check."""

from __future__ import annotations

from collections.abc import Iterable

from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.tree import Entry, ListNode, MapNode, Node, Scalar, kind, unreadable


class Report:
    """Collects findings; no check stops at the first."""

    def __init__(self) -> None:
        self._found: dict[Finding, Place] = {}

    @property
    def findings(self) -> list[Finding]:
        """The findings file by file, from the top."""
        files = list(dict.fromkeys(place.file for place in self._found.values()))
        return sorted(self._found, key=lambda one: (files.index((at := self._found[one]).file), at.line, at.column))

    def error(self, place: Place, what: str, hint: str = "", *, number: str = "") -> None:
        """Add a finding that stops the start."""
        self._found.setdefault(Finding(str(place), what, hint, number=number), place)

    def warning(self, place: Place, what: str, hint: str = "", *, number: str = "") -> None:
        """Add a finding that does not stop the start."""
        self._found.setdefault(Finding(str(place), what, hint, "warning", number), place)

    def a_map(self, node: Node, of: str) -> MapNode | None:
        """Return `node` if it is a map; nothing counts as an empty one."""
        if isinstance(node, MapNode):
            return node
        if unreadable(node):
            return None
        if isinstance(node, Scalar) and node.value is None:
            return MapNode(node.place)
        of_maps = isinstance(node, ListNode) and all(isinstance(item, MapNode) for item in node.items)
        self.error(
            node.place, f"{of} must be a map, not {kind(node)}", "leave out each '- '" if of_maps else "", number="C020"
        )
        return None

    def a_list(self, node: Node, of: str, hint: str = "") -> ListNode | None:
        """Return `node` if it is a list; `hint` is how to write one."""
        if isinstance(node, ListNode):
            return node
        if not unreadable(node):
            self.error(
                node.place, f"{of} must be a list, not {kind(node)}", hint or "start each item with '- '", number="C021"
            )
        return None

    def text(self, node: Node, of: str) -> str | None:
        """Return the text of `node` if it is text."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if unreadable(node):
            return None
        hint = f'write "{node.source}" in quotes' if isinstance(node, Scalar) and node.value is not None else ""
        self.error(node.place, f"{of} must be text, not {kind(node)}", hint, number="C022")
        return None

    def integer(self, node: Node, of: str) -> int | None:
        """Return the number of `node` if it is an integer."""
        if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
            return node.value
        if not unreadable(node):
            self.error(node.place, f"{of} must be an integer, not {kind(node)}", number="C023")
        return None

    def boolean(self, node: Node, of: str) -> bool | None:
        """Return the truth value of `node` if it is one."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        if not unreadable(node):
            self.error(node.place, f"{of} must be true or false, not {kind(node)}", truth_hint(node), number="C024")
        return None

    def unknown_key(self, entry: Entry, of: str, known: Iterable[str], hint: str = "") -> None:
        """Report an unknown key; `hint` is where it belongs, if that is known."""
        self.error(entry.place, f"{of} has no key {entry.key}", hint or nearest(entry.key, known), number="C025")


def truth_hint(node: Node) -> str:
    """Return what to write for a word that other YAML readers take for a truth value."""
    word = str(node.value).lower() if isinstance(node, Scalar) else ""
    if word in ("true", "yes", "on", "1"):
        return "write true"
    return "write false" if word in ("false", "no", "off", "0") else ""
