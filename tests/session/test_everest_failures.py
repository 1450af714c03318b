"""EVerest's stations without hardware: what is reported of a car that asks for what is not offered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.sim.stations_of_two import configuration
from tests.session.sil import Sil
from tests.session.test_everest_sil import DC


def failed_session(run: Any, folder: Path, payment: str, **changes: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Plug a car in that gets no power, unplug it later; returns reported reasons and raised errors."""
    station = configuration("config-sil-dc")
    modules = station["active_modules"]
    modules["iso15118_car"]["config_module"]["supported_DIN70121"] = False
    for name, values in changes.items():
        modules[name].setdefault("config_module", {}).update(values)
    if payment == "externalpayment":
        modules["imd"]["config_implementation"]["main"]["resistance_F_Ohm"] = 0
    file = folder / "station.yaml"
    file.write_text(yaml.safe_dump(station))
    reasons: list[str] = []
    errors: list[str] = []

    async def main() -> None:
        async with Sil(folder, file) as sil:
            evse = sil.modules["evse_manager"].evse
            evse.hlc_session_failed.subscribe(lambda it: reasons.append(it.reason.value))
            evse.faults.subscribe(lambda fault: errors.append(fault.type), lambda _: None)
            await asyncio.sleep(2)
            sil.execute(DC.replace("externalpayment", payment))
            await asyncio.sleep(40)
            assert not sil.said("SessionFinished"), "EVerest's car stays plugged in until it is unplugged"
            sil.modify("unplug")
            await asyncio.sleep(5)
            assert sil.said("SessionFinished")

    run(main())
    return reasons, errors


def test_a_car_that_insists_on_its_contract_is_not_authorized(run: Any, tmp_path: Path) -> None:
    insists = {"force_payment_option": True}
    reasons, _ = failed_session(
        run, tmp_path, "contract", evse_manager={"payment_enable_contract": False}, ev_manager=insists
    )
    assert reasons == ["AuthorizationFailed"]


def test_a_cable_check_that_fails_is_reported(run: Any, tmp_path: Path) -> None:
    reasons, errors = failed_session(run, tmp_path, "externalpayment")
    assert reasons[:1] == ["EnergyTransferSetupFailed"]
    assert "evse_manager/MREC11CableCheckFault" in errors


def test_a_stop_in_the_cable_check_is_no_fault_and_the_car_stays_plugged_in(run: Any, tmp_path: Path) -> None:
    station = configuration("config-sil-dc")
    evse_config = station["active_modules"]["evse_manager"].setdefault("config_module", {})
    evse_config["cable_check_wait_number_of_imd_measurements"] = 10
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump(station))
    errors: list[str] = []

    async def main() -> None:
        async with Sil(tmp_path, file) as sil:
            evse = sil.modules["evse_manager"].evse
            evse.faults.subscribe(lambda fault: errors.append(fault.type), lambda _: None)
            measured = asyncio.Event()
            await asyncio.sleep(2)
            sil.modules["imd"].main.isolation_measurement.subscribe(lambda _: measured.set(), replay=False)
            sil.execute(DC)
            async with asyncio.timeout(60):
                await measured.wait()
            await evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Local))
            await asyncio.sleep(20)
            assert sil.said("TransactionFinished") and not sil.said("ChargingStarted")
            assert not sil.said("SessionFinished"), "only the charge loop reports a stop"
            sil.modify("unplug")
            await asyncio.sleep(5)
            assert sil.said("SessionFinished") and not errors

    run(main())
