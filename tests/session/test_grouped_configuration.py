"""A CSMS reads and sets the configuration of modules of any process: of another group, and of programs of others.

A charger in process groups answers as one in one process does, whatever else is away.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.session.grouped_charger import ROOT, GroupedCharger
from tests.session.small_csms import SmallCsms

CONFIGURATION = "config-ac-ocpp201"
FUSE = {"component": {"name": "EnergyNode", "instance": "evse_limits"}, "variable": {"name": "fuse_limit_A"}}
LOGGING = {"component": {"name": "EvseManager", "instance": "connector"}, "variable": {"name": "session_logging"}}
RESISTANCE = {"component": {"name": "ForeignMonitor", "instance": "imd"}, "variable": {"name": "resistance"}}
BACK_S = 10.0


def configure(modules: dict[str, Any]) -> None:
    """Give OCPP the right to read everything, and to change the connector and a program of others."""
    change = {"allow_write": True, "allow_set_read_only": True}
    modules["imd"] = {"module": "ForeignMonitor", "config_module": {"resistance": 700000, "mode": ""}}
    modules["ocpp"]["access"] = {
        "config": {"allow_global_read": True, "modules": {"connector": change, "imd": change}},
    }


async def read(csms: SmallCsms, *wanted: dict[str, Any]) -> list[str]:
    answer = await csms.ask("GetVariables", {"getVariableData": list(wanted)})
    return [one.get("attributeValue", one["attributeStatus"]) for one in answer["getVariableResult"]]


async def write(csms: SmallCsms, *wanted: tuple[dict[str, Any], str]) -> list[str]:
    data = [variable | {"attributeValue": text} for variable, text in wanted]
    answer = await csms.ask("SetVariables", {"setVariableData": data})
    return [one["attributeStatus"] for one in answer["setVariableResult"]]


@pytest.mark.parametrize("grouped", [True, False], ids=["in groups", "in one process"])
def test_the_csms_changes_modules_of_any_process(tmp_path: Path, *, grouped: bool) -> None:
    async def main() -> None:
        csms = SmallCsms()
        await csms.start()
        charger = GroupedCharger(tmp_path, CONFIGURATION, grouped=grouped)
        programs = tmp_path / "usr/libexec/everest/modules"
        programs.mkdir(parents=True, exist_ok=True)
        (programs / "ForeignMonitor").symlink_to(ROOT / "tests/manager/foreign/ForeignMonitor")
        charger.configure(configure)
        charger.point_to(csms.port)
        overlay = tmp_path / f"etc/everest/user-config/{CONFIGURATION}.yaml"

        def kept(module_id: str) -> dict[str, Any]:
            found = json.loads(overlay.read_text())["active_modules"] if overlay.exists() else {}
            values: dict[str, Any] = found.get(module_id, {}).get("config_module", {})
            return values

        try:
            await charger.start()
            await charger.until(lambda: csms.boots == 1, 20)
            await charger.charge()
            assert await read(csms, LOGGING, FUSE, RESISTANCE) == ["true", "16", "700000"]
            assert await write(
                csms, (LOGGING, "false"), (RESISTANCE, "800000"), (RESISTANCE, "-1"), (LOGGING, "2"), (FUSE, "10")
            ) == ["RebootRequired", "RebootRequired", "Rejected", "Rejected", "Rejected"]
            assert kept("connector") == {"session_logging": False} and kept("imd") == {"resistance": 800000}
            assert kept("evse_limits") == {}
            # What is set counts from the next start on.
            assert await read(csms, LOGGING, RESISTANCE) == ["true", "700000"]
            if grouped:
                charger.kill("charge")
                assert await write(csms, (LOGGING, "true")) == ["RebootRequired"]
                assert kept("connector") == {"session_logging": True}
                await charger.until(lambda: charger.runs("charge") and charger.pilot.contactors_closed, BACK_S)
            opened = len(charger.opened_s)
            charger.broker.kill()
            await charger.until(lambda: charger.status().get("on_broker") is False, BACK_S)
            assert await read(csms, LOGGING, RESISTANCE) == ["true", "700000"]
            assert await write(csms, (LOGGING, "false"), (RESISTANCE, "900000")) == ["RebootRequired"] * 2
            assert kept("imd") == {"resistance": 900000}
            assert len(charger.opened_s) == opened and charger.pilot.contactors_closed
            charger.broker.start()
            await charger.stop_charger()
            charger.start_charger()
            await charger.until(lambda: charger.status().get("ready") is True, 20)
            await charger.until(lambda: csms.boots == 2, 20)
            assert await read(csms, LOGGING, FUSE, RESISTANCE) == ["false", "16", "900000"]
        finally:
            await charger.stop()
            await csms.stop()

    asyncio.run(main())
