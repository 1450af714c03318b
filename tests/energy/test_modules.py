"""EnergyManager and EnergyNode on the bus: requests up, limits down, on time, also when a child is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.energy.energy_manager import EnergyManager
from chargebyte_fw.modules.energy.energy_node import EnergyNode
from tests.energy.helpers import ac_leaf, current_A, entry, side


class Leaf(Energy):
    """Takes its limits and writes down when."""

    module: Car

    async def enforce_limits(self, value: energy.EnforcedLimits) -> None:
        if self.module.stuck is not None:
            await self.module.stuck.wait()
        if value.uuid == self.module.id:
            self.module.heard.append((asyncio.get_running_loop().time(), value))


class Car(Module):
    """A leaf that asks once a second."""

    energy_grid = provides(Leaf)
    wants_A = 32.0
    stuck: asyncio.Event | None = None

    async def init(self) -> None:
        self.heard: list[tuple[float, energy.EnforcedLimits]] = []

    async def ready(self) -> None:
        self.spawn(self._ask())

    async def _ask(self) -> None:
        while True:
            self.energy_grid.energy_flow_request.publish(ac_leaf(self.id, self.wants_A))
            await asyncio.sleep(1)


NODE = {"fuse_limit_A": 16.0}


def three(assemble: Callable[..., Any], **manager: Any) -> Any:
    return assemble(
        energy_manager=(EnergyManager, manager, {"energy_trunk": "grid_connection_point.energy_grid"}),
        grid_connection_point=(EnergyNode, NODE, {"energy_consumer": "connector.energy_grid"}),
        connector=(Car,),
    )


def test_a_leaf_hears_its_limits_every_interval_with_the_time_they_hold(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble, update_interval=2)
        await world.start()
        await asyncio.sleep(6.5)
        heard = world.modules["connector"].heard
        assert [current_A(value.limits_root_side) for _, value in heard] == [16] * len(heard)
        assert [round(b[0] - a[0], 3) for a, b in pairwise(heard)] == [2.0] * (len(heard) - 1)
        assert len(heard) >= 3
        assert heard[0][1].valid_for == 20
        await world.stop()

    run(main())


def test_the_node_states_its_capabilities_at_start(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        await world.start()
        told = world.provider("grid_connection_point", "external_limits").capabilities.value
        assert (told.max_current_A, told.max_phase_count, told.total_power_W) == (16, 3, 11_040)
        await world.stop()

    run(main())


def test_an_external_limit_reaches_the_leaf_without_waiting_for_it_to_ask(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        await world.start()
        await asyncio.sleep(0.5)
        node = world.provider("grid_connection_point", "external_limits")
        await node.set_external_limits(
            energy.ExternalLimits(schedule_import=[entry(side("ems", A=10))], schedule_export=[], schedule_setpoints=[])
        )
        await asyncio.sleep(1.0)
        assert current_A(world.modules["connector"].heard[-1][1].limits_root_side) == 10
        await world.stop()

    run(main())


def test_an_external_limit_with_a_bad_time_is_refused_and_nothing_breaks(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        await world.start()
        bad = entry(side("ems", A=10))
        bad.timestamp = "never"
        limits = energy.ExternalLimits(schedule_import=[bad], schedule_export=[], schedule_setpoints=[])
        with pytest.raises(CommandError, match="never"):
            await run_command(
                world.provider("grid_connection_point", "external_limits"), "set_external_limits", (limits,), {}
            )
        await asyncio.sleep(2)
        assert current_A(world.modules["connector"].heard[-1][1].limits_root_side) == 16
        await world.stop()

    run(main())


def test_two_nodes_deep_every_leaf_gets_its_own_share(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = assemble(
            energy_manager=(EnergyManager, {}, {"energy_trunk": "grid.energy_grid"}),
            grid=(EnergyNode, {"fuse_limit_A": 24.0}, {"energy_consumer": ["sink.energy_grid", "two.energy_grid"]}),
            sink=(EnergyNode, {"fuse_limit_A": 10.0}, {"energy_consumer": "one.energy_grid"}),
            one=(Car,),
            two=(Car,),
        )
        await world.start()
        await asyncio.sleep(3)
        last = {name: current_A(world.modules[name].heard[-1][1].limits_root_side) for name in ("one", "two")}
        assert last == {"one": 10, "two": 14}
        await world.stop()

    run(main())


def test_a_leaf_that_is_slow_gets_the_newest_limits_and_does_not_pile_up_calls(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        car = world.modules["connector"]
        car.stuck = asyncio.Event()
        await world.start()
        await asyncio.sleep(10)
        assert car.heard == []
        commands = [task for task in asyncio.all_tasks() if task.get_name() == "cmd enforce_limits"]
        assert len(commands) <= 2
        car.stuck.set()
        await asyncio.sleep(0.5)
        assert len(car.heard) == 2
        assert car.heard[-1][1].schedule[0].timestamp <= "2026-01-01T00:00:11"
        await world.stop()

    run(main())


def test_a_leaf_that_falls_silent_makes_the_manager_fall_silent(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        await world.start()
        await asyncio.sleep(2.5)
        car = world.modules["connector"]
        await car.cancel_tasks()
        await asyncio.sleep(60)
        assert 11.5 < car.heard[-1][0] < 14
        await world.stop()

    run(main())


def test_nothing_is_left_running_after_stop(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = three(assemble)
        await world.start()
        await asyncio.sleep(2)
        await world.stop()
        await asyncio.sleep(0.01)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    run(main())


def test_the_configuration_says_what_it_bounds() -> None:
    assert EnergyNode.requirements["energy_consumer"].minimum == 1
    assert EnergyNode.requirements["powermeter"].maximum == 1
    for wrong in ({}, {"fuse_limit_A": -1}, {"fuse_limit_A": 16, "phase_count": 4}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, EnergyNode.Config)
    assert msgspec.convert({}, EnergyManager.Config).slice_watt == 500


@pytest.mark.parametrize("interval_s", [1, 600])
def test_schedules_follow_the_wall_clock_when_ntp_sets_it(run: Any, assemble: Any, interval_s: int) -> None:
    """Booted years behind: the entry of today holds as soon as NTP has set the clock, and back again."""

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world = three(assemble, update_interval=interval_s)
        await world.start()
        before_at = utc_now()
        today_at = before_at + timedelta(days=6 * 365)
        schedule = [
            entry(side("ems", A=amps), at=at)
            for at, amps in ((before_at, 16.0), (today_at, 8.0), (today_at + timedelta(hours=1), 12.0))
        ]
        node = world.provider("grid_connection_point", "external_limits")
        limits = energy.ExternalLimits(schedule_import=schedule, schedule_export=[], schedule_setpoints=[])
        await node.set_external_limits(limits)
        await asyncio.sleep(2 * interval_s + 1)
        heard = world.modules["connector"].heard
        assert current_A(heard[-1][1].limits_root_side) == 16.0
        for wall_at, wanted_A in (
            (today_at + timedelta(minutes=5), 8.0),
            (today_at + timedelta(hours=2), 12.0),
            (today_at + timedelta(minutes=6), 8.0),
            (before_at, 16.0),
        ):
            loop.set_wall(wall_at)
            await asyncio.sleep(1.1)
            assert current_A(heard[-1][1].limits_root_side) == wanted_A
        await world.stop()

    run(main())


def test_a_leaf_that_takes_no_limits_is_logged_once_and_once_when_it_does_again(
    run: Any, assemble: Any, mocker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    taken = Leaf.enforce_limits

    async def refused(self: Leaf, value: energy.EnforcedLimits) -> None:
        raise CommandError("HandlerException", "out of order")

    async def main() -> None:
        world = three(assemble)
        mocker.patch.object(Leaf, "enforce_limits", refused)
        await world.start()
        await asyncio.sleep(300)
        mocker.patch.object(Leaf, "enforce_limits", taken)
        await asyncio.sleep(5)
        await world.stop()

    run(main())
    lines = [one.getMessage() for one in caplog.records if one.name == "secc.grid_connection_point"]
    assert len(lines) == 2 and "connector did not take its limits" in lines[0], lines
    assert lines[1] == "connector takes its limits again"
