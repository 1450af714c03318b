"""Configuration keys of other modules in the device model."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.adapters.other_modules import OtherModules
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.module_configs import add_module_keys
from chargebyte_fw.modules.ocpp.variables.storage import TABLE, VariableStorage
from tests.ocpp.variables.talk import Talk

LOGGING = ConfigurationKey(
    module="EvseManager", module_id="connector_1", key="session_logging", kind="boolean", value=True, writable=True
)
BUNDLE = ConfigurationKey(
    module="EvseSecurity", module_id="security", key="csms_ca_bundle", kind="string", value="ca.pem", writable=False
)


def address(key: ConfigurationKey, **rest: Any) -> dict[str, Any]:
    component = {"name": key.module, "instance": key.module_id}
    return {"component": component, "variable": {"name": key.key}} | rest


def test_keys_are_read_and_a_new_value_takes_effect_at_the_next_start() -> None:
    written: list[tuple[str, str]] = []

    def write(key: ConfigurationKey, text: str) -> bool:
        written.append((key.key, text))
        return text != "false" or len(written) == 1

    talk = Talk(VariableStorage, DeviceModel)
    add_module_keys(talk.variables, [LOGGING, BUNDLE], write)
    results = talk.ask("GetVariables", {"getVariableData": [address(LOGGING), address(BUNDLE)]})["getVariableResult"]
    assert [one["attributeValue"] for one in results] == ["true", "ca.pem"]
    data = [address(LOGGING, attributeValue=text) for text in ("false", "no", "false")]
    data.append(address(BUNDLE, attributeValue="other.pem"))
    results = talk.ask("SetVariables", {"setVariableData": data})["setVariableResult"]
    assert [one["attributeStatus"] for one in results] == ["RebootRequired", "Rejected", "Rejected", "Rejected"]
    assert written == [("session_logging", "false")] * 2
    assert TABLE not in talk.tables
    (result,) = talk.ask("GetVariables", {"getVariableData": [address(LOGGING)]})["getVariableResult"]
    assert result["attributeValue"] == "true"


def test_without_access_there_is_no_component() -> None:
    (result,) = Talk(DeviceModel).ask("GetVariables", {"getVariableData": [address(LOGGING)]})["getVariableResult"]
    assert result["attributeStatus"] == "UnknownComponent"


class Others:
    """What the manager gives a module with access."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def readable(self) -> list[ConfigurationKey]:
        return [LOGGING]

    def check(self, module_id: str, key: str, text: str) -> None:
        if text == "true":
            raise ValueError("it is true already")

    async def keep(self, module_id: str, key: str, text: str) -> None:
        self.kept.append((module_id, key, text))


def test_the_keys_that_the_manager_gives_are_checked_and_kept_beside_the_answer() -> None:
    talk, others = Talk(DeviceModel), Others()
    tasks: list[Any] = []
    module: Any = SimpleNamespace(
        runtime=SimpleNamespace(configurations=others),
        spawn=lambda work, name: tasks.append(work),
        log=logging.getLogger("test"),
    )
    OtherModules(module).add_to(talk.variables)
    data = [address(LOGGING, attributeValue=text) for text in ("true", "false")]
    results = talk.ask("SetVariables", {"setVariableData": data})["setVariableResult"]
    assert [one["attributeStatus"] for one in results] == ["Rejected", "RebootRequired"]
    asyncio.run(tasks[0])
    assert others.kept == [("connector_1", "session_logging", "false")] and len(tasks) == 1
