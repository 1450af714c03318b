"""Configuration keys of other modules in the device model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.adapters.other_modules import OtherModules
from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.integrator import IntegratorVariables
from chargebyte_fw.modules.ocpp.variables.module_configs import ModuleValue, add_module_keys
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


def asked(talk: Talk, *data: dict[str, Any]) -> list[Any]:
    """Send SetVariables; return the effects: what has to be kept, or the answer."""
    request = decode_request(talk.version, "SetVariables", msgspec.json.encode({"setVariableData": data}))
    return talk.station.feed(events.CallReceived("c", "SetVariables", request), talk.now)


def statuses(answer: dict[str, Any]) -> list[str]:
    return [one["attributeStatus"] for one in answer["setVariableResult"]]


def talk_with_keys(takes: Callable[[ConfigurationKey, str], bool] = lambda *_: True) -> Talk:
    talk = Talk(VariableStorage, DeviceModel)
    add_module_keys(talk.variables, [LOGGING, BUNDLE], takes)
    return talk


def test_keys_are_read_and_a_new_value_takes_effect_at_the_next_start() -> None:
    given: list[tuple[str, str]] = []

    def takes(key: ConfigurationKey, text: str) -> bool:
        given.append((key.key, text))
        return text != "false" or len(given) == 1

    talk = talk_with_keys(takes)
    results = talk.ask("GetVariables", {"getVariableData": [address(LOGGING), address(BUNDLE)]})["getVariableResult"]
    assert [one["attributeValue"] for one in results] == ["true", "ca.pem"]
    data = [address(LOGGING, attributeValue=text) for text in ("false", "no", "false")]
    data.append(address(BUNDLE, attributeValue="other.pem"))
    (keep,) = asked(talk, *data)
    assert keep.what == ModuleValue(LOGGING, "false")
    answer = talk.answer_of(talk.station.feed(events.CommandDone(keep.command_id, None), talk.now))
    assert statuses(answer) == ["RebootRequired", "Rejected", "Rejected", "Rejected"]
    assert given == [("session_logging", "false")] * 2
    assert TABLE not in talk.tables
    (result,) = talk.ask("GetVariables", {"getVariableData": [address(LOGGING)]})["getVariableResult"]
    assert result["attributeValue"] == "true"


def test_a_value_that_could_not_be_kept_is_rejected_and_the_answer_waits_for_all() -> None:
    talk = talk_with_keys()
    first, second = asked(talk, *(address(LOGGING, attributeValue=text) for text in ("false", "true")))
    assert talk.station.feed(events.CommandFailed(second.command_id, "full"), talk.now) == []
    assert talk.station.feed(events.CommandDone(4711, None), talk.now) == []
    answer = talk.answer_of(talk.station.feed(events.CommandDone(first.command_id, None), talk.now))
    assert statuses(answer) == ["RebootRequired", "Rejected"]
    info = answer["setVariableResult"][1]["attributeStatusInfo"]
    assert info["reasonCode"] == "InternalError" and "next start" in info["additionalInfo"]


def test_an_integrator_has_the_answer_once_the_value_is_kept() -> None:
    talk = Talk(VariableStorage, DeviceModel, IntegratorVariables)
    add_module_keys(talk.variables, [BUNDLE], lambda *_: True)
    component = ocpp.Component(name="EvseSecurity", instance="security")
    wanted = ocpp.ComponentVariable(component=component, variable=ocpp.Variable(name="csms_ca_bundle"))
    request = [ocpp.SetVariableRequest(component_variable=wanted, value="other.pem")]
    served = events.Served("r", Ocpp.interface, "set_variables", (request, "mine"))
    (keep,) = talk.station.feed(served, talk.now)
    (reply,) = talk.station.feed(events.CommandDone(keep.command_id, None), talk.now)
    assert [str(one.status) for one in reply.result] == ["RebootRequired"]


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
        if text == "full":
            raise OSError("No space left on device")
        self.kept.append((module_id, key, text))


def test_the_keys_that_the_manager_gives_are_checked_and_kept_before_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    talk, others = Talk(DeviceModel), Others()
    tasks: list[Any] = []
    fed: list[Any] = []
    module: Any = SimpleNamespace(
        runtime=SimpleNamespace(configurations=others),
        spawn=lambda work, name: tasks.append(work),
        log=logging.getLogger("test"),
    )
    adapter = OtherModules(module, fed.append)
    adapter.add_to(talk.variables)
    (keep,) = asked(talk, *(address(LOGGING, attributeValue=text) for text in ("true", "false")))
    adapter.keep(keep)
    adapter.keep(do.KeepElsewhere(4711, ModuleValue(LOGGING, "full")))
    for task in tasks:
        asyncio.run(task)
    assert others.kept == [("connector_1", "session_logging", "false")]
    assert fed == [events.CommandDone(keep.command_id, None), events.CommandFailed(4711, "No space left on device")]
    assert "session_logging cannot be kept for the next start: No space left" in caplog.text
    assert statuses(talk.answer_of(talk.station.feed(fed[0], talk.now))) == ["Rejected", "RebootRequired"]
