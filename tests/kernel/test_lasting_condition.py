"""A lasting condition has one line at its beginning and one at its end; one that comes and goes is bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chargebyte_fw.kernel.lasting_condition import CHANGES, PERIOD_S, LastingCondition, LastingConditions
from chargebyte_fw.kernel.log import ModuleLog

Run = Callable[[Any], Any]


class Lines(logging.Handler):
    """Keeps level and text of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelname, record.getMessage()))


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, list[tuple[str, str]]]]:
    log, handler = logging.getLogger("secc.test-lasting"), Lines()
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.DEBUG)
    yield log, handler.said
    log.removeHandler(handler)
    log.setLevel(level)


def test_one_line_at_the_beginning_and_one_at_the_end(run: Run, lines: Any) -> None:
    log, said = lines

    async def main() -> None:
        condition = LastingCondition(log)
        assert not condition.set(False, "the disk has room again")
        for second in range(3600):
            assert condition.set(True, "the disk is full") == (second == 0)
            await asyncio.sleep(1)
        assert condition.active
        for second in range(3600):
            assert condition.set(False, "the disk has room again") == (second == 0)
            await asyncio.sleep(1)

    run(main())
    assert said == [("WARNING", "the disk is full"), ("INFO", "the disk has room again")]


def test_another_cause_is_another_line(run: Run, lines: Any) -> None:
    log, said = lines

    async def main() -> None:
        condition = LastingCondition(log, logging.ERROR)
        condition.begin("the disk is full")
        condition.begin("the disk is read-only")
        condition.end("written again")

    run(main())
    assert said == [
        ("ERROR", "the disk is full"),
        ("ERROR", "the disk is read-only"),
        ("INFO", "written again"),
    ]


@pytest.mark.parametrize("last", [True, False])
def test_a_condition_that_comes_and_goes_is_bounded_and_its_state_at_last_is_logged(
    run: Run, lines: Any, last: bool
) -> None:
    log, said = lines

    async def main() -> None:
        condition = LastingCondition(log)
        for number in range(59):
            condition.set(number % 2 == 0, f"{'off' if number % 2 == 0 else 'on'}")
            await asyncio.sleep(1)
        condition.set(last, "off" if last else "on")
        await asyncio.sleep(2)

    run(main())
    assert len(said) == CHANGES + 1, said
    level, text = said[-1]
    assert text.startswith("off" if last else "on") and f"within {PERIOD_S:g} s" in text
    assert level in (("WARNING", "INFO") if last else ("INFO",))


def test_close_logs_what_was_only_counted(run: Run, lines: Any) -> None:
    log, said = lines

    async def main() -> None:
        conditions = LastingConditions(log)
        for number in range(CHANGES + 1):
            conditions.set(1, number % 2 == 0, f"{number}")
        conditions.set(2, True, "other")
        assert conditions.active(1) and conditions.active(2) and not conditions.active(3)
        conditions.close()
        conditions.drop(1)
        assert not conditions.active(1)

    run(main())
    assert [text for _, text in said] == ["0", "1", "2", "3", "other", "4 (changed 1 more times within 60 s)"]


def test_many_conditions_that_end_at_once_are_all_logged(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        conditions = LastingConditions(ModuleLog("m"))
        for number in range(30):
            conditions.set(number, True, f"EVSE {number} is lost at 100 % load")
        for number in range(30):
            conditions.set(number, False, f"EVSE {number} is back at 100 % load")

    run(main())
    texts = [record.getMessage() for record in caplog.records]
    assert texts == [f"EVSE {number} is {what} at 100 % load" for what in ("lost", "back") for number in range(30)]
