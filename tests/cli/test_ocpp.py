"""`secc ocpp` against a station in this process, through the charger's control socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.manager.control import Control
from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.plant import REPOSITORY, Plant

FOLDER = "usr/share/everest/modules/OCPP"


def secc(*arguments: str) -> int:
    try:
        return main(["ocpp", *arguments])
    except SystemExit as exit_:
        return int(exit_.code or 0)


def test_status_variables_queue_and_a_message_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def conversation() -> None:
        csms = Csms("1.6")
        shipped = json.loads((REPOSITORY / FOLDER / "ocpp-config.json").read_text())
        shipped["Internal"]["CentralSystemURI"] = await csms.listen()
        (tmp_path / FOLDER).mkdir(parents=True)
        (tmp_path / FOLDER / "ocpp-config.json").write_text(json.dumps(shipped))
        plant = Plant(tmp_path, Model("basic"), configuration="config-ac-ocpp16.yaml")
        plant.settle_s = 0.5
        recorder: Any = None
        async with plant:
            control = Control(plant.runtime.root, recorder, ModuleLog("control"), plant.runtime.operator)
            await control.start()
            await csms.received("BootNotification")
            root = ("--root", str(plant.runtime.root.state))

            async def ask(*arguments: str) -> tuple[int, str]:
                status = await asyncio.to_thread(secc, *arguments, *root)
                shown = capsys.readouterr()
                return status, shown.out + shown.err

            status, text = await ask("status")
            assert status == 0 and "connected" in text and csms.url in text and "Accepted" in text
            status, text = await ask("status", "--json")
            assert json.loads(text)["status"]["identity"] == "cp001"
            status, text = await ask("variables", "heartbeatinterval")
            assert status == 0 and "OCPPCommCtrlr.HeartbeatInterval" in text and "1 variable" in text
            assert await ask("set", "OCPPCommCtrlr.HeartbeatInterval", "77") == (
                0,
                "OCPPCommCtrlr.HeartbeatInterval = 77  (Accepted)\n",
            )
            status, text = await ask("get", "OCPPCommCtrlr.HeartbeatInterval")
            assert text == "OCPPCommCtrlr.HeartbeatInterval = 77\n"
            status, text = await ask("set", "OCPPCommCtrlr.HeartbeatInterval", "soon")
            assert status == 1 and "Rejected" in text
            status, text = await ask("get", "Nothing.AtAll")
            assert status == 1 and "`secc ocpp variables` lists them" in text
            assert await ask("queue") == (0, "no message waits\n")
            status, text = await ask("send", "Heartbeat")
            assert status == 0 and "currentTime" in text
            status, text = await ask("send", "Heartbeat", "{")
            assert status == 2 and "no JSON" in text
            status, text = await ask("send", "StatusNotification", "{}")
            assert status == 1 and "connectorId" in text
            status, text = await ask("priority", "1", "on")
            assert status == 1 and "has no priority charging" in text, "OCPP 1.6 has none"
            await control.stop()
        await csms.close()

    clock.run(conversation())


def test_without_a_charger_or_without_ocpp_the_reason_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert secc("status", "--root", str(tmp_path)) == 1
    assert "no charger runs here" in capsys.readouterr().err
