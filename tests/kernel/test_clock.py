"""One clock for everything: virtual time jumps, scaled time runs faster, both through the event loop alone."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from chargebyte_fw.kernel import clock


def test_a_virtual_half_hour_takes_no_time_and_is_exact() -> None:
    async def half_an_hour() -> tuple[float, timedelta]:
        loop = asyncio.get_running_loop()
        start, wall = loop.time(), clock.utc_now()
        await asyncio.sleep(1800)
        return loop.time() - start, clock.utc_now() - wall

    began = time.monotonic()
    elapsed, wall = clock.run(half_an_hour(), speed=None)
    assert elapsed == 1800 and wall == timedelta(seconds=1800)
    assert time.monotonic() - began < 1


def test_virtual_timers_fire_in_the_order_of_their_deadlines() -> None:
    async def order() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, fired.append, delay)
        await asyncio.sleep(4)
        return fired

    assert clock.run(order(), speed=None) == [1, 2, 3]


def test_a_virtual_time_out_expires_by_itself() -> None:
    async def wait_forever() -> None:
        async with asyncio.timeout(60):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        clock.run(wait_forever(), speed=None)


def test_a_virtual_loop_in_which_everybody_waits_for_everybody_says_so() -> None:
    async def deadlock() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(clock.Stalled):
        clock.run(deadlock(), speed=None)


def test_a_scaled_loop_runs_that_many_times_faster() -> None:
    async def two_seconds() -> float:
        assert clock.loop_speed() == 20
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(2)
        return asyncio.get_running_loop().time() - start

    began = time.monotonic()
    elapsed = clock.run(two_seconds(), speed=20)
    assert 2 <= elapsed < 10
    assert 0.09 < time.monotonic() - began < 1


def test_wall_time_is_written_as_everest_writes_it() -> None:
    assert clock.rfc3339(clock.VIRTUAL_EPOCH + timedelta(milliseconds=1234)) == "2026-01-01T00:00:01.234Z"
