"""The shipped configuration with OCPP 2.0.1 and 2.1: a car charges under a CSMS, in memory and on a virtual clock."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import overlay
from tests.session.plant import REPOSITORY, Plant

CONFIGURATION = "config-ac-ocpp201.yaml"


class UnderCsms(Plant):
    """A plant whose CSMS the test plays."""

    def __init__(self, state: Path, *versions: str, configuration: str = CONFIGURATION) -> None:
        super().__init__(state, Model("basic"), configuration=configuration)
        self.csms = Csms(*versions)
        self.csms.plug(self.runtime.wires, "localhost:9000")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_car_charges_and_is_stopped_from_there(run: Any, tmp_path: Path, version: str) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, version) as plant:
            csms = plant.csms
            boot = await csms.received("BootNotification", 60)
            assert boot["reason"] == "PowerUp" and boot["chargingStation"]["model"]
            await plant.charging()
            started = await csms.received("TransactionEvent")
            assert (started["eventType"], started["seqNo"]) == ("Started", 0)
            assert started["idToken"]["idToken"] == "DEADBEEF"
            transaction = started["transactionInfo"]["transactionId"]
            await asyncio.sleep(300)
            stop = {"transactionId": transaction}
            assert await csms.call("RequestStopTransaction", stop) == {"status": "Accepted"}
            await csms.until(lambda: csms.requests("TransactionEvent")[-1]["eventType"] == "Ended")
            events = csms.requests("TransactionEvent")
            assert [one["seqNo"] for one in events] == list(range(len(events)))
            ended = events[-1]
            assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("RemoteStop", "Remote")

    run(main())


MULTI = "config-ac-ocppmulti.yaml"
CHOICES = [
    ("Only1.6", ["1.6"], ["ocpp1.6"], "StartTransaction"),
    ("Only2", ["2.0.1"], ["ocpp2.1", "ocpp2.0.1"], "TransactionEvent"),
    ("Prefer2", ["1.6", "2.1"], ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "TransactionEvent"),
    ("Prefer2", ["1.6"], ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "StartTransaction"),
    ("Prefer1.6", ["2.0.1"], ["ocpp1.6", "ocpp2.1", "ocpp2.0.1"], "TransactionEvent"),
]


def with_mode(state: Path, mode: str) -> None:
    overlay(state, MULTI, {"ocpp": {"config_module": {"Mode": mode}}})


@pytest.mark.parametrize(("mode", "versions", "offered", "first"), CHOICES)
def test_ocpp_multi_speaks_what_its_mode_and_the_csms_choose(
    run: Any, tmp_path: Path, mode: str, versions: list[str], offered: list[str], first: str
) -> None:
    with_mode(tmp_path, mode)

    async def main() -> None:
        async with UnderCsms(tmp_path, *versions, configuration=MULTI) as plant:
            await plant.csms.received("BootNotification", 60)
            await plant.charging()
            assert await plant.csms.received(first)
            assert {tuple(one.subprotocols) for one in plant.csms.handshakes} == {tuple(offered)}
            assert len(plant.csms.handshakes) <= 2 and plant.tracebacks() == []

    run(main())


def test_the_choice_of_the_csms_is_kept_and_no_transaction_changes_its_version(run: Any, tmp_path: Path) -> None:
    with_mode(tmp_path, "Prefer2")

    async def main() -> None:
        async with UnderCsms(tmp_path, "1.6", configuration=MULTI) as plant:
            csms = plant.csms
            await csms.received("BootNotification", 60)
            await plant.charging()
            await csms.received("StartTransaction")
            csms.versions = ("2.1",)
            await csms.disconnect()
            await asyncio.sleep(120)
            assert len(csms.handshakes) > 3 and csms.requests("TransactionEvent") == []
            csms.versions = ("1.6", "2.1")
            csms.select = lambda offered: "ocpp1.6"
            await csms.until(lambda: csms.socket is not None, 300)
            plant.world.car.replace("unplug")
            await csms.received("StopTransaction")
            csms.select = csms._first_offered
            await csms.disconnect()
            boots = len(csms.requests("BootNotification"))
            await csms.until(lambda: len(csms.requests("BootNotification")) > boots, 300)
            assert "chargingStation" in csms.requests("BootNotification")[-1]
            assert (tmp_path / "var/lib/everest/ocppmulti/generation").read_text() == "2\n"
            await plant.charging()
            await csms.received("TransactionEvent")
        async with UnderCsms(tmp_path, "2.1", configuration=MULTI) as plant:
            await plant.csms.received("BootNotification", 60)
            assert len(plant.csms.handshakes) == 1

    run(main())


def test_a_car_charges_through_an_hour_without_the_csms(run: Any, tmp_path: Path) -> None:
    """Nothing of the cloud ends charging; what happened offline arrives afterwards, whole and in order."""

    async def main() -> None:
        async with UnderCsms(tmp_path, "2.0.1") as plant:
            csms = plant.csms
            await plant.charging()
            await csms.until(lambda: len(csms.requests("TransactionEvent")) > 1)
            csms.refuse_handshake = HandshakeFailed("no route to host")
            await csms.disconnect()
            await asyncio.sleep(1800)
            assert plant.world.car.inlet.power_W > 0
            plant.world.car.replace("unplug")
            await asyncio.sleep(1800)
            csms.refuse_handshake = None
            await csms.until(lambda: csms.requests("TransactionEvent")[-1]["eventType"] == "Ended", 600)
            events = csms.requests("TransactionEvent")
            assert [one["seqNo"] for one in events] == list(range(len(events)))
            assert events[-1]["offline"] is True
            assert csms.requests("StatusNotification")[-1]["connectorStatus"] == "Available"

    run(main())


def test_the_messages_are_logged_and_those_of_a_session_in_its_folder(run: Any, tmp_path: Path) -> None:
    overlay(tmp_path, CONFIGURATION, {"ocpp": {"config_module": {"DeviceModelConfigPath": "/model"}}})
    model = tmp_path / "model"
    shutil.copytree(REPOSITORY / "usr/share/everest/modules/OCPP201/component_config", model)
    file = model / "standardized/InternalCtrlr.json"
    text = json.loads(file.read_text())
    for attribute in text["properties"]["LogMessagesFormat"]["attributes"]:
        attribute["value"] = "log,html,security,session_logging"
    file.write_text(json.dumps(text))

    async def main() -> None:
        async with UnderCsms(tmp_path, "2.0.1") as plant:
            await plant.csms.received("BootNotification", 60)
            await plant.charging()
            await asyncio.sleep(30)
            plant.world.car.replace("unplug")
            await plant.csms.until(lambda: plant.csms.requests("TransactionEvent")[-1]["eventType"] == "Ended")
            await asyncio.sleep(5)
        folder = tmp_path / "tmp/everest_ocpp_logs"
        assert {one.name for one in folder.iterdir()} == {
            f"libocpp_201.{kind}" for kind in ("log", "html", "security.log")
        }
        log = (folder / "libocpp_201.log").read_text()
        assert "ChargingStation>CSMS Call BootNotification" in log and "CallResult BootNotification" in log
        assert "DEADBEEF" not in log + (folder / "libocpp_201.html").read_text()
        assert "StartupOfTheDevice" in (folder / "libocpp_201.security.log").read_text()
        (session,) = (tmp_path / "tmp/everest-logs").glob("*/ocpp.log")
        assert "TransactionEvent" in session.read_text() and "BootNotification" not in session.read_text()

    run(main())
