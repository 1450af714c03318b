"""Plots of one scenario as inline SVG: pilot, duty cycle, voltage, current, contactors and faults on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import msgspec

from hil.judge import Finding
from hil.recorder import Recorder

WIDTH = 1000
LEFT = 92
RIGHT = 16
PLOT = WIDTH - LEFT - RIGHT
TRACK = 54
GAP = 16
TALL = 84
ROW = 18
HEAD = 30
CP_LEVELS = {letter: 1 - place / 5 for place, letter in enumerate("ABCDEF")}
LABEL_ROOM = 6.6
"""Pixels of one character of a label."""


class Window(msgspec.Struct, frozen=True):
    """The piece of time that a plot shows, in seconds of the recording."""

    from_s: float
    to_s: float

    def x(self, at_s: float) -> float:
        """Return where a moment is, held inside the plot."""
        share = (at_s - self.from_s) / (self.to_s - self.from_s)
        return LEFT + PLOT * min(1.0, max(0.0, share))

    def holds(self, at_s: float) -> bool:
        """Return whether a moment is shown."""
        return self.from_s <= at_s <= self.to_s


def around(event_at_s: float, findings: Sequence[Finding]) -> Window:
    """Return the window that shows an event and what followed: reactions where there were any, else deadlines."""
    came = [(0.0 if one.kept else one.from_s) + one.measured_s for one in findings if one.measured_s is not None]
    limits = [one.from_s + one.deadline_s for one in findings if not one.kept]
    # A deadline far behind all reactions would leave nothing to see of them.
    far_s = 12 * max(0.05, *came) if came else float("inf")
    ends = came + [limit_s for limit_s in limits if limit_s <= far_s]
    length_s = max(0.15, 1.15 * max(ends, default=1.0))
    return Window(event_at_s - 0.08 * length_s, event_at_s + length_s)


def plot(
    recorder: Recorder,
    window: Window,
    events: Sequence[tuple[float, str]],
    findings: Sequence[Finding] = (),
    unit_s: float = 0.0,
) -> str:
    """Draw the tracks; `findings` adds a row for each with its deadline and reaction, `unit_s` is the axis' zero."""
    drawing = _Drawing(recorder, window)
    drawing.events(events, unit_s)
    drawing.levels("pilot", "cp", CP_LEVELS)
    drawing.numbers("duty %", "duty_percent", 100.0)
    drawing.numbers("V", "voltage_V", None, "supply_V")
    drawing.numbers("A", "current_A", None, "supply_A")
    drawing.contactors()
    drawing.faults()
    drawing.reactions(findings)
    return drawing.svg(unit_s)


