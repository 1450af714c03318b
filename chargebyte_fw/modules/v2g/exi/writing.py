"""Generates, from a type's grammar, the function that writes it: `run(value, stream)` returns the longer stream.

Bits that are known beforehand (event codes without a choice, CH, EE) wait in `known` and go out with the next value.
`at` is the state at run time, where the codes depend on which optional fields came before.
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
from chargebyte_fw.modules.v2g.exi.source import Source, is_enum, on_first_call
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
}
_JOIN = "        if stream.bit_length() > 4096: before, stream = join(before, stream), 1"
"""A list that may be long grows in parts: a shift costs what lies before it."""
_BOOL = {False: 0, True: 1}


def writer(cls: type[Type]) -> Writer:
    """Return the writing function of a type, made on first use."""
    found = _writers.get(cls)
    if found is None:
        found = _writers[cls] = _Writing(grammar_of(cls)).make()
    return found


def element_writer(kind: Any) -> Writer:
    """Return what writes an element of any type, the event codes around a simple value included."""
    if not is_simple(kind):
        return writer(kind)
    if kind not in _simple_writers:
        _simple_writers[kind] = _SimpleWriting(kind).make()
    return _simple_writers[kind]


class _ValueSource(Source):
    """What writing of simple values needs."""

    def __init__(self, title: str) -> None:
        super().__init__(title, **_HELPERS)
        self.known = (0, 0)

    def know(self, code: int, bits: int) -> None:
        """Append bits that are known now."""
        value, width = self.known
        self.known = (value << bits | code, width + bits)

    def flush(self, indent: str) -> None:
        """Write the known bits that wait."""
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

    def value(self, kind: Any, indent: str) -> None:
        """Write the simple value `v`."""
        if is_enum(kind):
            codes = self.name({member: code for code, member in enumerate(kind)}, kind.__name__)
            self.bits(f"{codes}[v]", enum_bits(kind), indent)
            return
        coding: Coding = kind
        if coding.kind == "bool":
            self.bits(f"{self.name(_BOOL, 'bool')}[v]", 1, indent)
        elif coding.kind in ("nbit", "uint", "int"):
            self._integer(coding, indent)
        else:
            self.flush(indent)
            write = "write_string" if coding.kind == "string" else "write_bytes"
            self.line(f"{indent}stream = {write}(stream, v, {coding.shortest}, {coding.longest})")

    def _integer(self, coding: Coding, indent: str) -> None:
        if coding.high is not None:
            self.line(f"{indent}if not {coding.low} <= v <= {coding.high}: raise Refused(f'{{v}} is out of range')")
        if coding.kind == "nbit":
            low = coding.low or 0
            self.bits(f"(v - {low})" if low > 0 else f"(v + {-low})" if low else "v", coding.bits, indent)
            return
        width = 8 if coding.kind == "uint" else 9
        known, waiting = self.known
        self.line(f"{indent}if 0 <= v < 128: stream = stream << {waiting + width} | {known << width} | v")
        self.known = (0, 0)
        shifted = f"stream << {waiting} | {known}" if waiting else "stream"
        self.line(f"{indent}else: stream = write_{coding.kind}({shifted}, v)")


class _SimpleWriting(_ValueSource):
    """Writes an element of a simple type: CH, value, EE."""

    def __init__(self, kind: Any) -> None:
        super().__init__("value")
        self.kind = kind

    def make(self) -> Writer:
        self.line("def run(v, stream):")
        self.know(0, 1)
        self.value(self.kind, "    ")
        self.know(0, 1)
        self.flush("    ")
        self.line("    return stream")
        function: Writer = self.compile()
        return function


class _Writing(_ValueSource):
    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar.cls.__name__)
        self.grammar = grammar
        self.states = {
            (after, full): grammar.state(after, full)
            for after in range(-1, len(grammar.slots))
            for full in (False, True)
            if full or (after >= 0 and grammar.slots[after].counted)
        }

    def make(self) -> Writer:
        grammar = self.grammar
        self.line("def run(value, stream):")
        self.line(f"    if type(value) is not {self.name(grammar.cls, 'cls')}: raise Refused('not a {self.title}')")
        self.line(f"    at = {_state_number(-1, True)}")
        plain = grammar.slots if grammar.cls.model is None else grammar.slots[: grammar.attributes]
        for slot in plain:
            self.place = slot.name
            self._plain(slot)
        if grammar.cls.model is not None:
            self.flush("    ")
            self._modelled(grammar.slots[grammar.attributes :])
        self.place = ""
        self._code(END, "    ")
        self.flush("    ")
        self.line("    return stream")
        function: Writer = self.compile()
        return function

    # -- event codes

    def _codes(self, slot: int) -> dict[int, tuple[int, int]]:
        """Return, by state number, the code and width of the first production of `slot`."""
        found = {}
        for (after, full), productions in self.states.items():
            if after >= 0 and not full and after == slot:
                continue
            for code, production in enumerate(productions):
                if production.slot == slot:
                    found[_state_number(after, full)] = (code, code_bits(len(productions)))
                    break
        return found

    def _code(self, slot: int, indent: str, member: str = "") -> None:
        """Write the event code of `slot` in the present state."""
        codes = self._codes(slot)
        if len(set(codes.values())) == 1 and self.grammar.cls.model is None:
            code, width = next(iter(codes.values()))
            if member:
                self.bits(f"({member} + {code})" if code else member, width, indent)
            else:
                self.know(code, width)
            return
        self.flush(indent)
        self.line(f"{indent}code, width = {self.name(codes, 'codes')}[at]")
        self.line(f"{indent}stream = stream << width | code{f' + {member}' if member else ''}")

    # -- the fields of a plain sequence

    def _plain(self, slot: Slot) -> None:
        if slot.counted:
            self._list(slot)
            return
        self.line(f"    v = value.{slot.field}")
        indent = "    "
        if not slot.low:
            self.flush("    ")
            self.line("    if v is not None:")
            indent = "        "
        self._item(slot, indent)
        if not slot.low:
            self.flush(indent)
        self.line(f"{indent}at = {_state_number(slot.index, True)}")

    def _item(self, slot: Slot, indent: str) -> None:
        """Write event code and content of `v`."""
        if slot.members:
            members = {cls: number for number, (_, cls) in enumerate(slot.members) if cls is not None}
            self.place += "?"
            self.line(f"{indent}member = {self.name(members, 'members')}[type(v)]")
            self._code(slot.index, indent, "member")
            self.flush(indent)
            writers: dict[type, Writer] = {}
            for cls in members:
                writers[cls] = on_first_call(writers, cls, partial(writer, cls))
            self.line(f"{indent}stream = {self.name(writers, 'writers')}[type(v)](v, stream)")
            return
        self._code(slot.index, indent)
        self._content(slot, indent)

    def _content(self, slot: Slot, indent: str) -> None:
        if slot.kind != "element":
            self.value(slot.type, indent)
        elif slot.within is not None:
            self.flush(indent)
            wrapper, field = self.name(slot.within, "wrapper"), slot.within.__struct_fields__[0]
            self.line(
                f"{indent}stream = {self.later(partial(writer, slot.within), 'write')}({wrapper}({field}=v), stream)"
            )
        elif is_simple(slot.type):
            self.know(0, 1)
            self.value(slot.type, indent)
            self.know(0, 1)
        else:
            self.flush(indent)
            self.line(f"{indent}stream = {self.later(partial(writer, slot.type), 'write')}(v, stream)")

    def _list(self, slot: Slot) -> None:
        """Exact unrolling: no choice below the minimum, the list and what follows up to the maximum, then the rest."""
        self.line(f"    entries = len(value.{slot.field})")
        limit = "" if slot.high is None else f" or entries > {slot.high}"
        if slot.low or limit:
            self.line(f"    if entries < {slot.low}{limit}: raise Refused(f'{{entries}} entries are out of bounds')")
        self.flush("    ")
        self.place += "[]"
        long = slot.high is None or slot.high > 32
        if long:
            self.line("    before, stream = stream, 1")
        self.line(f"    for entries, v in enumerate(value.{slot.field}):")
        repeat = self.grammar.state(slot.index, full=False)
        again = repeat.index(Production(slot.index))
        self.line("        if not entries:")
        self._code(slot.index, "            ")
        self.flush("            ")
        if slot.low > 1:
            self.line(f"        elif entries < {slot.low}: stream = stream << 1")
        self.line(f"        else: stream = stream << {code_bits(len(repeat))} | {again}")
        self._content(slot, "        ")
        self.flush("        ")
        if long:
            self.line(_JOIN)
            self.line("    stream = join(before, stream)")
        full, open_ = _state_number(slot.index, True), _state_number(slot.index, False)
        state = str(open_) if slot.high is None else f"{full} if len(value.{slot.field}) == {slot.high} else {open_}"
        self.line(f"    if value.{slot.field}: at = {state}")

    # -- content models that are no plain sequence

    def _modelled(self, slots: list[Slot]) -> None:
        """Write the fields in order, each event code by a table: state to code, width and next state."""
        for field in dict.fromkeys(slot.field for slot in slots if slot.field):
            same = [slot for slot in slots if slot.field == field]
            if field == "content":
                self._ordered(same)
                continue
            self.place = same[0].name
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
            self._content(same[0], "        ")
            self.flush("        ")
            if same[0].is_list:
                self.line("    stream = join(before, stream)")
        self.place = ""
        self.line(f"    if at not in {self.name(self._codes(END), 'ends')}: raise Refused('something is missing')")

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
            for state, (code, width) in self._codes(slot.index).items():
                found[state] = (code, width, _state_number(slot.index, True))
        return found


def _state_number(after: int, full: bool) -> int:
    """Return the number of a state in `at`."""
    return 2 * after + full
