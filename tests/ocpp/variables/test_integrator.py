"""Variables for other modules: the commands of interface `ocpp`."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.station.effects import Reply
from chargebyte_fw.modules.ocpp.station.events import Served
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.integrator import IntegratorVariables
from chargebyte_fw.modules.ocpp.variables.keys.configuration import Configuration
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard.communication import BASIC_AUTH_PASSWORD, HEARTBEAT_INTERVAL
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Talk


def talk_with(version: Version, *, by_keys: bool = False) -> Talk:
    """A station of 2.x, of 1.6 as `OCPPmulti` has it, or of 1.6 as `OCPP` has it."""
    is_16 = version is Version.V16
    variables = Variables(declared(connectors={1: 1}, legacy_keys=is_16))
    variables.addressed_by_keys = by_keys
    if is_16:
        variables.keys = Configuration(variables)
    return Talk(IntegratorVariables, version=version, variables=variables)


def command(talk: Talk, contract: Any, name: str, *args: Any) -> Any:
    found = talk.station.feed(Served("r", contract.interface, name, args), talk.now)
    talk.other += [one for one in found if not isinstance(one, Reply)]
    (answer,) = [one for one in found if isinstance(one, Reply)]
    return answer.result


def named(component: str, variable: str) -> ocpp.ComponentVariable:
    return ocpp.ComponentVariable(component=ocpp.Component(name=component), variable=ocpp.Variable(name=variable))


def get(talk: Talk, component: str, variable: str) -> tuple[str, str | None]:
    request = ocpp.GetVariableRequest(component_variable=named(component, variable))
    (result,) = command(talk, Ocpp, "get_variables", [request])
    by_key = talk.variables.keys is not None and (talk.variables.addressed_by_keys or not component)
    # A key has neither component nor instance, and one attribute.
    assert result.component_variable == (named("", variable) if by_key else request.component_variable)
    answered = result.status == "Accepted" and by_key
    assert result.attribute_type == (ocpp.AttributeEnum.Actual if answered else None)
    return str(result.status), result.value


def put(talk: Talk, component: str, variable: str, value: str) -> str:
    request = ocpp.SetVariableRequest(component_variable=named(component, variable), value=value)
    (result,) = command(talk, Ocpp, "set_variables", [request], "mine")
    return str(result.status)


def published(talk: Talk) -> list[tuple[str, str, str, int]]:
    """Component, variable, value and id of each event since the last look."""
    talk.settle()
    events = [one.value for one in talk.other if isinstance(one, Publish) and one.variable == "event_data"]
    talk.other.clear()
    return [
        (one.component_variable.component.name, one.component_variable.variable.name, one.actual_value, one.event_id)
        for one in events
    ]


def test_a_station_of_2_x_names_variables_as_the_device_model_does() -> None:
    talk = talk_with(Version.V201)
    assert get(talk, "OCPPCommCtrlr", "HeartbeatInterval") == ("Accepted", "1800")
    assert get(talk, "", "HeartbeatInterval") == ("UnknownComponent", None)
    assert get(talk, "OCPPCommCtrlr", "NoSuch") == ("UnknownVariable", None)
    assert get(talk, "SecurityCtrlr", "BasicAuthPassword") == ("Rejected", None)
    assert put(talk, "SecurityCtrlr", "Identity", "cp9") == "Accepted"
    assert get(talk, "SecurityCtrlr", "Identity") == ("Accepted", "cp9")
    assert put(talk, "OCPPCommCtrlr", "HeartbeatInterval", "soon") == "Rejected"
    entry = talk.variables.entry(HEARTBEAT_INTERVAL.id)
    assert entry is not None and put(talk, "OCPPCommCtrlr", "HeartbeatInterval", "60") == "Accepted"
    assert entry.attributes["Actual"].source == "mine"


def test_ocpp_names_variables_by_the_keys_alone() -> None:
    talk = talk_with(Version.V16, by_keys=True)
    for component in ("", "AnyThing"):
        assert get(talk, component, "HeartbeatInterval") == ("Accepted", "1800")
        assert get(talk, component, "TransactionMessageAttempts") == ("Accepted", "5")
        assert get(talk, component, "NoSuchKey") == ("UnknownVariable", None)
        assert put(talk, component, "NoSuchKey", "1") == "UnknownVariable"
    assert put(talk, "", "ChargePointModel", "Model 2") == "Accepted"
    assert put(talk, "", "HeartbeatInterval", "-1") == "Rejected"
    assert get(talk, "", "AuthorizationKey") == ("Rejected", None)


def test_ocppmulti_names_variables_as_the_device_model_does_and_keys_without_a_component() -> None:
    talk = talk_with(Version.V16)
    assert get(talk, "OCPPCommCtrlr", "HeartbeatInterval") == ("Accepted", "1800")
    assert get(talk, "AnyThing", "HeartbeatInterval") == ("UnknownComponent", None)
    assert get(talk, "", "TransactionMessageAttempts") == ("Accepted", "5")


def test_changes_of_monitored_variables_are_published_with_the_names_that_were_given() -> None:
    talk = talk_with(Version.V16)
    wanted = [named("OCPPCommCtrlr", "HeartbeatInterval"), named("", "HeartbeatInterval"), named("", "NoSuchKey")]
    command(talk, Ocpp, "monitor_variables", wanted)
    command(talk, Ocpp, "monitor_variables", wanted[:1])
    talk.variables.set(HEARTBEAT_INTERVAL, 77)
    assert published(talk) == [("OCPPCommCtrlr", "HeartbeatInterval", "77", 0), ("", "HeartbeatInterval", "77", 0)]
    talk.variables.set(HEARTBEAT_INTERVAL, 77)
    assert published(talk) == []


def test_a_secret_is_not_published() -> None:
    talk = talk_with(Version.V201)
    command(talk, Ocpp, "monitor_variables", [named("SecurityCtrlr", "BasicAuthPassword")])
    talk.variables.set(BASIC_AUTH_PASSWORD, "0123456789abcdef")
    assert published(talk) == [("SecurityCtrlr", "BasicAuthPassword", "", 1)]


def test_everything_is_rejected_before_the_values_of_the_last_run_are_there() -> None:
    station = Station(Version.V201, [IntegratorVariables], lambda: "id", Variables(declared()))
    block = station.block(IntegratorVariables)
    wanted = named("OCPPCommCtrlr", "HeartbeatInterval")
    (read,) = block.get_variables([ocpp.GetVariableRequest(component_variable=wanted)])
    results = block.set_variables([ocpp.SetVariableRequest(component_variable=wanted, value="60")], "mine")
    assert isinstance(results, list)
    (written,) = results
    assert (str(read.status), str(written.status)) == ("Rejected", "Rejected")
