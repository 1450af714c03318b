"""What a scenario waits for, as text: `contactors is open`, `current_A below 1`, `faults has DiodeFault`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.kernel.names import nearest
from hil.recorder import SIGNALS, WORDS

FORMS = {
    "number": ("is", "below", "above", "between"),
    "text": ("is", "is not"),
    "letter": ("is", "is not", "in"),
    "set": ("has", "lacks", "is empty"),
}
"""Which words follow a signal of each kind."""


class BadCondition(ValueError):
    """The text is no condition; `hint` names the nearest one."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class Condition(msgspec.Struct, frozen=True):
    """One statement about one signal."""

    text: str
    signal: str
    holds: Callable[[Any], bool]

    def true(self, now: Mapping[str, Any]) -> bool:
        """Return whether the condition is true."""
        return self.holds(now[self.signal])


def parse(text: str) -> Condition:
    """Understand a statement; raises BadCondition."""
    words = text.split()
    if not words or words[0] not in SIGNALS:
        raise BadCondition(
            f"{text!r} does not begin with a signal", nearest(words[0] if words else "", SIGNALS) or ", ".join(SIGNALS)
        )
    signal, rest = words[0], words[1:]
    kind = SIGNALS[signal]
    holds = _number(rest) if kind == "number" else _set(rest) if kind == "set" else _text(signal, rest)
    if holds is None:
        raise BadCondition(f"{text!r}: what is said of {signal}?", f"{signal} {' / '.join(FORMS[kind])} ...")
    return Condition(" ".join(words), signal, holds)


def _number(rest: list[str]) -> Callable[[Any], bool] | None:
    try:
        match rest:
            case ["is", value]:
                wanted = float(value)
                return lambda now: abs(now - wanted) < 0.05
            case ["below", value]:
                limit = float(value)
                return lambda now: now < limit
            case ["above", value]:
                limit = float(value)
                return lambda now: now > limit
            case ["between", low, "and", high]:
                least, most = float(low), float(high)
                return lambda now: least <= now <= most
    except ValueError:
        raise BadCondition(f"{' '.join(rest)!r} holds no number") from None
    return None


def _set(rest: list[str]) -> Callable[[Any], bool] | None:
    match rest:
        case ["is", "empty"]:
            return lambda now: not now
        case ["has", *words] if words:
            wanted = " ".join(words)
            return lambda now: any(_named(one, wanted) for one in now)
        case ["lacks", *words] if words:
            wanted = " ".join(words)
            return lambda now: not any(_named(one, wanted) for one in now)
    return None


def _named(one: str, wanted: str) -> bool:
    return one == wanted or one.rpartition("/")[2] == wanted


def _text(signal: str, rest: list[str]) -> Callable[[Any], bool] | None:
    match rest:
        case ["is", "not", *words] if words:
            wanted = _word(signal, words)
            return lambda now: now != wanted
        case ["is", *words] if words:
            wanted = _word(signal, words)
            return lambda now: now == wanted
        case ["in", letters] if signal == "cp" and set(letters) <= set(WORDS["cp"]):
            return lambda now: now in letters
    return None


def _word(signal: str, words: list[str]) -> str:
    word, known = " ".join(words), WORDS.get(signal, ())
    if known and word not in known:
        raise BadCondition(f"{signal} is never {word!r}", nearest(word, known) or f"it is one of {', '.join(known)}")
    return word
