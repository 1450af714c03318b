"""A list of tokens that may charge, as a person writes it: YAML or CSV in, entries or findings with lines out.

Every scalar is text, so that `0123` and `12E4` are the tokens that they look like.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import yaml

from chargebyte_fw.contracts.types.authorization import IdTokenType
from chargebyte_fw.kernel.errors import ConfigError, Finding

FIELDS = ("id", "type", "name", "expires", "parent", "connectors", "blocked")
LONGEST = 36
_BOOLEANS = {"true": True, "false": False}


class Entry(msgspec.Struct, frozen=True):
    """One token of the list."""

    id: str
    type: str = ""
    """Type of the token (`ISO14443`, `eMAID` ...); empty: any."""
    name: str = ""
    """For people only."""
    expires: datetime | None = None
    parent: str = ""
    """Token of the group that it belongs to."""
    connectors: tuple[int, ...] = ()
    """EVSEs where it may charge; empty: everywhere."""
    blocked: bool = False
    line: int = 0

    @property
    def key(self) -> str:
        """What tokens are compared by: letter case does not count."""
        return self.id.casefold()


def parse(text: str, name: str) -> dict[str, Entry]:
    """Read the text of file `name` (`.csv`, anything else is YAML); raises ConfigError with every finding."""
    findings: list[Finding] = []
    entries: dict[str, Entry] = {}
    for line, values in _csv_rows(text, name) if is_csv(name) else _yaml_rows(text, name):
        try:
            entry = entry_from(values, line)
        except ValueError as error:
            findings.append(Finding(f"{name}:{line}", str(error)))
            continue
        if entry.key in entries:
            findings.append(
                Finding(f"{name}:{line}", f"{entry.id} is listed already in line {entries[entry.key].line}")
            )
        entries[entry.key] = entry
    if findings:
        raise ConfigError(findings)
    return entries


def is_csv(name: str) -> bool:
    """Tell the kind of a file by its name."""
    return name.lower().endswith(".csv")


def entry_from(values: Mapping[str, Any], line: int = 0) -> Entry:
    """Check the fields of one token; raises ValueError."""
    unknown = [key for key in values if key not in FIELDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no field of a token (there are {', '.join(FIELDS)})")
    for key in FIELDS:
        if key != "connectors" and not isinstance(values.get(key, ""), str):
            raise ValueError(f"{key} must be one value")
    token = values.get("id", "")
    if not token:
        raise ValueError("a token needs an id")
    for what in (token, values.get("parent", "")):
        if len(what) > LONGEST or not (what.isascii() and what.isprintable()) and what:
            raise ValueError(f"{what[:50]!r} is no token: up to {LONGEST} printable ASCII characters")
    if not values.get("name", "").isprintable():
        raise ValueError("a name is one line")
    kind = values.get("type", "")
    if kind and kind not in IdTokenType.__members__:
        raise ValueError(f"{kind!r} is no type of token (there are {', '.join(IdTokenType.__members__)})")
    blocked = values.get("blocked", "") or "false"
    if blocked not in _BOOLEANS:
        raise ValueError(f"blocked is true or false, not {blocked!r}")
    return Entry(
        id=token,
        type=kind,
        name=values.get("name", ""),
        expires=expiry(values.get("expires", "")),
        parent=values.get("parent", ""),
        connectors=_connectors(values.get("connectors", "")),
        blocked=_BOOLEANS[blocked],
        line=line,
    )


def expiry(text: str) -> datetime | None:
    """Read a date or an RFC 3339 time (without a zone: UTC); a date is over at its end. Raises ValueError."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date or time as 2027-01-31 or 2027-01-31T18:00:00Z") from None
    if len(text) == len("2027-01-31"):
        at = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _connectors(value: Any) -> tuple[int, ...]:
    words = value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else list(value)
    for word in words:
        if not (isinstance(word, str) and word.isdecimal() and int(word) >= 1):
            raise ValueError(f"{word!r} is no connector: they are numbered from 1")
    return tuple(int(word) for word in words)


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    head: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = [cell.strip() for cell in next(csv.reader([line]))]
        if head is None:
            head = row
            if "id" not in head:
                raise ConfigError([Finding(f"{name}:{number}", "the first line must name the columns, one of them id")])
            continue
        if len(row) > len(head):
            raise ConfigError([Finding(f"{name}:{number}", f"{len(row)} cells in {len(head)} columns")])
        yield number, {key: cell for key, cell in zip(head, row) if cell}


def _yaml_rows(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for node in sequence(text, name):
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            yield line, {"id": node.value}
        elif isinstance(node, yaml.MappingNode):
            yield line, {_plain(key, name): _plain(value, name) for key, value in node.value}
        else:
            raise ConfigError([Finding(f"{name}:{line}", "a token is a text, or a map with an id")])


def sequence(text: str, name: str) -> list[yaml.Node]:
    """Return the nodes of the list `tokens`; raises ConfigError where there is no such list."""
    node = tokens_node(text, name)
    return list(node.value) if node is not None else []


def tokens_node(text: str, name: str) -> yaml.SequenceNode | None:
    """Return the node of the list `tokens`, None in an empty file; raises ConfigError."""
    try:
        root = yaml.compose(text, yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = name if mark is None else f"{name}:{mark.line + 1}:{mark.column + 1}"
        raise ConfigError([Finding(where, f"not YAML: {getattr(error, 'problem', None) or error}")]) from error
    if root is None:
        return None
    if isinstance(root, yaml.MappingNode) and len(root.value) == 1 and root.value[0][0].value == "tokens":
        found = root.value[0][1]
        if isinstance(found, yaml.SequenceNode):
            return found
        if isinstance(found, yaml.ScalarNode) and not found.value:
            return None
    raise ConfigError([Finding(f"{name}:{root.start_mark.line + 1}", "expected is a list named `tokens:` and no more")])


def _plain(node: yaml.Node, name: str) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, name) for one in node.value]
    raise ConfigError([Finding(f"{name}:{node.start_mark.line + 1}", "expected is a value, not a map")])
