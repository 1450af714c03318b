"""Minimal configurations without Auth: the board's driver, EvseManager and, on DC, a power supply. They charge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

CONFIGURATIONS = Path(__file__).parent / "configurations"


@pytest.mark.parametrize(("protocol", "mode"), [("basic", "ac"), ("iso2", "dc"), ("din", "dc")])
def test_a_minimal_configuration_charges_car_after_car(protocol: str, mode: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        model = Model(protocol, battery_kWh=1.0, soc_percent=70, target_soc_percent=72)
        configuration = str(CONFIGURATIONS / f"minimal-{mode}.yaml")
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            tokens: list[str] = []
            evse = plant.assembly.modules["connector"].evse  # type: ignore[attr-defined]
            evse.session_event.subscribe(
                lambda event: (
                    tokens.append(event.transaction_started.id_tag.id_token.value)
                    if event.transaction_started is not None
                    else None
                )
            )
            for _ in range(2):
                plant.world.car.battery.soc_percent = 70.0
                before_Wh = plant.world.car.inlet.energy_Wh
                await plant.session()
                assert plant.world.car.inlet.energy_Wh - before_Wh == pytest.approx(20, rel=0.2)
            assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
            assert tokens == ["FREESERVICE", "FREESERVICE"]

    run(main())
