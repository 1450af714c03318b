"""From a declared type to its grammar: the items in order, and which of them each state offers (v2g EXI profile).

Regular types (attributes, then a plain sequence) become a list of `Item`; the states follow from their optionality and
are compiled. Irregular types keep their particle tree and are walked by `irregular.py`.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union

import msgspec

from chargebyte_fw.modules.v2g.messages.model import Attribute, Coding, Group, Irregular, Occurs, Text, Type


@dataclass(frozen=True)
class Item:
    """One field of a regular type as the grammar sees it.

    `kind`: `attribute`, `text`, `element` or `group`. `type` is a Coding, an enum class or a `Type` class; a group
    lists (wire name, class or None for abstract) in `members`. `high` None is unbounded.
    """

    name: str
    kind: str
    type: Any
    low: int
    high: int | None
    members: tuple[tuple[str, type | None], ...] = ()

    @property
    def width(self) -> int:
        """How many productions the item contributes to a state."""
        return len(self.members) if self.kind == "group" else 1

    @property
    def is_list(self) -> bool:
        """Whether the field is a list."""
        return self.high != 1


def code_bits(productions: int) -> int:
    """Bits of an event code in a state with so many productions: one more value is the escape."""
    return productions.bit_length()


def enum_bits(enum: type[StrEnum]) -> int:
    """Bits of an enumeration's index."""
    return max(1, (len(enum) - 1).bit_length())


@cache
def items_of(cls: type[Type]) -> tuple[Item, ...]:
    """Return the items of a type in grammar order: attributes (as declared: sorted), then content."""
    hints = typing.get_type_hints(cls, include_extras=True)
    items = []
    for field in msgspec.structs.fields(cls):
        if field.name == "content" and issubclass(cls, Irregular):
            continue
        items.append(_item(field.name, hints[field.name]))
    return tuple(items)


def _item(name: str, hint: Any) -> Item:
    low, high, kind = 1, 1, "element"
    members: tuple[tuple[str, type | None], ...] = ()
    hint, optional = _without_none(hint)
    if optional:
        low = 0
    coding: Any = None
    occurs_high: int | None = high
    while typing.get_origin(hint) is Annotated:
        inner, *marks = typing.get_args(hint)
        for mark in marks:
            if isinstance(mark, Coding):
                coding = mark
            elif isinstance(mark, Attribute):
                kind = "attribute"
            elif isinstance(mark, Text):
                kind = "text"
            elif isinstance(mark, Occurs):
                low, occurs_high = mark.low, mark.high
            elif isinstance(mark, Group):
                kind = "group"
                members = tuple((member, mark.types.get(member)) for member in mark.members)
        hint = inner
    if typing.get_origin(hint) is list:
        (entry,) = typing.get_args(hint)
        return Item(name, kind, _item(name, entry).type, low, occurs_high, members)
    return Item(name, kind, coding or hint, low, high, members)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(rest) < len(typing.get_args(hint)):
            return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), True  # noqa: UP007 (built at run time)
    return hint, False


def offered(items: tuple[Item, ...], position: int) -> list[int]:
    """Return the indices of the items that the state before item `position` offers; `len(items)` stands for EE.

    A required item ends the list. Attributes are offered up to the first required one; content follows when every
    remaining attribute is optional.
    """
    found = []
    for index in range(position, len(items)):
        found.append(index)
        if items[index].low > 0:
            return found
    found.append(len(items))
    return found
