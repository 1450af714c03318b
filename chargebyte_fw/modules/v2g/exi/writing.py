"""Generates, from a type's grammar, the function that writes it: `run(value, stream)` returns the longer stream.

Bits that are known beforehand (event codes without a choice, CH, EE) are pending in `known` and written with the next
value. `at` is the state at run time, where the codes depend on which optional fields came before. The exceptions of
these functions name the field. `fused_writing` generates faster ones from the same grammar, for correct messages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.modules.v2g.exi import values
from chargebyte_fw.modules.v2g.exi.errors import Refused
from chargebyte_fw.modules.v2g.exi.grammar import (
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

Writer = Callable[[Any, int], int]

_writers: dict[type, Writer] = {}
_simple_writers: dict[Any, Writer] = {}
_HELPERS = {
    "Refused": Refused,
    "write_uint": values.write_uint,
    "write_int": values.write_int,
    "write_bytes": values.write_bytes,
    "write_string": values.write_string,
    "join": values.join,
    "from_bytes": int.from_bytes,
}
_JOIN = "        if stream.bit_length() > 4096: before, stream = join(before, stream), 1"
"""A list that may be long grows in parts: a shift costs what lies before it."""
_BOOL = {False: 0, True: 1}
START = -1
"""Number of the state in which nothing has been written."""


def writer(cls: type[Type]) -> Writer:
    """Return the writing function of a type, made on first use."""
    found = _writers.get(cls)
    if found is None:
        found = _writers[cls] = Writing(grammar_of(cls)).make()
    return found


def element_writer(kind: Any) -> Writer:
    """Return the writing function of an element of any type, with the event codes around a simple value."""
    if not is_simple(kind):
        return writer(kind)
    if kind not in _simple_writers:
        _simple_writers[kind] = _SimpleWriting(kind).make()
    return _simple_writers[kind]


class _ValueWriting(Source):
    """Generates the writing of simple values; `v` is the expression of the value."""

    def __init__(self, title: str) -> None:
        super().__init__(title, **_HELPERS)
        self.known = (0, 0)

    def know(self, code: int, bits: int) -> None:
        """Append bits that are known now."""
        value, width = self.known
        self.known = (value << bits | code, width + bits)

    def flush(self, indent: str) -> None:
        """Write the pending bits."""
        value, width = self.known
        if width:
            self.line(f"{indent}stream = stream << {width}" + (f" | {value}" if value else ""))
            self.known = (0, 0)

    def bits(self, text: str, bits: int, indent: str) -> None:
        """Write a number of `bits` bits behind what is known."""
        value, width = self.known
        known = f" | {value << bits}" if value else ""
        self.line(f"{indent}stream = stream << {width + bits}{known} | {text}")
        self.known = (0, 0)

    def value(self, v: str, kind: Any, indent: str) -> None:
        """Write a simple value."""
        if is_enum(kind):
            codes = self.name({member: code for code, member in enumerate(kind)}, kind.__name__)
            self.bits(f"{codes}[{v}]", enum_bits(kind), indent)
            return
        coding: Coding = kind
        if coding.kind == "bool":
            self.bits(f"{self.name(_BOOL, 'bool')}[{v}]", 1, indent)
        elif coding.kind == "nbit":
            self.line(f"{indent}if not {coding.low} <= {v} <= {coding.high}: raise {_out_of_range(v)}")
            low = coding.low or 0
            self.bits(f"({v} - {low})" if low > 0 else f"({v} + {-low})" if low else v, coding.bits, indent)
        elif coding.kind in ("uint", "int"):
            self.integer(v, coding, indent)
        else:
            self.octets(v, coding, indent)

    def integer(self, v: str, coding: Coding, indent: str) -> None:
        """Write an integer (EXI 1.0 sections 7.1.5 and 7.1.6): below 128 in place, otherwise by a call."""
        if coding.high is not None:
            self.line(f"{indent}if not {coding.low} <= {v} <= {coding.high}: raise {_out_of_range(v)}")
        width = 8 if coding.kind == "uint" else 9
        known, waiting = self.known
        self.line(f"{indent}if 0 <= {v} < 128: stream = stream << {waiting + width} | {known << width} | {v}")
        self.known = (0, 0)
        shifted = f"stream << {waiting} | {known}" if waiting else "stream"
        self.line(f"{indent}else: stream = write_{coding.kind}({shifted}, {v})")

    def octets(self, v: str, coding: Coding, indent: str) -> None:
        """Write a string or octets (EXI 1.0 sections 7.1.1 and 7.1.10)."""
        self.flush(indent)
        write = "write_string" if coding.kind == "string" else "write_bytes"
        self.line(f"{indent}stream = {write}(stream, {v}, {coding.shortest}, {coding.longest})")


def _out_of_range(v: str) -> str:
    return f"Refused(f'{{{v}}} is out of range')"


class _SimpleWriting(_ValueWriting):
    """Writes an element of a simple type: CH, value, EE."""

    def __init__(self, kind: Any) -> None:
        super().__init__("value")
        self.kind = kind

    def make(self) -> Writer:
        self.line("def run(v, stream):")
        self.know(0, 1)
        self.value("v", self.kind, "    ")
        self.know(0, 1)
        self.flush("    ")
        self.line("    return stream")
        function: Writer = self.compile()
        return function


class Writing(_ValueWriting):
    """Generates the writing function of a complex type."""

    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar.cls.__name__)
        self.grammar = grammar
        self.at = "at"
        """Variable with the number of the state."""
        self.prefix = "f_"
        """Prefix of the variables that are named like the fields."""
        self._codes: dict[type[Type], dict[int, dict[int, tuple[int, int]]]] = {}

    def make(self) -> Writer:
        """Compile."""
        self.line("def run(value, stream):")
        self.fields("value", "    ")
        self.flush("    ")
        self.line("    return stream")
        function: Writer = self.compile()
        return function

    def fields(self, v: str, indent: str) -> None:
        """Write the fields of `v`, an object of the type, and the end."""
        grammar, cls = self.grammar, self.grammar.cls
        self.line(f"{indent}if type({v}) is not {self.name(cls, 'cls')}: raise Refused('not a {cls.__name__}')")
        self.goes_on_at(START, indent)
        plain = grammar.slots if grammar.cls.model is None else grammar.slots[: grammar.attributes]
        for slot in plain:
            self.place = slot.name
            self.plain(f"{v}.{slot.field}", slot, indent)
        if grammar.cls.model is not None:
            self.flush(indent)
            self._modelled(grammar.slots[grammar.attributes :])
        self.place = ""
        self.code(END, indent)

    # -- event codes

    def codes(self, slot: int) -> dict[int, tuple[int, int]]:
        """Return, by state number, the code and width of the first production of `slot`."""
        cls = self.grammar.cls
        if cls not in self._codes:
            self._codes[cls] = _codes(self.grammar)
        return self._codes[cls].get(slot, {})

    def code(self, slot: int, indent: str, member: str = "") -> None:
        """Write the event code of `slot` in the present state."""
        codes = self.codes(slot)
        if len(set(codes.values())) == 1 and self.grammar.cls.model is None:
            code, width = next(iter(codes.values()))
            if member:
                self.bits(f"({member} + {code})" if code else member, width, indent)
            else:
                self.know(code, width)
        else:
            self.code_by_state(codes, indent, member)

    def code_by_state(self, codes: dict[int, tuple[int, int]], indent: str, member: str) -> None:
        """Write an event code that depends on the state at run time."""
        self.flush(indent)
        self.line(f"{indent}code, width = {self.name(codes, 'codes')}[{self.at}]")
        self.line(f"{indent}stream = stream << width | code{f' + {member}' if member else ''}")

    def goes_on_at(self, state: int, indent: str) -> None:
        """Assign the number of the state."""
        self.line(f"{indent}{self.at} = {state}")

    # -- the fields of a plain sequence

    def plain(self, source: str, slot: Slot, indent: str) -> None:
        """Write a field; `source` is the expression of its value."""
        if slot.counted:
            self._list(source, slot, indent)
            return
        v = f"{self.prefix}{slot.field}"
        self.line(f"{indent}{v} = {source}")
        if not slot.low:
            self.flush(indent)
            self.line(f"{indent}if {v} is not None:")
            indent += "    "
        self._item(v, slot, indent)
        if not slot.low:
            self.flush(indent)
        self.goes_on_at(_state_number(slot.index, True), indent)

    def _item(self, v: str, slot: Slot, indent: str) -> None:
        """Write event code and content."""
        if slot.members:
            members = {cls: number for number, (_, cls) in enumerate(slot.members) if cls is not None}
            self.place += "?"
            self.line(f"{indent}member = {self.name(members, 'members')}[type({v})]")
            self.code(slot.index, indent, "member")
            self.flush(indent)
            writers: dict[type, Writer] = {}
            for cls in members:
                writers[cls] = NotGenerated(writers, cls, self.writer_of(cls))
            self.line(f"{indent}stream = {self.name(writers, 'writers')}[type({v})]({v}, stream)")
            return
        self.code(slot.index, indent)
        self._content(v, slot, indent)

    def _content(self, v: str, slot: Slot, indent: str) -> None:
        if slot.kind != "element":
            self.value(v, slot.type, indent)
        elif slot.within is None and is_simple(slot.type):
            self.know(0, 1)
            self.value(v, slot.type, indent)
            self.know(0, 1)
        else:
            self.complex(v, slot, indent)

    def complex(self, v: str, slot: Slot, indent: str) -> None:
        """Write an element of a complex type, by a call of its writing function."""
        self.flush(indent)
        write = self.later(self.writer_of(slot.within or slot.type), "write")
        if slot.within is not None:
            v = f"{self.name(slot.within, 'wrapper')}({slot.within.__struct_fields__[0]}={v})"
        self.line(f"{indent}stream = {write}({v}, stream)")

    def writer_of(self, cls: type[Type]) -> Callable[[], Writer]:
        """Return what generates the writing function of another type in the same way."""
        return partial(writer, cls)

    def _list(self, source: str, slot: Slot, indent: str) -> None:
        """Exact unrolling: no choice below the minimum, the list and what follows up to the maximum, then the rest."""
        self.line(f"{indent}entries = len({source})")
        limit = "" if slot.high is None else f" or entries > {slot.high}"
        if slot.low or limit:
            self.line(
                f"{indent}if entries < {slot.low}{limit}: raise Refused(f'{{entries}} entries are out of bounds')"
            )
        self.flush(indent)
        self.place += "[]"
        long = slot.high is None or slot.high > 32
        if long:
            self.line(f"{indent}before, stream = stream, 1")
        self.line(f"{indent}for entries, v in enumerate({source}):")
        repeat = self.grammar.state(slot.index, full=False)
        again = repeat.index(Production(slot.index))
        inner = indent + "    "
        self.line(f"{inner}if not entries:")
        self.code(slot.index, inner + "    ")
        self.flush(inner + "    ")
        if slot.low > 1:
            self.line(f"{inner}elif entries < {slot.low}: stream = stream << 1")
        self.line(f"{inner}else: stream = stream << {code_bits(len(repeat))} | {again}")
        self._content("v", slot, inner)
        self.flush(inner)
        if long:
            self.line(_JOIN)
            self.line(f"{indent}stream = join(before, stream)")
        full, open_ = _state_number(slot.index, True), _state_number(slot.index, False)
        state = str(open_) if slot.high is None else f"{full} if len({source}) == {slot.high} else {open_}"
        self.line(f"{indent}if {source}: {self.at} = {state}")

    # -- content models that are no plain sequence

    def _modelled(self, slots: list[Slot]) -> None:
        """Write the fields in order, each event code by a table: state to code, width and next state."""
        for field in dict.fromkeys(slot.field for slot in slots if slot.field):
            same = [slot for slot in slots if slot.field == field]
            if field == "content":
                self._ordered(same)
                continue
            self.place = same[0].name
            if same[0].counted:
                self._list(f"value.{field}", same[0], "    ")
                continue
            moves = self.name(self._moves(same), "moves")
            if same[0].is_list:
                self.place += "[]"
                self.line("    before, stream = stream, 1")
                self.line(f"    for entries, v in enumerate(value.{field}):")
                self.line(_JOIN)
            else:
                self.line(f"    v = value.{field}")
                self.line("    if v is not None:")
            self.line(f"        if at not in {moves}: raise Refused('may not stand here')")
            self.line(f"        code, width, at = {moves}[at]")
            self.line("        stream = stream << width | code")
            self._content("v", same[0], "        ")
            self.flush("        ")
            if same[0].is_list:
                self.line("    stream = join(before, stream)")
        self.place = ""
        self.line(f"    if at not in {self.name(self.codes(END), 'ends')}: raise Refused('something is missing')")

    def _ordered(self, slots: list[Slot]) -> None:
        self.place = "content[]"
        moves = self.name({slot.name: self._moves([slot]) for slot in slots}, "moves")
        writers = self.name({slot.name: element_writer(slot.type) for slot in slots}, "writers")
        self.line("    before, stream = stream, 1")
        self.line("    for entries, (name, v) in enumerate(value.content):")
        self.line(_JOIN)
        self.line(f"        if at not in {moves}.get(name, ()): raise Refused(f'{{name}} may not stand here')")
        self.line(f"        code, width, at = {moves}[name][at]")
        self.line(f"        stream = {writers}[name](v, stream << width | code)")
        self.line("    stream = join(before, stream)")

    def _moves(self, slots: list[Slot]) -> dict[int, tuple[int, int, int]]:
        found = {}
        for slot in slots:
            for state, (code, width) in self.codes(slot.index).items():
                found[state] = (code, width, _state_number(slot.index, True))
        return found


def _state_number(after: int, full: bool) -> int:
    """Return the number of a state in `at`."""
    return 2 * after + full


def _codes(grammar: Grammar) -> dict[int, dict[int, tuple[int, int]]]:
    """Return, by slot and state number, the code and width of the slot's first production."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for after in range(-1, len(grammar.slots)):
        for full in (False, True):
            if not full and (after < 0 or not grammar.slots[after].counted):
                continue
            productions = grammar.state(after, full)
            for code, production in enumerate(productions):
                if production.slot != after or full or after < 0:
                    states = found.setdefault(production.slot, {})
                    states.setdefault(_state_number(after, full), (code, code_bits(len(productions))))
    return found
