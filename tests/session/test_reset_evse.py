"""A CSMS resets one of two EVSEs: its transaction ends and its car may begin anew, the other car charges on."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.sim.stations_of_two import configuration
from tests.ocpp.csms import Csms
from tests.session.plant import REPOSITORY
from tests.session.sil import START, Sil

CARD_TOPIC = "everest_api/dummy_token_provider/cmd/provide"
CHARGES_ON = "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 3600;unplug"
FIRST, SECOND = "evse_manager_1", "evse_manager_2"


def station(folder: Path) -> Path:
    """Return the file of a station whose EVSEs can be reset alone."""
    model = folder / "model"
    shutil.copytree(REPOSITORY / "usr/share/everest/modules/OCPP201/component_config", model)
    for number in (1, 2):
        file = model / f"custom/EVSE_{number}.json"
        text = json.loads(file.read_text())
        text["properties"]["EVSEAllowReset"]["attributes"][0]["value"] = True
        file.write_text(json.dumps(text))
    modules = configuration("config-sil-ocpp201")
    modules["active_modules"]["ocpp"].setdefault("config_module", {})["DeviceModelConfigPath"] = "/model"
    file = folder / "station.yaml"
    file.write_text(yaml.safe_dump(modules, sort_keys=False))
    return file


def present(sil: Sil, connector: int) -> None:
    """Present the card of the driver at an EVSE."""
    card = {"id_token": {"value": f"CARD{connector}", "type": "ISO14443"}, "authorization_type": "RFID"}
    sil.mqtt.receive(CARD_TOPIC, json.dumps({**card, "connectors": [connector]}))


async def charge(sil: Sil, connector: int) -> None:
    """Have a car charge at an EVSE."""
    sil.execute(CHARGES_ON, connector)
    await asyncio.sleep(3)
    present(sil, connector)
    await asyncio.sleep(20)
    assert sil.said(*START, evse=f"evse_manager_{connector}")


def of_evse(csms: Csms, action: str, evse_id: int, since: int) -> list[dict[str, Any]]:
    """Return the requests of a kind that name an EVSE, without the first `since` of the kind."""
    wanted = csms.requests(action)[since:]
    return [one for one in wanted if one.get("evseId", one.get("evse", {}).get("id")) == evse_id]


@pytest.mark.ocpp("B12", "B12.FR.08", "B11.FR.08")
def test_the_other_car_charges_on(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        sil = Sil(tmp_path, station(tmp_path))
        csms = Csms("2.0.1")
        csms.plug(sil.runtime.wires, "localhost:9000")
        async with sil:
            await csms.received("BootNotification", 60)
            await asyncio.sleep(10)
            await charge(sil, 1)
            await charge(sil, 2)
            boards = [sil.modules[f"yeti_driver_{number}"].board for number in (1, 2)]
            assert boards[0].closed and boards[1].closed
            heard = {name: len(events) for name, events in sil.events.items()}
            statuses, transactions = len(csms.requests("StatusNotification")), len(csms.requests("TransactionEvent"))
            assert await csms.call("Reset", {"type": "Immediate", "evseId": 1}) == {"status": "Accepted"}
            for _ in range(60):
                await asyncio.sleep(1)
                assert boards[1].closed, "the other EVSE was interrupted"
            assert not boards[0].closed
            happened = iter(sil.events[FIRST][heard[FIRST] :])
            for event in ("TransactionFinished", "SessionFinished", "Disabled", "Enabled", "SessionStarted"):
                assert event in happened, event
            assert sil.events[SECOND][heard[SECOND] :] == []
            events = csms.requests("TransactionEvent")[transactions:]
            [ended] = [one for one in events if one["eventType"] == "Ended"]
            why = ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]
            assert why == ("ResetCommand", "ImmediateReset")
            states = [one["connectorStatus"] for one in of_evse(csms, "StatusNotification", 1, statuses)]
            assert states[-3:] == ["Unavailable", "Available", "Occupied"]
            assert of_evse(csms, "StatusNotification", 2, statuses) == []
            assert len(csms.handshakes) == 1 and csms.actions().count("BootNotification") == 1
            present(sil, 1)
            await asyncio.sleep(30)
            assert sil.events[FIRST].count("TransactionStarted") == 2, "the car of the reset EVSE charges again"

    run(main())
