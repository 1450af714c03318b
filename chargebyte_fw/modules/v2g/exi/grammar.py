"""From a declared type to its grammar (EXI 1.0 section 8.5.4 in the V2G profile; ISO 15118-2 clause 7.9.1.3).

A type is a sequence of slots: attributes by name, then the elements of its content model. A state is "slot n was the
last" (-1: the start): because the schemas are deterministic, it depends on nothing else what may follow. Lists with a
limit are counted (section 8.5.4.1.5): below the minimum only an entry may follow, at the maximum none.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Group,
    Occurs,
    Particle,
    Reference,
    Schema,
    Text,
    Type,
    Within,
)

END = -1
"""The production that ends the element."""
CHARACTERS = -2
"""The production of characters between elements (mixed content): it has an event code, V2G never uses it."""

_FEW = 5
"""Most fields of a small type."""


class Field(msgspec.Struct, frozen=True):
    """A field by its annotation. `type` is a Coding, a StrEnum or a Type; a group has `members` instead."""

    name: str
    type: Any
    kind: Literal["attribute", "element", "text"] = "element"
    low: int = 1
    high: int | None = 1
    is_list: bool = False
    members: tuple[tuple[str, type[Type] | None], ...] = ()
    within: type[Type] | None = None
    namespace: str = ""
    """That of the element: of the type that declares the field, or of the global element."""


class Slot(msgspec.Struct, frozen=True):
    """One place in a type's content. `name` is the wire name, `field` the attribute of the object that it fills."""

    index: int
    kind: Literal["attribute", "element", "text", "any"]
    name: str
    field: str
    type: Any
    low: int = 1
    high: int | None = 1
    is_list: bool = False
    """The object's field is a list, and this slot adds to it."""
    counted: bool = False
    """The slot repeats by itself, within `low` and `high`."""
    members: tuple[tuple[str, type[Type] | None], ...] = ()
    within: type[Type] | None = None

    @property
    def width(self) -> int:
        """How many productions the slot contributes to a state."""
        return len(self.members) or 1


class Production(msgspec.Struct, frozen=True):
    """One event of a state: `slot` (END, CHARACTERS) and, in a group, which member."""

    slot: int
    member: int = 0


def code_bits(productions: int) -> int:
    """Return the bits of an event code in a state with `productions`: one value more is the escape, not used in V2G."""
    return productions.bit_length()


def enum_bits(enum: type[StrEnum]) -> int:
    """Return the bits of an enumeration's index (EXI 1.0 section 7.2)."""
    return max(1, (len(enum) - 1).bit_length())


def is_simple(kind: Any) -> bool:
    """Return whether a type is simple (coding or enumeration)."""
    return isinstance(kind, Coding) or issubclass(kind, StrEnum)


