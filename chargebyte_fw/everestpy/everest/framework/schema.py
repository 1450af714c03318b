"""Whether values are what interfaces and types of EVerest declare: the keywords of JSON Schema that these use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": lambda value: _is_number(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_LENGTHS = {"minLength": (str, -1), "maxLength": (str, 1), "minItems": (list, -1), "maxItems": (list, 1)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Schemas:
    """Finds what is wrong with values; `types` has the types of each type file, by `/<file>`."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._types = types

    def complaint(self, schema: Mapping[str, Any], value: Any) -> str | None:
        """Return where and why a value does not conform, None if it does."""
        return next(self._complaints(schema, value, ""), None)

    def _complaints(self, schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            # Its other keywords do not count (draft 7).
            file, _, name = reference.partition("#/")
            declared = self._types.get(file, {}).get(name)
            if declared is not None:
                yield from self._complaints(declared, value, at)
            return
        kinds = schema.get("type", ())
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        where = at or "the value"
        if kinds and not any(_TYPES[kind](value) for kind in kinds if kind in _TYPES):
            yield f"{where} is no {' or '.join(kinds)}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where} is none of {', '.join(map(str, schema['enum']))}"
        yield from (f"{where} {text}" for text in _bounds(schema, value))
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._complaints(schema.get("items") or {}, item, f"{at}[{index}]")
        elif isinstance(value, dict):
            yield from self._members(schema, value, at)

    def _members(self, schema: Mapping[str, Any], value: Mapping[str, Any], at: str) -> Iterator[str]:
        dot = f"{at}." if at else ""
        yield from (f"{dot}{name} is missing" for name in schema.get("required") or () if name not in value)
        properties = schema.get("properties") or {}
        others = schema.get("additionalProperties")
        for name, member in value.items():
            if name in properties:
                yield from self._complaints(properties[name], member, f"{dot}{name}")
            elif others is False:
                yield f"{dot}{name} is not declared"
            elif isinstance(others, Mapping):
                yield from self._complaints(others, member, f"{dot}{name}")


def _bounds(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    if _is_number(value):
        if "minimum" in schema and value < schema["minimum"]:
            yield f"is below {schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            yield f"is above {schema['maximum']}"
    for keyword, (kind, sign) in _LENGTHS.items():
        if keyword in schema and isinstance(value, kind) and sign * len(value) > sign * schema[keyword]:
            yield f"has the length {len(value)}, {keyword} is {schema[keyword]}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"does not match {schema['pattern']}"
        if schema.get("format") == "date-time" and not _is_date_time(value):
            yield "is no date-time of RFC 3339"


def _is_date_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and text[10:11] in ("T", "t")
    except ValueError:
        return False
