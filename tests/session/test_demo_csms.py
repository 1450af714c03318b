"""The demo's charger under the demo's CSMS, of each version: the car charges, and the CSMS stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli import demo_charger
from chargebyte_fw.cli.demo import OCPP_VERSIONS
from chargebyte_fw.cli.demo_state import DemoState, steps_of
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.csms import VERSIONS, Csms
from tests.ocpp.csms_in_memory import plug
from tests.session.plant import Plant


def test_the_demo_has_every_version() -> None:
    assert set(OCPP_VERSIONS) == set(VERSIONS) == set(demo_charger.OCPP)


@pytest.mark.parametrize("version", OCPP_VERSIONS)
def test_the_car_charges_and_the_csms_stops_it(version: str, run: Any, tmp_path: Path) -> None:
    state = DemoState("basic", 80.0, steps_of("basic"), ocpp=version)
    model = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=80)
    name = demo_charger.shipped("basic", ocpp=version)

    async def main() -> None:
        async with Plant(tmp_path, model, configuration=name) as plant:
            car = plant.world.car
            csms = Csms(VERSIONS[version], lambda report: _take(report, state, car))
            plug(csms, plant.runtime.wires, "localhost:9000")
            report = car._report

            def reported(one: dict[str, Any]) -> None:
                report(one)
                state.from_car(one)

            car._report = reported
            await plant.session()
            state.from_car(car.numbers())
            state.finished = True
            await csms.close()

    run(main())
    assert state.succeeded, state.reason
    assert 0 < state.energy_Wh < 100, "it was stopped before it was full"


def _take(report: dict[str, Any], state: DemoState, car: Any) -> None:
    state.from_csms(report)
    assert "failure" not in report and "CALLERROR" not in report.get("frame", ""), report
    if "ended" in report:
        car.replace("pause;sleep 2;unplug")
