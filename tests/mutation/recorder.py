"""Runs tests with coverage and writes which test ran which line: `python -m tests.mutation.recorder FILE TEST...`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests.conftest import REAL_TIME
from tests.mutation.sample import HOUSES

ELSEWHERE = tuple(name for name in REAL_TIME if name != "board/test_serial")
"""Tests of other processes. Those of the serial port run its thread in this one, in real time."""
BY_CHANCE = ("evse/test_chance", "auth/test_fuzz", "soak/")


class Recorder:
    """A pytest plugin: switches coverage's context to each test, and keeps durations and outcomes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.durations_s: dict[str, float] = defaultdict(float)
        self.bad: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the tests of real processes and the random ones: they run lines elsewhere, or by chance."""
        items[:] = [one for one in items if not any(name in one.nodeid for name in (*ELSEWHERE, *BY_CHANCE))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Any:
        self.measured.switch_context(function_of(item.nodeid))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = function_of(report.nodeid)
        self.durations_s[name] += report.duration
        if report.outcome != "passed":
            self.bad.add(name)


def function_of(nodeid: str) -> str:
    """Return the id of a test without its parameters."""
    return nodeid.partition("[")[0]


def main() -> int:
    """Record."""
    target, tests = Path(sys.argv[1]), sys.argv[2:]
    root = Path.cwd()
    measured = coverage.Coverage(
        data_file=None, source=[str(root / folder) for folder in HOUSES.values()], config_file=False
    )
    recorder = Recorder(measured)
    measured.start()
    status = pytest.main(
        ["-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "--timeout=600", *tests], plugins=[recorder]
    )
    measured.stop()
    data = measured.get_data()
    names = [name for name in recorder.durations_s if name not in recorder.bad]
    numbers = {name: number for number, name in enumerate(names)}
    lines: dict[str, dict[int, list[int]]] = {}
    for file in data.measured_files():
        found = data.contexts_by_lineno(file)
        lines[str(Path(file).relative_to(root))] = {
            line: sorted(numbers[context] for context in contexts if context in numbers)
            for line, contexts in found.items()
            if any(context in numbers for context in contexts)
        }
    durations_s = [round(recorder.durations_s[name], 4) for name in names]
    target.write_text(json.dumps({"tests": names, "durations_s": durations_s, "lines": lines}))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
