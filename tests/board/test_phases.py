"""Contactors as they are wired, and the switch between one and three phases, against the virtual safety controller."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.wiring import ALL_OPEN, PhaseWiring
from chargebyte_fw.board.link.events import DeadManTripped
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.sim.mcu_hardware import CHARGE_SOM, Contactor, Hardware
from chargebyte_fw.sim.pilot import Drive
from tests.board.world import World

BOARD = "evse_board_support"
CONTACTOR_FAULT = (f"{BOARD}/MREC17EVSEContactorFault", "")
WIRINGS = (PhaseWiring.serial, PhaseWiring.simultaneous, PhaseWiring.mutual)
FEEDBACK = {"contactor_1_feedback_type": "no", "contactor_2_feedback_type": "nc"}


def wired(wiring: PhaseWiring, *, feedback: bool = True, **more: Any) -> Hardware:
    """Two contactors that lead to the car."""
    both = [Contactor(has_feedback=feedback), Contactor(has_feedback=feedback), Contactor(configured=False)]
    return Hardware(contactors=both, wiring=wiring, **more)


def phases(world: World) -> int:
    return world.mcu.mcu.hardware.phases_connected


def moves(world: World) -> list[tuple[int, bool]]:
    return [(index + 1, closed) for _, index, closed in world.mcu.mcu.contactor_log]


async def charge(world: World, duty: float = 20.0) -> None:
    world.pilot.car_state = "B"
    await world.board.pwm_on(duty)
    await asyncio.sleep(0.3)
    world.pilot.car_state = "C"
    await asyncio.sleep(0.3)
    await world.allow(True)
    await asyncio.sleep(1.0)


def follow_the_pilot(world: World) -> None:
    """Let the car stop drawing a moment after the pulse width modulation has ended, as IEC 61851-1 wants."""

    def look() -> None:
        if world.pilot.car_state in ("B", "C"):
            wanted = "C" if world.pilot.drive is Drive.PWM else "B"
            asyncio.get_running_loop().call_later(0.5, setattr, world.pilot, "car_state", wanted)

    world.pilot.on_change.append(look)


def test_in_series_the_secondary_closes_first_and_opens_last(play: Any) -> None:
    async def story(world: World) -> None:
        await charge(world)
        assert phases(world) == 3
        assert moves(world) == [(2, True), (1, True)]
        assert world.events.count("PowerOn") == 1
        await world.allow(False)
        await asyncio.sleep(1.0)
        assert moves(world)[2:] == [(1, False), (2, False)]
        assert world.events[-1] == "PowerOff"
        assert not world.raised

    play(story, wired(PhaseWiring.serial), switch_3ph1ph_wiring="serial", **FEEDBACK)


@pytest.mark.parametrize("feedback", [True, False])
def test_in_series_the_secondary_is_never_switched_under_load(play: Any, feedback: bool) -> None:
    """It moves only while the primary is open for good: its feedback says so, or its time to open is over."""

    async def story(world: World) -> None:
        await charge(world)
        await world.allow(False)
        await asyncio.sleep(1.0)
        log = world.mcu.mcu.contactor_log
        at = {(index + 1, closed): moved for moved, index, closed in log}
        assert len(at) == len(log) == 4
        least_s = timing.CYCLE_S / 2 if feedback else 0.99 * timing.CONTACTOR_SETTLE_S
        assert at[1, True] - at[2, True] >= least_s
        assert least_s <= at[2, False] - at[1, False] <= timing.OPENING_LIMIT_S + timing.CYCLE_S

    play(
        story,
        wired(PhaseWiring.serial, feedback=feedback),
        switch_3ph1ph_wiring="serial",
        **(FEEDBACK if feedback else {}),
    )


def test_in_series_power_is_told_when_the_primary_is_closed(play: Any) -> None:
    async def story(world: World) -> None:
        at: list[float] = []
        world.board.event.subscribe(
            lambda told: at.append(asyncio.get_running_loop().time()) if told.event.value == "PowerOn" else None,
            replay=False,
        )
        await charge(world)
        (_, _, _), (closed_at, index, _) = world.mcu.mcu.contactor_log
        assert index == 0
        assert at[0] >= closed_at

    play(story, wired(PhaseWiring.serial), switch_3ph1ph_wiring="serial", **FEEDBACK)


def test_in_series_a_primary_that_does_not_open_does_not_keep_the_secondary_closed_for_long(play: Any) -> None:
    async def story(world: World) -> None:
        await charge(world)
        world.mcu.mcu.hardware.contactors[0].welded = True
        await world.allow(False)
        await asyncio.sleep(0.6)
        assert moves(world)[2:] == [(2, False)]
        assert CONTACTOR_FAULT in world.active

    play(story, wired(PhaseWiring.serial), switch_3ph1ph_wiring="serial", **FEEDBACK)


def test_a_tripped_dead_mans_handle_leaves_nothing_closed_in_series(play: Any) -> None:
    async def story(world: World) -> None:
        await charge(world)
        world.driver.machine.feed(DeadManTripped(), asyncio.get_running_loop().time())
        assert world.driver.machine.snapshot.contactor_orders == ALL_OPEN

    play(story, wired(PhaseWiring.serial), switch_3ph1ph_wiring="serial", **FEEDBACK)


@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_phases_are_switched_while_charging(play: Any, wiring: PhaseWiring, feedback: bool) -> None:
    async def story(world: World) -> None:
        follow_the_pilot(world)
        await charge(world)
        assert phases(world) == 3
        for three in (False, True):
            before = len(moves(world))
            await world.board.ac_switch_three_phases_while_charging(three)
            await asyncio.sleep(0.2)
            assert world.pilot.drive is Drive.PLUS, "the car is told to stop"
            await asyncio.sleep(9.0)
            assert phases(world) == (3 if three else 1)
            assert world.pilot.duty_percent == 20.0
            changed = moves(world)[before:]
            opened = [closed for _, closed in changed]
            assert opened == sorted(opened), "all is open before anything closes"
            assert world.board.ac_nr_of_phases_available.value == (3 if three else 1)
        assert not world.mcu.mcu.had_short_circuit
        assert not world.raised

    play(
        story,
        wired(wiring, feedback=feedback),
        switch_3ph1ph_wiring=wiring.value,
        **(FEEDBACK if feedback else {}),
    )


def test_the_car_is_off_the_grid_for_the_pause_and_stops_drawing_before(play: Any) -> None:
    async def story(world: World) -> None:
        follow_the_pilot(world)
        await charge(world)
        begin = asyncio.get_running_loop().time()
        await world.board.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(9.0)
        (opened, _, _), (closed, _, _) = world.mcu.mcu.contactor_log[-2:]
        assert opened >= begin + 0.5, "not before the car has stopped"
        assert closed - opened >= 3.0

    play(story, wired(PhaseWiring.mutual), switch_3ph1ph_wiring="mutual", **FEEDBACK)


def test_a_car_that_goes_on_drawing_is_taken_off_after_six_seconds(play: Any) -> None:
    async def story(world: World) -> None:
        await charge(world)
        await world.board.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(5.5)
        assert phases(world) == 3
        await asyncio.sleep(1.0)
        assert phases(world) == 0
        await asyncio.sleep(5.0)
        assert phases(world) == 1, "what was permitted before goes on after"

    play(story, wired(PhaseWiring.mutual), switch_3ph1ph_wiring="mutual", **FEEDBACK)


@pytest.mark.parametrize("end", ["withdrawn", "unplugged", "reset", "pilot F"])
def test_whatever_ends_the_charging_meanwhile_leaves_the_contactors_open(play: Any, end: str) -> None:
    async def story(world: World) -> None:
        await charge(world)
        await world.board.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(1.0)
        if end == "withdrawn":
            await world.allow(False)
        elif end == "unplugged":
            world.pilot.car_state = "A"
        elif end == "reset":
            world.driver.link.reset("a test")
        else:
            await world.board.cp_state_F()
        await asyncio.sleep(0.6)
        assert phases(world) == 0
        if end == "pilot F":
            assert world.pilot.letter == "F"
        await asyncio.sleep(15.0)
        assert phases(world) == 0
        await world.allow(False)
        world.pilot.car_state = "A"
        await asyncio.sleep(1.0)
        await charge(world)
        assert phases(world) == 1, "the next charging has the phases that were asked for"

    play(story, wired(PhaseWiring.mutual), switch_3ph1ph_wiring="mutual", **FEEDBACK)


def test_without_power_the_phases_are_changed_at_once(play: Any) -> None:
    async def story(world: World) -> None:
        await world.board.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(0.1)
        assert world.board.ac_nr_of_phases_available.value == 1
        await charge(world)
        assert phases(world) == 1

    play(story, wired(PhaseWiring.simultaneous), switch_3ph1ph_wiring="simultaneous", **FEEDBACK)


def test_under_high_level_communication_phases_stay(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        await charge(world, duty=5.0)
        await world.board.ac_switch_three_phases_while_charging(False)
        await asyncio.sleep(12.0)
        assert phases(world) == 3
        assert world.pilot.duty_percent == 5.0
        assert "high-level communication" in caplog.text

    play(story, wired(PhaseWiring.mutual), switch_3ph1ph_wiring="mutual")


def test_capabilities_follow_wiring_and_firmware(play: Any) -> None:
    async def story(world: World) -> None:
        told = world.board.capabilities.value
        assert told is not None
        assert told.supports_changing_phases_during_charging
        assert (told.min_phase_count_import, told.max_phase_count_import) == (1, 3)

    play(story, wired(PhaseWiring.serial), switch_3ph1ph_wiring="serial")


def test_firmware_that_is_too_old_is_refused_by_name(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    old = CHARGE_SOM.changed(major=0, minor=2, build=5)

    async def story(world: World) -> None:
        told = world.board.capabilities.value
        assert told is not None
        assert not told.supports_changing_phases_during_charging
        assert (told.min_phase_count_import, told.max_phase_count_import) == (3, 3)
        await world.board.ac_switch_three_phases_while_charging(False)
        assert "needs firmware newer than 0.2.5 on the safety controller, which has 0.2.5" in caplog.text
        await charge(world)
        assert phases(world) == 3

    play(story, wired(PhaseWiring.simultaneous, firmware=old), switch_3ph1ph_wiring="simultaneous")


def test_without_wiring_it_is_refused(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        await world.board.ac_switch_three_phases_while_charging(False)
        assert "switch_3ph1ph_wiring is none" in caplog.text
        assert world.board.ac_nr_of_phases_available.value == 3

    play(story)


def test_wiring_that_the_parameter_block_does_not_have_is_a_fault_of_the_board(play: Any) -> None:
    async def story(world: World) -> None:
        (fault,) = world.board.faults.active
        assert (fault.type, fault.sub_type) == (f"{BOARD}/VendorError", "Contactor wiring")
        assert "contactor 2" in fault.message
        assert "with-feedback-normally-closed" in fault.message
        world.pilot.car_state = "C"
        await world.board.pwm_on(20.0)
        await world.allow(True)
        await asyncio.sleep(1.0)
        assert phases(world) == 0

    play(story, Hardware(), switch_3ph1ph_wiring="mutual", **FEEDBACK)


def test_feedback_of_the_wrong_polarity_is_a_contactor_fault_before_anything_is_switched(play: Any) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(1.5)
        (fault,) = world.board.faults.active
        assert (fault.type, fault.sub_type) == CONTACTOR_FAULT
        assert "with-feedback-normally-open" in fault.message

    denies = [Contactor(denies=True), Contactor(configured=False), Contactor(configured=False)]
    play(story, Hardware(contactors=denies), contactor_1_feedback_type="no")


@pytest.mark.parametrize(("dc", "closed"), [("dual", [(1, True), (2, True)]), ("single", [(1, True)])])
def test_direct_current_is_switched_as_wired(play: Any, dc: str, closed: list[tuple[int, bool]]) -> None:
    async def story(world: World) -> None:
        await charge(world, duty=5.0)
        assert moves(world) == closed
        told = world.board.capabilities.value
        assert told is not None
        assert told.connector_type == "IEC62196Type2Cable"

    play(story, wired(PhaseWiring.none), connector_type="cCCS2", dc_contactor_wiring=dc)


def test_direct_current_without_contactors_is_told_by_hv_ready(play: Any) -> None:
    async def story(world: World) -> None:
        await charge(world, duty=5.0)
        assert world.events[-1] == "PowerOn"

    play(story, Hardware(contactors=[Contactor(configured=False) for _ in range(3)]), connector_type="cCCS2",
         dc_contactor_wiring="none")  # fmt: skip


def test_phase_wiring_of_a_dc_connector_is_an_error_of_the_configuration(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        with pytest.raises(ConfigError, match="for DC"):
            await World(assemble, runtime, connector_type="cCCS2", switch_3ph1ph_wiring="serial").start()

    run(main())
