"""The charge stop: an input that asks for the end of the transaction."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.driver.stop_input import LevelRead, StopInput, StopPressed
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from tests.board.world import World

LINE = "CHSTOP_IN"


def presses(world: World) -> list[StopTransactionRequest]:
    heard: list[StopTransactionRequest] = []
    world.board.request_stop_transaction.subscribe(heard.append, replay=False)
    return heard


def test_a_press_asks_for_the_end_of_the_transaction_once(play: Any, runtime: Any) -> None:
    level = [True]
    runtime.wires.plug(f"gpio:{LINE}", lambda: level[0])

    async def story(world: World) -> None:
        heard = presses(world)
        await asyncio.sleep(1.0)
        for count in (1, 2):
            level[0] = False
            await asyncio.sleep(2.0)
            level[0] = True
            await asyncio.sleep(2.0)
            assert [request.reason for request in heard] == [StopTransactionReason.Local] * count
        assert not world.raised

    play(story, charge_stop_gpio_line_name=LINE)


def test_without_the_key_nobody_looks_at_the_line(play: Any, runtime: Any) -> None:
    def never() -> bool:
        raise AssertionError

    runtime.wires.plug(f"gpio:{LINE}", never)

    async def story(world: World) -> None:
        await asyncio.sleep(1.0)

    play(story)


def test_an_input_that_is_active_from_the_start_counts_when_it_comes_anew(
    play: Any, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    level = [True]
    runtime.wires.plug(f"gpio:{LINE}", lambda: level[0])

    async def story(world: World) -> None:
        heard = presses(world)
        await asyncio.sleep(1.0)
        assert not heard
        assert caplog.text.count("active from the start") == 1
        level[0] = False
        await asyncio.sleep(1.0)
        level[0] = True
        await asyncio.sleep(1.0)
        assert len(heard) == 1

    play(story, charge_stop_gpio_line_name=LINE, charge_stop_active_low=False)


def test_a_simulated_line_of_another_process_is_a_file_that_may_come_late(play: Any, tmp_path: Path) -> None:
    line = tmp_path / "run/secc/gpio" / LINE

    async def story(world: World) -> None:
        heard = presses(world)
        await asyncio.sleep(1.0)
        line.parent.mkdir(parents=True, exist_ok=True)
        line.write_text("1\n")
        await asyncio.sleep(1.0)
        line.write_text("0\n")
        await asyncio.sleep(1.0)
        assert len(heard) == 1

    play(story, charge_stop_gpio_line_name=LINE)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 0.2), st.sampled_from([True, False, None])), max_size=40))
def test_only_a_level_that_holds_is_a_press(levels: list[tuple[float, bool | None]]) -> None:
    stop = StopInput()

    def press(active: bool | None, now: float) -> bool:
        return StopPressed() in stop.feed(LevelRead(active), now) + stop.wake(now)

    assert not press(False, 0.0)
    assert not press(False, 1.0)
    now, held_since, seen = 1.0, 0.0, False
    for pause_s, active in levels:
        now += pause_s
        if active is not seen:
            seen, held_since = active, now  # type: ignore[assignment]
        pressed = press(active, now)
        assert not pressed or (active and now - held_since >= 0.05)
