"""A lost link: contactors open, the fault is named, everything comes back without a restart."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.sim.mcu import HOST_SILENCE_S, McuState
from tests.board import cables
from tests.board.world import World

LOST = ("evse_board_support/CommunicationFault", "")


def test_uart_pulled_for_two_seconds_while_charging(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story(world: World) -> None:
        await world.charge()
        world.mcu.cut(2.0)
        await asyncio.sleep(HOST_SILENCE_S + 0.1)
        assert world.mcu.mcu.state is McuState.SAFE
        assert not world.pilot.contactors_closed
        assert world.pilot.letter == "F"
        await asyncio.sleep(timing.RECEIVE_TIMEOUT_S - HOST_SILENCE_S + 0.1)
        assert world.active == {LOST}
        assert "no CHARGE_STATE" in world.board.faults.active[0].message
        lines = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
        assert lines == ["no link to the safety controller: no CHARGE_STATE for 1.0 s; contactors open, trying again"]
        await world.allow(True)
        await asyncio.sleep(10.0)
        assert not world.active
        assert world.mcu.mcu.state is McuState.RUNNING
        assert not world.pilot.contactors_closed, "a wish of the time without a link is void"
        assert world.events[-2:] == ["PowerOff", "C"]
        await world.charge()

    play(story)


def test_a_gap_that_only_the_controller_noticed_is_left_at_once(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.mcu.cut(0.7)
        await asyncio.sleep(2.5)
        assert world.raised == [("evse_board_support/VendorError", "communication timeout")]
        assert not world.active
        assert world.mcu.mcu.state is McuState.RUNNING
        await world.charge()

    play(story)


def test_the_reset_line_is_held_while_there_is_no_link(play: Any) -> None:
    """Whatever the controller does then, it does with open contactors."""

    async def story(world: World) -> None:
        await world.charge()
        world.mcu.cut()
        await asyncio.sleep(1.2)
        assert world.mcu.mcu.state is McuState.RESET

    play(story)


def test_a_controller_that_never_answers_leaves_the_process_ready_and_faulted(
    run: Any, assemble: Any, runtime: Any
) -> None:
    async def main() -> None:
        world = World(assemble, runtime)
        world.plug.cut = True
        await world.start()
        assert world.board.capabilities.known
        await asyncio.sleep(4.0)
        assert world.active == {LOST}
        assert "firmware version" in world.board.faults.active[0].message
        await world.board.pwm_on(5.0)
        world.plug.cut = False
        await asyncio.sleep(8.0)
        assert not world.active
        assert world.pilot.duty_percent == 5.0, "what was ordered meanwhile is on the pilot"
        await world.stop()

    run(main())


def test_a_link_that_comes_and_goes_is_announced_once_each_time(play: Any) -> None:
    async def story(world: World) -> None:
        for count in (1, 2, 3):
            world.mcu.cut(30.0)
            await asyncio.sleep(60.0)
            assert world.raised.count(LOST) == count
            assert world.cleared.count(LOST) == count

    play(story)


def test_disabled_or_enabled_during_the_loss_counts_afterwards(play: Any) -> None:
    async def story(world: World) -> None:
        world.mcu.cut(3.0)
        await asyncio.sleep(2.0)
        await world.board.enable(False)
        await asyncio.sleep(10.0)
        assert world.pilot.letter == "F"

    play(story)


@pytest.mark.parametrize("name", ["perfect", "byte_by_byte", "late", "noisy"])
def test_a_session_over_every_cable(play: Any, name: str) -> None:
    async def story(world: World) -> None:
        _lay(world, name)
        await world.charge()
        await asyncio.sleep(30.0)
        assert world.pilot.contactors_closed
        await world.allow(False)
        await asyncio.sleep(0.5)
        assert not world.pilot.contactors_closed
        assert not world.raised

    play(story)


def test_a_lossy_cable_loses_frames_but_not_the_link(play: Any) -> None:
    async def story(world: World) -> None:
        _lay(world, "lossy")
        await world.charge()
        await asyncio.sleep(120.0)
        assert world.pilot.contactors_closed
        assert not world.raised

    play(story)


def test_rubbish_on_the_line_is_neither_a_fault_nor_a_traceback(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        await world.charge()
        for _ in range(50):
            world.mcu.noise(world.runtime.random.randbytes(200))
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        assert world.pilot.contactors_closed
        assert "Traceback" not in caplog.text

    play(story)


def test_a_half_frame_before_the_cut_does_not_spoil_the_first_frame_after_it(play: Any) -> None:
    async def story(world: World) -> None:
        world.mcu.noise(bytes.fromhex("A5 07 80 32 03 00"))
        world.mcu.cut(5.0)
        await asyncio.sleep(20.0)
        assert not world.active

    play(story)


def _lay(world: World, name: str) -> None:
    """Put a cable into both directions."""
    ends: list[Any] = [world.mcu._end, world.mcu._end.peer]
    for end in ends:
        cable, arrive = cables.ALL[name](), end._arrive

        def carry(data: bytes, cable: Any = cable, arrive: Any = arrive) -> None:
            for chunk in cable(data):
                arrive(chunk)

        end._arrive = carry


def test_a_controller_that_the_reset_line_does_not_reach_is_still_seen(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays in its safe state and says the same for ever, also while it is asked for its firmware."""

    async def story(world: World) -> None:
        monkeypatch.setattr(world.mcu, "reset_line", lambda high: None)
        world.mcu.cut(2.0)
        await asyncio.sleep(10.0)
        assert world.mcu.mcu.state is McuState.SAFE
        assert world.active == {("evse_board_support/VendorError", "communication timeout")}

    play(story)
