"""EVerest's stations without hardware: the script of a simulated car charges in each of them."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from chargebyte_fw.sim.stations_of_two import configuration
from tests.session.sil import END, START, Sil

AC = "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 30;unplug"
AC_V2G = (
    "sleep 1;iso_wait_slac_matched;iso_start_v2g_session AC externalpayment 86400 0;iso_wait_pwr_ready;"
    "iso_draw_power_regulated 16,3;sleep 60;iso_stop_charging;iso_wait_v2g_session_stopped;unplug"
)
DC = (
    "sleep 1;iso_wait_slac_matched;iso_start_v2g_session DC externalpayment 86400 0;iso_wait_pwr_ready;"
    "iso_wait_for_stop 60;iso_wait_v2g_session_stopped;unplug"
)
CARD = {
    "id_token": {"value": "DEADBEEF", "type": "ISO14443"},
    "authorization_type": "RFID",
    "connectors": [1],
}
ROOT = Path(__file__).parents[2]
CARD_TOPIC = "everest_api/dummy_token_provider/cmd/provide"


def station(folder: Path, name: str) -> Path:
    """Return the file of a station."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(configuration(name), sort_keys=False))
    return file


async def charge(sil: Sil, script: str, connector: int = 1) -> str:
    """Run a car's script to its end; returns the id of the EVSE's module."""
    cars = [name for name, one in sil.modules.items() if type(one).__name__ == "EvManager"]
    await asyncio.sleep(2)
    sil.execute(script, connector)
    await asyncio.sleep(3)
    sil.mqtt.receive(CARD_TOPIC, json.dumps({**CARD, "connectors": [connector]}))
    await sil.script_over(cars[connector - 1])
    await asyncio.sleep(2)
    return list(sil.events)[connector - 1]


@pytest.mark.parametrize(
    ("name", "script", "least_Wh"),
    [
        ("config-sil", AC, 80),
        ("config-sil", AC_V2G, 170),
        ("config-sil-dc", DC, 120),
        ("config-sil-energy-management", AC, 30),
        ("config-sil-two-evse-dc", DC, 120),
    ],
)
def test_a_car_charges(run: Any, tmp_path: Path, name: str, script: str, least_Wh: float) -> None:
    async def main() -> None:
        async with Sil(tmp_path, station(tmp_path, name)) as sil:
            evse = await charge(sil, script)
            assert sil.said(*START, *END, evse=evse)
            assert sil.modules[evse].evse.powermeter.value.energy_Wh_import.total > least_Wh

    run(main())