class Grammar:
    """The slots and states of one type."""

    def __init__(self, cls: type[Type]) -> None:
        self.cls = cls
        self.slots: list[Slot] = []
        self._follow: dict[int, set[int]] = {}
        self.fields = fields_of(cls)
        for field in sorted((f for f in self.fields if f.kind == "attribute"), key=lambda f: f.name):
            self._add(Slot(len(self.slots), "attribute", field.name, field.name, field.type, field.low, 1))
        self.attributes = len(self.slots)
        first, last, empty = self._content()
        self._first = first
        for slot in last:
            self._follow[slot].add(END)
        if empty:
            self._first.add(END)

    def _add(self, slot: Slot) -> int:
        self.slots.append(slot)
        self._follow[slot.index] = set()
        return slot.index

    def _content(self) -> tuple[set[int], set[int], bool]:
        by_name = {field.name: field for field in self.fields}
        text = [field for field in self.fields if field.kind == "text"]
        if text:
            only = self._add(Slot(len(self.slots), "text", "", text[0].name, text[0].type))
            return {only}, {only}, False
        if self.cls.model is not None:
            return self._particle(self.cls.model, by_name)
        parts = [Particle("element", field.name) for field in self.fields if field.kind == "element"]
        return self._particle(Particle("seq", parts=tuple(parts)), by_name, plain=True)

    def _particle(
        self, particle: Particle, fields: dict[str, Field], plain: bool = False
    ) -> tuple[set[int], set[int], bool]:
        """Add the slots of a particle; returns which may come first, which last, and whether it may be empty."""
        first: set[int] = set()
        last: set[int] = set()
        if particle.kind in ("element", "any"):
            return self._leaf(particle, fields.get(particle.name), plain)
        if particle.kind == "choice":
            empty = False
            for part in particle.parts:
                part_first, part_last, part_empty = self._particle(part, fields)
                first, last, empty = first | part_first, last | part_last, empty or part_empty
        else:
            empty = True
            for part in particle.parts:
                part_first, part_last, part_empty = self._particle(part, fields, plain)
                for slot in last:
                    self._follow[slot] |= part_first
                first |= part_first if empty else set()
                last = last | part_last if part_empty else part_last
                empty = empty and part_empty
        if particle.high is None:
            for slot in last:
                self._follow[slot] |= first
        return first, last, empty or particle.low == 0

    def _leaf(self, particle: Particle, field: Field | None, plain: bool) -> tuple[set[int], set[int], bool]:
        index = len(self.slots)
        if particle.kind == "any":
            low, high = particle.low, particle.high
            self._add(Slot(index, "any", "*", "", None, low, high, counted=high != 1))
        elif field is None:
            self._add(Slot(index, "element", particle.name, "content", _simple(particle.type), is_list=True))
            low, high = 1, 1
        else:
            low, high = (field.low, field.high) if plain else (particle.low, particle.high)
            counted = high != 1
            self._add(
                Slot(
                    index,
                    "element",
                    field.name,
                    field.name,
                    field.type,
                    low,
                    high,
                    field.is_list,
                    counted,
                    field.members,
                    field.within,
                )
            )
        return {index}, {index}, low == 0

    @property
    def loops(self) -> bool:
        """Whether a slot may be followed by an earlier one, or by itself without being counted."""
        return any(after <= slot and after >= 0 for slot, follow in self._follow.items() for after in follow)

    def certain(self, slot: int) -> bool:
        """Return whether the content always has this slot, once or as a counted list at least once."""
        if self.cls.model is not None and slot >= self.attributes:
            return False
        return self.slots[slot].low > 0

    def state(self, after: int, full: bool = True) -> list[Production]:
        """Return the productions of the state after slot `after` (-1: the start), in code order.

        `full` is about a counted slot: its maximum is reached, it may not come again.
        """
        wanted: set[int] = set()
        content = after + 1 >= self.attributes
        if after + 1 < self.attributes:
            for index in range(after + 1, self.attributes):
                wanted.add(index)
                if self.slots[index].low:
                    break
            else:
                content = True
        if content:
            wanted |= self._first if after < self.attributes else self._follow[after]
        if after >= 0 and not full:
            wanted.add(after)
        found = self._in_order(wanted)
        if content and self.cls.mixed:
            found.append(Production(CHARACTERS))
        return found

    def _in_order(self, wanted: set[int]) -> list[Production]:
        slots = sorted((s for s in wanted if s >= 0), key=lambda s: (self.slots[s].kind == "any", s))
        found = [Production(slot, member) for slot in slots for member in range(self.slots[slot].width)]
        return [*found, Production(END)] if END in wanted else found


def is_straight(grammar: Grammar) -> bool:
    """Return whether a type is a plain sequence of fields, none of which is a list."""
    return grammar.cls.model is None and not grammar.cls.mixed and not any(slot.is_list for slot in grammar.slots)


def is_small(cls: type[Type]) -> bool:
    """Return whether a type is a plain sequence of few fields, which is generated in place wherever it is used."""
    grammar = grammar_of(cls)
    return is_straight(grammar) and len(grammar.slots) <= _FEW and not any(slot.members for slot in grammar.slots)


@cache
def grammar_of(cls: type[Type]) -> Grammar:
    """Return the grammar of a type."""
    return Grammar(cls)


