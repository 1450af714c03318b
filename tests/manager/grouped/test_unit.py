"""A process under the manager: growing pauses, an end to them, and how a first start differs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
from chargebyte_fw.manager.grouped.unit import STEADY_S, Unit


class Overseer:
    def __init__(self, failures: int = 10) -> None:
        self.everyone = asyncio.Event()
        self.failures = failures
        self.together = False
        self.lines: list[tuple[float, str]] = []
        self.bad = ""

    def _note(self, text: str) -> None:
        self.lines.append((round(asyncio.get_running_loop().time(), 1), text))

    def went(self, unit: Unit, text: str) -> None:
        self._note(text)

    def may_be_called(self, unit: Unit) -> None:
        assert unit.initialised.is_set()

    def came(self, unit: Unit) -> None:
        self._note(f"{unit.name} runs")

    def cannot_be_configured(self, text: str) -> None:
        self.bad = text


class Faulty(Unit):
    """Fails as it is asked to: `runs_s` after each start, or in its start."""

    runs_s = 0.0
    error: Exception | None = None
    ends: list[tuple[str, bool]]
    pid = 0

    async def start(self) -> None:
        if self.error is not None:
            raise self.error
        asyncio.get_running_loop().call_later(self.runs_s, self.fail, "its process has ended")

    async def end(self, why: str, *, kill: bool) -> None:
        self.ends.append((why, kill))


def made(overseer: Overseer, **about: Any) -> Faulty:
    unit = Faulty("cloud", [], overseer, 100)
    unit.ends = []
    for name, value in about.items():
        setattr(unit, name, value)
    return unit


def test_pauses_grow_and_the_last_failure_is_the_end(run: Any) -> None:
    async def main() -> None:
        overseer = Overseer(failures=4)
        overseer.everyone.set()
        unit = made(overseer, runs_s=10.0)
        await unit.run()
        went = [(at, text) for at, text in overseer.lines if "failed" in text]
        again = "cloud has failed (its process has ended) and is being started again"
        last = "cloud has failed (its process has ended) and is out of service after 4 failures"
        assert went == [(10.0, again), (20.0, again), (31.0, again), (43.0, last)]
        assert unit.state == "out of service" and unit.ends == [("its process has ended", False)] * 4

    run(main())


def test_after_a_good_while_failures_are_counted_anew(run: Any) -> None:
    async def main() -> None:
        overseer = Overseer(failures=2)
        overseer.everyone.set()
        unit = made(overseer, runs_s=STEADY_S + 1)
        running = asyncio.ensure_future(unit.run())
        await asyncio.sleep(10 * STEADY_S)
        assert unit.state == "running" and len([line for line in overseer.lines if "failed" in line[1]]) == 9
        running.cancel()

    run(main())


@pytest.mark.parametrize("first", [True, False])
def test_a_configuration_that_is_refused_ends_the_first_start_alone(run: Any, first: bool) -> None:
    async def main() -> None:
        overseer = Overseer(failures=1)
        if not first:
            overseer.everyone.set()
        unit = made(overseer, error=ConfigError([Finding("connector", "it cannot be")]))
        await unit.run()
        assert ("it cannot be" in overseer.bad) is first

    run(main())


def test_nobody_waits_for_a_process_that_does_not_start(run: Any) -> None:
    async def main() -> None:
        unit = made(Overseer(failures=1), error=Unavailable("no such program"))
        await unit.run()
        assert unit.initialised.is_set() and unit.ready.is_set()

    run(main())
