"""The parameter block as YAML: read with line and column of everything that is wrong, written as it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from chargebyte_fw.board.params import layout, rules
from chargebyte_fw.board.params.layout import GROUPS, Field, Group, Parameters
from chargebyte_fw.board.params.value_types import is_disable_word
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.kernel.yaml_text import NotUtf8, TooDeep, YamlError, compose, decode, place_of

SIZE_LIMIT_BYTES = 64 * 1024
_GROUPS = {group.name: group for group in GROUPS}


@dataclass
class Document:
    """The content of a YAML file; it is of use only if none of the findings is an error."""

    name: str
    parameters: Parameters = field(default_factory=Parameters)
    version: int | None = None
    version_place: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return any(finding.severity == "error" for finding in self.findings)


def read_file(path: Path) -> Document:
    """Read a file."""
    document = Document(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        document.findings.append(Finding(str(path), f"cannot be read: {error.strerror or error}", number="C002"))
        return document
    return read(data, str(path))


def read(data: bytes, name: str) -> Document:
    """Read YAML; every finding at once."""
    reader = _Reader(name)
    reader.read(data)
    return reader.document


class _Reader:
    def __init__(self, name: str) -> None:
        self.document = Document(name)
        self._group_places: dict[str, str] = {}

    def _place(self, node: yaml.Node) -> str:
        return str(place_of(node, self.document.name))

    def _error(self, node: yaml.Node | None, what: str, hint: str = "", *, number: str) -> None:
        where = self.document.name if node is None else self._place(node)
        self.document.findings.append(Finding(where, what, hint, number=number))

    def _warn(self, node: yaml.Node, what: str, *, number: str) -> None:
        self.document.findings.append(Finding(self._place(node), what, "", "warning", number))

    def read(self, data: bytes) -> None:
        """Take the whole file."""
        top = self._compose(data)
        if top is None:
            return
        if not isinstance(top, yaml.MappingNode):
            self._error(top, "the file must be a map with keys like pt1000s and contactors", number="C007")
            return
        for key, value in self._entries(top, "the file", ("version", *_GROUPS)):
            if key.value == "version":
                self._version(value)
            else:
                self._group_places[key.value] = self._place(key)
                self._group(_GROUPS[key.value], value)
        for group in GROUPS:
            if group.count and group.name not in self._group_places:
                self._warn(top, f"{group.name} is missing: all {group.count} stay disabled", number="C305")
        if not self.document.failed:
            self.document.findings += rules.check(self.document.parameters, self.document.name, self._group_places)

    def _compose(self, data: bytes) -> yaml.Node | None:
        if len(data) > SIZE_LIMIT_BYTES:
            self._error(None, f"the file is larger than {SIZE_LIMIT_BYTES // 1024} KiB", number="C003")
            return None
        try:
            top = compose(decode(data))
        except YamlError as error:
            self.document.findings.append(self._unreadable(error))
            return None
        if top is None:
            self._error(None, "the file is empty", number="C300")
        return top

    def _unreadable(self, error: YamlError) -> Finding:
        where = error.where(self.document.name)
        if isinstance(error, NotUtf8):
            return Finding(where, "this is not UTF-8 text", "save the file as UTF-8", number="C004")
        if isinstance(error, TooDeep):
            return Finding(where, "the file is nested too deeply", number="C006")
        hint = "indent with spaces, not with tabs" if "\\t" in error.problem else ""
        return Finding(where, f"this is not YAML: {error.problem}", hint, number="C005")

    def _entries(
        self, node: yaml.MappingNode, of: str, known: tuple[str, ...]
    ) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Return the entries with a known key, each once."""
        entries: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._error(key, "a key must be a plain word", number="C012")
            elif key.value not in known:
                near = closest(key.value, known)
                hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
                self._error(key, f"{of} has no key {key.value}", hint, number="C025")
            elif key.value in entries:
                first = entries[key.value][0].start_mark
                self._error(key, f"{key.value} is given twice (first in line {first.line + 1})", number="C013")
            else:
                entries[key.value] = (key, value)
        return list(entries.values())

    def _version(self, node: yaml.Node) -> None:
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 0xFFFF):
            hint = "an unversioned block is asked for with --version 0" if text == "0" else ""
            self._error(node, "version must be a number from 1 to 65535", hint, number="C301")
            return
        self.document.version, self.document.version_place = int(text), self._place(node)

    def _group(self, group: Group, node: yaml.Node) -> None:
        if group.count == 0:
            self._item(group, 0, node)
            return
        if not isinstance(node, yaml.SequenceNode):
            what = f"{group.name} must be a list of {group.count} items"
            self._error(node, what, "start each item with '- '", number="C021")
            return
        if len(node.value) < group.count:
            what = f"{group.name} has {len(node.value)} of {group.count} items: the missing ones stay disabled"
            self._warn(node, what, number="C305")
        for extra in node.value[group.count : group.count + 1]:
            count = len(node.value) - group.count
            what = f"{group.name} has only {group.count} items: {count} more from here on are ignored"
            self._warn(extra, what, number="C306")
        for index, item in enumerate(node.value[: group.count]):
            self._item(group, index, item)

    def _item(self, group: Group, index: int, node: yaml.Node) -> None:
        name = f"{group.name} {index + 1}" if group.count else group.name
        keys = tuple(one.key for one in group.fields if one.key)
        if isinstance(node, yaml.ScalarNode):
            if group.scalar is not None:
                self._value(group.scalar, index, node, name)
            elif is_disable_word(node.value):
                for one in group.fields[:2] if group.name == "rcm" else group.fields[:1]:
                    self.document.parameters.set(one, index, 0, self._place(node))
            else:
                what = f"{name} must be a map or `disabled`, not {node.value!r}"
                self._error(node, what, f"keys: {', '.join(keys)}", number="C302")
        elif isinstance(node, yaml.MappingNode) and keys:
            by_key = {one.key: one for one in group.fields}
            for key, value in self._entries(node, name, keys):
                self._value(by_key[key.value], index, value, f"{name} {key.value}")
        else:
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "a map"
            wanted = "a map or `disabled`" if keys else "a word"
            self._error(node, f"{name} must be {wanted}, not {kind}", number="C302")

    def _value(self, one: Field, index: int, node: yaml.Node, name: str) -> None:
        if not isinstance(node, yaml.ScalarNode):
            self._error(node, f"{name} must be a single value", number="C302")
            return
        try:
            parsed = one.kind.parse(node.value)
        except ValueError as error:
            self._error(node, f"{name}: {error}", number="C303")
            return
        if parsed.warning:
            self._warn(node, f"{name}: {parsed.warning}", number="C304")
        self.document.parameters.set(one, index, parsed.raw, self._place(node))


