"""Which line of an instrument answers which question: IEEE 488.2 has no numbers on answers, only their order.

A question goes out together with `*OPC?`, whose answer (`1`) comes after all that was asked before. What comes between
is the answer; of more than one line there, only the last is. After a time-out nothing is asked until every `*OPC?` is
answered.
"""

from __future__ import annotations

import math

DONE = "*OPC?"
CLEAR = "*CLS"
_DONE_ANSWERS = ("1", "+1")
NO_READING = 9.9e37
"""From here on, with either sign: overflow (9.9E37) or not a number (9.91E37), SCPI-99 volume 1, 7.2.1."""


class Dialogue:
    """One question at a time. Without `synchronised` (an instrument without `*OPC?`) the next line is the answer.

    `superfluous` collects the lines that answer nothing, until they are taken.
    """

    def __init__(self, *, synchronised: bool) -> None:
        self.synchronised = synchronised
        self.superfluous: list[str] = []
        self._owed = 0
        """How often the instrument still has to answer `*OPC?`."""
        self._lines: list[str] = []
        self._asking = False
        self._clearing = False

    @property
    def out_of_step(self) -> bool:
        """Whether answers to what was asked before may still come: `synchronise` first."""
        return not self._asking and self._owed > 0

    def synchronise(self, *, clear: bool = True) -> list[str]:
        """Return what to send before the next question; it is done when `heard` returns a text."""
        self._asking = self._clearing = True
        self._owed += 1
        return [CLEAR, DONE] if clear else [DONE]

    def ask(self, question: str) -> list[str]:
        """Return what to send for a question."""
        self._asking = True
        if not self.synchronised:
            return [question]
        self._owed += 1
        return [question, DONE]

    def received(self, line: str) -> str | None:
        """Take a line; returns the answer (empty after `synchronise`) when it is complete."""
        if not line:
            return None
        if not self._asking:
            if self._owed and line in _DONE_ANSWERS:
                self._owed -= 1
            else:
                self.superfluous.append(line)
            return None
        if not self.synchronised:
            self._asking = False
            return line
        # A measurement may be a bare 1, too: the last confirmation has an answer before it.
        if line not in _DONE_ANSWERS or (self._owed == 1 and not self._lines and not self._clearing):
            self._lines.append(line)
            return None
        self._owed -= 1
        lines, self._lines = self._lines, []
        if self._owed:
            self.superfluous += lines
            return None
        self._asking = False
        if self._clearing:
            self._clearing = False
            self.superfluous += lines
            return ""
        self.superfluous += lines[:-1]
        return lines[-1]

    def gave_up(self) -> None:
        """Give up the question: its answer is superfluous when it comes."""
        self._asking = self._clearing = False
        if not self.synchronised:
            self._owed = 1  # the answer itself
        self.superfluous += self._lines
        self._lines = []


def number(text: str) -> float | None:
    """Return a measurement; None when the instrument could not take it. Raises ValueError for what is no number."""
    value = float(text)
    return value if math.isfinite(value) and abs(value) < NO_READING else None
