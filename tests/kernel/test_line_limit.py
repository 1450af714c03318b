"""Log lines of one kind are bounded per module and minute, and what was left out is counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.line_limit import LINES, PERIOD_S
from chargebyte_fw.kernel.log import ModuleLog

Run = Callable[[Any], Any]


@pytest.fixture
def texts(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.DEBUG, "secc")
    return lambda: [record.getMessage() for record in caplog.records]


def test_lines_that_alternate_are_bounded_each_and_counted_with_the_next_line(run: Run, texts: Any) -> None:
    async def main() -> None:
        log = ModuleLog("connector")
        for number in range(300):
            log.info("paused")
            log.info("charging with %d A", number)
            await asyncio.sleep(0.05)
        assert len(texts()) == 2 * LINES
        await asyncio.sleep(PERIOD_S)
        log.info("unplugged")
        assert texts()[2 * LINES :] == [
            f"{300 - LINES} more lines of this kind within 60 s: paused",
            f"{300 - LINES} more lines of this kind within 60 s: charging with %d A",
            "unplugged",
        ]

    run(main())


def test_warnings_that_differ_are_all_logged_and_details_are_never_bounded(run: Run, texts: Any) -> None:
    async def main() -> None:
        log = ModuleLog("connector")
        for number in range(100):
            log.warning("fault %d", number)
            log.debug("detail")
        assert len(texts()) == 200

    run(main())


def test_endless_different_texts_are_bounded_in_memory_and_lines(run: Run, texts: Any) -> None:
    async def main() -> None:
        log = ModuleLog("connector")
        for number in range(10_000):
            log.warning("text %d", number)
        assert len(texts()) < 300

    run(main())


def test_outside_of_a_loop_it_works_too(texts: Any) -> None:
    log = ModuleLog("mcu-link")
    for _ in range(100):
        log.info("again")
    assert len(texts()) == LINES


def test_what_a_key_asks_to_see_completely_is_not_bounded(run: Run, texts: Any) -> None:
    async def main() -> None:
        log = ModuleLog("bsp")
        for _ in range(100):
            log.every("uart %s", "a5")
        assert len(texts()) == 100

    run(main())
