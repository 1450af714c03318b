"""The relaxed element fragment grammar (EXI 1.0 section 8.5.3): an element whose name has several types in a set.

In V2G that is eMAID of ISO 15118-2, which two messages have as a string and two as a string with an Id. A fragment has
no message around its element that would decide, so that every attribute and every element of the set has an event code.
This serves such elements with character content; their attributes are strings.
"""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.exi import values
from chargebyte_fw.modules.v2g.exi.errors import Deviation, Refused
from chargebyte_fw.modules.v2g.exi.grammar import (
    Field,
    attribute_names,
    code_bits,
    fields_of,
    is_simple,
)
from chargebyte_fw.modules.v2g.messages.model import Coding, Schema, Type


class RelaxedElement:
    """Reads and writes the elements of one type in this grammar; the set has a number of `elements`."""

    def __init__(self, schema: Schema, cls: type[Type], elements: int) -> None:
        self._cls = cls
        fields = fields_of(cls)
        (self._text,) = (field for field in fields if field.kind == "text")
        attributes = attribute_names(schema)
        by_name = {(field.name, field.namespace if cls.attributes_qualified else ""): field for field in fields}
        self._attributes = {code: by_name[name] for code, name in enumerate(attributes) if name in by_name}
        # First attributes, AT(*), elements, SE(*), EE, CH; behind the characters elements, SE(*), EE, CH.
        self._characters = len(attributes) + 1 + elements + 2
        self._first_bits = code_bits(self._characters + 1)
        self._end = elements + 1
        self._next_bits = code_bits(elements + 3)

    def write(self, element: Any, stream: int) -> int:
        """Append an element; raises Refused."""
        if type(element) is not self._cls:
            raise Refused(f"not a {self._cls.__name__}")
        for code, field in self._attributes.items():
            value = getattr(element, field.name)
            if value is not None:
                stream = values.write_string(stream << self._first_bits | code, value, *_lengths(field))
            elif field.low:
                raise Refused(f"{field.name} is missing")
        stream = stream << self._first_bits | self._characters
        stream = values.write_string(stream, getattr(element, self._text.name), *_lengths(self._text))
        return stream << self._next_bits | self._end

    def read(self, data: int, left: int) -> tuple[Any, int]:
        """Read an element; raises Deviation."""
        found: dict[str, str] = {}
        while True:
            left -= self._first_bits
            code = data >> left & (1 << self._first_bits) - 1
            field = self._text if code == self._characters else self._attributes.get(code)
            if field is None or field.name in found:
                raise Deviation(f"no event {code} here", left + self._first_bits)
            found[field.name], left = values.read_string(data, left, 0, *_lengths(field))
            if field is self._text:
                break
        left -= self._next_bits
        if data >> left & (1 << self._next_bits) - 1 != self._end:
            raise Deviation("something behind the characters", left + self._next_bits)
        missing = [field.name for field in self._attributes.values() if field.low and field.name not in found]
        if missing:
            raise Deviation(f"{missing[0]} is missing", left)
        return self._cls(**found), left


def can_be_relaxed(kind: Any) -> bool:
    """Return whether `RelaxedElement` serves a type."""
    if kind is None or is_simple(kind):
        return False
    fields = fields_of(kind)
    return {field.kind for field in fields} == {"attribute", "text"} and all(
        isinstance(field.type, Coding) and field.type.kind == "string" for field in fields
    )


def _lengths(field: Field) -> tuple[int, int | None]:
    coding: Coding = field.type
    return coding.shortest, coding.longest
