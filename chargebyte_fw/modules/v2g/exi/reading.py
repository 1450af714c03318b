"""Generates, from a type's grammar, the function that reads it: `run(data, left)` returns (object, left).

Bits that must be zero (event codes without a choice, CH, EE) are not read by themselves: they are pending in `zeros`
and read together with the next value, so that one comparison checks them and the value's range. The exceptions of these
functions name field and bit. `fused_reading` generates faster ones from the same grammar, for correct streams.
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
from chargebyte_fw.modules.v2g.exi.source import NotGenerated, Source, is_enum
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
        found = _readers[cls, wide] = Reading(grammar_of(cls), wide).make()
    return found


def _abstract() -> Reader:
    def refuse(data: int, left: int) -> tuple[Any, int]:
        raise Deviation("an abstract element", left)

    return refuse


def element_reader(kind: Any, wide: bool = False) -> Reader:
    """Return the reading function of an element of any type, with the event codes around a simple value."""
    if not is_simple(kind):
        return reader(kind, wide)
    if kind not in _simple_readers:
        _simple_readers[kind] = _SimpleReading(kind).make()
    return _simple_readers[kind]


class _ValueReading(Source):
    """Generates the reading of simple values."""

    def __init__(self, title: str) -> None:
        super().__init__(title, **_HELPERS)
        self.zeros = 0

    def flush(self, indent: str) -> None:
        """Read the pending zeros."""
        if self.zeros:
            self.line(f"{indent}left -= {self.zeros}")
            mask = (1 << self.zeros) - 1
            self.line(f"{indent}if data >> left & {mask}: raise deviation(data >> left & {mask}, 0, left, '')")
            self.zeros = 0

    def _bits(self, target: str, bits: int, largest: int, indent: str, what: str) -> None:
        """Read a number of `bits` bits and the pending zeros before it."""
        total = self.zeros + bits
        self.line(f"{indent}left -= {total}")
        self.line(f"{indent}{target} = data >> left & {(1 << total) - 1}")
        if largest < (1 << total) - 1:
            self.line(f"{indent}if {target} > {largest}: raise deviation({target}, {bits}, left, '{what}')")
        self.zeros = 0

    def value(self, target: str, kind: Any, indent: str) -> None:
        """Read a simple value."""
        if is_enum(kind):
            self.option(target, enum_bits(kind), tuple(kind), indent)
            return
        coding: Coding = kind
        if coding.kind == "bool":
            self.option(target, 1, _BOOL, indent)
        elif coding.kind == "nbit":
            self.number(target, coding.bits, coding.low or 0, coding.high or 0, indent)
        elif coding.kind in ("uint", "int"):
            self.integer(target, coding, indent)
        else:
            self.octets(target, coding, indent)

    def option(self, target: str, bits: int, options: tuple[Any, ...], indent: str) -> None:
        """Read one of several values, which stands as its index (EXI 1.0 section 7.2)."""
        self._bits("code", bits, len(options) - 1, indent, "value")
        self.line(f"{indent}{target} = {self.name(options, 'options')}[code]")

    def number(self, target: str, bits: int, low: int, high: int, indent: str) -> None:
        """Read an integer of a small range, counted from the least (EXI 1.0 section 7.1.9)."""
        self._bits(target, bits, high - low, indent, "value")
        if low:
            self.line(f"{indent}{target} += {low}")

    def integer(self, target: str, coding: Coding, indent: str) -> None:
        """Read an integer (EXI 1.0 sections 7.1.5 and 7.1.6): below 128 in place, otherwise by a call."""
        total = self.zeros + (8 if coding.kind == "uint" else 9)
        self.line(f"{indent}left -= {total}")
        self.line(f"{indent}{target} = data >> left & {(1 << total) - 1}")
        head = f"if {target} > 127: " if in_place(coding) else ""
        self.line(f"{indent}{head}{self.rest_of_integer(target, coding)}")
        self.zeros = 0

    def rest_of_integer(self, target: str, coding: Coding) -> str:
        """Return the call that goes on with an integer whose first octet (and sign) is in `target`."""
        octets = values.MAX_OCTETS if coding.high is not None else values.MAX_OCTETS_UNBOUNDED
        return f"{target}, left = read_{coding.kind}(data, left, {target}, {coding.low}, {coding.high}, {octets})"

    def octets(self, target: str, coding: Coding, indent: str) -> None:
        """Read a string or octets (EXI 1.0 sections 7.1.1 and 7.1.10)."""
        read = "read_string" if coding.kind == "string" else "read_bytes"
        self.line(f"{indent}{target}, left = {read}(data, left, {self.zeros}, {coding.shortest}, {coding.longest})")
        self.zeros = 0


class _SimpleReading(_ValueReading):
    """Reads an element of a simple type: CH, value, EE."""

    def __init__(self, kind: Any) -> None:
        super().__init__("value")
        self.kind = kind

    def make(self) -> Reader:
        self.line("def run(data, left):")
        self.zeros = 1
        self.value("value", self.kind, "    ")
        self.zeros += 1
        self.flush("    ")
        self.line("    return value, left")
        function: Reader = self.compile()
        return function


class Reading(_ValueReading):
    """Generates the reading function of a complex type."""

    def __init__(self, grammar: Grammar, wide: bool) -> None:
        super().__init__(grammar.cls.__name__)
        self.grammar = grammar
        self.wide = wide
        self.at = "at"
        """Variable with the number of the next slot."""
        self.prefix = "f_"
        """Prefix of the variables that are named like the fields."""

    def make(self) -> Reader:
        """Compile."""
        self.line("def run(data, left):")
        self.fields("    ")
        self.flush("    ")
        self.line(f"    return {self.construction()}, left")
        function: Reader = self.compile()
        return function

    def fields(self, indent: str) -> None:
        """Read the fields of the type into variables."""
        grammar, slots = self.grammar, self.grammar.slots
        self._start_fields(indent)
        self._transition(-1, indent, certain=True)
        for slot in slots[: grammar.attributes]:
            self._place(slot, indent)
        if grammar.loops:
            self.flush(indent)
            self.line(f"{indent}while {self.at} != {len(slots)}:")
            indent += "    "
            self._trim(indent)
        for slot in slots[grammar.attributes :]:
            self._place(slot, indent)

    def construction(self) -> str:
        """Return the expression that constructs the object from the variables."""
        fields = {slot.field for slot in self.grammar.slots if slot.field}
        names = [name for name in self.grammar.cls.__struct_fields__ if name in fields]
        return f"{self.name(self.grammar.cls, 'cls')}({', '.join(f'{name}={self.prefix}{name}' for name in names)})"

    def _place(self, slot: Slot, indent: str) -> None:
        """Read a slot and the event code behind it; an optional one only if `at` is its number."""
        self.place = slot.name
        certain = self.grammar.certain(slot.index) and not slot.counted
        if not certain:
            self.flush(indent)
            self.line(f"{indent}{'while' if slot.counted else 'if'} {self.at} == {slot.index}:")
            indent += "    "
        self._slot(slot, indent)
        self._transition(slot.index, indent, certain)
        if not certain:
            self.flush(indent)

    def _trim(self, indent: str) -> None:
        """Cut off now and then what has been read: a shift costs what lies before it."""
        self.line(f"{indent}if data.bit_length() - left > 8192: data &= (1 << left) - 1")

    def _start_fields(self, indent: str) -> None:
        for name in dict.fromkeys(slot.field for slot in self.grammar.slots if slot.field):
            slots = [slot for slot in self.grammar.slots if slot.field == name]
            if any(slot.is_list for slot in slots):
                self.line(f"{indent}{self.prefix}{name} = []")
            elif not any(self.grammar.certain(slot.index) for slot in slots):
                self.line(f"{indent}{self.prefix}{name} = None")

    # -- event codes

    def _transition(self, after: int, indent: str, certain: bool) -> None:
        """Read the event code behind slot `after` and assign the number of the next slot to `at`."""
        slot = self.grammar.slots[after] if after >= 0 else None
        if slot is None or not slot.counted:
            self._state(self.grammar.state(after), after, indent, certain)
            return
        self.line(f"{indent}entries = len({self.prefix}{slot.field})")
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
        """Read an event code in one of several branches, each of which reads the pending zeros."""
        waiting = self.zeros
        self.line(head)
        self._state(productions, after, indent + "    ", certain=False)
        self.flush(indent + "    ")
        self.zeros = waiting

    def _state(self, productions: list[Production], after: int, indent: str, certain: bool) -> None:
        slots = self.grammar.slots
        if len(productions) == 1:
            self.zeros += 1
            target = productions[0].slot
            following = target == after + 1 and certain and self.grammar.certain(target) and not slots[target].counted
            if not following and not (certain and target == END):
                self.goes_on_at(self._state_number(target), indent)
            return
        bits = code_bits(len(productions))
        if any(production.slot >= 0 and slots[production.slot].members for production in productions):
            members = tuple((self._state_number(production.slot), production.member) for production in productions)
            self.event(f"{self.at}, member", bits, members, indent)
        else:
            self.event(self.at, bits, tuple(self._state_number(production.slot) for production in productions), indent)
        if productions[-1].slot == CHARACTERS:
            self.line(
                f"{indent}if at == {self._state_number(CHARACTERS)}: "
                f"raise Deviation('characters between elements are not supported', left + {bits})"
            )

    def goes_on_at(self, state: int, indent: str) -> None:
        """Assign the next slot, where there is only one."""
        self.line(f"{indent}{self.at} = {state}")

    def event(self, target: str, bits: int, states: tuple[Any, ...], indent: str) -> None:
        """Read an event code; `states` are the next slots by its values."""
        self._bits("at", bits, len(states) - 1, indent, "event")
        first = states[0]
        if not isinstance(first, int) or states != tuple(range(first, first + len(states))):
            self.line(f"{indent}{target} = {self.name(states, 'states')}[at]")
        elif first:
            self.line(f"{indent}at += {first}")

    def _state_number(self, slot: int) -> int:
        """Return the number of a slot in `at`; the end comes behind the last slot."""
        return {END: len(self.grammar.slots), CHARACTERS: len(self.grammar.slots) + 1}.get(slot, slot)

    # -- content

    def _slot(self, slot: Slot, indent: str) -> None:
        if slot.kind == "any":
            self.flush(indent)
            self.line(f"{indent}raise Deviation('an element beyond the schema', left)")
            return
        target = f"{self.prefix}{slot.field}"
        if slot.is_list:
            target = "entry"
            self.place += "[]"
            self.line(f"{indent}entries = len({self.prefix}{slot.field})")
        if slot.kind != "element":
            self.value(target, slot.type, indent)
        elif not slot.members and slot.within is None and is_simple(slot.type):
            self.zeros += 1
            self.value(target, slot.type, indent)
            self.zeros += 1
        else:
            self.complex(target, slot, indent)
        if slot.field == "content":
            self.line(f"{indent}{self.prefix}content.append(({slot.name!r}, entry))")
        elif slot.is_list:
            self.line(f"{indent}{self.prefix}{slot.field}.append(entry)")

    def complex(self, target: str, slot: Slot, indent: str) -> None:
        """Read an element of a complex type, by a call of its reading function."""
        self.flush(indent)
        if slot.members:
            self.place += "?"
            readers: list[Reader] = []
            for number, (_, cls) in enumerate(slot.members):
                make = _abstract if cls is None else self.reader_of(cls)
                readers.append(NotGenerated(readers, number, make))
            self.line(f"{indent}{target}, left = {self.name(readers, 'readers')}[member](data, left)")
        elif slot.within is not None:
            self.line(f"{indent}wrapper, left = {self.later(self.reader_of(slot.within), 'read')}(data, left)")
            self.line(f"{indent}{target} = wrapper.{slot.within.__struct_fields__[0]}")
        else:
            self.line(f"{indent}{target}, left = {self.later(self.reader_of(slot.type), 'read')}(data, left)")

    def reader_of(self, cls: type[Type]) -> Callable[[], Reader]:
        """Return what generates the reading function of another type in the same way."""
        return partial(reader, cls, self.wide)


def in_place(coding: Coding) -> bool:
    """Whether an integer of one octet is in range in any case."""
    return (coding.low or 0) <= 0 and (coding.high is None or coding.high >= 127)
