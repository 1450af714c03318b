"""One time axis for everything that is seen: signals as steps, and marks for events and log lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

SIGNALS: dict[str, str] = {
    "cp": "letter",
    "drive": "text",
    "duty_percent": "number",
    "cp_high_V": "number",
    "cp_low_V": "number",
    "contactors": "text",
    "voltage_V": "number",
    "current_A": "number",
    "supply_V": "number",
    "supply_A": "number",
    "session": "text",
    "faults": "set",
    "car": "set",
    "car_failed": "text",
    "script": "text",
}
"""What a scenario can look at. `car` holds the steps that the car has reached, `session` the last session event."""

WORDS: dict[str, tuple[str, ...]] = {
    "cp": ("A", "B", "C", "D", "E", "F"),
    "drive": ("0 V", "+12 V", "-12 V", "1 kHz"),
    "contactors": ("open", "closed"),
    "car_failed": ("yes", "no"),
    "script": ("running", "ended"),
}

AT_FIRST: dict[str, Any] = {
    "cp": "E",
    "drive": "0 V",
    "duty_percent": 0.0,
    "cp_high_V": 0.0,
    "cp_low_V": 0.0,
    "contactors": "open",
    "voltage_V": 0.0,
    "current_A": 0.0,
    "supply_V": 0.0,
    "supply_A": 0.0,
    "session": "",
    "faults": frozenset(),
    "car": frozenset(),
    "car_failed": "no",
    "script": "ended",
}


class Mark(msgspec.Struct, frozen=True):
    """Something that happened at a moment."""

    at_s: float
    kind: str
    """`event`, `fault`, `session`, `car` or `console`."""
    text: str


class Recorder:
    """Keeps samples and marks of one scenario; `on_sample` is called with every change as it happens."""

    def __init__(self) -> None:
        self._zero_s = asyncio.get_running_loop().time()
        self.now: dict[str, Any] = dict(AT_FIRST)
        self.series: dict[str, list[tuple[float, Any]]] = {name: [(0.0, value)] for name, value in AT_FIRST.items()}
        self.marks: list[Mark] = []
        self.on_sample: list[Callable[[float], None]] = []
        self.at_end_s = 0.0
        """When the recording was ended; 0: it was not."""

    @property
    def at_s(self) -> float:
        """Seconds since the recording began."""
        return asyncio.get_running_loop().time() - self._zero_s

    def put(self, **values: Any) -> None:
        """Take a sample of some signals; only what changed is kept."""
        self.put_at(self.at_s, values)

    def put_at(self, at_s: float, values: dict[str, Any]) -> None:
        """Take a sample that was stamped where it was seen: the way here costs a reaction nothing."""
        changed = False
        if self.at_end_s:
            self.now.update(values)  # the strategy that puts the rig away still looks at it
            return
        for name, value in values.items():
            before = self.now[name]
            if value == before:
                continue
            self.now[name], changed = value, True
            steps = self.series[name]
            if steps[-1][0] >= at_s:
                steps[-1] = (steps[-1][0], value)
            else:
                steps.append((at_s, value))
            self._mark_sets(at_s, name, before, value)
        if changed:
            for call in tuple(self.on_sample):
                call(at_s)

    def _mark_sets(self, at_s: float, name: str, before: Any, value: Any) -> None:
        if name in ("faults", "car"):
            kind = "fault" if name == "faults" else "car"
            for one in sorted(value - before):
                self.mark(kind, one, at_s)
            if name == "faults":
                for one in sorted(before - value):
                    self.mark(kind, f"{one} cleared", at_s)
        elif name == "session" and value:
            self.mark("session", value, at_s)

    def mark(self, kind: str, text: str, at_s: float | None = None) -> None:
        """Note that something happened, now or at a moment that is known better."""
        if not self.at_end_s:
            self.marks.append(Mark(self.at_s if at_s is None else at_s, kind, text))

    def end(self) -> None:
        """End the recording: what comes later (the rig is put away) is not part of it."""
        self.at_end_s = self.at_s

    def look(self) -> None:
        """Let everybody look again although nothing changed: time has passed."""
        at_s = self.at_s
        for call in tuple(self.on_sample):
            call(at_s)
