"""Commands, variables and configuration of CbChargeSOMDriver against the virtual safety controller."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.link.messages.charge_som import CpState
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.sim.mcu import McuState
from chargebyte_fw.sim.mcu_hardware import CHARGE_SOM, Contactor, Hardware, Temperature
from chargebyte_fw.sim.pilot import Drive
from tests.board.world import World


def test_before_it_is_enabled_the_pilot_is_at_f(play: Any) -> None:
    async def story(world: World) -> None:
        assert world.pilot.letter == "F"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        assert world.pilot.letter == "F", "orders are kept while the port is off"
        await world.board.enable(True)
        await asyncio.sleep(0.1)
        assert world.pilot.duty_percent == 5.0

    play(story, enable=False)


def test_enabled_without_an_order_the_pilot_is_at_x1(play: Any) -> None:
    async def story(world: World) -> None:
        assert world.pilot.drive is Drive.PLUS
        assert world.pilot.letter == "A"

    play(story)


def test_disabling_takes_the_pilot_to_f_and_opens_the_contactors(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        await world.board.enable(False)
        await asyncio.sleep(0.3)
        assert world.pilot.letter == "F"
        assert not world.pilot.contactors_closed
        await world.board.enable(True)
        await asyncio.sleep(0.5)
        assert world.pilot.duty_percent == 5.0
        assert not world.pilot.contactors_closed, "that takes a new permission"

    play(story)


@pytest.mark.parametrize(("percent", "drive"), [(0.0, Drive.MINUS), (100.0, Drive.PLUS), (26.6, Drive.PWM)])
def test_a_duty_cycle_of_none_and_of_all_is_f_and_x1(play: Any, percent: float, drive: Drive) -> None:
    async def story(world: World) -> None:
        await world.board.pwm_on(percent)
        await asyncio.sleep(0.1)
        assert world.pilot.drive is drive

    play(story)


def test_a_duty_cycle_that_does_not_exist_is_refused(play: Any) -> None:
    async def story(world: World) -> None:
        for wrong in (-0.1, 100.1, float("nan")):
            with pytest.raises(ValueError, match="does not exist"):
                await world.board.pwm_on(wrong)
        assert world.pilot.drive is Drive.PLUS

    play(story)


def test_states_f_and_e_open_the_contactors(play: Any) -> None:
    async def story(world: World) -> None:
        for order in (world.board.cp_state_F, world.board.cp_state_E):
            await world.charge()
            await order()
            await asyncio.sleep(0.3)
            assert not world.pilot.contactors_closed
            await world.board.pwm_on(5.0)
            await asyncio.sleep(0.5)
            assert world.pilot.letter == "C"
            assert not world.pilot.contactors_closed

    play(story)


def test_a_session_of_the_pilot_as_the_bus_sees_it(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.pilot.car_state = "B"
        await asyncio.sleep(0.3)
        await world.allow(False)
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        assert world.events == ["PowerOff", "F", "A", "B", "C", "PowerOn", "B", "PowerOff", "A"]
        assert not world.raised

    play(story)


def test_a_change_reaches_the_controller_at_once_and_not_with_the_next_cycle(play: Any) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(0.013)
        await world.board.pwm_on(5.0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert world.heard.duty_percent == 5.0

    play(story)


def test_an_unplugged_car_takes_the_permission_with_it(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        world.pilot.car_state = "A"
        await asyncio.sleep(0.3)
        world.pilot.car_state = "C"
        await asyncio.sleep(0.5)
        assert not world.pilot.contactors_closed

    play(story)


def test_without_contactors_of_its_own_the_board_reports_hv_ready_as_power(play: Any) -> None:
    async def story(world: World) -> None:
        world.pilot.car_state = "C"
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        await world.allow(True)
        await asyncio.sleep(0.3)
        assert world.events[-1] == "PowerOn"
        await world.allow(False)
        await asyncio.sleep(0.3)
        assert world.events[-1] == "PowerOff"

    play(story, Hardware(contactors=[Contactor(configured=False) for _ in range(3)]))


def test_firmware_of_0_2_5_charges_too(play: Any) -> None:
    async def story(world: World) -> None:
        await world.charge()
        await world.allow(False)
        await asyncio.sleep(0.3)
        assert world.events[-2:] == ["PowerOn", "PowerOff"]

    old = type(CHARGE_SOM)(0, 2, 5, CHARGE_SOM.platform, CHARGE_SOM.application, 1)
    play(story, Hardware(firmware=old))


def test_the_start_says_what_runs_on_the_controller(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story(world: World) -> None:
        text = "safety controller 0.4.1 (g7470cd6cb7945af7, Charge SOM, firmware, Parameter Version: 1)"
        assert [record.getMessage() for record in caplog.records].count(text) == 1

    play(story)


def test_a_pilot_that_does_not_follow_is_a_warning(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        drive_line = world.pilot.drive_line
        mcu = world.mcu.mcu
        said = mcu.charge_state
        mcu.charge_state = lambda: type(said())(pwm_active=True, duty_percent=50.0, cp_state=CpState.A)  # type: ignore[method-assign]
        await world.board.pwm_on(5.0)
        await asyncio.sleep(2.0)
        assert "pilot did not follow: wanted 5.0 %, is 50.0 %" in caplog.text
        assert drive_line is not None

    play(story)


def test_capabilities_have_one_number_of_phases_because_the_board_cannot_switch(play: Any) -> None:
    async def story(world: World) -> None:
        told = world.board.capabilities.value
        assert isinstance(told, HardwareCapabilities)
        assert (told.min_phase_count_import, told.max_phase_count_import) == (2, 2)
        assert (told.min_current_A_import, told.max_current_A_import) == (10, 20)
        assert (told.min_current_A_export, told.max_current_A_export) == (10, 20)
        assert (told.min_phase_count_export, told.max_phase_count_export) == (2, 2)
        assert told.supports_cp_state_E
        assert not told.supports_changing_phases_during_charging
        assert told.connector_type == "IEC62196Type2Socket"
        assert world.board.ac_nr_of_phases_available.value == 2
        await world.board.ac_switch_three_phases_while_charging(False)
        await world.board.ac_set_overcurrent_limit_A(32.0)
        assert not world.raised

    play(story, min_current_A=10, max_current_A=20, max_phase_count=2, connector_type="IEC62196Type2Socket")


@pytest.mark.parametrize(
    ("level", "active_low", "phases"), [(True, False, 3), (False, False, 1), (True, True, 1), (False, True, 3)]
)
def test_the_grids_phase_input_decides_the_number_of_phases(
    play: Any, runtime: Any, level: bool, active_low: bool, phases: int
) -> None:
    runtime.wires.plug("gpio:GRID", lambda: level)

    async def story(world: World) -> None:
        told = world.board.capabilities.value
        assert told is not None
        assert (told.min_phase_count_import, told.max_phase_count_import) == (phases, phases)

    play(story, grid_phase_count_gpio_line_name="GRID", grid_phase_count_active_low=active_low)


@pytest.mark.parametrize("wrong", [{"min_phase_count": 3, "max_phase_count": 1}, {"min_current_A": 90}])
def test_limits_that_contradict_each_other_are_an_error_of_the_configuration(
    run: Any, assemble: Any, runtime: Any, wrong: dict[str, Any]
) -> None:
    async def main() -> None:
        with pytest.raises(ConfigError, match="is above"):
            await World(assemble, runtime, **wrong).start()

    run(main())


def test_temperatures_are_told_once_a_second_without_unused_and_broken_channels(play: Any) -> None:
    async def story(world: World) -> None:
        heard: list[tuple[float, list[tuple[str | None, float]]]] = []

        def take(value: Any) -> None:
            now = asyncio.get_running_loop().time()
            heard.append((now, [(one.identification, one.temperature) for one in value]))

        world.driver.temperatures.temperatures.subscribe(take, replay=False)
        await asyncio.sleep(3.05)
        assert [value for _, value in heard] == [[("inlet", 25.0), ("PT1000-2", -10.5)]] * 3
        assert heard[1][0] - heard[0][0] == pytest.approx(1.0)
        world.mcu.mcu.hardware.temperatures[1].broken = True
        world.mcu.inputs_changed()
        await asyncio.sleep(1.1)
        assert heard[-1][1] == [("inlet", 25.0)]

    channels = [Temperature(25.0), Temperature(-10.5), Temperature(), Temperature()]
    play(story, Hardware(temperatures=channels), pt1000_1_identification="inlet")


def test_telemetry_tells_what_the_board_can_measure(play: Any, tmp_path: Path) -> None:
    sensor = tmp_path / "sys/class/thermal/thermal_zone0/temp"
    sensor.parent.mkdir(parents=True)
    sensor.write_text("48250\n")

    async def story(world: World) -> None:
        await world.charge()
        await asyncio.sleep(1.1)
        told = world.board.telemetry.value
        assert told is not None
        assert (told.evse_temperature_C, told.plug_temperature_C) == (48.25, 25.0)
        assert told.relais_on

    play(story)


def test_serial_trace_logs_every_byte_and_serial_debug_each_new_message(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def story(world: World) -> None:
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        assert "uart host> a5 06 80 32 00 00 00 00 00 00 ef 03" in caplog.text
        assert "uart mcu>  a5 07" in caplog.text
        assert "host says ChargeControl(pwm_active=True, duty_percent=5.0" in caplog.text
        said = [one.getMessage() for one in caplog.records if "says ChargeState" in one.getMessage()]
        assert said
        assert len(said) == len(set(said)), "what is repeated is not logged again"

    play(story, serial_trace=True, serial_debug=True)


def test_without_those_keys_the_log_is_quiet(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story(world: World) -> None:
        await world.charge()
        await world.allow(False)
        assert len(caplog.records) <= 2

    play(story)


def test_stop_returns_when_pilot_f_and_open_contactors_are_confirmed(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        world = await World(assemble, runtime).start()
        await world.charge()
        began = asyncio.get_running_loop().time()
        await world.driver.stop()
        assert asyncio.get_running_loop().time() - began <= 0.3
        assert world.pilot.letter == "F"
        assert not world.pilot.contactors_closed
        assert world.events[-2:] == ["F", "PowerOff"] or world.events[-2:] == ["PowerOff", "F"]
        await world.driver.cancel_tasks()
        await asyncio.sleep(1.0)
        assert world.mcu.mcu.state is McuState.SAFE, "a host that has gone is a silent host"

    run(main())


def test_stop_does_not_wait_for_a_controller_that_does_not_answer(
    run: Any, assemble: Any, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world = await World(assemble, runtime).start()
        await world.charge()
        world.plug.cut = True
        began = asyncio.get_running_loop().time()
        await world.driver.stop()
        assert asyncio.get_running_loop().time() - began <= 0.51
        assert "did not confirm" in caplog.text
        await world.driver.cancel_tasks()

    run(main())


def test_after_stop_no_order_counts(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        world = await World(assemble, runtime).start()
        await world.charge()
        stopping = asyncio.ensure_future(world.driver.stop())
        await asyncio.sleep(0)
        await world.board.enable(True)
        await world.board.pwm_on(5.0)
        await world.allow(True)
        await stopping
        assert world.pilot.letter == "F"
        assert not world.pilot.contactors_closed
        await world.driver.cancel_tasks()

    run(main())
