"""What anybody can cause at will is said a few times a minute; the rest is counted and the count is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.rate_limited_log import LINES, PERIOD_S, RateLimit

Run = Callable[[Any], Any]


def test_the_first_of_a_minute_are_said_and_the_rest_is_counted(run: Run) -> None:
    told: list[tuple[int, float]] = []

    async def main() -> None:
        flood = RateLimit(lambda count, period_s: told.append((count, period_s)))
        assert [flood.counts() for _ in range(100)] == [True] * LINES + [False] * (100 - LINES)
        await asyncio.sleep(PERIOD_S - 0.1)
        assert told == []
        await asyncio.sleep(0.2)
        assert told == [(100 - LINES, PERIOD_S)]
        assert flood.counts()

    run(main())


def test_a_few_are_no_flood(run: Run) -> None:
    told: list[int] = []

    async def main() -> None:
        flood = RateLimit(lambda count, _: told.append(count), lines=2)
        assert flood.counts() and flood.counts()
        await asyncio.sleep(PERIOD_S + 1)
        flood.close()

    run(main())
    assert told == []


def test_who_ends_says_what_is_left(run: Run) -> None:
    told: list[int] = []

    async def main() -> None:
        flood = RateLimit(lambda count, _: told.append(count), lines=1)
        for _ in range(3):
            flood.counts()
        flood.close()
        await asyncio.sleep(PERIOD_S + 1)

    run(main())
    assert told == [2]
