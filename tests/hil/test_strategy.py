"""The way into each state, and the strategy that failed once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.world import MemoryWorld
from hil import rig, runner
from hil.command import default_root
from hil.drivers import NotActive, Stage
from hil.drivers.sim import SimPower
from hil.judge import Verdict
from hil.recorder import Recorder
from hil.rig import Assembled
from hil.strategies import State, Strategy, StrategyFailed
from tests.hil.bench import SIM, shipped, written
from tests.hil.bench import run as run_on_rig


def test_each_state_is_reached_from_the_one_before_and_off_from_anywhere(run: Any) -> None:
    async def main() -> None:
        recorder = Recorder()
        bench = Assembled(rig.load(SIM))
        await bench.activate(Stage(recorder, shipped("iso2-session"), Path(__file__).parents[2]))
        try:
            strategy = Strategy(dict(bench.drivers), recorder)
            seen = {}
            for state in (State.OFF, State.BOOTED, State.IDLE, State.PLUGGED, State.CHARGING):
                await strategy.go(state)
                seen[state] = (recorder.now["cp"], recorder.now["contactors"])
            assert seen == {
                State.OFF: ("E", "open"),
                State.BOOTED: ("A", "open"),
                State.IDLE: ("A", "open"),
                State.PLUGGED: ("B", "open"),
                State.CHARGING: ("C", "closed"),
            }
            await strategy.go(State.OFF)
            assert recorder.now["cp"] == "E" and recorder.now["contactors"] == "open"
            await strategy.go(State.CHARGING)
            assert recorder.now["current_A"] > 1
            await strategy.go(State.PLUGGED)
            assert recorder.now["cp"] == "B" and recorder.now["current_A"] == 0
            await strategy.go(State.OFF)
        finally:
            await bench.deactivate()

    run(main())


def test_a_strategy_that_failed_once_stays_failed_and_repeats_its_reason(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        recorder = Recorder()
        bench = Assembled(rig.load(SIM))
        await bench.activate(Stage(recorder, shipped("iso2-session"), Path(__file__).parents[2]))
        try:
            strategy = Strategy(dict(bench.drivers), recorder)
            bench.resources["plant"].world.mcu.mcu.hardware.parameter_mismatch = True  # type: ignore[attr-defined]
            with pytest.raises(StrategyFailed, match="not booted after 90 s") as first:
                await strategy.go(State.IDLE)
            bench.resources["plant"].world.mcu.mcu.hardware.parameter_mismatch = False  # type: ignore[attr-defined]
            with pytest.raises(StrategyFailed) as again:
                await strategy.go(State.OFF)
            assert str(again.value) == str(first.value)
        finally:
            await bench.deactivate()

    run(main())


def test_on_a_bench_the_scenarios_behind_a_failed_one_report_the_same_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, script: Any) -> None:
        raise OSError("the relay box does not answer")

    bench = rig.load(SIM)
    bench.fresh = False
    from chargebyte_fw.sim.car import Car

    monkeypatch.setattr(Car, "replace", broken)
    first, second = run_on_rig(shipped("basic-emergency-stop"), shipped("basic-session"), on=bench)
    assert first.verdict is second.verdict is Verdict.FAILED
    assert "relay box does not answer" in first.note and second.note == first.note


def test_on_a_bench_one_scenario_follows_the_other_without_setting_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = []
    real = MemoryWorld.__init__

    def counted(self: MemoryWorld, *args: Any, **kwargs: Any) -> None:
        worlds.append(self)
        real(self, *args, **kwargs)

    monkeypatch.setattr(MemoryWorld, "__init__", counted)
    bench = rig.load(SIM)
    bench.fresh = False
    results = run_on_rig(shipped("basic-emergency-stop"), shipped("basic-car-pauses"), on=bench)
    assert [one.verdict for one in results] == [Verdict.PASSED, Verdict.PASSED]
    assert len(worlds) == 1


def test_a_rig_without_a_protocol_skips_the_scenarios_that_need_it() -> None:
    bench = rig.load(SIM)
    bench.drivers = [part for part in bench.drivers if part.name != "Safety"]
    (result,) = run_on_rig(shipped("basic-emergency-stop"), on=bench)
    assert result.verdict is Verdict.SKIPPED and "Safety" in result.note
    assert not result.verdict.bad


def test_a_driver_that_is_not_active_says_so(run: Any) -> None:
    async def main() -> None:
        bench = Assembled(rig.load(SIM))
        with pytest.raises(NotActive, match=r"SimPower\.switch"):
            await bench.drivers["Power"].switch(True)  # type: ignore[attr-defined]

    run(main())


def test_what_a_charger_cannot_be_told_fails_the_scenario_and_not_the_run(tmp_path: Path) -> None:
    text = "title: t\ncar: basic\nstart: idle\nsteps:\n  - event: operator fly\n    pause_s: 1\n"
    results = run_on_rig(written(tmp_path, text), shipped("basic-contactor-stuck"))
    assert [one.verdict for one in results] == [Verdict.FAILED, Verdict.PASSED]
    assert "fly" in results[0].note and "pause_charging" in results[0].note
    assert isinstance(results[0], runner.Result)


def test_the_rig_is_put_away_at_once_when_a_scenario_that_ended_under_power_is_over(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        (result,) = await runner.run(rig.load(SIM), [shipped("basic-cable-limits")], default_root())
        assert loop.time() - result.duration_s < 3, "the strategy waited for something that nobody looks at any more"

    run(main())


def test_an_interrupted_run_leaves_a_rig_that_is_off(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C cancels the run in the middle of a scenario, with current flowing."""
    switched: list[bool] = []
    real = SimPower.switch

    async def switch(self: SimPower, on: bool) -> None:
        switched.append(on)
        await real(self, on)

    monkeypatch.setattr(SimPower, "switch", switch)

    async def main() -> None:
        task = asyncio.create_task(runner.run(rig.load(SIM), [shipped("iso2-session")], default_root()))
        await asyncio.sleep(25)
        assert switched[-1]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not switched[-1]

    run(main())
