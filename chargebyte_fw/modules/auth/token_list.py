"""A list of tokens that may charge, written by hand: YAML or CSV in, entries or findings with lines out.

Every scalar is text, so that `0123` and `12E4` are tokens as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
import yaml

from chargebyte_fw.contracts.types.authorization import IdTokenType
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.yaml_text import TooDeep, YamlError, events, place_of
from chargebyte_fw.modules.auth.token_csv import records

FIELDS = ("id", "type", "name", "expires", "parent", "connectors", "blocked")
LONGEST = 36
MOST_CONNECTORS = 64
_BOOLEANS = {"true": True, "false": False}
ONLY_TOKENS = "expected is a list named `tokens:` and no more"


class BadField(ValueError):
    """A field that a token cannot have; `number` is that of the finding (docs/findings.md)."""

    def __init__(self, what: str, number: str = "C403") -> None:
        super().__init__(what)
        self.number = number


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
    last_line: int = 0
    """Of CSV: a quoted cell may have several lines."""

    @property
    def key(self) -> str:
        """What tokens are compared by: letter case does not count."""
        return self.id.casefold()


def parse(text: str, name: str) -> dict[str, Entry]:
    """Read the text of file `name` (`.csv`, anything else is YAML); raises ConfigError with every finding."""
    findings: list[Finding] = []
    entries: dict[str, Entry] = {}
    for line, last_line, values in _csv_rows(text, name) if is_csv(name) else _yaml_rows(text, name):
        try:
            entry = entry_from(values, line, last_line)
        except BadField as error:
            findings.append(Finding(f"{name}:{line}", str(error), number=error.number))
            continue
        if entry.key in entries:
            what = f"{entry.id} is listed already in line {entries[entry.key].line}"
            findings.append(Finding(f"{name}:{line}", what, number="C404"))
        entries[entry.key] = entry
    if findings:
        raise ConfigError(findings)
    return entries


def is_csv(name: str) -> bool:
    """Whether the name of a file is that of a CSV file."""
    return name.lower().endswith(".csv")


def entry_from(values: Mapping[str, Any], line: int = 0, last_line: int = 0) -> Entry:
    """Check the fields of one token; raises BadField."""
    unknown = [key for key in values if key not in FIELDS]
    if unknown:
        raise BadField(f"{unknown[0][:50]!r} is no field of a token (there are {', '.join(FIELDS)})", "C025")
    for key in FIELDS:
        if key != "connectors" and not isinstance(values.get(key, ""), str):
            raise BadField(f"{key} must be one value", "C401")
    token = values.get("id", "")
    if not token:
        raise BadField("a token needs an id", "C402")
    for what in (token, values.get("parent", "")):
        if len(what) > LONGEST or (not (what.isascii() and what.isprintable()) and what):
            raise BadField(f"{what[:50]!r} is no token: up to {LONGEST} printable ASCII characters", "C402")
        if what != what.strip():
            raise BadField(f"{what!r} has blanks around it", "C402")
    if not values.get("name", "").isprintable():
        raise BadField("a name is one line")
    kind = values.get("type", "")
    if kind and kind not in IdTokenType.__members__:
        hint = nearest(kind, IdTokenType.__members__) or f"there are {', '.join(IdTokenType.__members__)}"
        raise BadField(f"{kind[:50]!r} is no type of token ({hint})")
    blocked = (values.get("blocked", "") or "false").lower()
    if blocked not in _BOOLEANS:
        raise BadField(f"blocked is true or false, not {blocked[:50]!r}")
    return Entry(
        id=token,
        type=kind,
        name=values.get("name", ""),
        expires=expiry(values.get("expires", "")),
        parent=values.get("parent", ""),
        connectors=_connectors(values.get("connectors", "")),
        blocked=_BOOLEANS[blocked],
        line=line,
        last_line=last_line or line,
    )


def expiry(text: str) -> datetime | None:
    """Read a date or an RFC 3339 time (without a zone: UTC); a date is over at its end. Raises BadField."""
    if not text:
        return None
    try:
        try:
            at = datetime.combine(date.fromisoformat(text), time.max)
        except ValueError:
            at = datetime.fromisoformat(text.upper())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadField(f"{text[:50]!r} is no date or time as 2027-01-31 or 2027-01-31T18:00:00Z") from None


def _connectors(value: Any) -> tuple[int, ...]:
    words = value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else list(value)
    if len(words) > MOST_CONNECTORS:
        raise BadField(f"more than {MOST_CONNECTORS} connectors")
    for word in words:
        if not (word.isascii() and word.isdecimal() and len(word) <= 4 and int(word) >= 1):
            raise BadField(f"{word[:50]!r} is no connector: they are numbered from 1")
    return tuple(int(word) for word in words)


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    columns: list[str] | None = None
    for first, last, cells in records(text, name):
        where = f"{name}:{first}"
        if columns is None:
            columns = cells
            if "id" not in columns:
                raise ConfigError(
                    [Finding(where, "the first line must name the columns, one of them id", number="C405")]
                )
            if len(set(columns)) < len(columns):
                raise ConfigError([Finding(where, "a column is named twice", number="C405")])
            continue
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            raise ConfigError([Finding(where, f"{len(cells)} cells in {len(columns)} columns", number="C406")])
        values = {key: cell for key, cell in zip(columns, cells) if cell}
        if "name" in values:
            # For people only: a line break within the cell is a blank between two words.
            values["name"] = " ".join(line.strip() for line in text_lines(values["name"]))
        if values:
            # Excel leaves rows of nothing but delimiters.
            yield first, last, values


def _yaml_rows(text: str, name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    rest = _events(text, name)
    first = next(rest)
    if isinstance(first, yaml.StreamEndEvent) or _is_nothing(first):
        return
    if not isinstance(first, yaml.MappingStartEvent) or not _is_word(next(rest), "tokens"):
        raise _wrong(name, first, ONLY_TOKENS, number="C400")
    begin = next(rest)
    if isinstance(begin, yaml.SequenceStartEvent):
        for event in rest:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            line = _line_of(event)
            if isinstance(event, yaml.ScalarEvent):
                yield line, line, {"id": event.value}
            elif isinstance(event, yaml.MappingStartEvent):
                yield line, line, _fields(rest, name)
            else:
                raise _wrong(name, event, "a token is a text, or a map with an id", number="C401")
    elif not _is_nothing(begin):
        raise _wrong(name, begin, ONLY_TOKENS, number="C400")
    end = next(rest)
    if not isinstance(end, yaml.MappingEndEvent):
        raise _wrong(name, end, ONLY_TOKENS, number="C400")
    after = next(rest)
    if not isinstance(after, yaml.StreamEndEvent):
        raise _wrong(name, after, "another document (---): there is one list", number="C008")


def _fields(rest: Iterator[yaml.Event], name: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key in rest:
        if isinstance(key, yaml.MappingEndEvent):
            break
        if not isinstance(key, yaml.ScalarEvent):
            raise _wrong(name, key, "the name of a field is one word", number="C012")
        if key.value in fields:
            raise _wrong(name, key, f"{key.value[:50]} is there twice in one token", number="C013")
        fields[key.value] = _value(next(rest), rest, name)
    return fields


def _value(event: yaml.Event, rest: Iterator[yaml.Event], name: str) -> Any:
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if not isinstance(event, yaml.SequenceStartEvent):
        raise _wrong(name, event, "expected is a value, or a list of values", number="C401")
    values: list[str] = []
    for each in rest:
        if isinstance(each, yaml.SequenceEndEvent):
            break
        if not isinstance(each, yaml.ScalarEvent):
            raise _wrong(name, each, "expected is a value, or a list of values", number="C401")
        values.append(each.value)
    return values


def _events(text: str, name: str) -> Iterator[yaml.Event]:
    """Read the text event by event: no tree, so nothing that refers to itself and nothing that grows."""
    between = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
    try:
        for event in events(text, quick=True):
            if not isinstance(event, between):
                yield event
    except YamlError as error:
        number = "C006" if isinstance(error, TooDeep) else "C005"
        raise ConfigError([Finding(error.where(name), f"not YAML: {error}", number=number)]) from error


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.value


def _is_word(event: yaml.Event, word: str) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == word


def _line_of(event: yaml.Event) -> int:
    return place_of(event, "").line


def _wrong(name: str, event: yaml.Event, what: str, *, number: str) -> ConfigError:
    return ConfigError([Finding(f"{name}:{_line_of(event)}", what, number=number)])