class _Drawing:
    def __init__(self, recorder: Recorder, window: Window) -> None:
        self.recorder = recorder
        self.window = window
        self.y: float = HEAD
        self.parts: list[str] = []
        self.lines: list[tuple[float, str]] = []
        self.seen_to_s = min(window.to_s, recorder.at_end_s or window.to_s)
        """Nothing is known beyond the recording, though a deadline may be there."""

    def events(self, events: Sequence[tuple[float, str]], zero_s: float) -> None:
        """Mark events: a line through everything, the text on top where there is room."""
        free_x = 0.0
        for at_s, text in events:
            if not self.window.holds(at_s):
                continue
            x = self.window.x(at_s)
            self.lines.append((x, "event"))
            short = text if len(text) <= 34 else text[:33] + "…"
            room = len(short) * LABEL_ROOM
            if x > free_x and x + room < WIDTH:
                self.parts.append(f'<text class="event" x="{x + 4:.1f}" y="14">{escape(short)}</text>')
                free_x = x + room + 8
            elif x > free_x and x - room > free_x:
                self.parts.append(
                    f'<text class="event" x="{x - 4:.1f}" y="14" text-anchor="end">{escape(short)}</text>'
                )
                free_x = x + 8
            self.parts.append(f'<path class="flag" d="M{x:.1f} 18l5 4-5 4z"><title>{escape(text)}</title></path>')

    def _frame(self, label: str, height: float) -> None:
        self.parts.append(f'<rect class="track" x="{LEFT}" y="{self.y}" width="{PLOT}" height="{height}"/>')
        self.parts.append(f'<text class="name" x="8" y="{self.y + height / 2 + 4:.1f}">{escape(label)}</text>')

    def _frame_note(self, text: str) -> None:
        y = self.y + TRACK / 2 + 18
        self.parts.append(f'<path class="line beside" d="M8 {y - 4:.1f}h14"/><text x="26" y="{y:.1f}">{text}</text>')

    def _scale(self, share: float, text: str, height: float = TRACK) -> None:
        y = self.y + height * (1 - share)
        self.parts.append(
            f'<text class="scale" x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{escape(text)}</text>'
        )

    def levels(self, label: str, signal: str, places: dict[str, float]) -> None:
        """Draw a signal of a few words."""
        self._frame(label, TALL)
        for word, share in places.items():
            self._scale(share, word, TALL)
            if 0 < share < 1:
                y = self.y + TALL * (1 - share)
                self.parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}h{PLOT}"/>')
        steps = [(at_s, places.get(value, 0.0)) for at_s, value in self.recorder.series[signal]]
        self._steps(signal, steps, TALL)
        self.y += TALL + GAP

    def numbers(self, label: str, signal: str, most: float | None, beside: str = "") -> None:
        """Draw a number, and thinly another one `beside` it; the axis ends at `most` or above the greatest value.

        What is below zero, as a current out of the car, has its room below a line.
        """
        steps = self.recorder.series[signal]
        others = self.recorder.series[beside] if beside else []
        values = [value for _, value in self._shown([*steps]) + self._shown([*others])]
        top, least = most or _nice(max(values, default=0.0)), min(values, default=0.0)
        bottom = -_nice(-least) if least < 0 else 0.0
        zero = -bottom / (top - bottom)

        def share(value: float) -> float:
            return zero + value / (top - bottom)

        self._frame(label, TRACK)
        if any(value for _, value in others):
            self._frame_note("supply")
            self._steps(f"{signal} beside", [(at_s, share(value)) for at_s, value in others])
        if bottom:
            self._scale(0.0, f"{bottom:g}")
            self.parts.append(f'<path class="grid" d="M{LEFT} {self.y + TRACK * (1 - zero):.1f}h{PLOT}"/>')
        self._scale(zero, "0")
        self._scale(1.0, f"{top:g}")
        self._steps(signal, [(at_s, share(value)) for at_s, value in steps])
        self.y += TRACK + GAP

    def _shown(self, steps: Sequence[tuple[float, Any]]) -> list[tuple[float, Any]]:
        """Return the steps inside the window, and the one that holds at its beginning."""
        before = [step for step in steps if step[0] < self.window.from_s][-1:]
        return before + [step for step in steps if self.window.holds(step[0])]

    def _steps(self, signal: str, steps: Sequence[tuple[float, float]], height: float = TRACK) -> None:
        shown = self._shown(steps)
        if not shown:
            return
        path: list[str] = []
        column, low, high, last = -1.0, 0.0, 0.0, 0.0

        def y(share: float) -> str:
            return f"{self.y + height * (1 - min(1.0, max(0.0, share))):.1f}"

        for at_s, share in shown:
            x = round(self.window.x(at_s) * 2) / 2
            if x == column:
                # Many steps in one column of pixels: what counts is how far they reached.
                low, high, last = min(low, share), max(high, share), share
                continue
            if column >= 0:
                path.append(f"V{y(low)}V{y(high)}V{y(last)}H{x:g}")
            else:
                path.append(f"M{x:g} {y(share)}")
            column, low, high, last = x, min(last, share) if column >= 0 else share, share, share
        path.append(f"V{y(low)}V{y(high)}V{y(last)}H{self.window.x(self.seen_to_s):g}")
        self.parts.append(f'<path class="line {signal}" d="{"".join(path)}"/>')

    def contactors(self) -> None:
        """Draw when the contactors are closed."""
        self._frame("contactors", ROW)
        for from_s, to_s in self._spans("contactors", lambda value: value == "closed"):
            self._bar("closed", from_s, to_s, ROW, "closed")
        self.y += ROW + GAP

    def faults(self) -> None:
        """Draw a row for each fault that was active."""
        names = sorted({name for _, value in self._shown(self.recorder.series["faults"]) for name in value})
        for name in names:
            self._frame("", ROW)
            for from_s, to_s in self._spans("faults", lambda value, name=name: name in value):
                self._bar("fault", from_s, to_s, ROW, name)
            short = name.rpartition("/")[2]
            self.parts.append(
                f'<text class="scale" x="{LEFT - 5}" y="{self.y + 13}" text-anchor="end">fault</text>'
                f'<text class="in" x="{LEFT + 6}" y="{self.y + 13}">{escape(short)}</text>'
            )
            self.y += ROW + 2
        self.y += GAP if names else 0

    def _spans(self, signal: str, is_on: Any) -> list[tuple[float, float]]:
        spans: list[tuple[float, float]] = []
        since_s: float | None = None
        for at_s, value in self._shown(self.recorder.series[signal]):
            if is_on(value) and since_s is None:
                since_s = at_s
            elif not is_on(value) and since_s is not None:
                spans.append((since_s, at_s))
                since_s = None
        return spans + ([(since_s, self.seen_to_s)] if since_s is not None else [])

    def _bar(self, kind: str, from_s: float, to_s: float, height: float, title: str) -> None:
        x, end = self.window.x(from_s), self.window.x(to_s)
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{self.y}" width="{max(1.0, end - x):.1f}" height="{height}">'
            f"<title>{escape(title)} {from_s:.3f} s to {to_s:.3f} s</title></rect>"
        )

    def reactions(self, findings: Sequence[Finding]) -> None:
        """Draw a row for each expectation: the time it had, and when it came."""
        for one in findings:
            from_s = one.event_at_s + one.from_s
            to_s = one.event_at_s + one.deadline_s if one.kept else from_s + one.deadline_s
            self._frame("", ROW)
            self._bar("guard" if one.kept else "allowed", from_s, to_s, ROW, one.clause)
            if self.window.holds(to_s):
                x = self.window.x(to_s)
                self.parts.append(f'<path class="deadline" d="M{x:.1f} {self.y}v{ROW}"/>')
            if one.measured_s is not None:
                at_s = (one.event_at_s if one.kept else from_s) + one.measured_s
                x = self.window.x(at_s)
                self.parts.append(f'<circle class="{one.verdict.name.lower()}" cx="{x:.1f}" cy="{self.y + 9}" r="5"/>')
            elif one.verdict.bad:
                at = f'x="{LEFT + PLOT - 14}" y="{self.y + 14}"'
                self.parts.append(f'<text class="cross" {at}>×<title>{escape(one.note)}</title></text>')
            words = ("stays: " if one.kept else "") + one.that
            self.parts.append(
                f'<text class="in" x="{WIDTH - RIGHT - 24}" y="{self.y + 13}" text-anchor="end">{escape(words)}</text>'
            )
            self.y += ROW + 2
        self.y += GAP if findings else 0

    def svg(self, zero_s: float) -> str:
        """Return the picture with its time axis."""
        bottom = self.y
        for x, kind in self.lines:
            self.parts.append(f'<path class="{kind}" d="M{x:.1f} 20V{bottom:.1f}"/>')
        step_s = _nice((self.window.to_s - self.window.from_s) / 9)
        tick = int((self.window.from_s - zero_s) / step_s)
        while zero_s + tick * step_s <= self.window.to_s:
            at_s = zero_s + tick * step_s
            if self.window.holds(at_s):
                x = self.window.x(at_s)
                at = f'x="{x:.1f}" y="{bottom + 16:.1f}"'
                self.parts.append(
                    f'<path class="tick" d="M{x:.1f} {bottom:.1f}v4"/>'
                    f'<text class="scale" {at} text-anchor="middle">{tick * step_s:.4g}</text>'
                )
            tick += 1
        self.parts.append(f'<text class="scale" x="8" y="{bottom + 16:.1f}">seconds</text>')
        span = f"{self.window.from_s - zero_s:.3g} s to {self.window.to_s - zero_s:.3g} s"
        return (
            f'<svg viewBox="0 0 {WIDTH} {bottom + 24:.0f}" role="img" xmlns="http://www.w3.org/2000/svg" '
            f'aria-label="pilot, duty cycle, voltage, current, contactors and faults from {span}">'
            f"{''.join(self.parts)}</svg>"
        )


def _nice(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... that is not below."""
    if value <= 0:
        return 1.0
    unit = 1.0
    while unit > value:
        unit /= 10
    while unit * 10 <= value:
        unit *= 10
    return next(unit * digit for digit in (1, 2, 2.5, 5, 10) if unit * digit >= value * 0.999999)
