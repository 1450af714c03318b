"""How a run is followed: a table that lives on a terminal, or one line a scenario elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import PIPED_LINE, cut, paragraph, size
from chargebyte_fw.kernel.clock import real_seconds
from hil.judge import Verdict
from hil.recorder import Recorder
from hil.rig import Rig
from hil.runner import Result, Watching
from hil.scenario import GROUPS, Scenario

if TYPE_CHECKING:
    from rich.live import Live

REFRESH_S = 0.1
"""Real seconds between two pictures."""
BELOW = " " * 11
"""Before what is wrong with a scenario."""
COLOURS = {
    Verdict.PASSED: "green",
    Verdict.LATE: "yellow",
    Verdict.WRONG: "bold red",
    Verdict.FAILED: "bold magenta",
    Verdict.SKIPPED: "dim",
}


def worst_margin(result: Result) -> str:
    """Return the reaction that came closest to its deadline."""
    timed = [one for one in result.findings if one.measured_s is not None and not one.kept and one.deadline_s]
    if not timed:
        return ""
    closest = max(timed, key=lambda one: (one.measured_s or 0.0) / one.deadline_s)
    return f"{closest.that}: {closest.measured_s:.3f} s of {closest.deadline_s:g} s"


def summary(result: Result) -> str:
    """Return the most important thing of a result: what was wrong, why it was not run, or how close it came."""
    wrong = complaints(result)
    if wrong:
        return wrong[0].rpartition(" [")[0] or wrong[0]
    return worst_margin(result) or ("everything stayed as it had to" if result.findings else "")


def complaints(result: Result) -> list[str]:
    """Return one line for each expectation that was not met."""
    lines = []
    for one in result.findings:
        if one.verdict is not Verdict.PASSED:
            took = "" if one.measured_s is None else f" after {one.measured_s:.3f} s"
            limit = "" if one.kept else f" (deadline {one.deadline_s:g} s)"
            lines.append(f"{one.verdict}: {one.that}{took}{limit}: {one.note} [{one.clause}]")
    return lines + ([result.note] if result.note else [])


class LineView:
    """One line a scenario."""

    def __init__(self, rig: Rig, scenarios: list[Scenario]) -> None:
        self.rig = rig
        self.scenarios = scenarios
        self.results: list[Result] = []
        self.watching = Watching()
        self.watching.ended = self._ended
        self._began_s = real_seconds()

    def __enter__(self) -> LineView:
        self._began_s = real_seconds()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            print(self.summary())

    def _ended(self, result: Result) -> None:
        self.results.append(result)
        wide = max((len(one.name) for one in self.scenarios), default=0)
        lines = complaints(result) if result.verdict.bad else []
        first = "" if lines else summary(result)
        row = f"{result.verdict.value:<10} {result.scenario.name:<{wide}}  {first}".rstrip()
        print(cut(row, size(piped=PIPED_LINE).columns), flush=True)
        for line in lines:
            print(paragraph(f"{BELOW}{line}"), flush=True)

    def summary(self) -> str:
        """Return how many scenarios came to what."""
        counts = {verdict: sum(1 for one in self.results if one.verdict is verdict) for verdict in Verdict}
        summary = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        simulated_s = sum(result.duration_s for result in self.results)
        took_s = real_seconds() - self._began_s
        return f"rig {self.rig.name}: {summary or 'nothing was run'}; {simulated_s:.0f} s on its clock, {took_s:.1f} s"


class LiveView(LineView):
    """What was run stays on the terminal, line by line; below it the present scenario and its samples move."""

    _live: Live

    def __init__(self, rig: Rig, scenarios: list[Scenario]) -> None:
        super().__init__(rig, scenarios)
        self.watching.begins = self._begins
        self.watching.step = self._step
        self._doing: tuple[Scenario, str] | None = None
        self._recorder: Recorder | None = None
        self._drawn_s = 0.0
        self._group = ""

    def __enter__(self) -> LiveView:
        from rich.live import Live

        super().__enter__()
        self._live = Live(self._picture(), auto_refresh=False, transient=True)
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)
        super().__exit__(kind, error, trace)

    def _begins(self, scenario: Scenario, recorder: Recorder) -> None:
        self._doing, self._recorder = (scenario, "setting up"), recorder
        recorder.on_sample.append(self._sampled)
        self._draw(at_once=True)

    def _step(self, text: str) -> None:
        if self._doing is not None:
            self._doing = (self._doing[0], text)
        self._draw(at_once=True)

    def _sampled(self, _at_s: float) -> None:
        self._draw()

    def _ended(self, result: Result) -> None:
        from rich.text import Text

        self.results.append(result)
        self._doing = None
        printed = self._live.console.print
        if result.scenario.group != self._group:
            self._group = result.scenario.group
            printed(Text(GROUPS[self._group], style="bold"))
        wide = max((len(one.name) for one in self.scenarios), default=0)
        colour = COLOURS[result.verdict]
        lines = complaints(result) if result.verdict.bad else []
        row = Text.assemble(
            (f"{result.verdict.value:<10} ", colour),
            f"{result.scenario.name:<{wide}}  ",
            ("" if lines else summary(result), "dim"),
            overflow="ellipsis",
            no_wrap=True,
        )
        printed(row, no_wrap=True, overflow="ellipsis")
        for line in lines:
            printed(Text(paragraph(f"{BELOW}{line}"), style=colour))
        self._draw(at_once=True)

    def _draw(self, at_once: bool = False) -> None:
        now_s = real_seconds()
        if at_once or now_s - self._drawn_s >= REFRESH_S:
            self._drawn_s = now_s
            self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done, every = len(self.results), len(self.scenarios)
        bad = sum(1 for one in self.results if one.verdict.bad)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=max(1, every), completed=done, width=30),
            f"{done} of {every}",
            Text(f"{bad} bad", style="bold red") if bad else Text("all right so far" if done else "", style="green"),
        )
        if self._doing is None or self._recorder is None:
            return head
        now, scenario = self._recorder.now, self._doing[0]
        what = Text.assemble((f"{scenario.name}: ", "bold"), self._doing[1], overflow="ellipsis", no_wrap=True)
        line = Text.assemble(
            (f"{self._recorder.at_s:7.2f} s  ", "dim"),
            (f"CP {now['cp']} {now['drive']:<6}", "cyan"),
            f"  {now['duty_percent']:5.1f} %  {now['voltage_V']:6.1f} V  {now['current_A']:6.1f} A  ",
            (f"contactors {now['contactors']:<6}", "green" if now["contactors"] == "closed" else "dim"),
            ("  " + ", ".join(sorted(now["faults"])), "red"),
            overflow="ellipsis",
            no_wrap=True,
        )
        return Group(head, what, line)
