"""Generates the fast reading functions: nested types in place, neighbouring values taken out of the stream in one run.

Such a function accepts what the function of `reading` accepts, with the same result, but its exceptions (FAILURES) name
neither field nor bit: the codec then calls the other one. Values of a few bits each are looked up together, in a table
with an entry for each allowed combination. Types with lists, loops or a `model` are left to `reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from math import prod
from typing import Any, NamedTuple

from chargebyte_fw.modules.v2g.exi.errors import Deviation
from chargebyte_fw.modules.v2g.exi.grammar import Slot, grammar_of, is_small, is_straight
from chargebyte_fw.modules.v2g.exi.reading import Reader, Reading, in_place, reader
from chargebyte_fw.modules.v2g.messages.model import Coding, Type

FAILURES = (Deviation, ValueError, KeyError)
"""Raised by a fused reading function for a wrong stream, or one that it does not support."""

_TABLE = 64
"""Most entries of a table for several values."""
_SHORT = 125
"""Longest string or octets that are read in place."""

_readers: dict[type, Reader] = {}
_tables: dict[Any, dict[int, Any]] = {}


def fused_reader(cls: type[Type]) -> Reader:
    """Return the fast reading function of a type, made on first use."""
    found = _readers.get(cls)
    if found is None:
        grammar = grammar_of(cls)
        found = _readers[cls] = _FusedReading(grammar, wide=False).make() if is_straight(grammar) else reader(cls)
    return found


class _Field(NamedTuple):
    """One value of a run: zeros, then the index of one of `options`, or a number up to `largest` counted from `low`."""

    target: str
    zeros: int
    bits: int
    options: tuple[Any, ...] = ()
    low: int = 0
    largest: int | None = None


class _FusedReading(Reading):
    has_places = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._run: list[_Field] = []
        self._objects: list[str] = []
        """Lines that construct objects from the values of the run."""

    # -- what joins the run

    def option(self, target: str, bits: int, options: tuple[Any, ...], indent: str) -> None:
        self._join(_Field(target, self.zeros, bits, options))

    def number(self, target: str, bits: int, low: int, high: int, indent: str) -> None:
        if high - low < 8:
            self.option(target, bits, tuple(range(low, high + 1)), indent)
        else:
            self._join(_Field(target, self.zeros, bits, (), low, high - low))

    def event(self, target: str, bits: int, states: tuple[Any, ...], indent: str) -> None:
        self._join(_Field(f"({target})" if "," in target else target, self.zeros, bits, states))

    def _join(self, field: _Field) -> None:
        self._run.append(field)
        self.zeros = 0

    def goes_on_at(self, state: int, indent: str) -> None:
        self._objects.append(f"{self.at} = {state}")

    # -- what ends it

    def integer(self, target: str, coding: Coding, indent: str) -> None:
        """Read an integer: of one and two octets in place."""
        signed = coding.kind == "int"
        self._join(_Field(target, self.zeros, 9 if signed else 8))
        self.flush(indent)
        if not in_place(coding):
            self.line(f"{indent}{self.rest_of_integer(target, coding)}")
            return
        self.line(f"{indent}if {target} > 127:")
        if coding.high is not None and coding.high < 1 << 14:
            self.line(f"{indent}    {self.rest_of_integer(target, coding)}")
            return
        # A negative number of one octet may be the last thing in the stream.
        more = f" if {target} < 256 else 128" if signed else ""
        self.line(f"{indent}    octet = data >> left - 8 & 255{more}")
        self.line(f"{indent}    if octet < 128{'' if signed else f' and {target} < 256'}:")
        self.line(f"{indent}        {target} += (octet << 7) - 128")
        self.line(f"{indent}        left -= 8")
        self.line(f"{indent}    else: {self.rest_of_integer(target, coding)}")

    def octets(self, target: str, coding: Coding, indent: str) -> None:
        """Read a string of ASCII or octets: in place if short."""
        if coding.longest is None or coding.longest > _SHORT:
            zeros, self.zeros = self.zeros, 0
            self.flush(indent)
            self.zeros = zeros
            super().octets(target, coding, indent)
            return
        more = 2 if coding.kind == "string" else 0
        self._join(_Field("length", self.zeros, 8))
        self.flush(indent)
        low, high = coding.shortest + more, coding.longest + more
        self.line(f"{indent}if not {low} <= length <= {high}: raise Deviation('', left)")
        self.line(f"{indent}length {'-= 2; length ' if more else ''}<<= 3")
        self.line(f"{indent}left -= length")
        self.line(f"{indent}{target} = (data >> left & (1 << length) - 1).to_bytes(length >> 3, 'big')")
        if more:
            self.line(f"{indent}{target} = {target}.decode('ascii')")

    def flush(self, indent: str) -> None:
        """Read the run, then construct the objects that wait for its values."""
        run, zeros = self._run, self.zeros
        self._run, self.zeros = [], 0
        width = sum(field.zeros + field.bits for field in run) + zeros
        if width:
            self._take(list(_pieces(run)), width, zeros, indent)
        for line in self._objects:
            self.line(indent + line)
        self._objects.clear()

    def _take(self, pieces: list[list[_Field]], width: int, zeros: int, indent: str) -> None:
        """Read `width` bits and take the pieces out of them; `zeros` are at the end."""
        self.line(f"{indent}left -= {width}")
        stream, below = f"data >> left & {(1 << width) - 1}", width
        tabled = bool(pieces and pieces[-1][0].options)
        if len(pieces) + (zeros > 0 and not tabled) > 1:
            self.line(f"{indent}run = {stream}")
            stream = "run"
        for number, piece in enumerate(pieces):
            last = number + 1 == len(pieces)
            bits = sum(field.zeros + field.bits for field in piece) + (zeros if last and tabled else 0)
            below -= bits
            text = f"{stream} >> {below}" if below else stream
            text += f" & {(1 << bits) - 1}" if number else ""
            if piece[0].options:
                table = self.name(_table(piece, zeros if last else 0), "table")
                self.line(f"{indent}{', '.join(field.target for field in piece)} = {table}[{text}]")
                continue
            self.line(f"{indent}{piece[0].target} = {text}")
            if piece[0].largest is not None:
                self.line(f"{indent}if {piece[0].target} > {piece[0].largest}: raise Deviation('', left)")
            if piece[0].low:
                self.line(f"{indent}{piece[0].target} += {piece[0].low}")
        if zeros and not tabled:
            text = f"{stream} & {(1 << zeros) - 1}" if pieces else stream
            self.line(f"{indent}if {text}: raise Deviation('', left)")

    # -- types in types

    def complex(self, target: str, slot: Slot, indent: str) -> None:
        """Read an element of a complex type: in place if it is small, otherwise by a call."""
        cls = slot.within or slot.type
        if slot.members or (slot.within is None and not is_small(cls)):
            super().complex(target, slot, indent)
            return
        outer = self.grammar, self.at, self.prefix
        self.grammar, self.at, self.prefix = grammar_of(cls), f"{self.at}_", f"{self.prefix}{slot.name}_"
        self.fields(indent)
        value = self.construction() if slot.within is None else f"{self.prefix}{cls.__struct_fields__[0]}"
        self._objects.append(f"{target} = {value}")
        self.grammar, self.at, self.prefix = outer

    def reader_of(self, cls: type[Type]) -> Callable[[], Reader]:
        return partial(fused_reader, cls)


def _pieces(run: list[_Field]) -> Iterator[list[_Field]]:
    """Split a run: fields with few options together, each number by itself."""
    piece: list[_Field] = []
    for field in run:
        together = piece and piece[0].options and field.options
        if piece and not (together and prod(len(each.options) for each in [*piece, field]) <= _TABLE):
            yield piece
            piece = []
        piece.append(field)
    if piece:
        yield piece


def _table(piece: list[_Field], zeros: int) -> dict[int, Any]:
    """Return the values of a piece by its bits, `zeros` behind it included; bits that are not allowed have no entry."""
    # Members of two enumerations are equal if their strings are, and so are False and 0: the class counts as well.
    key = (tuple((field.zeros, field.bits, field.options, tuple(map(type, field.options))) for field in piece), zeros)
    if key not in _tables:
        table = _tables[key] = {}
        for codes in product(*(range(len(field.options)) for field in piece)):
            pattern = 0
            for code, field in zip(codes, piece):
                pattern = pattern << field.zeros + field.bits | code
            found = tuple(field.options[code] for code, field in zip(codes, piece))
            table[pattern << zeros] = found if len(piece) > 1 else found[0]
    return _tables[key]
