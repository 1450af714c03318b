"""A disk that takes nothing: the car charges, the API shows the faults, and the log has one line at each end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

MODEL = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)


def test_a_session_and_its_faults_do_not_need_the_disk(run: Any, tmp_path: Path) -> None:
    history, logs = tmp_path / "tmp/error_history.db", tmp_path / "tmp/everest-logs"
    history.mkdir(parents=True)
    logs.write_text("in the way")

    async def main() -> None:
        async with Plant(tmp_path, MODEL) as plant:
            await plant.world.charger_is_ready()
            await asyncio.sleep(600)
            await plant.session()
            board: Any = plant.assembly.modules["bsp"]
            book = board.evse_board_support.faults
            fault = sorted(book.allowed)[0]
            book.raise_fault(fault, "for the test")
            await asyncio.sleep(120)
            shown = plant.mqtt.said("everest_api/errors/var/active_errors")
            assert (fault, "for the test") in [(error["type"], error["message"]) for error in shown]
            book.clear_all()
            await asyncio.sleep(10)
            assert plant.mqtt.said("everest_api/errors/var/active_errors") == []
            history.rmdir()
            await asyncio.sleep(40)
            lines = [
                record.getMessage() for record in plant.records if record.module.startswith(("error_h", "lasting"))
            ]
            assert len(lines) == 2 and "cannot be recorded" in lines[0] and "recorded again" in lines[1], lines
            assert 1 <= len([line for line in plant.warnings() if "everest-logs" in line]) <= 2
            assert plant.failures() == [] and plant.tracebacks() == []

    run(main())
