"""Generates the fast writing functions: nested types in place, neighbouring values joined before they go to the stream.

Such a function writes what the function of `writing` writes, but its exceptions (FAILURES) do not name the field: the
codec then calls the other one. Types with lists, loops or a `model` are left to `writing`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from chargebyte_fw.modules.v2g.exi.errors import Refused
from chargebyte_fw.modules.v2g.exi.grammar import END, Grammar, Slot, grammar_of, is_small, is_straight
from chargebyte_fw.modules.v2g.exi.writing import START, Writer, Writing, writer
from chargebyte_fw.modules.v2g.messages.model import Coding, Type

FAILURES = (Refused, TypeError, AttributeError, KeyError, ValueError)
"""Raised by a fused writing function for a wrong message, or one that it does not support."""

_SHORT = 125
"""Longest string or octets that are written in place."""

_writers: dict[type, Writer] = {}


def fused_writer(cls: type[Type]) -> Writer:
    """Return the fast writing function of a type, made on first use."""
    found = _writers.get(cls)
    if found is None:
        grammar = grammar_of(cls)
        found = _writers[cls] = _FusedWriting(grammar).make() if is_straight(grammar) else writer(cls)
    return found


class _FusedWriting(Writing):
    has_places = False

    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar)
        self._parts: list[tuple[int | str, int]] = []
        """What the next flush writes: known bits or expressions, each with its width."""
        self._by_state: dict[int, tuple[int, int]] | None = None
        """Width and event code before the parts, by the state at run time."""
        self._asked: dict[type[Type], set[int]] = {}

    # -- what waits

    def know(self, code: int, bits: int) -> None:
        self._parts.append((code, bits))

    def bits(self, text: str, bits: int, indent: str) -> None:
        self._parts.append((text, bits))

    def code_by_state(self, codes: dict[int, tuple[int, int]], indent: str, member: str) -> None:
        """Write an event code that depends on the state at run time together with the parts that follow."""
        self.flush(indent)
        if member:
            super().code_by_state(codes, indent, member)
            return
        self._by_state = {state: (width, code) for state, (code, width) in codes.items()}
        self.line(f"{indent}width, code = {self.name(self._by_state, 'codes')}[{self.at}]")

    def goes_on_at(self, state: int, indent: str) -> None:
        """Assign the state only where an event code depends on it."""
        cls = self.grammar.cls
        if cls not in self._asked:
            each = [self.codes(slot) for slot in (*range(len(self.grammar.slots)), END)]
            self._asked[cls] = {key for codes in each if len(set(codes.values())) > 1 for key in codes}
        if state in self._asked[cls]:
            super().goes_on_at(state, indent)

    # -- what is written

    def flush(self, indent: str) -> None:
        """Write the parts."""
        if self._parts or self._by_state is not None:
            self.line(f"{indent}stream = {self._longer()}")
            self._written()

    def _longer(self, last: str = "", last_bits: int = 0) -> str:
        """Return the expression of the stream with the parts, and with `last` behind them."""
        known, width, texts = 0, last_bits, [last] if last else []
        for part, bits in reversed(self._parts):
            if isinstance(part, int):
                known |= part << width
            else:
                texts.append(f"{part} << {width}" if width else part)
            width += bits
        if known:
            texts.append(str(known))
        shift = str(width)
        if self._by_state is not None:
            texts.append(f"code << {last_bits}" if last_bits else "code")
            shift = f"width + {last_bits}" if last_bits else "width"
        # In brackets: the stream is long, these numbers are short.
        return f"stream << {shift}" + (f" | ({' | '.join(reversed(texts))})" if texts else "")

    def _written(self) -> None:
        """Forget the parts; their width, known only now, moves the event code before them."""
        width = sum(bits for _, bits in self._parts)
        for state, (bits, code) in (self._by_state or {}).items():
            cast(dict[int, tuple[int, int]], self._by_state)[state] = (bits + width, code << width)
        self._parts.clear()
        self._by_state = None

    def integer(self, v: str, coding: Coding, indent: str) -> None:
        """Write an integer: of one and two octets in place."""
        sign = 1 if coding.kind == "int" else 0
        low, high = coding.low, coding.high
        head = "if"
        if high is None or high > 127:
            limit = 1 << 14 if high is None else min(1 << 14, high + 1)
            two_octets = f"({v} & 127 | 128) << 8 | {v} >> 7"
            self.line(f"{indent}if 127 < {v} < {limit}:")
            self.line(f"{indent}    stream = {self._longer(two_octets, 16 + sign)}")
            head = "elif"
        least, limit = max(0, low or 0), 128 if high is None else min(128, high + 1)
        self.line(f"{indent}{head} {least} <= {v} < {limit}: stream = {self._longer(v, 8 + sign)}")
        if high is None:
            self.line(f"{indent}else: stream = write_{coding.kind}({self._longer()}, {v})")
        else:
            self.line(f"{indent}elif {low} <= {v} <= {high}: stream = write_{coding.kind}({self._longer()}, {v})")
            self.line(f"{indent}else: raise Refused")
        self._written()

    def octets(self, v: str, coding: Coding, indent: str) -> None:
        """Write a string of ASCII or octets: in place if short."""
        if coding.longest is None or coding.longest > _SHORT:
            super().octets(v, coding, indent)
            return
        more = ""
        if coding.kind == "string":
            self.line(f"{indent}{v} = {v}.encode('ascii')")
            more = " + 2"
        self.line(f"{indent}length = len({v})")
        self.line(f"{indent}if not {coding.shortest} <= length <= {coding.longest}: raise Refused")
        self.line(f"{indent}stream = ({self._longer(f'length{more}', 8)}) << 8 * length | from_bytes({v}, 'big')")
        self._written()

    # -- types in types

    def complex(self, v: str, slot: Slot, indent: str) -> None:
        """Write an element of a complex type: in place if it is small, otherwise by a call."""
        cls = slot.within or slot.type
        if slot.within is None and not is_small(cls):
            super().complex(v, slot, indent)
            return
        outer = self.grammar, self.at, self.prefix
        self.grammar, self.at, self.prefix = grammar_of(cls), f"{self.at}_", f"{self.prefix}{slot.name}_"
        if slot.within is None:
            self.fields(v, indent)
        else:
            self.goes_on_at(START, indent)
            self.plain(v, self.grammar.slots[0], indent)
            self.code(END, indent)
        self.grammar, self.at, self.prefix = outer

    def writer_of(self, cls: type[Type]) -> Callable[[], Writer]:
        return partial(fused_writer, cls)