def write(parameters: Parameters, version: int) -> str:
    """Return the YAML text of a block."""
    parts = [f"version: {version}\n" if version else "# an unversioned block: create it again with --version 0\n"]
    for group in GROUPS:
        fields = [one for one in group.fields if version in one.at]
        if not fields:
            continue
        lines = [f"{group.name}:"]
        for index in range(layout.count_in(group, fields[0], version)):
            lines += _item_lines(group, fields, parameters, index)
        text = "\n".join(lines)
        parts.append((text if group.count else text.replace(":\n  disabled", ": disabled")) + "\n")
    return "\n".join(parts)


def _item_lines(group: Group, fields: list[Field], parameters: Parameters, index: int) -> list[str]:
    raws = {one: parameters.get(one, index) for one in fields}
    gates = fields[:2] if group.name == "rcm" else fields[:1]
    nothing = all(one.kind.off(raws[one]) for one in gates)
    # A switched-off item has no other keys, unless something else is stored with it that would be lost.
    if len(fields) == 1 or (nothing and all(raws[one] == one.kind.default for one in fields if one not in gates)):
        text = fields[0].kind.show(raws[fields[0]])
        return [f"  - {text}" if group.count else f"  {text}"]
    lines = [f"{one.key}: {one.kind.show(raws[one])}" for one in fields]
    if group.count:
        return [f"  - {lines[0]}", *(f"    {line}" for line in lines[1:])]
    return [f"  {line}" for line in lines]
