"""InfypowerDCSupply: finds its group, follows set points, reports errors, stands every trouble on the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.can_bus import BUS_OFF, ERROR, EXTENDED, CanFrame
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.machine import InfypowerGroup
from chargebyte_fw.modules.power.infypower.states import State
from chargebyte_fw.modules.power.infypower.timing import START_UP_S
from chargebyte_fw.modules.power.infypower_dc_supply import InfypowerDCSupply
from tests.power.infypower import World

LOST = ("CommunicationFault", "")
Play = Callable[..., Any]


@pytest.fixture
def play(run: Any, assemble: Any, runtime: Any) -> Play:
    """Run a story in a world that has started; `count` modules, the rest is configuration."""

    def tell(story: Callable[[World], Awaitable[None]], *, count: int = 2, begun: bool = True, **config: Any) -> None:
        async def main() -> None:
            world = World(assemble, runtime, count, **config)
            if begun:
                await world.start()
            await story(world)
            await world.stop()

        run(main())

    return tell


# -- discovery and limits


def test_it_counts_switches_off_and_asks_before_anything_else(play: Play) -> None:
    async def story(world: World) -> None:
        first = [said.item for said in world.heard[:6]]
        assert first == [m.COUNT, m.SWITCH, *m.LIMITS]
        assert world.heard[1].value == m.OFF, "whatever they did before"
        assert world.main.mode.value is Mode.Off
        assert world.active == set()

    play(story)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_currents_and_powers_of_the_group_add_up(play: Play, count: int) -> None:
    async def story(world: World) -> None:
        told = world.main.capabilities.value
        assert told is not None
        assert (told.min_export_voltage_V, told.max_export_voltage_V) == (150.0, 1000.0)
        assert (told.max_export_current_A, told.max_export_power_W) == (count * 75.0, count * 30_000.0)
        assert (told.max_import_current_A, told.max_import_power_W) == (count * 75.0, count * 30_000.0)
        assert (told.current_regulation_tolerance_A, told.peak_current_ripple_A) == (2.0, 2.0)
        assert (told.conversion_efficiency_import, told.conversion_efficiency_export) == (0.85, 0.9)
        assert told.bidirectional

    play(story, count=count)


def test_of_unequal_modules_the_tightest_voltages_hold(play: Play) -> None:
    async def story(world: World) -> None:
        world.modules.modules[0].min_voltage_V, world.modules.modules[1].max_voltage_V = 200.0, 750.0
        await world.start()
        told = world.main.capabilities.value
        assert told is not None
        assert (told.min_export_voltage_V, told.max_export_voltage_V) == (200.0, 750.0)

    play(story, begun=False)


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        ({"override_max_current": 40.0}, "max_export_current_A", 40.0),
        ({"override_max_power": 11_000.0}, "max_import_power_W", 11_000.0),
        ({"override_max_current": 500.0}, "max_export_current_A", 150.0),
        ({"override_max_power": 1e6}, "max_export_power_W", 60_000.0),
        ({"override_max_current": 0.0}, "max_export_current_A", 0.0),
    ],
)
def test_the_configuration_may_narrow_the_limits_but_not_widen_them(
    play: Play, config: dict[str, float], field: str, value: float, caplog: Any
) -> None:
    async def story(world: World) -> None:
        assert msgspec.to_builtins(world.main.capabilities.value)[field] == value

    caplog.set_level(logging.WARNING)
    play(story, **config)
    assert ("not applied" in caplog.text) == (next(iter(config.values())) > value)


def test_set_points_keep_to_the_narrowed_power(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        world.commands()
        await world.export(500.0, 100.0)
        await asyncio.sleep(1)
        assert ("set current", 20.0) in world.commands()
        assert world.output[1] == pytest.approx(20.0, abs=0.1)

    play(story, override_max_power=10_000.0)


def test_addresses_are_the_configured_ones(play: Play) -> None:
    async def story(world: World) -> None:
        assert {(said.source, said.destination, said.device) for said in world.heard} == {(245, 17, m.DEVICE_GROUP)}

    play(story, can_source_address=245, can_destination_address=17)


# -- set points


def test_a_session_from_cable_check_to_off(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(500.0, 2.0, ChargingPhase.CableCheck)
        await asyncio.sleep(1.5)
        assert world.output == (500.0, 0.0)
        await world.off()
        await world.export(398.0, 2.0, ChargingPhase.PreCharge)
        await asyncio.sleep(1.5)
        assert world.output == (398.0, 0.0)
        world.battery_V = 395.0
        await world.export(420.0, 60.0)
        await asyncio.sleep(2)
        assert world.output == (pytest.approx(398.0), 60.0)
        await world.off()
        assert abs(world.output[1]) <= 2.0, "it returns when the contactors may open"
        assert world.modes == [Mode.Off, Mode.Export, Mode.Off, Mode.Export, Mode.Off]
        assert world.raised == []

    play(story)


def test_the_output_is_switched_on_last_with_its_set_point_confirmed(play: Play) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(0.1)
        world.commands()
        await world.export(400.0, 10.0)
        await asyncio.sleep(0.2)
        assert world.commands() == [("set voltage", 400.0), ("set current", 10.0), ("switch", m.ON)]

    play(story)


def test_what_does_not_change_is_not_sent_and_what_changes_fast_is_sent_as_it_is_last(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(400.0, 10.0)
        await asyncio.sleep(0.3)
        world.commands()
        for amperes in range(100):
            await world.main.setExportVoltageCurrent(400.0, float(amperes))
        await asyncio.sleep(0.3)
        told = world.commands()
        assert told[-1] == ("set current", 99.0) and len(told) <= 3

    play(story)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((2000.0, 10.0), [("set voltage", 1000.0), ("set current", 10.0)]),
        ((400.0, 999.0), [("set voltage", 400.0), ("set current", 150.0)]),
        ((1000.0, 999.0), [("set voltage", 1000.0), ("set current", 60.0)]),
        ((400.0, float("nan")), [("set voltage", 400.0)]),
        ((400.0, -5.0), [("set voltage", 400.0)]),
    ],
)
def test_no_set_point_is_beyond_what_the_modules_can(
    play: Play, asked: tuple[float, float], told: list[tuple[str, float]]
) -> None:
    async def story(world: World) -> None:
        await world.export(300.0, 0.0)
        await asyncio.sleep(0.3)
        world.commands()
        await world.main.setExportVoltageCurrent(*asked)
        await asyncio.sleep(0.3)
        assert world.commands() == told

    play(story)


@pytest.mark.parametrize("voltage_V", [0.0, 48.0, 149.9, float("nan")])
def test_a_voltage_below_what_the_modules_can_is_no_output_at_all(play: Play, voltage_V: float) -> None:
    async def story(world: World) -> None:
        await world.export(400.0, 2.0)
        await asyncio.sleep(0.3)
        await world.main.setExportVoltageCurrent(voltage_V, 2.0)
        await asyncio.sleep(1.0)
        assert not any(module.on for module in world.modules.modules)
        await world.main.setExportVoltageCurrent(150.0, 2.0)
        await asyncio.sleep(0.5)
        assert all(module.on for module in world.modules.modules)
        assert world.raised == []

    play(story)


def test_values_are_published_at_least_four_times_a_second(play: Play) -> None:
    async def story(world: World) -> None:
        values: list[Any] = []
        world.main.voltage_current.subscribe(values.append, replay=False)
        await asyncio.sleep(10)
        assert len(values) >= 40

    play(story)


def test_off_overtakes_a_set_point_that_nobody_answers(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(400.0, 10.0)
        await asyncio.sleep(0.5)
        world.modules.modules[0].deaf_to = {m.SET_CURRENT}
        await world.main.setExportVoltageCurrent(400.0, 20.0)
        await asyncio.sleep(0.05)
        world.commands()
        began = asyncio.get_running_loop().time()
        await world.off()
        assert asyncio.get_running_loop().time() - began < 0.5
        assert world.commands()[0] == ("switch", m.OFF)

    play(story)


def test_off_returns_only_when_no_current_flows(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 50.0)
        await asyncio.sleep(1.0)
        order: list[str] = []
        world.main.voltage_current.subscribe(lambda vc: order.append(f"{vc.current_A:.0f} A"), replay=False)
        await world.off()
        await asyncio.sleep(0)
        assert order and order[-1] == "0 A"

    play(story)


# -- from the car


def test_import_turns_the_direction_while_the_output_is_off(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.0)
        world.commands()
        await world.main.setImportVoltageCurrent(350.0, 30.0)
        await world.main.setMode(Mode.Import, ChargingPhase.Charging)
        await asyncio.sleep(1.0)
        told = world.commands()
        assert told[:2] == [("switch", m.OFF), ("set direction", m.IMPORT)]
        assert told[-1] == ("switch", m.ON)
        assert ("set cut-off voltage", 350.0) in told and ("set current", 30.0) in told
        assert world.output[1] == -30.0, "from the car is negative"
        assert world.modes[-1] is Mode.Import
        await world.off()
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.0)
        assert world.output[1] == 20.0

    play(story)


def test_the_configured_cut_off_voltage_stands_in_place_of_the_set_one(play: Play) -> None:
    async def story(world: World) -> None:
        world.commands()
        await world.main.setImportVoltageCurrent(350.0, 30.0)
        await world.main.setMode(Mode.Import, ChargingPhase.Charging)
        await asyncio.sleep(1.0)
        assert [value for name, value in world.commands() if name == "set cut-off voltage"] == [300.0]

    play(story, override_cutoff_voltage=300.0)


@pytest.mark.parametrize("series", ["BEG", "BEC"])
def test_both_series_are_bidirectional(play: Play, series: str) -> None:
    async def story(world: World) -> None:
        told = world.main.capabilities.value
        assert told is not None and told.bidirectional

    play(story, dc_module_type=series)


# -- errors


@pytest.mark.parametrize("alarm", m.ALARMS, ids=lambda alarm: alarm.text)
def test_an_alarm_of_one_module_is_a_fault_until_no_module_has_it(play: Play, alarm: m.Alarm) -> None:
    async def story(world: World) -> None:
        one, two = world.modules.modules
        one.alarms.add(alarm)
        two.alarms.add(alarm)
        await asyncio.sleep(0.5)
        assert world.active == {(alarm.error, alarm.sub_type)}
        assert "module 1" in world.raised[0][2]
        one.alarms.clear()
        await asyncio.sleep(0.5)
        assert world.active == {(alarm.error, alarm.sub_type)}
        two.alarms.clear()
        await asyncio.sleep(0.5)
        assert world.active == set() and len(world.raised) == 1

    play(story)


@pytest.mark.parametrize("code", [m.Outcome.COMMAND_INVALID, m.Outcome.DATA_INVALID])
def test_a_refused_set_point_is_a_fault_and_no_power(play: Play, code: m.Outcome) -> None:
    """The output stays off rather than on at a set point that was never taken; a new wish is tried."""

    async def story(world: World) -> None:
        world.modules.modules[0].refuses[m.SET_VOLTAGE] = code
        await world.export(400.0, 10.0)
        await asyncio.sleep(3.0)
        assert world.active == {("VendorError", "set voltage")}
        assert not world.modules.modules[0].on
        assert len([one for one in world.commands() if one[0] == "set voltage"]) == 1, "not asked again and again"
        world.modules.modules[0].refuses.clear()
        await world.export(400.0, 10.0)
        await asyncio.sleep(1.0)
        assert world.active == set() and world.modules.modules[0].on

    play(story)


def test_a_refusal_is_over_when_nothing_is_wanted_any_more(play: Play) -> None:
    """It blocks charging, and only charging would ask the modules again."""

    async def story(world: World) -> None:
        world.modules.modules[0].refuses[m.SET_VOLTAGE] = m.Outcome.DATA_INVALID
        await world.export(400.0, 10.0)
        await asyncio.sleep(3.0)
        assert world.active == {("VendorError", "set voltage")}
        await world.off()
        await asyncio.sleep(2.0)
        assert world.active == set()

    play(story)


def test_a_refusal_does_not_outlive_a_group_that_is_found_anew(play: Play) -> None:
    async def story(world: World) -> None:
        for module in world.modules.modules:
            module.refuses[m.SWITCH] = m.Outcome.DATA_INVALID
        await world.export(400.0, 10.0)
        await asyncio.sleep(3.0)
        await world.off()
        assert ("VendorError", "switch") in world.active
        for module in world.modules.modules:
            module.powered = False
        await asyncio.sleep(5.0)
        for module in world.modules.modules:
            module.refuses.clear()
            module.powered = True
        await asyncio.sleep(10.0)
        assert world.active == set()

    play(story)


def test_switching_off_is_tried_again_however_often_it_is_refused(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(400.0, 10.0)
        await asyncio.sleep(1.0)
        world.modules.modules[1].refuses[m.SWITCH] = m.Outcome.COMMAND_INVALID
        await world.off()
        assert world.active == {("VendorError", "switch")}
        world.modules.modules[1].refuses.clear()
        await asyncio.sleep(2.0)
        assert world.active == set() and not world.modules.modules[1].on

    play(story)


def test_a_module_that_starts_up_is_waited_for(play: Play) -> None:
    async def story(world: World) -> None:
        world.modules.modules[0].refuses[m.SET_VOLTAGE] = m.Outcome.STARTING
        await world.export(400.0, 10.0)
        await asyncio.sleep(0.9)
        world.modules.modules[0].refuses.clear()
        await asyncio.sleep(1.0)
        assert world.raised == [] and world.modules.modules[0].on

    play(story)


def test_a_module_that_restarts_is_told_everything_again(play: Play, caplog: Any) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 20.0)
        await asyncio.sleep(5.0)
        world.modules.modules[0].restart()
        world.modules.set_current_A = 0.0
        await asyncio.sleep(3.0)
        assert world.modules.modules[0].on and world.output[1] == 20.0
        assert "module 1 went off by itself" in caplog.text

    caplog.set_level(logging.WARNING)
    play(story)


# -- the bus


def test_a_bus_that_falls_silent_is_a_fault_in_time_and_everything_returns_with_it(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 20.0)
        await asyncio.sleep(2.0)
        began = asyncio.get_running_loop().time()
        world.end.plug.cut = True
        while LOST not in world.active:
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began <= 0.385 + 0.125 + 0.02
        assert world.modes[-1] is Mode.Fault
        await asyncio.sleep(20.0)
        assert len(world.raised) == 1, "one loss is one fault"
        await world.main.setExportVoltageCurrent(450.0, 30.0)
        world.end.plug.cut = False
        world.heard.clear()
        order: list[str] = []
        world.main.faults.subscribe(lambda _: None, lambda _: order.append(f"clear, on={world.modules.modules[0].on}"))
        await asyncio.sleep(5.0)
        assert order == ["clear, on=True"], "the wishes are done again before the fault is cleared"
        assert world.output[1] == 30.0 and world.modes[-1] is Mode.Export
        assert world.commands()[0] == ("switch", m.OFF), "first of all it is switched off"

    play(story)


def test_without_a_bus_off_returns_at_once(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.0)
        world.end.plug.cut = True
        await asyncio.sleep(1.0)
        began = asyncio.get_running_loop().time()
        await world.off()
        assert asyncio.get_running_loop().time() == began
        world.end.plug.cut = False
        await asyncio.sleep(5.0)
        assert not world.modules.modules[0].on, "off was the last wish"
        assert world.active == set()

    play(story)


def test_one_lost_frame_is_no_fault(play: Play) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(1.0)
        for _ in range(20):
            world.end.plug.cut = True
            await asyncio.sleep(0.1)
            world.end.plug.cut = False
            await asyncio.sleep(0.9)
        assert world.raised == []

    play(story)


def test_a_module_lost_under_load_is_a_fault_and_the_rest_of_the_group_goes_on(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 100.0)
        await asyncio.sleep(2.0)
        world.modules.modules[1].powered = False
        await asyncio.sleep(1.5)
        assert world.active == {LOST}
        assert "module 2" in world.raised[0][2]
        await world.off()
        await asyncio.sleep(5.0)
        assert world.active == set()
        told = world.main.capabilities.value
        assert told is not None and told.max_export_current_A == 75.0
        world.modules.modules[1].powered = True
        await asyncio.sleep(5.0)
        told = world.main.capabilities.value
        assert told is not None and told.max_export_current_A == 150.0, "and it may come back"
        assert len(world.raised) == 1

    play(story)


def test_a_module_that_comes_during_a_session_does_not_disturb_it(play: Play) -> None:
    async def story(world: World) -> None:
        world.modules.modules[1].powered = False
        await world.start()
        await world.export(450.0, 10.0)
        await asyncio.sleep(2.0)
        world.modules.modules[1].powered = True
        await asyncio.sleep(3.0)
        assert world.modules.modules[0].on and world.raised == []
        await world.off()
        await asyncio.sleep(3.0)
        told = world.main.capabilities.value
        assert told is not None and told.max_export_current_A == 150.0

    play(story, begun=False)


def test_a_module_with_an_alarm_takes_its_alarm_along(play: Play) -> None:
    async def story(world: World) -> None:
        world.modules.modules[1].alarms.add(m.ALARMS[5])
        await asyncio.sleep(1.0)
        assert world.active == {("OverTemperature", "")}
        world.modules.modules[1].powered = False
        await asyncio.sleep(6.0)
        assert world.active == set()

    play(story)


def test_modules_that_boot_with_the_charger_are_no_fault(play: Play, caplog: Any) -> None:
    async def story(world: World) -> None:
        for module in world.modules.modules:
            module.powered = False
        await world.assembly.start()
        await asyncio.sleep(3.0)
        for module in world.modules.modules:
            module.powered, module.refuses[m.COUNT] = True, m.Outcome.STARTING
        await asyncio.sleep(START_UP_S - 4.5)
        assert world.raised == [] and not world.main.capabilities.known
        for module in world.modules.modules:
            module.refuses.clear()
        await asyncio.sleep(1.2)
        assert world.raised == [] and world.main.capabilities.known and world.main.mode.value is Mode.Off

    caplog.set_level(logging.INFO)
    play(story, begun=False)
    assert caplog.text.count("still starting") == 1


def test_modules_that_do_not_come_are_a_fault_when_their_time_is_over(play: Play, caplog: Any) -> None:
    async def story(world: World) -> None:
        for module in world.modules.modules:
            module.powered = False
        await world.assembly.start()
        await world.off()  # nobody is there to wait for
        began = asyncio.get_running_loop().time()
        while LOST not in world.active:
            await asyncio.sleep(0.05)
        assert START_UP_S <= asyncio.get_running_loop().time() - began <= START_UP_S + 1.1
        await asyncio.sleep(30.0)
        for module in world.modules.modules:
            module.powered = True
        await asyncio.sleep(4.0)
        assert world.active == set()

    caplog.set_level(logging.INFO)
    play(story, begun=False)
    told = [one.getMessage() for one in caplog.records if "CommunicationFault" in one.getMessage()]
    assert told == ["CommunicationFault: no power module answers", "CommunicationFault is over"]


def test_a_group_that_counts_no_modules_is_asked_again_while_it_may_be_starting() -> None:
    machine, now, raised = InfypowerGroup(), 0.0, []
    effects = machine.feed(m.BusUp(), now)
    while now < START_UP_S + 5.0:
        raised += [now for effect in effects if isinstance(effect, m.Raise)]
        if any(isinstance(effect, m.Transmit) for effect in effects):
            effects = machine.feed(m.Message(m.COUNT, 0, 1, 240).frame(), now)
        else:
            assert machine.deadline is not None
            now = machine.deadline
            effects = machine.wake(now)
    assert len(raised) == 1 and START_UP_S <= raised[0] <= START_UP_S + 1.0


def test_no_module_at_all_is_a_fault_until_there_is_one(play: Play) -> None:
    async def story(world: World) -> None:
        for module in world.modules.modules:
            module.powered = False
        await world.assembly.start()
        await asyncio.sleep(30.0)
        assert world.active == {LOST} and not world.main.capabilities.known
        world.modules.modules[0].powered = True
        await asyncio.sleep(4.0)
        assert world.active == set() and world.main.capabilities.known

    play(story, begun=False)


def test_impossible_limits_are_not_believed(play: Play) -> None:
    async def story(world: World) -> None:
        world.modules.modules[0].max_voltage_V = 0.0
        await world.assembly.start()
        await asyncio.sleep(3.0)
        assert world.active == {LOST} and "impossible limits" in world.raised[0][2]
        assert not world.main.capabilities.known

    play(story, begun=False)


def test_bus_off_is_a_fault_and_the_bus_is_opened_again(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(450.0, 10.0)
        await asyncio.sleep(1.0)
        world.end.send(CanFrame(ERROR | BUS_OFF, bytes(8)).encode())
        await asyncio.sleep(0.01)
        assert world.active == {LOST} and "bus-off" in world.raised[0][2]
        await asyncio.sleep(5.0)
        assert world.active == set() and world.modules.modules[0].on

    play(story)


def test_a_flood_of_foreign_and_of_broken_frames_disturbs_nothing(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.0)
        ours = m.Address(m.Command.READ, 240, 1).id
        noise = [
            CanFrame(0x123, bytes(8)),
            CanFrame(EXTENDED | 0x1FFFFFFF, b"\xff" * 8),
            CanFrame(ours, b"\x10"),
            CanFrame(ours, b"\x99\x99" + bytes(6)),
            CanFrame(ours | 5 << 26, b"\x10\x01" + bytes(6)),
            CanFrame(m.Address(m.Command.READ, 0, 240).id, b"\x10\x01" + bytes(6)),
            CanFrame(m.Address(m.Command.WRITE, 240, 9).id, b"\x11\x10" + bytes(5) + b"\xa1"),
        ]
        for _ in range(500):
            for frame in noise:
                world.end.send(frame.encode())
            await asyncio.sleep(0.01)
        assert world.raised == [] and world.output[1] == 20.0

    play(story)


def test_stop_switches_off_and_lets_go_of_the_bus(play: Play) -> None:
    async def story(world: World) -> None:
        world.battery_V = 400.0
        await world.export(450.0, 50.0)
        await asyncio.sleep(1.0)
        await world.assembly.stop()
        assert not any(module.on for module in world.modules.modules)
        world.heard.clear()
        await asyncio.sleep(3.0)
        assert world.heard == [], "nothing is asked any more"

    play(story)


def test_frames_go_to_the_recorder(play: Play) -> None:
    async def story(world: World) -> None:
        frames = [entry for entry in world.module.runtime.trace.entries() if entry[1] == "can"]
        sent = m.read(CanFrame.decode(frames[0][3]))
        assert sent is not None and sent.item is m.COUNT
        answer = m.read(CanFrame.decode(frames[1][3]))
        assert answer is not None and (answer.item, answer.value, answer.destination) == (m.COUNT, 2, 240)

    play(story)


@pytest.mark.parametrize("device", ["can0", "nonsense:0"])
def test_a_bus_that_is_not_there_is_a_fault_in_words_and_one_line(
    run: Any, assemble: Any, caplog: Any, device: str
) -> None:
    async def main() -> None:
        world = assemble(supply=(InfypowerDCSupply, {"device": device}))
        module = world.modules["supply"]
        await world.start()
        await asyncio.sleep(0)
        while not module.main.faults.active:
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)
        assert module.machine.state is State.NO_BUS
        assert device in module.main.faults.active[0].message
        await world.stop()

    caplog.set_level(logging.WARNING)
    run(main())
    assert caplog.text.count("waiting for it") == 1
