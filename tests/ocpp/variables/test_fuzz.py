"""Whatever the CSMS asks of variables and monitors: an answer that the schema allows, and nothing that fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.variables.keys.block import ConfigurationKeys
from chargebyte_fw.modules.ocpp.variables.keys.table import KEYS
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import power, talk_with
from tests.ocpp.variables.talk import Refused, Talk

PLACES = [variable.id for variable in declared(connectors={1: 1, 2: 1})]
TEXTS = some.one_of(
    some.text(max_size=60),
    some.sampled_from(
        ["true", "false", "0", "1", "-1", "1e9", "NaN", "inf", "1,2", ",", "", "9" * 40, "{}", "[]", '"']
    ),
    some.text(alphabet="0123456789.,-+eE:TZ", max_size=30),
)
WHOLE = some.integers(-(2**31), 2**31)
NUMBERS = some.one_of(WHOLE, some.floats(allow_nan=False, allow_infinity=False), some.sampled_from([0, 0.5, 1e300]))
QUICK = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@some.composite
def addresses(draw: Any) -> dict[str, Any]:
    """A variable of the model, or one that is a little beside it."""
    place = draw(some.sampled_from(PLACES))
    component: dict[str, Any] = {
        "name": draw(some.sampled_from([place.component.name, place.component.name.upper(), "X"]))
    }
    evse = draw(some.sampled_from([place.component.evse, None, 0, 3]))
    if evse is not None:
        component["evse"] = {"id": evse}
        if place.component.connector is not None:
            component["evse"]["connectorId"] = place.component.connector
    if place.component.instance or draw(some.booleans()):
        component["instance"] = place.component.instance
    variable = {"name": draw(some.sampled_from([place.name, place.name.lower(), "Y"]))}
    if place.instance:
        variable["instance"] = place.instance
    return {"component": component, "variable": variable}


def ask(talk: Talk, action: str, payload: dict[str, Any]) -> Any:
    """Ask as a CSMS does; a payload that breaks the schema, or is refused as a whole, is no answer."""
    try:
        return talk.ask(action, payload)
    except (Refused, MessageError):
        return None


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@QUICK
@given(data=some.data())
def test_variables_take_anything(version: Version, data: Any) -> None:
    talk = talk_with(version)
    attribute = some.sampled_from(["Actual", "Target", "MinSet", "MaxSet"])
    items = data.draw(some.lists(some.tuples(addresses(), attribute, TEXTS), min_size=1, max_size=8))
    wanted = [where | {"attributeType": kind, "attributeValue": text} for where, kind, text in items]
    written = ask(talk, "SetVariables", {"setVariableData": wanted})
    read = ask(talk, "GetVariables", {"getVariableData": [where | {"attributeType": kind} for where, kind, _ in items]})
    for answer, member in ((written, "setVariableResult"), (read, "getVariableResult")):
        assert answer is None or len(answer[member]) == len(items)
    if written is not None and read is not None:
        accepted = [one["attributeStatus"] == "Accepted" for one in written["setVariableResult"]]
        for (_, _, text), is_set, one in zip(items, accepted, read["getVariableResult"]):
            if is_set and len(items) == 1 and one["attributeStatus"] == "Accepted":
                assert one["attributeValue"] == text
    filters = data.draw(some.lists(addresses(), min_size=1, max_size=3))
    criteria = data.draw(some.lists(some.sampled_from(["Active", "Enabled", "Problem", "Available"]), max_size=4))
    ask(
        talk,
        "GetReport",
        {"requestId": 1, "componentVariable": filters} | ({"componentCriteria": criteria} if criteria else {}),
    )


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@QUICK
@given(data=some.data())
def test_monitors_take_anything(version: Version, data: Any) -> None:
    talk = talk_with(version)
    kinds = ["UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"]
    if version is Version.V21:
        kinds += ["TargetDelta", "TargetDeltaRelative"]
    for _ in range(data.draw(some.integers(1, 4))):
        monitor = data.draw(addresses()) | {
            "type": data.draw(some.sampled_from(kinds)),
            "value": data.draw(NUMBERS),
            "severity": data.draw(some.integers(-1, 11)),
            "transaction": data.draw(some.booleans()),
        }
        if data.draw(some.booleans()):
            monitor["id"] = data.draw(some.integers(0, 1005))
        if version is Version.V21 and data.draw(some.booleans()):
            params = {"interval": data.draw(some.integers(0, 100)), "values": data.draw(some.integers(0, 5))}
            monitor["periodicEventStream"] = params
        ask(talk, "SetVariableMonitoring", {"setMonitoringData": [monitor]})
    power(talk, data.draw(some.floats(0, 30000)))
    talk.pass_s(data.draw(some.sampled_from([1, 30, 100])))
    ask(talk, "SetMonitoringBase", {"monitoringBase": data.draw(some.sampled_from(["All", "HardWiredOnly"]))})
    ask(talk, "SetMonitoringLevel", {"severity": data.draw(some.integers(-1, 11))})
    ask(talk, "ClearVariableMonitoring", {"id": data.draw(some.lists(some.integers(0, 1010), min_size=1, max_size=5))})
    ask(talk, "GetMonitoringReport", {"requestId": data.draw(WHOLE)})
    again = talk_with(version, saved=talk.tables)
    assert {one.id for one in monitors(again)} <= {one.id for one in monitors(talk)}


def monitors(talk: Talk) -> list[Any]:
    from chargebyte_fw.modules.ocpp.monitoring.block import Monitoring

    return list(talk.station.block(Monitoring).monitors)


@QUICK
@given(data=some.data())
def test_configuration_keys_take_anything(data: Any) -> None:
    talk = Talk(VariableStorage, ConfigurationKeys, version=Version.V16)
    names = some.one_of(some.sampled_from([key.name for key in KEYS]), some.text(max_size=50))
    for _ in range(data.draw(some.integers(1, 6))):
        name, text = data.draw(names), data.draw(TEXTS)
        answer = ask(talk, "ChangeConfiguration", {"key": name, "value": text})
        if answer == {"status": "Accepted"} and name != "AuthorizationKey":
            (found,) = talk.ask("GetConfiguration", {"key": [name]})["configurationKey"]
            assert found["value"].replace(" ", "") == text.replace(" ", "") or name in ("DefaultPriceText",)
    assert len(talk.ask("GetConfiguration")["configurationKey"]) > 100
    again = Talk(VariableStorage, ConfigurationKeys, version=Version.V16, saved=talk.tables)
    assert again.ask("GetConfiguration") == talk.ask("GetConfiguration")
