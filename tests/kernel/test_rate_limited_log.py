"""Of what a peer can cause at will the first lines of a minute are logged; the rest is counted, the count is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.rate_limited_log import LINES, PERIOD_S, RateLimitedLog

Run = Callable[[Any], Any]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    caplog.set_level(logging.INFO, "secc")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def test_the_first_of_a_minute_are_logged_and_the_rest_is_counted(run: Run, logged: Any) -> None:
    async def main() -> None:
        limited = RateLimitedLog(ModuleLog("link"), "%d more bad frames within %g s")
        assert [limited.write("bad frame %d", n) for n in range(100)] == [True] * LINES + [False] * (100 - LINES)
        await asyncio.sleep(PERIOD_S - 0.1)
        assert logged() == [("WARNING", f"bad frame {n}") for n in range(LINES)]
        await asyncio.sleep(0.2)
        assert logged()[LINES:] == [("WARNING", f"{100 - LINES} more bad frames within {PERIOD_S:g} s")]
        assert limited.write("another period")

    run(main())


def test_within_the_limit_no_count_is_logged(run: Run, logged: Any) -> None:
    async def main() -> None:
        limited = RateLimitedLog(ModuleLog("link"), lines=2)
        assert limited.write("one")
        assert limited.write("two")
        await asyncio.sleep(PERIOD_S + 1)
        limited.close()

    run(main())
    assert logged() == [("WARNING", "one"), ("WARNING", "two")]


def test_close_logs_the_count_at_once_and_only_once(run: Run, logged: Any) -> None:
    async def main() -> None:
        limited = RateLimitedLog(ModuleLog("link"), lines=1)
        for _ in range(3):
            limited.write("refused")
        limited.close()
        await asyncio.sleep(PERIOD_S + 1)

    run(main())
    assert logged() == [("WARNING", "refused"), ("WARNING", f"2 more messages were refused within {PERIOD_S:g} s")]


@pytest.mark.parametrize(
    ("level", "more"), [(logging.INFO, "WARNING"), (logging.WARNING, "WARNING"), (logging.ERROR, "ERROR")]
)
def test_the_count_is_a_warning_at_least(run: Run, logged: Any, level: int, more: str) -> None:
    async def main() -> None:
        limited = RateLimitedLog(ModuleLog("link"), "%d more within %g s", level=level, lines=1)
        limited.write("once")
        limited.write("twice")
        limited.close()

    run(main())
    assert logged() == [(logging.getLevelName(level), "once"), (more, f"1 more within {PERIOD_S:g} s")]
