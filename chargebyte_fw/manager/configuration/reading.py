"""EVerest's YAML dialect: only `true` and `false` are truth values, numbers are numbers, the rest is text.

Reads events, never recursively, so that depth and aliases cannot hurt; every oddity is a finding with its place.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml

from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.yaml_text import NotUtf8, NotYaml, Place, TooDeep, decode, events, place_of
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.syntax import explain
from chargebyte_fw.manager.configuration.tree import Entry, ListNode, MapNode, Node, Scalar, kind, shorten

SIZE_LIMIT_BYTES = 256 * 1024
DEPTH_LIMIT = 64
NODE_LIMIT = 50_000

_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NULLS = ("", "~", "null")
_STR_TAGS = ("!", "tag:yaml.org,2002:str")


class _TooBig(Exception):
    """The file exceeds a limit; a finding names it."""


class _Level(msgspec.Struct):
    """A map or list that is still being filled."""

    node: MapNode | ListNode
    anchor: str | None
    count_before: int
    key: tuple[str, Place] | None = None
    merged: list[MapNode] = msgspec.field(default_factory=list)
    """Maps brought in by `<<`; their keys count where the map has none of that name."""


def read(path: Path, report: Report, shown: str = "") -> MapNode | None:
    """Read the file at `path`; None (with findings) when nothing can be made of it. `shown` is its name in findings."""
    name = shown or str(path)
    start = Place(name)
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES + 1)
    except FileNotFoundError:
        report.error(start, "there is no such file", _similar_file(path), number="C001")
        return None
    except OSError as error:
        report.error(start, f"the file cannot be read: {error.strerror or error}", number="C002")
        return None
    if len(data) > SIZE_LIMIT_BYTES:
        report.error(
            start, f"the file is larger than {SIZE_LIMIT_BYTES // 1024} KiB", "is it a configuration?", number="C003"
        )
        return None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]:
        report.error(start, "this is UTF-16 text", "save the file as UTF-8", number="C004")
        return None
    try:
        text = decode(data)
    except NotUtf8 as error:
        what = f"this is not UTF-8 text: the byte 0x{data[error.offset]:02X}"
        report.error(Place(name, error.line or 1, error.column or 1), what, "save the file as UTF-8", number="C004")
        return None
    return parse(text, name, report)


def _similar_file(path: Path) -> str:
    """Return a hint at the file beside the missing one that may have been meant."""
    try:
        names = [other.name for other in path.parent.iterdir() if other.suffix in (".yaml", ".yml")]
    except OSError:
        return f"there is no folder {path.parent}, either"
    return nearest(path.name, names)


def parse(text: str, name: str, report: Report) -> MapNode | None:
    """Read `text` as one YAML document that is a map; an empty one is an empty map."""
    reader = _Reader(name, report)
    try:
        for event in events(text):
            reader.take(event)
    except NotYaml as error:
        found = explain(error, text)
        report.error(Place(name, found.line, found.column), found.what, found.hint, number="C005")
        return None
    except _TooBig:
        return None
    except TooDeep:
        report.error(Place(name), "the file is nested too deeply", number="C006")
        return None
    root = reader.root
    if root is None or (isinstance(root, Scalar) and root.value is None):
        return MapNode(Place(name))
    if not isinstance(root, MapNode):
        report.error(root.place, f"the file must be a map with the key active_modules, not {kind(root)}", number="C007")
        return None
    return root


class _Reader:
    """Builds the tree from the parser's events."""

    def __init__(self, name: str, report: Report) -> None:
        self.name = name
        self.report = report
        self.root: Node | None = None
        self._levels: list[_Level] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._documents = 0

    def place(self, event: yaml.Event) -> Place:
        """Return where an event begins."""
        return place_of(event, self.name)

    def take(self, event: yaml.Event) -> None:
        """Take one event; raises _TooBig after reporting."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents == 2:
                self.report.error(self.place(event), "a second document begins here; only one is read", number="C008")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(MapNode(self.place(event)), event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(ListNode([], self.place(event)), event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()

    def _grow(self, place: Place, by: int = 1) -> None:
        self._count += by
        if self._count > NODE_LIMIT:
            self.report.error(
                place, f"the file has more than {NODE_LIMIT} values", "are aliases multiplied here?", number="C006"
            )
            raise _TooBig

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = self.place(event)
        self._grow(place)
        node = Scalar(self._value(event, place), place, event.value)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        level = self._levels[-1] if self._levels else None
        if level is not None and isinstance(level.node, MapNode) and level.key is None:
            # A key is text whatever it looks like.
            level.key = (event.value, place)
        else:
            self._put(node)

    def _value(self, event: yaml.ScalarEvent, place: Place) -> str | int | float | bool | None:
        text = event.value
        if event.tag is not None and event.tag not in _STR_TAGS:
            self.report.error(place, f"the tag {event.tag} is not used here", "leave it out", number="C009")
            return text
        if event.style is not None or event.tag is not None:
            return text
        if text in _NULLS:
            return None
        if text in ("true", "false"):
            return text == "true"
        if _INTEGER.fullmatch(text):
            if len(text) > 11 or not -(2**31) <= int(text) < 2**31:
                self.report.error(
                    place,
                    f"{shorten(text)} does not fit into 32 bits",
                    "write it in quotes if it is text",
                    number="C010",
                )
                return -(2**31) if text.startswith("-") else 2**31 - 1
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = self.place(event)
        level = self._levels[-1] if self._levels else None
        if event.anchor not in self._anchors:
            hint = nearest(str(event.anchor), self._anchors)
            self.report.error(place, f"no anchor &{event.anchor} stands before this alias", hint, number="C011")
            target: Node = Scalar(None, place, readable=False)
        else:
            target, size = self._anchors[event.anchor]
            self._grow(place, size)
        if level is not None and isinstance(level.node, MapNode) and level.key is None:
            if not isinstance(target, Scalar):
                self.report.error(place, "a key must be text", number="C012")
            level.key = (target.source if isinstance(target, Scalar) else "?", place)
        else:
            self._put(target)

    def _open(self, node: MapNode | ListNode, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._grow(node.place)
        if len(self._levels) >= DEPTH_LIMIT:
            self.report.error(node.place, f"the file is nested deeper than {DEPTH_LIMIT} levels", number="C006")
            raise _TooBig
        if event.tag is not None and event.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.report.error(node.place, f"the tag {event.tag} is not used here", "leave it out", number="C009")
        self._levels.append(_Level(node, event.anchor, self._count - 1))

    def _close(self) -> None:
        level = self._levels.pop()
        if isinstance(level.node, MapNode):
            for merged in level.merged:
                for key, entry in merged.entries.items():
                    level.node.entries.setdefault(key, entry)
        if level.anchor:
            self._anchors[level.anchor] = (level.node, self._count - level.count_before)
        above = self._levels[-1] if self._levels else None
        if above is not None and isinstance(above.node, MapNode) and above.key is None:
            self.report.error(level.node.place, "a key must be text", number="C012")
            above.key = ("?", level.node.place)
        else:
            self._put(level.node)

    def _put(self, node: Node) -> None:
        if not self._levels:
            if self._documents == 1:
                self.root = node
            return
        level = self._levels[-1]
        if isinstance(level.node, ListNode):
            level.node.items.append(node)
            return
        key, place = level.key or ("?", node.place)
        level.key = None
        if key == "<<":
            self._merge(level, node)
            return
        earlier = level.node.entries.pop(key, None)
        if earlier is not None:
            self.report.warning(
                place,
                f"{key} is here for the second time",
                f"the first, in line {earlier.place.line}, does not count",
                number="C013",
            )
        level.node.entries[key] = Entry(key, place, node)

    def _merge(self, level: _Level, node: Node) -> None:
        for part in node.items if isinstance(node, ListNode) else [node]:
            if isinstance(part, MapNode):
                level.merged.append(part)
            else:
                self.report.error(part.place, "<< brings in a map", "write << : *anchor_of_a_map", number="C014")