def fields_of(cls: type[Type]) -> list[Field]:
    """Read the annotations of a type (`content`, which its model describes, aside), the inherited ones first."""
    declared: dict[str, tuple[Any, str]] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Type):
            namespace = base.namespace if base.qualified else ""
            declared.update((name, (hint, namespace)) for name, hint in inspect.get_annotations(base).items())
    return [_field(name, *declared[name]) for name in cls.__struct_fields__ if name != "content"]


def sorted_names(names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort (local name, namespace) as event codes of document and fragment grammars count them."""
    return sorted(names)


def element_types(schema: Schema) -> dict[tuple[str, str], list[Any]]:
    """Return the types of every element of a set, global and local, by (local name, namespace) (None: abstract).

    An element by itself, as in a fragment, does not have one type where its name has several.
    """
    found: dict[tuple[str, str], list[Any]] = {}
    for name, namespace, kind in _elements(schema):
        types = found.setdefault((name, namespace), [])
        if not any(kind is other for other in types):
            types.append(kind)
    return found


def attribute_names(schema: Schema) -> list[tuple[str, str]]:
    """Return every attribute of a set by (local name, namespace), sorted as event codes count them."""
    return sorted_names(
        {
            (field.name, schema.copies.get(field.namespace, field.namespace) if cls.attributes_qualified else "")
            for cls in _types(schema)
            for field in fields_of(cls)
            if field.kind == "attribute"
        }
    )


def _elements(schema: Schema) -> Iterable[tuple[str, str, Any]]:
    """Yield local name, namespace and type of each element, wherever it is declared."""
    for namespace, elements in schema.elements.items():
        yield from ((name, namespace, _simple(kind)) for name, kind in elements.items())
    for cls in _types(schema):
        namespaces = {field.name: field.namespace for field in fields_of(cls)}
        content = cls.namespace if cls.qualified else ""
        for slot in grammar_of(cls).slots:
            if slot.kind == "element" and not slot.members:
                namespace = namespaces.get(slot.name, content)
                yield slot.name, schema.copies.get(namespace, namespace), _simple(slot.within or slot.type)


def _types(schema: Schema) -> list[type[Type]]:
    """Return every complex type of a set."""
    kinds = (kind for elements in schema.elements.values() for kind in elements.values() if kind is not None)
    found = dict.fromkeys([*(kind for kind in map(_simple, kinds) if not is_simple(kind)), *schema.types])
    waiting = list(found)
    while waiting:
        for slot in grammar_of(waiting.pop()).slots:
            for kind in [cls for _, cls in slot.members] or [_simple(slot.within or slot.type)]:
                if kind is not None and not is_simple(kind) and kind not in found:
                    found[kind] = None
                    waiting.append(kind)
    return list(found)


def _field(name: str, hint: Any, namespace: str) -> Field:
    hint, optional = _without_none(hint)
    low, high = (0 if optional else 1), 1
    found: dict[str, Any] = {"namespace": namespace}
    limits: Occurs | None = None
    coding: Coding | None = None
    while get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        for mark in marks:
            if isinstance(mark, Coding):
                coding = mark
            elif isinstance(mark, Occurs):
                limits = mark
            elif isinstance(mark, Attribute | Text):
                found["kind"] = "attribute" if isinstance(mark, Attribute) else "text"
            elif isinstance(mark, Group):
                names = sorted({*mark.members, mark.head})
                found["members"] = tuple((member, mark.members.get(member)) for member in names)
            elif isinstance(mark, Within):
                found["within"] = mark.wrapper
                low = 1
            elif isinstance(mark, Reference):
                found["namespace"] = mark.namespace
    if get_origin(hint) is list:
        (entry,) = get_args(hint)
        low, high = (limits.low, limits.high) if limits else (0, None)  # type: ignore[assignment]
        return Field(name, _simple(entry), low=low, high=high, is_list=True, **found)
    return Field(name, coding or hint, low=low, high=high, **found)


def _simple(hint: Any) -> Any:
    """Return the coding of an annotated simple type, other types as they are."""
    return next((mark for mark in _marks(hint) if isinstance(mark, Coding)), hint)


def _marks(hint: Any) -> Iterable[Any]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not type(None)]
        if len(rest) < len(get_args(hint)):
            return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), True  # noqa: UP007 (built at run time)
    return hint, False
