"""EVerest's stations without hardware: what is reported of a car that asks for what is not offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.sim.stations_of_two import configuration
from tests.session.sil import Sil
from tests.session.test_everest_sil import DC, charge


def test_a_car_that_insists_on_its_contract_is_not_authorized(run: Any, tmp_path: Path) -> None:
    station = configuration("config-sil-dc")
    modules = station["active_modules"]
    modules["evse_manager"]["config_module"]["payment_enable_contract"] = False
    modules["ev_manager"]["config_module"]["force_payment_option"] = True
    modules["iso15118_car"]["config_module"]["supported_DIN70121"] = False
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump(station))

    async def main() -> None:
        async with Sil(tmp_path, file) as sil:
            failures: list[str] = []
            sil.modules["evse_manager"].evse.hlc_session_failed.subscribe(lambda it: failures.append(it.reason.value))
            await charge(sil, DC.replace("externalpayment", "contract"))
            assert failures == ["AuthorizationFailed"]

    run(main())
