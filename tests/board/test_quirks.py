"""Unsafe habits of the shipped driver that this one must not have; each test is named after its letter."""

from __future__ import annotations

import asyncio
from typing import Any

from chargebyte_fw.board.link.messages.charge_som import ChargeControl, EstopState, RcmState
from chargebyte_fw.sim.mcu import McuState
from chargebyte_fw.sim.mcu_hardware import Contactor, Hardware
from tests.board.world import World

STOP = "evse_board_support/MREC8EmergencyStop"


def with_rcm(**more: Any) -> Hardware:
    return Hardware(rcm=RcmState.MONITORING, **more)


def with_estop() -> Hardware:
    return Hardware(estops=[EstopState.NOT_TRIPPED, EstopState.UNUSED, EstopState.UNUSED])


def test_quirk_a_power_off_clears_the_request_of_a_contactor_that_has_not_closed_yet(play: Any) -> None:
    """Permission in state B closes nothing; taken back, it must not close anything later in state C."""

    async def story(world: World) -> None:
        world.pilot.car_state = "B"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.2)
        assert world.heard.contactor_1_close
        assert not world.pilot.contactors_closed
        await world.allow(False)
        await asyncio.sleep(0.2)
        assert not world.heard.contactor_1_close
        world.pilot.car_state = "C"
        await asyncio.sleep(1.0)
        assert not world.pilot.contactors_closed

    play(story)


