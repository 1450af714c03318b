"""The shipped configuration with OCPP 2.0.1 and 2.1: a car charges under a CSMS, in memory and on a virtual clock."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.plant import REPOSITORY, Plant

CONFIGURATION = "config-ac-ocpp201.yaml"


class UnderCsms(Plant):
    """A plant whose CSMS the test plays."""

    def __init__(self, state: Path, version: str, configuration: str = CONFIGURATION) -> None:
        super().__init__(state, Model("basic"), configuration=configuration)
        self.csms = Csms(version)
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


@pytest.mark.parametrize(
    ("mode", "version", "first"), [("Only1.6", "1.6", "StartTransaction"), ("Only2", "2.1", "TransactionEvent")]
)
def test_ocpp_multi_speaks_the_version_of_its_mode(
    run: Any, tmp_path: Path, mode: str, version: str, first: str
) -> None:
    text = (REPOSITORY / "etc/everest" / CONFIGURATION).read_text()
    text = text.replace("module: OCPP201", "module: OCPPmulti").replace(
        "      CoreDatabasePath: ", f"      Mode: {mode}\n      CoreDatabasePath: "
    )
    (tmp_path / "etc/everest").mkdir(parents=True)
    (tmp_path / "etc/everest/config-multi.yaml").write_text(text)

    async def main() -> None:
        async with UnderCsms(tmp_path, version, str(tmp_path / "etc/everest/config-multi.yaml")) as plant:
            await plant.csms.received("BootNotification", 60)
            await plant.charging()
            assert await plant.csms.received(first)

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
