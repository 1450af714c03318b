"""The shipped configuration with OCPP 1.6: a car charges under a CSMS, in memory and on a virtual clock."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.plant import REPOSITORY, Plant

CONFIGURATION = "config-ac-ocpp16.yaml"
FOLDER = "usr/share/everest/modules/OCPP"


class UnderCsms(Plant):
    """A plant whose CSMS the test plays."""

    def __init__(self, state: Path, **how: Any) -> None:
        super().__init__(state, Model("basic"), configuration=CONFIGURATION, **how)
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
        await csms.close()

    clock.run(main())
