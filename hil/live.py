"""How a run is followed: a table that lives on a terminal, or one line a scenario elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from chargebyte_fw.kernel.clock import real_seconds
from hil.judge import Verdict
from hil.recorder import Recorder
from hil.rig import Rig
from hil.runner import Result, Watching
from hil.scenario import Scenario

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

REFRESH_S = 0.1
"""Real seconds between two pictures."""
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
        print(f"{result.verdict.value:<10} {result.scenario.name:<28} {worst_margin(result)}", flush=True)
        for line in complaints(result):
            print(f"           {line}", flush=True)

    def summary(self) -> str:
        """Return how many scenarios came to what."""
        counts = {verdict: sum(1 for one in self.results if one.verdict is verdict) for verdict in Verdict}
        told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        simulated_s = sum(result.duration_s for result in self.results)
        took_s = real_seconds() - self._began_s
        return f"rig {self.rig.name}: {told or 'nothing was run'}; {simulated_s:.0f} s on its clock, {took_s:.1f} s"


class LiveView(LineView):
    """A table that follows the run, the present samples below it."""

    _live: Live

    def __init__(self, rig: Rig, scenarios: list[Scenario]) -> None:
        super().__init__(rig, scenarios)
        self.watching.begins = self._begins
        self.watching.step = self._step
        self._doing: tuple[Scenario, str] | None = None
        self._recorder: Recorder | None = None
        self._drawn_s = 0.0

    def __enter__(self) -> LiveView:
        from rich.live import Live

        super().__enter__()
        self._live = Live(self._picture(), auto_refresh=False, vertical_overflow="visible")
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doing = None
        self._live.update(self._picture(), refresh=True)
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
        self.results.append(result)
        self._doing = None
        self._draw(at_once=True)

    def _draw(self, at_once: bool = False) -> None:
        now_s = real_seconds()
        if at_once or now_s - self._drawn_s >= REFRESH_S:
            self._drawn_s = now_s
            self._live.update(self._picture(), refresh=True)

    def _picture(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        table = self._table()
        if self._doing is None or self._recorder is None:
            return table
        now, scenario = self._recorder.now, self._doing[0]
        line = Text.assemble(
            (f" {self._recorder.at_s:7.2f} s  ", "dim"),
            (f"CP {now['cp']} {now['drive']:<6}", "cyan"),
            f"  {now['duty_percent']:5.1f} %  {now['voltage_V']:6.1f} V  {now['current_A']:6.1f} A  ",
            (f"contactors {now['contactors']:<6}", "green" if now["contactors"] == "closed" else "dim"),
            ("  " + ", ".join(sorted(now["faults"])), "red"),
        )
        head = Text.assemble((f" {scenario.name}: ", "bold"), self._doing[1], overflow="ellipsis", no_wrap=True)
        return Group(table, head, line)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(title=f"rig {self.rig.name}", title_justify="left", box=None, pad_edge=False)
        table.add_column("", width=10)
        table.add_column("scenario", no_wrap=True)
        table.add_column("closest to its deadline", overflow="ellipsis", no_wrap=True)
        for result in self.results:
            colour = COLOURS[result.verdict]
            told = "\n".join(complaints(result)) or worst_margin(result)
            table.add_row(f"[{colour}]{result.verdict.value}[/]", result.scenario.name, told)
        left = len(self.scenarios) - len(self.results)
        if left:
            table.add_row("", f"[dim]{left} to go[/]", "")
        return table
