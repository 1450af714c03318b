"""Runs scenarios on a rig: bring the charger where it has to be, do the steps, watch, judge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim.script import ScriptError
from hil.drivers import Driver, Resource, Stage
from hil.judge import Finding, Guard, Verdict, Watch, worst
from hil.protocols import Identity
from hil.recorder import Recorder
from hil.rig import Assembled, Rig
from hil.scenario import Scenario, Step
from hil.strategies import State, Strategy, StrategyFailed

LOOK_S = 0.01
"""How often it is looked whether a step is over."""
LAST_S = 1.0
"""How long the recording goes on behind the last reaction, for the eye."""


class Result(msgspec.Struct):
    """What one scenario came to."""

    scenario: Scenario
    verdict: Verdict
    note: str = ""
    findings: list[Finding] = []
    recorder: Recorder | None = None
    events: list[tuple[float, str]] = []
    identity: Identity = Identity()

    @property
    def duration_s(self) -> float:
        """How long it took on the rig's clock."""
        return self._end_s

    _end_s: float = 0.0


class Watching:
    """Callbacks of the live view."""

    def __init__(self) -> None:
        self.begins: Callable[[Scenario, Recorder], None] = lambda _scenario, _recorder: None
        self.step: Callable[[str], None] = lambda _text: None
        self.ended: Callable[[Result], None] = lambda _result: None


async def run(rig: Rig, scenarios: Sequence[Scenario], root: Path, watching: Watching | None = None) -> list[Result]:
    """Run scenarios one after the other; never raises for what a charger does wrong."""
    watching = watching or Watching()
    bench = _Bench(rig, root)
    results = []
    try:
        for scenario in scenarios:
            result = await bench.run(scenario, watching)
            watching.ended(result)
            results.append(result)
    finally:
        await bench.end()  # whoever interrupts a run (Ctrl-C) leaves a rig that is off
    return results


class _Bench:
    """Keeps what outlives a scenario: on a real bench everything does, on a fresh one nothing."""

    def __init__(self, rig: Rig, root: Path) -> None:
        self.rig = rig
        self.root = root
        self.strategy: Strategy | None = None
        self.assembled: Assembled | None = None
        self.failure = ""

    async def run(self, scenario: Scenario, watching: Watching) -> Result:
        why = self.rig.lacks(scenario)
        if why:
            return Result(scenario, Verdict.SKIPPED, why)
        recorder = Recorder()
        watching.begins(scenario, recorder)
        try:
            strategy, drivers = await self._stand_up(Stage(recorder, scenario, self.root))
            act = _Act(scenario, recorder, strategy, drivers, watching, self.rig.resolution_s)
            result = await act.play()
            failure = next((one.failure for one in self._parts() if one.failure is not None), None)
            if failure is not None:
                result.verdict, result.note = Verdict.FAILED, str(failure)
        except (StrategyFailed, Unavailable, OSError, LookupError, ScriptError) as error:
            result = Result(scenario, Verdict.FAILED, str(error), recorder=recorder)
        recorder.end()
        result._end_s = recorder.at_end_s
        if self.rig.fresh:
            await self.end()
        return result

    async def _stand_up(self, stage: Stage) -> tuple[Strategy, dict[str, Any]]:
        if self.assembled is None or self.strategy is None:
            assembled = Assembled(self.rig)
            await assembled.activate(stage)
            self.assembled = assembled
            self.strategy = Strategy(dict(assembled.drivers), stage.recorder)
        else:
            # Same hardware, next scenario: only where the samples go is new, and the state it is in is not trusted.
            for one in self._parts():
                one.stage = stage
            stage.recorder.put(**self.strategy.recorder.now)
            self.strategy.recorder = stage.recorder
            self.strategy.state = State.UNKNOWN
        return self.strategy, dict(self.assembled.drivers)

    def _parts(self) -> list[Resource | Driver]:
        return [] if self.assembled is None else [*self.assembled.resources.values(), *self.assembled.drivers.values()]

    async def end(self) -> None:
        assembled, self.assembled = self.assembled, None
        strategy, self.strategy = self.strategy, None
        if assembled is None:
            return
        try:
            if strategy is not None and not strategy.failure:
                await strategy.go(State.OFF)
        except StrategyFailed:
            pass  # the report has the reason; what follows makes the rig safe in any case
        finally:
            await assembled.deactivate()


class _Act:
    """One scenario being played."""

    def __init__(
        self,
        scenario: Scenario,
        recorder: Recorder,
        strategy: Strategy,
        drivers: dict[str, Any],
        watching: Watching,
        resolution_s: float,
    ) -> None:
        self.resolution_s = resolution_s
        self.scenario = scenario
        self.recorder = recorder
        self.strategy = strategy
        self.drivers = drivers
        self.watching = watching
        self.guards: list[Guard] = []
        self.watches: list[Watch] = []
        self.events: list[tuple[float, str]] = []

    async def play(self) -> Result:
        self.watching.step(f"to {self.scenario.start}")
        await self.strategy.go(State(self.scenario.start))
        identity = await self.drivers["Image"].identity() if "Image" in self.drivers else Identity()
        self.recorder.on_sample.append(self._look)
        try:
            for number, step in enumerate(self.scenario.steps):
                await self._step(number, step)
            while any(guard.until_s > self.recorder.at_s for guard in self.guards):
                await asyncio.sleep(LOOK_S)
                self.recorder.look()
        finally:
            self.recorder.on_sample.remove(self._look)
        await asyncio.sleep(LAST_S)
        findings = [watch.finding() for watch in self.watches] + [guard.finding() for guard in self.guards]
        findings.sort(key=lambda finding: (finding.step, finding.kept))
        return Result(
            self.scenario, worst(findings), findings=findings, recorder=self.recorder, events=self.events,
            identity=identity,
        )  # fmt: skip

    def _look(self, at_s: float) -> None:
        now = self.recorder.now
        for watch in self.watches:
            watch.look(at_s, now)
        for guard in self.guards:
            guard.look(at_s, now)

    async def _step(self, number: int, step: Step) -> None:
        self.watching.step(step.title or "waiting")
        at_s = self.recorder.at_s
        watches = [Watch(number, one, at_s, self.recorder.now, self.resolution_s) for one in step.expect]
        self.watches += watches
        self.guards += [Guard(number, one, at_s) for one in step.keep]
        if step.event is not None:
            self.events.append((at_s, step.title))
            self.recorder.mark("event", step.title)
            await step.event.do(self.drivers[step.event.needs])
        self.recorder.look()
        while not all(one.done for one in watches):
            waited_s = self.recorder.at_s - at_s
            if waited_s > max(one.patience_s for one in watches if not one.done):
                break
            await asyncio.sleep(LOOK_S)
            self.recorder.look()
        for one in watches:
            one.close()
        await asyncio.sleep(step.pause_s)
