"""Stations without hardware, as EVerest's configurations: a car's script charges in each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.session.sil import END, START, Sil

FILES = Path(__file__).parent / "configurations"
DC = (
    "sleep 1;iso_wait_slac_matched;iso_start_v2g_session DC externalpayment 86400 0;iso_wait_pwr_ready;"
    "iso_wait_for_stop 60;iso_wait_v2g_session_stopped;unplug"
)


def test_a_car_of_direct_current_charges(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Sil(tmp_path, FILES / "sil-dc-isomux.yaml") as sil:
            await asyncio.sleep(2)
            sil.execute(DC)
            await sil.script_over("ev_manager")
            await asyncio.sleep(2)
            assert sil.said(*START, *END)
            energy = sil.modules["evse_manager"].evse.powermeter.value.energy_Wh_import
            assert energy.total > 100

    run(main())
