"""What a charger in memory answers to `secc status`, and the picture of that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.manager.status.answering import answer
from chargebyte_fw.manager.status.collector import Collector
from chargebyte_fw.manager.status.model import Help, LinkState, State, Status
from chargebyte_fw.manager.status_file import Status as StatusFile
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)


def looked_at(plant: Plant) -> Status:
    given = answer(plant.assembly, plant.runtime.all_faults, StatusFile(configuration="a.yaml", ready=True))
    collector = Collector("control")
    collector.take_answer(msgspec.json.decode(msgspec.json.encode(given)))
    return collector.status(utc_now())


def pilot(plant: Plant) -> tuple[str, float | None]:
    (evse,) = looked_at(plant).evses
    return evse.pilot, evse.pwm_percent


def test_the_status_follows_a_session_from_the_plug_to_the_plug(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            (free,) = looked_at(plant).evses
            assert (free.state, free.help, free.session, free.car) == (State.Unplugged, Help.plug_in, None, None)
            await plant.until(lambda: pilot(plant) == ("A", 100.0))
            await plant.charging()
            await asyncio.sleep(20)
            status = looked_at(plant)
            assert (status.configuration, status.ready, status.faults, status.blocked) == ("a.yaml", True, [], False)
            (evse,) = status.evses
            assert (evse.id, evse.number, evse.evse_id) == ("connector", 1, "DE*CHB*E123456*1")
            assert (evse.state, evse.help, evse.protocol) == (State.Charging, Help.nothing, "ISO15118-2-2013")
            assert pilot(plant) == ("C", 5.0)
            assert evse.power_W is not None and evse.power_W > 1000 and evse.voltage_V["DC"] > 300
            assert evse.car is not None and evse.car.evcc_id and evse.car.mac and evse.car.soc_percent
            session = evse.session
            assert session is not None and session.id and session.authorized_by == "RFID"
            assert session.energy_Wh and session.energy_Wh > 10 and session.duration_s and session.duration_s > 15
            held = [limit for limit in evse.limits if limit.rules]
            assert {limit.who for limit in held} >= {"the fuse of grid_connection_point"}
            links = {link.name: link.state for link in status.links}
            assert links == {"MCU": LinkState.up, "PLC": LinkState.up}
            assert {module.state for module in status.modules} == {"running"} and len(status.modules) == 18
            (process,) = status.processes
            assert process.memory_MB and process.modules == 18
            plant.world.press_emergency_stop(True)
            await plant.until(lambda: looked_at(plant).blocked)
            (stopped,) = looked_at(plant).evses
            await plant.until(lambda: pilot(plant) == ("F", None))
            assert stopped.state is not State.Charging and "MREC8EmergencyStop" in stopped.help_text
            assert "DEADBEEF" not in str(msgspec.to_builtins(looked_at(plant)))

    run(main())