def test_quirk_b_the_residual_current_fault_that_was_raised_is_the_one_that_is_cleared(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.pilot.residual_current_mA = 10.0
        await asyncio.sleep(0.3)
        assert ("ac_rcd/DC", "") in world.active
        assert ("ac_rcd/Selftest", "") not in world.raised
        world.pilot.residual_current_mA = 0.0
        await world.driver.ac_rcd.reset()
        await world.board.cp_state_X1()
        await asyncio.sleep(1.0)
        assert ("ac_rcd/DC", "") in world.cleared
        assert not world.active

    play(story, with_rcm())


def test_quirk_c_a_port_that_receives_nothing_costs_no_turns_of_the_loop(play: Any) -> None:
    """The shipped receive thread spun while reception was off."""

    async def story(world: World) -> None:
        world.plug.cut = True
        await asyncio.sleep(60.0)
        loop = asyncio.get_running_loop()
        handles = 0
        call_at = loop.call_at

        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal handles
            handles += 1
            return call_at(*args, **kwargs)

        loop.call_at = counted  # type: ignore[method-assign,assignment]
        await asyncio.sleep(60.0)
        loop.call_at = call_at  # type: ignore[method-assign]
        assert handles < 200, "a minute without a link: attempts every ten seconds and a temperature tick a second"

    play(story)


def test_quirk_e_an_error_message_that_was_taken_back_is_reported_when_it_comes_again(play: Any) -> None:
    async def story(world: World) -> None:
        warning = ("evse_board_support/VendorWarning", "APP_TEMP")
        for _ in range(2):
            world.mcu.report_error("APP_TEMP", 4)
            world.mcu.report_error("APP_TEMP", 4)
            await asyncio.sleep(0.1)
            assert warning in world.active
            world.mcu.report_error("APP_TEMP", 4, active=False)
            await asyncio.sleep(0.1)
            assert warning not in world.active
        assert world.raised == [warning] * 2

    play(story)


def test_quirk_g_after_state_e_the_pilot_and_the_link_go_on(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.car_state = "B"
        await world.board.cp_state_E()
        await asyncio.sleep(2.0)
        assert world.pilot.letter == "E"
        assert world.events[-1] == "E"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        assert world.pilot.duty_percent == 5.0
        await world.board.cp_state_E()
        await asyncio.sleep(2.0)
        await world.board.cp_state_X1()
        await asyncio.sleep(0.3)
        assert world.pilot.letter == "B"
        assert world.events[-1] == "B"
        assert not world.raised, "the link was there all the time"

    play(story)


def test_quirk_g_an_emergency_stop_in_state_e_is_heard(play: Any) -> None:
    """A controller that was reset for state E would say nothing until it is spoken to again."""

    async def story(world: World) -> None:
        world.pilot.car_state = "B"
        await world.board.cp_state_E()
        await asyncio.sleep(0.5)
        world.mcu.mcu.hardware.estops[0] = EstopState.TRIPPED
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert STOP in {type for type, _ in world.active}

    play(story, with_estop())


def test_quirk_h_after_a_reset_nothing_is_compared_with_what_was_before(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.car_state = "B"
        await asyncio.sleep(0.3)
        world.driver.link.reset("test")
        world.events.clear()
        await asyncio.sleep(1.0)
        assert world.events == ["PowerOff", "B"], "the first words after a reset are told, also when they are the same"

    play(story)


def test_quirk_i_a_lost_link_does_not_end_the_module(play: Any) -> None:
    async def story(world: World) -> None:
        world.plug.cut = True
        await asyncio.sleep(30.0)
        assert not world.driver.failed.done()
        assert ("evse_board_support/CommunicationFault", "") in world.active
        world.plug.cut = False
        await asyncio.sleep(15.0)
        assert not world.active

    play(story)


def test_quirk_j_a_safe_state_is_reported_each_time(play: Any) -> None:
    """The shipped driver reported only the first generic fault."""

    async def story(world: World) -> None:
        fault = ("evse_board_support/VendorError", "temperature 1 over-temperature")
        for round_ in (1, 2):
            world.mcu.mcu.hardware.temperatures[0].value_C = 95.0
            world.mcu.inputs_changed()
            await asyncio.sleep(0.3)
            assert fault in world.active
            world.mcu.mcu.hardware.temperatures[0].value_C = 25.0
            await world.board.cp_state_X1()
            await asyncio.sleep(4.0)
            assert fault not in world.active
            assert world.raised.count(fault) == round_

    play(story)


def test_quirk_k_no_reason_clears_nothing_that_was_not_raised(play: Any) -> None:
    async def story(world: World) -> None:
        for _ in range(3):
            world.driver.link.reset("test")
            await asyncio.sleep(1.0)
        assert not world.raised
        assert not world.cleared

    play(story)


def test_quirk_l_state_e_of_a_controller_that_was_reset_does_not_reach_the_bus(play: Any) -> None:
    async def story(world: World) -> None:
        for _ in range(3):
            world.driver.link.reset("test")
            await asyncio.sleep(1.0)
        assert "E" not in world.events

    play(story)


def test_quirk_m_a_permission_from_before_a_reset_closes_nothing_after_it(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.driver.link.reset("test")
        seen: list[ChargeControl] = []
        world.pilot.on_change.append(lambda: seen.append(world.heard))
        await asyncio.sleep(3.0)
        assert world.pilot.letter == "C"
        assert not any(one.contactor_1_close or one.contactor_2_close for one in seen)
        assert not world.pilot.contactors_closed
        await world.allow(True)
        await asyncio.sleep(0.3)
        assert world.pilot.contactors_closed, "a new permission does"

    play(story)


def test_quirk_m_a_permission_from_before_a_safe_state_closes_nothing_after_it(play: Any) -> None:
    """The controller opened, power-off was dropped as "no change", and the contactor closed again after recovery."""

    async def story(world: World) -> None:
        await world.charge()
        world.mcu.mcu.hardware.estops[0] = EstopState.TRIPPED
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert not world.pilot.contactors_closed
        await world.allow(False)
        world.mcu.mcu.hardware.estops[0] = EstopState.NOT_TRIPPED
        world.mcu.inputs_changed()
        await world.board.cp_state_X1()
        await asyncio.sleep(5.0)
        assert world.mcu.mcu.state is McuState.RUNNING
        assert world.pilot.letter == "C"
        assert not world.pilot.contactors_closed

    play(story, with_estop())


def test_quirk_n_between_a_reset_and_the_first_words_nothing_old_counts(play: Any) -> None:
    """With the state of before the reset (C, normal) the permission would have been granted."""

    async def story(world: World) -> None:
        await world.charge()
        world.driver.link.reset("test")
        assert world.driver.machine.snapshot.charge_state is None
        await world.allow(True)
        await asyncio.sleep(3.0)
        assert not world.pilot.contactors_closed

    play(story)


def test_quirk_d_contactors_that_are_not_known_yet_switch_nothing(play: Any) -> None:
    async def story(world: World) -> None:
        assert world.events[0] == "PowerOff"
        assert "PowerOn" not in world.events

    play(story)


def test_quirk_f_any_contactor_may_fail_and_the_fault_stays_until_restart(play: Any) -> None:
    second = Hardware(contactors=[Contactor(), Contactor(stuck_open=True), Contactor(configured=False)])

    async def story(world: World) -> None:
        world.pilot.car_state = "C"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.5)
        fault = ("evse_board_support/MREC17EVSEContactorFault", "")
        assert fault in world.active
        assert not world.pilot.contactors_closed
        await world.board.cp_state_X1()
        await asyncio.sleep(5.0)
        assert world.mcu.mcu.state is McuState.RUNNING
        assert fault in world.active
        await world.allow(True)
        await asyncio.sleep(0.5)
        assert not world.pilot.contactors_closed, "refused: a contactor has failed"

    play(story, second)