def test_the_second_outlet_has_its_own_car(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Sil(tmp_path, station(tmp_path, "config-sil-two-evse")) as sil:
            evse = await charge(sil, AC, 2)
            assert evse == "evse_manager_2" and sil.said(*START, *END, evse=evse)
            assert sil.events["evse_manager_1"] == ["Enabled"]

    run(main())


def test_a_car_pauses_and_wakes_the_charger(run: Any, tmp_path: Path) -> None:
    """With the scripts of EVerest's test controller."""

    async def main() -> None:
        async with Sil(tmp_path, station(tmp_path, "config-sil")) as sil:
            await asyncio.sleep(2)
            sil.execute(AC_V2G.replace("sleep 60", "sleep 36000"))
            await asyncio.sleep(30)
            sil.modify("iso_pause_charging;iso_wait_for_resume")
            await asyncio.sleep(30)
            assert sil.said(*START, "ChargingPausedEV") and not sil.modules["connector_1_powerpath"].board.closed
            sil.modify(
                "iso_start_bcb_toggle 3;iso_wait_pwm_is_running;iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;"
                "iso_draw_power_regulated 16,3;iso_wait_for_stop 60"
            )
            await asyncio.sleep(40)
            assert sil.said(*START, "ChargingPausedEV", "ChargingStarted")
            assert sil.modules["connector_1_powerpath"].board.closed
            sil.modify("iso_stop_charging;iso_wait_v2g_session_stopped;unplug")
            await asyncio.sleep(20)
            assert sil.said(*START, *END)

    run(main())


def test_an_injected_fault_ends_the_charging(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Sil(tmp_path, station(tmp_path, "config-sil")) as sil:
            await asyncio.sleep(2)
            sil.execute(AC)
            await asyncio.sleep(15)
            assert sil.said(*START)
            board = sil.modules["connector_1_powerpath"].board
            assert board.closed
            sil.mqtt.receive(
                "everest_external/nodered/1/carsim/error",
                json.dumps({"error_type": "MREC6UnderVoltage", "raise": "true"}),
            )
            await asyncio.sleep(1)
            assert not board.closed

    run(main())


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("config-sil-ac-d20", AC_V2G),
        ("config-sil-dc-consumer-api", DC),
        ("config-sil-dc-d20", DC),
        ("config-sil-dc-isomux", DC),
        ("config-sil-dc-isomux-tls", DC),
        ("config-sil-dc-sae-v2g", DC),
        ("config-sil-dc-sae-v2h", DC),
        ("config-sil-dc-tls", DC),
        ("config-sil-mcs", DC),
        ("config-sil-ocpp", AC),
        ("config-sil-ocpp-API", AC),
        ("config-sil-ocpp201", AC),
        ("config-sil-ocpp201-pnc", AC),
        ("config-sil-rpcapi", AC),
        ("config-sil-dc-rpcapi", DC),
        ("config-sil-two-evse-rpcapi", AC),
    ],
)
def test_a_car_charges_in_every_other_station(run: Any, tmp_path: Path, pki: Pki, name: str, script: str) -> None:
    shutil.copytree(pki.certs, tmp_path / "etc/everest/certs")
    shutil.copytree(pki.directory / "car", tmp_path / "etc/everest/car")
    if "-ocpp" in name:
        # EVerest installs a file of this name, for a CSMS on the same machine.
        folder = tmp_path / "usr/share/everest/modules/OCPP"
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "usr/share/everest/modules/OCPP/ocpp-config.json", folder / "config-docker.json")

    async def main() -> None:
        async with Sil(tmp_path, station(tmp_path, name)) as sil:
            evse = await charge(sil, script)
            assert sil.said(*START, *END, evse=evse)

    run(main())


def with_services(folder: Path, services: str, *, dc: str = "config-sil-dc-isomux") -> Path:
    """A station whose car offers ISO 15118-20 alone, with these energy services, best first."""
    file = station(folder, dc)
    changed = yaml.safe_load(file.read_text())
    car = next(one for one in changed["active_modules"].values() if one["module"] == "PyEvJosev")
    car["config_module"] = {
        "device": car["config_module"]["device"],
        "supported_ISO15118_20_DC": True,
        "supported_d20_energy_services": services,
    }
    file.write_text(yaml.safe_dump(changed, sort_keys=False))
    return file


def logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("services", "selected"), [("MCS_BPT,MCS,DC", "DC"), ("DC_BPT,DC", "DC_BPT"), ("DC,DC_BPT", "DC")]
)
def test_a_car_of_iso_15118_20_takes_the_first_of_its_services_that_the_charger_has(
    run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, services: str, selected: str
) -> None:
    async def main() -> None:
        async with Sil(tmp_path, with_services(tmp_path, services)) as sil:
            evse = await charge(sil, DC)
            assert sil.said(*START, *END, evse=evse)
            assert sil.modules[evse].evse.powermeter.value.energy_Wh_import.total > 120
            assert logged(caplog, f"the car selects {selected}, ")

    run(main())


def test_a_car_of_iso_15118_20_without_a_service_leaves_and_logs_why(
    run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with Sil(tmp_path, with_services(tmp_path, "MCS")) as sil:
            await asyncio.sleep(2)
            sil.execute(
                "sleep 1;iso_wait_slac_matched;iso_start_v2g_session DC externalpayment 86400 0;sleep 30;unplug"
            )
            await asyncio.sleep(3)
            sil.mqtt.receive(CARD_TOPIC, json.dumps(CARD))
            await sil.script_over("ev_manager")
            assert logged(caplog, "session failed: the charger offers DC, DC_BPT, the car takes MCS")
            assert not sil.said("ChargingStarted")

    run(main())
