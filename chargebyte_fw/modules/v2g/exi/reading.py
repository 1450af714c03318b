"""Generates, from a type's grammar, the function that reads it: `run(data, left)` returns (object, left).

Bits that must be zero (event codes without a choice, CH, EE) are not read by themselves: they wait in `zeros` and are
taken together with the next value, so that one comparison checks them and the value's range.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.modules.v2g.exi import values
from chargebyte_fw.modules.v2g.exi.errors import Deviation
from chargebyte_fw.modules.v2g.exi.grammar import (
    CHARACTERS,
    END,
    Grammar,
    Production,
    Slot,
    code_bits,
    enum_bits,
    grammar_of,
    is_simple,
)
from chargebyte_fw.modules.v2g.exi.source import Source, is_enum, on_first_call
from chargebyte_fw.modules.v2g.messages.model import Coding, Type

Reader = Callable[[int, int], tuple[Any, int]]

_readers: dict[tuple[type, bool], Reader] = {}
_simple_readers: dict[Any, Reader] = {}
_HELPERS = {
    "deviation": values.deviation,
    "Deviation": Deviation,
    "read_uint": values.read_uint,
    "read_int": values.read_int,
    "read_bytes": values.read_bytes,
    "read_string": values.read_string,
}
_BOOL = (False, True)


def reader(cls: type[Type], wide: bool = False) -> Reader:
    """Return the reading function of a type, made on first use.

    `wide` reads what libcbv2g writes when a list is at its maximum: the event code keeps its width.
    """
    found = _readers.get((cls, wide))
    if found is None:
        found = _readers[cls, wide] = _Reading(grammar_of(cls), wide).make()
    return found


def _abstract() -> Reader:
    def refuse(data: int, left: int) -> tuple[Any, int]:
        raise Deviation("an abstract element", left)

    return refuse


def element_reader(kind: Any, wide: bool = False) -> Reader:
    """Return what reads an element of any type, the event codes around a simple value included."""
    if not is_simple(kind):
        return reader(kind, wide)
    if kind not in _simple_readers:
        _simple_readers[kind] = _SimpleReading(kind).make()
    return _simple_readers[kind]


class _ValueSource(Source):
    """What reading of simple values needs."""

    def __init__(self, title: str) -> None:
        super().__init__(title, **_HELPERS)
        self.zeros = 0

    def _flush(self, indent: str) -> None:
        """Read the zeros that wait."""
        if self.zeros:
            self.line(f"{indent}left -= {self.zeros}")
            mask = (1 << self.zeros) - 1
            self.line(f"{indent}if data >> left & {mask}: raise deviation(data >> left & {mask}, 0, left, '')")
            self.zeros = 0

    def _bits(self, target: str, bits: int, largest: int, indent: str, what: str) -> None:
        """Read a number of `bits` bits, the waiting zeros before it."""
        total = self.zeros + bits
        self.line(f"{indent}left -= {total}")
        self.line(f"{indent}{target} = data >> left & {(1 << total) - 1}")
        if largest < (1 << total) - 1:
            self.line(f"{indent}if {target} > {largest}: raise deviation({target}, {bits}, left, '{what}')")
        self.zeros = 0

    def _value(self, target: str, kind: Any, indent: str) -> None:
        if is_enum(kind):
            self._bits("code", enum_bits(kind), len(kind) - 1, indent, "value")
            self.line(f"{indent}{target} = {self.name(tuple(kind), kind.__name__)}[code]")
            return
        coding: Coding = kind
        if coding.kind == "bool":
            self._bits("code", 1, 1, indent, "value")
            self.line(f"{indent}{target} = {self.name(_BOOL, 'bool')}[code]")
        elif coding.kind == "nbit":
            low, high = coding.low or 0, coding.high or 0
            self._bits(target, coding.bits, high - low, indent, "value")
            if low:
                self.line(f"{indent}{target} += {low}")
        elif coding.kind in ("uint", "int"):
            self._integer(target, coding, indent)
        else:
            read = "read_string" if coding.kind == "string" else "read_bytes"
            bounds = f"{coding.shortest}, {coding.longest}"
            self.line(f"{indent}{target}, left = {read}(data, left, {self.zeros}, {bounds})")
            self.zeros = 0

    def _integer(self, target: str, coding: Coding, indent: str) -> None:
        """Numbers below 128, the usual ones, are read in place, others by a call."""
        total = self.zeros + (8 if coding.kind == "uint" else 9)
        octets = values.MAX_OCTETS if coding.high is not None else values.MAX_OCTETS_UNBOUNDED
        simple = (coding.low or 0) <= 0 and (coding.high is None or coding.high >= 127)
        self.line(f"{indent}left -= {total}")
        self.line(f"{indent}{target} = data >> left & {(1 << total) - 1}")
        head = f"if {target} > 127: " if simple else ""
        self.line(
            f"{indent}{head}{target}, left = "
            f"read_{coding.kind}(data, left, {target}, {coding.low}, {coding.high}, {octets})"
        )
        self.zeros = 0


class _SimpleReading(_ValueSource):
    """Reads an element of a simple type: CH, value, EE."""

    def __init__(self, kind: Any) -> None:
        super().__init__("value")
        self.kind = kind

    def make(self) -> Reader:
        self.line("def run(data, left):")
        self.zeros = 1
        self._value("value", self.kind, "    ")
        self.zeros += 1
        self._flush("    ")
        self.line("    return value, left")
        function: Reader = self.compile()
        return function


class _Reading(_ValueSource):
    def __init__(self, grammar: Grammar, wide: bool) -> None:
        super().__init__(grammar.cls.__name__)
        self.grammar = grammar
        self.wide = wide

    def make(self) -> Reader:
        grammar, slots = self.grammar, self.grammar.slots
        self.line("def run(data, left):")
        self._start_fields()
        self._transition(-1, "    ", certain=True)
        for slot in slots[: grammar.attributes]:
            self._place(slot, "    ")
        indent = "    "
        if grammar.loops:
            self._flush("    ")
            self.line(f"    while at != {len(slots)}:")
            indent = "        "
            self._trim(indent)
        for slot in slots[grammar.attributes :]:
            self._place(slot, indent)
        self._flush("    ")
        fields = {slot.field for slot in slots if slot.field}
        arguments = ", ".join(f"{name}=f_{name}" for name in grammar.cls.__struct_fields__ if name in fields)
        self.line(f"    return {self.name(grammar.cls, 'cls')}({arguments}), left")
        function: Reader = self.compile()
        return function

    def _place(self, slot: Slot, indent: str) -> None:
        """Read a slot and the event code behind it; where it may be missing, only if `at` says that it comes."""
        self.place = slot.name
        certain = self.grammar.certain(slot.index) and not slot.counted
        if not certain:
            self._flush(indent)
            self.line(f"{indent}{'while' if slot.counted else 'if'} at == {slot.index}:")
            indent += "    "
        self._slot(slot, indent)
        self._transition(slot.index, indent, certain)
        if not certain:
            self._flush(indent)

    def _trim(self, indent: str) -> None:
        """Cut off now and then what has been read: a shift costs what lies before it."""
        self.line(f"{indent}if data.bit_length() - left > 8192: data &= (1 << left) - 1")

    def _start_fields(self) -> None:
        for name in dict.fromkeys(slot.field for slot in self.grammar.slots if slot.field):
            slots = [slot for slot in self.grammar.slots if slot.field == name]
            if any(slot.is_list for slot in slots):
                self.line(f"    f_{name} = []")
            elif not any(self.grammar.certain(slot.index) for slot in slots):
                self.line(f"    f_{name} = None")

    # -- event codes

    def _transition(self, after: int, indent: str, certain: bool) -> None:
        """Read the event code behind slot `after` and leave in `at` the slot that comes."""
        slot = self.grammar.slots[after] if after >= 0 else None
        if slot is None or not slot.counted:
            self._state(self.grammar.state(after), after, indent, certain)
            return
        self.line(f"{indent}entries = len(f_{slot.field})")
        if slot.high is None or slot.high > 32:
            self._trim(indent)
        head = "if"
        if slot.low > 1:
            self._branch(f"{indent}if entries < {slot.low}:", [Production(after)], after, indent)
            head = "elif"
        repeat = self.grammar.state(after, full=False)
        if slot.high is None:
            if head == "if":
                self._state(repeat, after, indent, certain=False)
            else:
                self._branch(f"{indent}else:", repeat, after, indent)
                self.zeros = 0
            return
        self._branch(f"{indent}{head} entries < {slot.high}:", repeat, after, indent)
        full = repeat if self.wide else self.grammar.state(after)
        self._branch(f"{indent}else:", full, after, indent)
        if self.wide:
            self.line(f"{indent}    if at == {after}: raise Deviation('more than {slot.high} entries', left)")
        self.zeros = 0

    def _branch(self, head: str, productions: list[Production], after: int, indent: str) -> None:
        """Read an event code in one of several branches, each of which reads the zeros that wait."""
        waiting = self.zeros
        self.line(head)
        self._state(productions, after, indent + "    ", certain=False)
        self._flush(indent + "    ")
        self.zeros = waiting

    def _state(self, productions: list[Production], after: int, indent: str, certain: bool) -> None:
        slots = self.grammar.slots
        if len(productions) == 1:
            self.zeros += 1
            target = productions[0].slot
            following = target == after + 1 and certain and self.grammar.certain(target) and not slots[target].counted
            if not following and not (certain and target == END):
                self.line(f"{indent}at = {self._number(target)}")
            return
        bits = code_bits(len(productions))
        self._bits("at", bits, len(productions) - 1, indent, "event")
        numbers = [self._number(production.slot) for production in productions]
        if any(production.slot >= 0 and slots[production.slot].members for production in productions):
            table = tuple((self._number(production.slot), production.member) for production in productions)
            self.line(f"{indent}at, member = {self.name(table, 'state')}[at]")
        elif numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            if numbers[0]:
                self.line(f"{indent}at += {numbers[0]}")
        else:
            self.line(f"{indent}at = {self.name(tuple(numbers), 'state')}[at]")
        if productions[-1].slot == CHARACTERS:
            self.line(
                f"{indent}if at == {self._number(CHARACTERS)}: "
                f"raise Deviation('characters between elements are not spoken', left + {bits})"
            )

    def _number(self, slot: int) -> int:
        """Return the number of a slot in `at`; the end comes behind the last slot."""
        return {END: len(self.grammar.slots), CHARACTERS: len(self.grammar.slots) + 1}.get(slot, slot)

    def _slot(self, slot: Slot, indent: str) -> None:
        if slot.kind == "any":
            self._flush(indent)
            self.line(f"{indent}raise Deviation('an element beyond the schema', left)")
            return
        target = f"f_{slot.field}"
        if slot.is_list:
            target = "entry"
            self.place += "[]"
            self.line(f"{indent}entries = len(f_{slot.field})")
        if slot.kind == "element":
            self._element(target, slot, indent)
        else:
            self._value(target, slot.type, indent)
        if slot.field == "content":
            self.line(f"{indent}f_content.append(({slot.name!r}, entry))")
        elif slot.is_list:
            self.line(f"{indent}f_{slot.field}.append(entry)")

    def _element(self, target: str, slot: Slot, indent: str) -> None:
        if slot.members:
            self._flush(indent)
            self.place += "?"
            readers: list[Reader] = []
            for number, (_, cls) in enumerate(slot.members):
                make = _abstract if cls is None else partial(reader, cls, self.wide)
                readers.append(on_first_call(readers, number, make))
            self.line(f"{indent}{target}, left = {self.name(readers, 'readers')}[member](data, left)")
        elif slot.within is not None:
            self._flush(indent)
            self.line(
                f"{indent}wrapper, left = {self.later(partial(reader, slot.within, self.wide), 'read')}(data, left)"
            )
            self.line(f"{indent}{target} = wrapper.{slot.within.__struct_fields__[0]}")
        elif is_simple(slot.type):
            self.zeros += 1
            self._value(target, slot.type, indent)
            self.zeros += 1
        else:
            self._flush(indent)
            self.line(
                f"{indent}{target}, left = {self.later(partial(reader, slot.type, self.wide), 'read')}(data, left)"
            )
