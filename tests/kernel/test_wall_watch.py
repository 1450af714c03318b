"""A set wall clock is noticed, on the system's clock and on a virtual one; a slewed one is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chargebyte_fw.kernel import clock, wall_watch
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.wall_watch import TOLERANCE_S, WallWatch


def test_a_virtual_clock_is_set_while_its_monotonic_time_goes_on(run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        noticed: list[Any] = []
        watch = WallWatch(lambda: noticed.append(utc_now()))
        at = utc_now() + timedelta(days=2000)
        await asyncio.sleep(5)
        assert noticed == []
        loop.set_wall(at)
        await asyncio.sleep(0)
        assert noticed == [at] and loop.time() == 5
        await asyncio.sleep(10)
        assert utc_now() == at + timedelta(seconds=10)
        watch.close()
        loop.set_wall(at)
        await asyncio.sleep(1)
        assert noticed == [at]

    run(main())


@pytest.mark.parametrize("by_s", [1e8, -1e8, 1.0, -1.0])
def test_the_systems_clock_is_watched(by_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    offset_s = 1000.0
    monkeypatch.setattr(wall_watch, "_offset_s", lambda: offset_s)
    monkeypatch.setattr(wall_watch, "COMPARE_S", 0.01)

    async def main() -> None:
        nonlocal offset_s
        noticed: list[int] = []
        watch = WallWatch(lambda: noticed.append(1))
        offset_s += TOLERANCE_S / 2
        await asyncio.sleep(0.1)
        assert noticed == []
        offset_s += by_s
        await asyncio.sleep(0.2)
        assert noticed == [1]
        watch.close()
        offset_s -= by_s
        await asyncio.sleep(0.1)
        assert noticed == [1]

    clock.run(main())


def test_a_module_that_cannot_judge_the_new_time_has_failed(run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        module = Module()
        module.failed = loop.create_future()
        times: dict[str, float] = {}
        module.on_wall_set(lambda: times.update(next=times["last"]))
        loop.set_wall(utc_now() + timedelta(days=1))
        await asyncio.sleep(0)
        assert isinstance(module.failed.result(), KeyError)
        await module.cancel_tasks()
        assert loop.on_wall_set == []

    run(main())
