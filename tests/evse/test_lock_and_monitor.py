"""What ends with the power: the lock of a connector whose pilot went to F, the over-voltage monitor's watch."""

from __future__ import annotations

import asyncio
from typing import Any

from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.types.board_support_common import ProximityPilot, ProximityPilotAmpacity
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.dc.over_voltage import OverVoltage
from chargebyte_fw.modules.evse.machine.events import Contactor, CurrentDemand
from tests.evse.world import Assemble, Run, World


def moves(world: World) -> list[str]:
    return [name for _, who, name, _ in world.commands if who == "lock"]


def test_the_connector_is_unlocked_some_seconds_after_state_f(run: Run, assemble: Assemble) -> None:
    async def main() -> None:
        world = await World(assemble).start()
        await world.to_preparation()
        world.bsp.cp("C")
        await world.until_state("Charging")
        assert moves(world)[-1] == "lock"
        world.bsp.cp("F")
        await asyncio.sleep(timing.UNLOCK_AFTER_F_S - 0.2)
        assert moves(world)[-1] == "lock"
        await asyncio.sleep(0.4)
        assert moves(world)[-1] == "unlock"

    run(main())


def test_the_monitor_stops_when_the_contactors_open() -> None:
    machine = OverVoltage(0.4, external=True)
    assert machine.feed(CurrentDemand(True), 0.0) == [call(OverVoltageMonitor.start)]
    assert machine.feed(Contactor(True), 1.0) == []
    assert machine.feed(Contactor(False), 2.0) == [call(OverVoltageMonitor.stop)]


def test_a_cable_limits_what_an_ac_charger_asks_for(run: Run, assemble: Assemble) -> None:
    async def main() -> None:
        world = World(assemble)
        world.bsp.socket = True
        await world.start()
        requests = world.m.energy_grid.energy_flow_request
        world.bsp.main.ac_pp_ampacity.publish(ProximityPilot(ampacity=ProximityPilotAmpacity.A_13))
        await asyncio.sleep(2.0)
        assert requests.value is not None
        imports: list[Any] = requests.value.schedule_import
        exports: list[Any] = requests.value.schedule_export
        assert [entry.limits_to_root.ac_max_current_A.value for entry in imports] == [13.0] * len(imports)
        assert all(entry.limits_to_root.ac_max_current_A.value != 13.0 for entry in exports)

    run(main())
