"""The shipped configuration with OCPP 1.6: a car charges under a CSMS, in memory and on a virtual clock."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.plant import REPOSITORY, Plant
from tests.session.test_failure_stays import SupervisedPlant

CONFIGURATION = "config-ac-ocpp16.yaml"
BASIC = Model("basic")
FOLDER = "usr/share/everest/modules/OCPP"


class UnderCsms(Plant):
    """A plant whose CSMS the test plays."""

    def __init__(self, state: Path, car: Model = BASIC, **how: Any) -> None:
        super().__init__(state, car, configuration=CONFIGURATION, **how)
        self.csms = Csms("1.6")
        self.csms.plug(self.runtime.wires, "localhost:9000")


def test_a_car_charges_and_is_stopped_from_there(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path) as plant:
            csms = plant.csms
            boot = await csms.received("BootNotification", 60)
            assert boot["chargePointVendor"]
            await plant.charging()
            start = await csms.received("StartTransaction")
            assert start["connectorId"] == 1 and start["idTag"] == "DEADBEEF"
            await asyncio.sleep(300)
            assert await csms.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
            stop = await csms.received("StopTransaction")
            assert (stop["reason"], stop["transactionId"]) == ("Remote", 1)
            print(csms.actions(), csms.requests("StatusNotification"))

    run(main())


def test_the_first_boot_notification_over_a_real_socket(tmp_path: Path) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        shipped = json.loads((REPOSITORY / FOLDER / "ocpp-config.json").read_text())
        shipped["Internal"]["CentralSystemURI"] = await csms.listen()
        shipped["Internal"]["LogMessagesFormat"] = ["callback"]
        (tmp_path / FOLDER).mkdir(parents=True)
        (tmp_path / FOLDER / "ocpp-config.json").write_text(json.dumps(shipped))
        plant = Plant(tmp_path, Model("basic"), configuration=CONFIGURATION)
        plant.settle_s = 0.5
        async with plant:
            boot = await csms.received("BootNotification")
            assert boot["firmwareVersion"]
            await csms.until(lambda: len(csms.requests("StatusNotification")) == 2)
            assert await csms.call("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "77"}) == {
                "status": "Accepted"
            }
            await csms.until((tmp_path / "var/lib/everest/ocpp/user_config.json").exists)
            module: Any = plant.assembly.modules["ocpp"]
            frame = module.ocpp_generic.ocpp_message.value
            assert json.loads(frame.message)[0] == 3 and frame.direction == "ChargingStationToCSMS"
        await csms.close()

    clock.run(main())


CAR = Model("basic", battery_kWh=60.0, soc_percent=10, target_soc_percent=90)


def test_the_csms_vanishes_for_an_hour_while_a_car_charges(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, CAR) as plant:
            csms = plant.csms
            await csms.received("BootNotification", 60)
            await plant.charging()
            await csms.received("StartTransaction")
            csms.refuse_handshake = HandshakeFailed("no route")
            await csms.disconnect()
            await asyncio.sleep(3000)
            assert plant.world.car.inlet.power_W > 0, "the car notices nothing"
            plant.world.take("unplug")
            await asyncio.sleep(600)
            csms.refuse_handshake = None
            stop = await csms.received("StopTransaction", 600)
            assert (stop["reason"], stop["transactionId"]) == ("EVDisconnected", 1)
            assert stop["timestamp"].startswith("2026-01-01T00:50:0"), "its own time, not that of the connection"
            assert len(csms.requests("BootNotification")) == 1

    run(main())


def test_a_car_charges_without_a_csms_and_the_transaction_arrives_later(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        def without(_: Any) -> None:
            plant.csms.refuse_handshake = HandshakeFailed("no route")

        plant = UnderCsms(tmp_path, CAR, before_start=without)
        async with plant:
            await plant.charging()
            await asyncio.sleep(600)
            plant.csms.refuse_handshake = None
            start = await plant.csms.received("StartTransaction", 120)
            assert start["idTag"] == "DEADBEEF"
            assert plant.csms.actions()[0] == "BootNotification"
            await plant.csms.call("RemoteStopTransaction", {"transactionId": 1})
            assert (await plant.csms.received("StopTransaction"))["transactionId"] == 1

    run(main())


def test_a_transaction_that_a_power_loss_has_cut_off_is_ended(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        disk = tmp_path / "disk"
        async with UnderCsms(tmp_path / "first", CAR) as plant:
            await plant.charging()
            await plant.csms.received("StartTransaction")
            await asyncio.sleep(60)
            shutil.copytree(tmp_path / "first", disk)
        async with UnderCsms(disk, CAR) as plant:
            stop = await plant.csms.received("StopTransaction", 120)
            assert (stop["reason"], stop["transactionId"]) == ("PowerLoss", 1)
            await asyncio.sleep(10)
            assert len(plant.csms.requests("StopTransaction")) == 1

    run(main())


class Supervised(SupervisedPlant):
    """The same as `secc run` has it: a failed module of `cloud` is started again alone."""

    def __init__(self, state: Path) -> None:
        super().__init__(state, CAR)
        self.configuration = CONFIGURATION
        self.csms = Csms("1.6")
        self.csms.plug(self.runtime.wires, "localhost:9000")


def test_a_failure_of_ocpp_ends_neither_the_charging_nor_the_transaction(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Supervised(tmp_path) as plant:
            csms = plant.csms
            await csms.received("BootNotification", 60)
            await plant.charging()
            await csms.received("StartTransaction")
            plant.assembly.modules["ocpp"].crash(RuntimeError("injected"))
            await csms.received("BootNotification", 60)
            await asyncio.sleep(30)
            assert plant.world.car.inlet.power_W > 0 and plant.world.pilot.contactors_closed
            assert csms.requests("StopTransaction") == []
            assert csms.requests("StatusNotification")[-1]["status"] == "Charging"
            assert await csms.call("RemoteStopTransaction", {"transactionId": 1}) == {"status": "Accepted"}
            stop = await csms.received("StopTransaction")
            assert (stop["reason"], stop["transactionId"]) == ("Remote", 1)

    run(main())
