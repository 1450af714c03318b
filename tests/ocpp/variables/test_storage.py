"""Values that were set survive a restart, and a change of the configuration files."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard.communication import HEARTBEAT_INTERVAL, NETWORK_URL
from chargebyte_fw.modules.ocpp.variables.storage import TABLE, VariableStorage
from tests.ocpp.variables.talk import Talk

INTERVAL = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
BLOCKS = (VariableStorage, DeviceModel)


def test_a_value_that_was_set_is_there_after_a_restart() -> None:
    first = Talk(*BLOCKS)
    first.ask("SetVariables", {"setVariableData": [INTERVAL | {"attributeValue": "60"}]})
    first.variables.set(NETWORK_URL.at(slot=2), "wss://csms/ä")
    first.settle()
    second = Talk(*BLOCKS, saved=first.tables)
    assert second.variables.get(HEARTBEAT_INTERVAL) == 60
    assert second.variables.get(NETWORK_URL.at(slot=2)) == "wss://csms/ä"
    entry = second.variables.entry(HEARTBEAT_INTERVAL.id)
    assert entry is not None and entry.attributes["Actual"].source == "csms"


def test_the_saved_value_is_on_its_way_before_the_answer() -> None:
    talk = Talk(*BLOCKS)
    talk.ask("SetVariables", {"setVariableData": [INTERVAL | {"attributeValue": "60"}]})
    assert list(talk.tables[TABLE]) == ["OCPPCommCtrlr.HeartbeatInterval Actual"]


def test_an_initial_value_replaces_only_what_was_never_set() -> None:
    first = Talk(*BLOCKS)
    first.ask("SetVariables", {"setVariableData": [INTERVAL | {"attributeValue": "60"}]})
    changed = Variables(declared())
    for variable, text in ((HEARTBEAT_INTERVAL, "900"), (NETWORK_URL.at(slot=1), "ws://new")):
        entry = changed.entry(variable.id)
        assert entry is not None
        entry.attributes["Actual"].value = text
    second = Talk(*BLOCKS, saved=first.tables, variables=changed)
    assert second.variables.get(HEARTBEAT_INTERVAL) == 60
    assert second.variables.get(NETWORK_URL.at(slot=1)) == "ws://new"


def test_values_of_variables_that_are_gone_or_that_do_not_fit_are_removed() -> None:
    first = Talk(*BLOCKS)
    first.ask("SetVariables", {"setVariableData": [INTERVAL | {"attributeValue": "60"}]})
    first.variables.set(NETWORK_URL.at(slot=2), "ws://two")
    first.settle()
    first.tables[TABLE]["damaged"] = b"{"
    changed = Variables(declared(slots=(1,)))
    entry = changed.entry(HEARTBEAT_INTERVAL.id)
    assert entry is not None
    entry.minimum = 100
    second = Talk(*BLOCKS, saved=first.tables, variables=changed)
    assert second.tables[TABLE] == {}
    assert second.variables.get(HEARTBEAT_INTERVAL) == 1800


def test_nothing_is_notified_of_values_of_the_last_run() -> None:
    first = Talk(*BLOCKS)
    first.variables.set(HEARTBEAT_INTERVAL, 60)
    first.settle()
    variables = Variables(declared())
    seen: list[int] = []
    variables.on_change(HEARTBEAT_INTERVAL, seen.append)
    Talk(*BLOCKS, saved=first.tables, variables=variables)
    assert seen == [] and variables.get(HEARTBEAT_INTERVAL) == 60
