"""Which fault is raised when, and cleared when: the driver against the virtual safety controller."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages.charge_som import EstopState, RcmState
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.sim.mcu import McuState
from chargebyte_fw.sim.mcu_hardware import Contactor, Hardware, Temperature
from tests.board.world import World

BOARD = "evse_board_support"
PLUG_SEEN_S = timing.PLUG_LOOK_S + 1.0
"""Until the pilot shows the plug after the controller's safe state: the pause, and the reset itself."""


async def plug_in(world: World, duty: float = 5.0) -> None:
    world.pilot.car_state = "B"
    await world.board.pwm_on(duty)
    await asyncio.sleep(0.3)


def test_a_car_without_a_diode_is_a_diode_fault(play: Any) -> None:
    async def story(world: World) -> None:
        await plug_in(world)
        world.pilot.diode_fault = True
        await asyncio.sleep(0.3)
        assert world.active == {(f"{BOARD}/DiodeFault", "")}
        assert world.board.faults.active[0].severity is Severity.High
        world.pilot.diode_fault = False
        await world.board.cp_state_X1()
        await asyncio.sleep(3.0)
        assert not world.active

    play(story)


def test_a_shorted_pilot_is_a_pilot_fault(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.pilot.cp_short = True
        await asyncio.sleep(0.3)
        assert world.active == {(f"{BOARD}/MREC14PilotFault", "CPShortFault")}
        assert not world.pilot.contactors_closed
        world.pilot.cp_short = False
        await asyncio.sleep(10.0)
        assert not world.active, "the driver leads the controller out of its safe state by itself"

    play(story)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_emergency_input_names_itself_and_ends_when_it_is_released(play: Any, number: int) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.mcu.mcu.hardware.estops[number - 1] = EstopState.TRIPPED
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert world.active == {(f"{BOARD}/MREC8EmergencyStop", f"emergency input {number}")}
        assert not world.pilot.contactors_closed
        assert set(world.events[-2:]) == {"PowerOff", "F"}
        resets = len(world.resets)
        await world.board.cp_state_X1()
        await asyncio.sleep(60.0)
        assert len(world.resets) == resets, "no reset while it is pressed"
        world.mcu.mcu.hardware.estops[number - 1] = EstopState.NOT_TRIPPED
        world.mcu.inputs_changed()
        await asyncio.sleep(4.0)
        assert not world.active
        assert world.mcu.mcu.state is McuState.RUNNING

    play(story, Hardware(estops=[EstopState.NOT_TRIPPED] * 3))


@pytest.mark.parametrize(
    ("channel", "change", "error", "reason"),
    [
        (0, {"value_C": 91.0}, "ChargingAbort", "temperature 1 over-temperature"),
        (1, {"broken": True}, "SelftestFailed", "temperature 2 malfunction"),
    ],
)
def test_a_temperature_channel_tells_its_name_and_the_board_the_reason(
    play: Any, channel: int, change: dict[str, Any], error: str, reason: str
) -> None:
    async def story(world: World) -> None:
        for name, value in change.items():
            setattr(world.mcu.mcu.hardware.temperatures[channel], name, value)
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        name = ("left", "right")[channel]
        assert world.active == {(f"cb_temperatures/{error}", name), (f"{BOARD}/VendorError", reason)}
        world.mcu.mcu.hardware.temperatures[channel] = Temperature(25.0)
        world.mcu.inputs_changed()
        await asyncio.sleep(8.0)
        assert not world.active

    play(story, pt1000_1_identification="left", pt1000_2_identification="right")


def test_a_welded_contactor_is_a_contactor_fault(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.mcu.mcu.hardware.contactors[0].welded = True
        await world.allow(False)
        await asyncio.sleep(0.5)
        assert (f"{BOARD}/MREC17EVSEContactorFault", "") in world.active
        assert (f"{BOARD}/VendorWarning", "APP_HVSWITCH") in world.active
        assert world.events[-1] == "F"
        assert "PowerOff" not in world.events[world.events.index("PowerOn") :], "it is not open"
        fault = (f"{BOARD}/MREC17EVSEContactorFault", "")
        await asyncio.sleep(PLUG_SEEN_S)
        assert world.events[-1] == "C", "a reset does not help the contactor, but lets the plug be watched"
        assert fault in world.active
        await world.allow(True)
        await asyncio.sleep(60.0)
        assert len(world.resets) == 2
        control = world.mcu.mcu.control
        assert not (control.contactor_1_close or control.contactor_2_close or control.contactor_3_close)
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert world.events[-1] == "A"
        assert fault in world.active, "until the next start"

    play(story)


@pytest.mark.parametrize("leaves_after_s", [0.5, 20.0, 300.0])
def test_a_car_that_leaves_while_the_pilot_is_shorted_is_seen_soon(play: Any, leaves_after_s: float) -> None:
    """The controller's safe state holds -12 V, behind which no plug is seen: with a car it is looked at often."""

    async def story(world: World) -> None:
        await world.charge()
        world.pilot.cp_short = True
        await asyncio.sleep(leaves_after_s)
        assert world.active == {(f"{BOARD}/MREC14PilotFault", "CPShortFault")}
        world.pilot.cp_short = False
        world.pilot.car_state = "A"
        await asyncio.sleep(PLUG_SEEN_S)
        assert world.events[-1] == "A"
        assert not world.active

    play(story)


def test_a_car_that_leaves_after_a_diode_fault_is_seen_at_once(play: Any) -> None:
    """+12 V shows the plug: the duty cycle that a diode is judged by does not come back by itself."""

    async def story(world: World) -> None:
        await world.charge()
        world.pilot.diode_fault = True
        await asyncio.sleep(PLUG_SEEN_S)
        assert not world.active
        assert world.pilot.letter == "C" and world.pilot.duty_percent is None
        resets = len(world.resets)
        await asyncio.sleep(60.0)
        assert len(world.resets) == resets
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert world.events[-1] == "A"

    play(story)


def test_attempts_that_repeat_are_logged_once(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story(world: World) -> None:
        await world.charge()
        caplog.clear()
        world.pilot.cp_short = True
        await asyncio.sleep(600.0)
        lines = [record.getMessage() for record in caplog.records]
        assert sum("safe state: Control Pilot short-circuit" in line for line in lines) == 1
        assert sum("is being reset" in line for line in lines) == 1
        assert len(lines) < 10, lines

    play(story)


def test_a_contactor_that_does_not_close_is_a_contactor_fault(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.car_state = "C"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.5)
        assert (f"{BOARD}/MREC17EVSEContactorFault", "") in world.active

    play(
        story,
        Hardware(contactors=[Contactor(stuck_open=True), Contactor(configured=False), Contactor(configured=False)]),
    )


def test_a_residual_current_is_an_rcd_fault_and_stops_the_board_too(play: Any) -> None:
    """EvseManager need not be connected to the monitor: a safe state never stays without a fault of the board."""

    async def story(world: World) -> None:
        await world.charge()
        world.pilot.residual_current_mA = 7.0
        await asyncio.sleep(0.3)
        assert world.active == {("ac_rcd/DC", ""), (f"{BOARD}/VendorError", "RCM tripped")}

    play(story, Hardware(rcm=RcmState.MONITORING))


def test_after_a_residual_current_nothing_closes_until_the_car_is_gone(play: Any) -> None:
    """No automatic re-closing: the controller's reset alone does not lead back onto the same leak."""

    async def story(world: World) -> None:
        await world.charge()
        world.pilot.residual_current_mA = 30.0
        await asyncio.sleep(0.3)
        await world.board.cp_state_X1()
        await asyncio.sleep(3.0)
        world.pilot.residual_current_mA = 0.0
        await world.board.pwm_on(5.0)
        await world.allow(True)
        await asyncio.sleep(1.0)
        assert not world.pilot.contactors_closed
        assert world.active == {("ac_rcd/DC", ""), (f"{BOARD}/VendorError", "RCM tripped")}
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert not world.active
        await world.charge()

    play(story, Hardware(rcm=RcmState.MONITORING))


def test_a_self_test_that_passes_raises_nothing(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.ac_rcd.self_test()
        await asyncio.sleep(2.0)
        assert not world.raised
        assert await world.driver.ac_rcd.reset() is True

    play(story, Hardware(rcm=RcmState.MONITORING))


def test_a_self_test_that_fails_is_a_self_test_fault_and_passing_the_next_clears_it(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.ac_rcd.self_test()
        await asyncio.sleep(1.0)
        assert ("ac_rcd/Selftest", "") in world.active
        assert ("ac_rcd/DC", "") not in world.raised
        world.mcu.mcu.hardware.rcm_self_test_fails = False
        await asyncio.sleep(8.0)
        assert not world.active
        await world.driver.ac_rcd.self_test()
        await asyncio.sleep(1.0)
        assert not world.active

    play(story, Hardware(rcm=RcmState.MONITORING, rcm_self_test_fails=True))


def test_a_self_test_that_is_refused_is_a_fault_only_where_there_is_a_monitor(play: Any) -> None:
    async def story(world: World) -> None:
        await world.driver.ac_rcd.self_test()
        assert not world.raised

    play(story)


def test_an_error_message_is_a_warning_named_after_its_module(play: Any) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(0.5)
        assert world.active == {(f"{BOARD}/VendorWarning", "MW_PARAM")}
        assert "parameter block missing" in world.board.faults.active[0].message
        world.mcu.report_error("MW_PARAM", 4)
        world.mcu.report_error("MW_PARAM", 1, active=False)
        await asyncio.sleep(0.3)
        assert world.active, "another reason of the module is still there"
        world.mcu.report_error("MW_PARAM", 4, active=False)
        await asyncio.sleep(0.3)
        assert not world.active

    play(story, Hardware(error_messages=[("MW_PARAM", 1, 0xFFFF, 0xFFFF)]))


def test_warnings_end_with_the_safe_state(play: Any) -> None:
    async def story(world: World) -> None:
        world.mcu.mcu.hardware.temperatures[0].value_C = 95.0
        world.mcu.report_error("APP_TEMP", 4)
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert (f"{BOARD}/VendorWarning", "APP_TEMP") in world.active
        world.mcu.mcu.hardware.temperatures[0].value_C = 25.0
        await asyncio.sleep(8.0)
        assert not world.active

    play(story)


def test_attempts_to_leave_the_safe_state_become_rare(play: Any) -> None:
    async def story(world: World) -> None:
        world.mcu.mcu.hardware.temperatures[0].broken = True
        world.mcu.inputs_changed()
        resets = len(world.resets)
        await asyncio.sleep(300.0)
        assert 4 <= len(world.resets) - resets <= 8
        for _ in range(50):
            await world.board.cp_state_X1()
            await asyncio.sleep(1.0)
        assert len(world.resets) - resets <= 10, "a consumer that insists does not make it a storm"

    play(story)


def test_a_pulled_plug_of_a_socket_is_a_proximity_fault_until_the_car_is_gone(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.pp_code = 3
        await world.charge()
        assert world.ampacities[-1] == "A_32"
        world.pilot.pp_code = 0
        await asyncio.sleep(0.3)
        assert (f"{BOARD}/MREC23ProximityFault", "PlugRemoval") in world.active
        await world.board.cp_state_X1()
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert not world.active

    play(story, connector_type="IEC62196Type2Socket")


def test_a_cable_that_cannot_be_read_is_a_measurement_error_and_no_power_goes_through_it(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.pp_code = 7
        world.pilot.car_state = "C"
        await world.board.pwm_on(20.0)
        await asyncio.sleep(0.3)
        assert (f"{BOARD}/MREC23ProximityFault", "MeasurementError") in world.active
        await world.allow(True)
        await asyncio.sleep(0.3)
        assert not world.pilot.contactors_closed
        world.pilot.pp_code = 2
        await asyncio.sleep(0.3)
        assert not world.active
        assert world.ampacities[-1] == "A_20"

    play(story, connector_type="IEC62196Type2Socket")


def test_a_fixed_cable_has_no_proximity_pilot(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.pp_code = 7
        await world.charge()
        assert not world.ampacities
        assert not world.raised

    play(story)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_contactor_that_is_closed_without_an_order_is_a_fault_until_it_is_seen_open(play: Any, index: int) -> None:
    """Whatever `contactor_N_feedback_type` says: `none` makes OPEN prove nothing, CLOSED stays an observation."""
    contactors = [Contactor(), Contactor(), Contactor()]
    contactors[index] = Contactor(closed=True, welded=True)
    fault = (f"{BOARD}/MREC17EVSEContactorFault", "")

    async def story(world: World) -> None:
        await plug_in(world)
        world.pilot.car_state = "C"
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.3)
        hardware = world.mcu.mcu.hardware
        assert [one.closed for one in hardware.contactors] == [place == index for place in range(3)], (
            "nothing is closed beside a contactor that is closed without an order"
        )
        await asyncio.sleep(1.0)
        assert fault in world.active
        assert f"contactor {index + 1} did not open" in world.board.faults.active[0].message
        assert not world.driver.machine.snapshot.permitted
        hardware.contactors[index].closed = hardware.contactors[index].welded = False
        world.mcu.inputs_changed()
        await asyncio.sleep(0.3)
        assert not world.active
        assert not world.pilot.contactors_closed, "a permission of before is void"
        await world.allow(True)
        await asyncio.sleep(0.5)
        assert world.pilot.contactors_closed

    play(story, Hardware(contactors=contactors))


def test_a_contactor_that_failed_is_not_closed_again_when_it_is_whole(play: Any) -> None:
    """The permission is withdrawn with the fault; feedback that comes too late gives it back to nobody."""
    late = Contactor(closing_s=3.0)

    async def story(world: World) -> None:
        world.mcu.mcu._check_contactors = lambda now: []  # type: ignore[method-assign]
        world.pilot.car_state = "C"
        await world.board.pwm_on(20.0)
        await asyncio.sleep(0.3)
        begin = asyncio.get_running_loop().time()
        await world.allow(True)
        await asyncio.sleep(1.5)
        assert world.active == {(f"{BOARD}/MREC17EVSEContactorFault", "")}
        assert not world.driver.machine.snapshot.permitted
        assert not world.mcu.mcu.control.contactor_1_close, "the order to close is taken back"
        await asyncio.sleep(5.0)
        assert not world.pilot.contactors_closed
        closed = [at for at, _, now_closed in world.mcu.mcu.contactor_log if now_closed]
        assert all(at <= begin + 3.2 for at in closed)

    play(
        story,
        Hardware(contactors=[late, Contactor(configured=False), Contactor(configured=False)]),
        contactor_1_feedback_type="no",
    )


def test_high_voltage_that_is_ready_without_an_order_is_a_contactor_fault(play: Any) -> None:
    """A board without contactors of its own tells by HV ready that it switches on."""

    async def story(world: World) -> None:
        await asyncio.sleep(0.3)
        world.mcu.mcu._drive_contactors = lambda close, now: None  # type: ignore[method-assign]
        world.mcu.mcu.life.ordered = (True, False, False)
        await asyncio.sleep(0.3)
        assert not world.active
        await asyncio.sleep(1.2)
        assert world.active == {(f"{BOARD}/MREC17EVSEContactorFault", "")}
        world.mcu.mcu.life.ordered = (False, False, False)
        await asyncio.sleep(0.3)
        assert not world.active, "the fault ends with the observation"

    play(
        story,
        Hardware(contactors=[Contactor(configured=False) for _ in range(3)]),
        connector_type="cCCS2",
        dc_contactor_wiring="none",
    )


def test_a_monitor_in_error_blocks_although_the_controller_goes_on(play: Any) -> None:
    """EvseManager need not be connected to the monitor, and the controller need not have stopped: seen is seen."""

    async def story(world: World) -> None:
        await world.charge()
        mcu = world.mcu.mcu
        honest = mcu.charge_state
        mcu.charge_state = lambda: honest().changed(rcm=RcmState.ERROR)  # type: ignore[method-assign]
        await asyncio.sleep(0.3)
        assert world.active == {("ac_rcd/DC", ""), (f"{BOARD}/VendorError", "RCM tripped")}
        await world.allow(False)
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.5)
        assert not world.pilot.contactors_closed, "nothing is switched on against what is seen"
        mcu.charge_state = honest  # type: ignore[method-assign]
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert not world.active
        await world.charge()

    play(story, Hardware(rcm=RcmState.MONITORING))


def test_nothing_is_switched_on_while_an_emergency_input_is_tripped(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.car_state = "C"
        await world.board.pwm_on(20.0)
        mcu = world.mcu.mcu
        honest = mcu.charge_state
        mcu.charge_state = lambda: honest().changed(estop_2=EstopState.TRIPPED)  # type: ignore[method-assign]
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.5)
        assert not world.pilot.contactors_closed

    play(story, Hardware(estops=[EstopState.NOT_TRIPPED] * 3))


def test_a_failed_self_test_is_a_fault_of_the_board_too(play: Any) -> None:
    async def story(world: World) -> None:
        mcu = world.mcu.mcu
        honest = mcu.charge_state
        await world.driver.ac_rcd.self_test()
        mcu.charge_state = lambda: honest().changed(rcm=RcmState.ERROR)  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        assert world.active == {("ac_rcd/Selftest", ""), (f"{BOARD}/VendorError", "RCM self-test failed")}
        mcu.charge_state = honest  # type: ignore[method-assign]
        await asyncio.sleep(6.0)
        assert not world.active

    play(story, Hardware(rcm=RcmState.MONITORING, rcm_self_test_s=5.0))
