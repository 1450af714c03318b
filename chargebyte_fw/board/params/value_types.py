"""How one value of the parameter block looks as a number in the block and as a word or quantity in YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

DISABLED = ("disabled", "disable", "none", "off")
_FRACTION = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[0-9]{1,20}")


class Parsed(NamedTuple):
    """A value read from text."""

    raw: int
    warning: str = ""
    """What a person should know although the value counts."""


class ValueType(Protocol):
    """One kind of value."""

    @property
    def width(self) -> int:
        """Bytes in the block."""

    @property
    def signed(self) -> bool:
        """Whether the number may be negative."""

    @property
    def default(self) -> int:
        """The number that a block starts with."""

    def parse(self, text: str) -> Parsed:
        """Read YAML text; raises ValueError with what is wrong."""

    def show(self, raw: int) -> str:
        """Write YAML text."""

    def problem(self, raw: int) -> str:
        """Return what is wrong with a number in a block; empty: nothing."""

    def off(self, raw: int) -> bool:
        """Whether the number stands for "not used"."""


def is_disable_word(text: str) -> bool:
    """Whether the text is one of the words for "not used"."""
    return text.lower() in DISABLED


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, stored as a multiple of `step`."""

    units: tuple[str, ...]
    """The first one is written."""
    step: Decimal
    least: int
    most: int
    digits: int
    """Decimal places that are written."""
    width: int = 1
    signed: bool = False
    rounded: bool = False
    """To the nearest step; otherwise cut off, and only whole numbers are read."""
    disabled: tuple[int, ...] = ()
    """Stored numbers that mean "not used"; the first one is written."""
    default: int = 0
    limited: bool = True
    """Too large and too small becomes the limit; otherwise it is an error."""

    def parse(self, text: str) -> Parsed:
        """Read the number, at most one blank, and the unit."""
        if self.disabled and is_disable_word(text):
            return Parsed(self.disabled[0])
        match = (_FRACTION if self.rounded else _WHOLE).match(text)
        if match is None:
            what = "a number" if self.rounded else "a whole number"
            raise ValueError(f"{text!r} does not begin with {what}; write it like {self._example}")
        unit = text[match.end() :]
        if unit not in self.units and unit not in [f" {one}" for one in self.units]:
            raise ValueError(self._about_unit(text, unit))
        number = Decimal(match.group())
        exact = number / self.step
        raw = int(exact.quantize(Decimal(1), ROUND_HALF_UP if self.rounded else ROUND_DOWN))
        kept = min(max(raw, self.least), self.most)
        if kept != raw:
            if not self.limited:
                raise ValueError(f"{text} is beyond {self.show(self.least)} to {self.show(self.most)}")
            return Parsed(kept, f"{text} is beyond the limit; {self.show(kept)} is stored")
        return Parsed(raw, "" if exact == raw else f"{text} is stored as {self.show(raw)}")

    @property
    def _example(self) -> str:
        return f"`{self.show(self.most // 2)}`"

    def _about_unit(self, text: str, unit: str) -> str:
        if unit.strip() in self.units:
            return f"{text!r} has more than one blank (or another space) before its unit"
        if not unit.strip():
            return f"{text!r} has no unit; write it like {self._example}"
        return f"{text!r} has the unit {unit.strip()!r}; write it in {self.units[0]}, like {self._example}"

    def show(self, raw: int) -> str:
        """Write the number and its unit."""
        return "disabled" if raw in self.disabled else f"{raw * self.step:.{self.digits}f} {self.units[0]}"

    def problem(self, raw: int) -> str:
        """Return which limit is exceeded."""
        if raw in self.disabled or self.least <= raw <= self.most:
            return ""
        return f"{self.show(raw)} is beyond {self.show(self.least)} to {self.show(self.most)}"

    def off(self, raw: int) -> bool:
        """Whether this number stands for "not used"."""
        return raw in self.disabled


@dataclass(frozen=True)
class Words:
    """One of several words, stored as its index."""

    words: tuple[str, ...]
    others: tuple[tuple[str, int], ...] = ()
    """More words that are read, with what they mean."""
    width: int = 1
    signed: bool = False
    default: int = 0

    def parse(self, text: str) -> Parsed:
        """Read a word, in upper or lower case."""
        word = text.lower()
        known = {**{one: index for index, one in enumerate(self.words)}, **dict(self.others)}
        if is_disable_word(word):
            return Parsed(0)
        if word not in known:
            raise ValueError(f"{text!r} is none of {', '.join(self.words)}")
        return Parsed(known[word])

    def show(self, raw: int) -> str:
        """Write the word."""
        return self.words[raw] if raw < len(self.words) else f"invalid-{raw}"

    def problem(self, raw: int) -> str:
        """Return that the number has no meaning."""
        return "" if raw < len(self.words) else f"{raw} has no meaning"

    def off(self, raw: int) -> bool:
        """Whether this is the word for "not used"."""
        return raw == 0


TEMPERATURE = Quantity(
    ("°C",), Decimal("0.1"), -800, 2000, 1, width=2, signed=True, rounded=True, disabled=(0x1FFF, -0x8000),
    default=0x1FFF,
)  # fmt: skip
"""Abort temperature; 0x8000 means "not used" in blocks for old firmware."""
RESISTANCE = Quantity(
    # U+03A9 and U+2126: two characters that look the same.
    ("\u03a9", "\u2126"), Decimal("0.001"), -32000, 32000, 3, width=2, signed=True, rounded=True,
)  # fmt: skip
TIME_10_MS = Quantity(("ms",), Decimal(10), 0, 255, 0)
TIME_20_MS = Quantity(("ms",), Decimal(20), 0, 255, 0)
VOLTAGE = Quantity(("mV",), Decimal(1), 0, 3300, 0, width=2)
PERCENT = Quantity(("%",), Decimal(1), 0, 100, 0, default=100, limited=False)
POLARITY = Words(("disabled", "active-low", "active-high"))
NORMALLY_OPEN, NORMALLY_CLOSED = 2, 3
CONTACTOR = Words(
    ("disabled", "without-feedback", "with-feedback-normally-open", "with-feedback-normally-closed"),
    (("with-feedback", NORMALLY_CLOSED),),
)
PLUG_LOCK = Words(("none", "without-feedback", "with-feedback"))
