"""Two owners of one address on the bus: another group's answers do not count, and neither drives until one is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.timing import SHARED_OVER_S, SHARED_S
from chargebyte_fw.modules.power.infypower_dc_supply import InfypowerDCSupply
from chargebyte_fw.sim.infypower import InfypowerBench, InfypowerModules, OneModule
from tests.power.infypower import World

CONFLICT = ("VendorError", "Address Conflict")
OURS, GROUP, STRANGER = 240, 0, 7


class Bus:
    """A bus with any number of stations: each hears all others, not itself."""

    def __init__(self) -> None:
        self._stations: list[memory.WireEnd] = []
        self.frames: list[tuple[float, m.Message]] = []

    def station(self) -> memory.WireEnd:
        end, mine = memory.wire()
        self._stations.append(mine)
        mine.receive = lambda data: self._carry(data, mine)
        return end

    def _carry(self, data: bytes, sender: memory.WireEnd) -> None:
        said = m.read(CanFrame.decode(data))
        assert said is not None
        self.frames.append((asyncio.get_running_loop().time(), said))
        for station in self._stations:
            if station is not sender:
                station.send(data)


class Two:
    """Two groups of two modules, each with a supply that has the other's address as a controller, or its group's."""

    def __init__(self, assemble: Callable[..., Any], runtime: Any, one: dict[str, int], other: dict[str, int]) -> None:
        self.bus = Bus()
        self.groups = [
            InfypowerModules([OneModule(1), OneModule(2)], group=0, battery_V=lambda: 400.0),
            InfypowerModules([OneModule(3), OneModule(4)], group=1, battery_V=lambda: 700.0),
        ]
        self.benches = [InfypowerBench(group, self.bus.station()) for group in self.groups]
        runtime.wires.plug("can:can0", self.bus.station())
        runtime.wires.plug("can:can1", self.bus.station())
        self.one = assemble(one=(InfypowerDCSupply, {"device": "can0", **one}))
        self.other = assemble(other=(InfypowerDCSupply, {"device": "can1", **other}))
        self.mains = [self.one.modules["one"].main, self.other.modules["other"].main]
        self.outputs: tuple[list[float], list[float]] = ([], [])
        for main, seen in zip(self.mains, self.outputs, strict=True):
            main.voltage_current.subscribe(lambda value, seen=seen: seen.append(value.voltage_V))

    def active(self, which: int) -> set[tuple[str, str]]:
        faults = self.mains[which].faults.active
        return {(fault.type.removeprefix("power_supply_DC/"), fault.sub_type) for fault in faults}

    def on(self, which: int) -> bool:
        return any(module.on for module in self.groups[which].modules)

    async def export(self, which: int) -> None:
        await self.mains[which].setExportVoltageCurrent(450.0, 20.0)
        await self.mains[which].setMode(Mode.Export, ChargingPhase.Charging)

    async def stop(self) -> None:
        await self.one.stop()
        await self.other.stop()


async def when(true: Callable[[], bool], limit_s: float) -> float:
    """Return the seconds until something is true."""
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(limit_s):
        while not true():
            await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - began


def test_a_supply_that_gets_another_groups_answers_does_not_drive_and_goes_on_when_they_end(
    run: Any, assemble: Any, runtime: Any, caplog: Any
) -> None:
    async def story() -> None:
        two = Two(assemble, runtime, {"can_destination_address": 0}, {"can_destination_address": 1})
        await two.one.start()
        await asyncio.sleep(2.0)
        await two.export(0)
        await asyncio.sleep(2.0)
        assert two.on(0) and two.active(0) == set()
        two.outputs[0].clear()
        await two.other.start()
        # The other supply switches its group off first of all: a command with the address of this one.
        assert await when(lambda: CONFLICT in two.active(0), 1.0) < 0.2
        assert await when(lambda: not two.on(0), 1.0) < 0.2
        await two.export(1)
        await asyncio.sleep(SHARED_S + 1.0)
        assert not two.on(0) and not two.on(1)
        assert CONFLICT in two.active(0) and CONFLICT in two.active(1)
        assert two.mains[0].mode.value is Mode.Fault
        assert max(two.outputs[0]) < 410.0, "700 V are at the other group"
        await asyncio.sleep(60.0)
        assert not two.on(0) and not two.on(1)
        await two.other.stop()
        assert await when(lambda: two.active(0) == set(), 30.0) < SHARED_OVER_S + 2.0
        assert await when(lambda: two.on(0), 2.0) < 1.0, "the wish is kept"
        assert two.mains[0].mode.value is Mode.Export
        await two.one.stop()

    caplog.set_level(logging.INFO)
    run(story())
    texts = [record.getMessage() for record in caplog.records if record.name.endswith("one")]
    assert len([text for text in texts if "address 240" in text]) == 1
    assert len([text for text in texts if text == "VendorError Address Conflict is over"]) == 1


def test_two_supplies_that_start_together_do_not_drive_either(run: Any, assemble: Any, runtime: Any) -> None:
    async def story() -> None:
        two = Two(assemble, runtime, {"can_destination_address": 0}, {"can_destination_address": 1})
        await two.one.start()
        await two.other.start()
        await two.export(0)
        await two.export(1)
        await asyncio.sleep(30.0)
        assert CONFLICT in two.active(0) and CONFLICT in two.active(1)
        switched = [at for at, said in two.bus.frames if said.item is m.SWITCH and said.value == m.ON]
        assert switched == []
        assert not two.mains[0].capabilities.known, "nobody knows whose limits these are"
        await two.stop()

    run(story())


def test_another_controller_that_commands_the_group_is_a_fault_at_once(run: Any, assemble: Any, runtime: Any) -> None:
    async def story() -> None:
        two = Two(assemble, runtime, {"can_source_address": 240}, {"can_source_address": 241})
        await two.one.start()
        await asyncio.sleep(1.0)
        await two.export(0)
        await asyncio.sleep(1.0)
        assert two.on(0)
        await two.other.start()
        assert await when(lambda: CONFLICT in two.active(0), 1.0) < 0.2
        await two.export(1)
        await asyncio.sleep(SHARED_S + 1.0)
        assert not two.on(0)
        assert CONFLICT in two.active(0) and CONFLICT in two.active(1)
        assert "(241) commands group 0" in two.mains[0].faults.active[0].message
        await two.stop()

    run(story())


def test_two_controllers_with_addresses_of_their_own_drive_both(run: Any, assemble: Any, runtime: Any) -> None:
    async def story() -> None:
        two = Two(assemble, runtime, {}, {"can_source_address": 241, "can_destination_address": 1})
        await two.one.start()
        await two.other.start()
        await asyncio.sleep(1.0)
        await two.export(0)
        await two.mains[1].setExportVoltageCurrent(750.0, 20.0)
        await two.mains[1].setMode(Mode.Export, ChargingPhase.Charging)
        await asyncio.sleep(20.0)
        assert two.on(0) and two.on(1) and two.active(0) == two.active(1) == set()
        assert max(two.outputs[0]) < 460.0 and two.outputs[1][-1] > 690.0
        await two.stop()

    run(story())


# -- a group and a module that is none of it

Play = Callable[..., None]


@pytest.fixture
def play(run: Any, assemble: Any, runtime: Any) -> Play:
    def tell(story: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            world = await World(assemble, runtime).start()
            world.battery_V = 400.0
            await story(world)
            await world.stop()

        run(main())

    return tell


async def strange(world: World, frames: list[m.Message], seconds: float, every_s: float = 0.1) -> None:
    """Let frames be heard that nobody of the group sends."""
    for _ in range(round(seconds / every_s)):
        for said in frames:
            world.end.send(said.frame().encode())
        await asyncio.sleep(every_s)


ANSWERS = [
    m.Message(m.VOLTAGE, 900.0, STRANGER, OURS),
    m.Message(m.CURRENT, 150.0, STRANGER, OURS),
    m.Message(m.STATUS, m.ALARMS[5].mask, STRANGER, OURS),
    m.Message(m.SWITCH, m.OFF, STRANGER, OURS),
    m.Message(m.SET_CURRENT, 1.0, STRANGER, OURS, m.Outcome.DATA_INVALID),
    m.Message(m.COUNT, 1, STRANGER, OURS),
]


@pytest.mark.parametrize("said", ANSWERS, ids=lambda said: said.item.name)
def test_no_answer_of_a_stranger_counts(play: Play, said: m.Message) -> None:
    async def story(world: World) -> None:
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.5)
        heard: list[tuple[float, float]] = []
        world.main.voltage_current.subscribe(lambda value: heard.append((value.voltage_V, value.current_A)))
        await strange(world, [said], 2.0)
        await world.main.setExportVoltageCurrent(450.0, 30.0)
        await strange(world, [said], 2.0)
        assert world.raised == [] and all(module.on for module in world.modules.modules)
        assert world.modules.set_current_A == 30.0
        assert max(volts for volts, _ in heard) < 410.0 and max(amperes for _, amperes in heard) <= 30.0

    play(story)


def test_answers_of_a_stranger_that_go_on_are_a_fault_and_no_power(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(450.0, 20.0)
        await asyncio.sleep(1.0)
        telling = asyncio.create_task(strange(world, ANSWERS[:3], 30.0))
        taken_s = await when(lambda: CONFLICT in world.active, 10.0)
        assert SHARED_S - 0.1 <= taken_s <= SHARED_S + 0.2
        assert "module 7" in world.raised[0][2]
        assert await when(lambda: not any(module.on for module in world.modules.modules), 1.0) < 0.1
        await telling
        assert world.active == {CONFLICT} and len(world.raised) == 1
        taken_s = await when(lambda: world.active == set(), 20.0)
        assert SHARED_OVER_S - 0.2 <= taken_s <= SHARED_OVER_S + 0.5
        assert await when(lambda: all(module.on for module in world.modules.modules), 2.0) < 1.0

    play(story)


def test_an_answer_that_is_late_once_is_no_fault(play: Play) -> None:
    async def story(world: World) -> None:
        await world.export(450.0, 20.0)
        for _ in range(10):
            await strange(world, ANSWERS[:1], 0.1)
            await asyncio.sleep(7.0)
        assert world.raised == [] and all(module.on for module in world.modules.modules)

    play(story)


def test_off_is_repeated_when_the_other_owner_switches_the_group_on(play: Play) -> None:
    async def story(world: World) -> None:
        command = [m.Message(m.SWITCH, m.ON, 241, GROUP)]
        await strange(world, command, 0.1)
        assert CONFLICT in world.active
        for _ in range(5):
            for module in world.modules.modules:
                module.on = True
            telling = asyncio.create_task(strange(world, [m.Message(m.VOLTAGE, 0, OURS, GROUP)], 4.0))
            await when(lambda: not any(module.on for module in world.modules.modules), 4.0)
            await telling
        await world.off()

    play(story)
