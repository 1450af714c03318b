"""SetVariables, GetVariables and reports of OCPP 2.x (use cases B05 to B08)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel, values_list
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication, internal, station
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Refused, Talk


def address(component: str, variable: str, **rest: Any) -> dict[str, Any]:
    """`Component.Variable` as a message has it; `instance` is that of the variable, `evse` an id."""
    evse = rest.pop("evse", None)
    found: dict[str, Any] = {"component": {"name": component}, "variable": {"name": variable}}
    if evse is not None:
        found["component"]["evse"] = {"id": evse}
    if "connector" in rest:
        found["component"]["evse"]["connectorId"] = rest.pop("connector")
    if "of" in rest:
        found["component"]["instance"] = rest.pop("of")
    if "instance" in rest:
        found["variable"]["instance"] = rest.pop("instance")
    return found | rest


@pytest.fixture(params=[Version.V201, Version.V21])
def talk(request: Any) -> Talk:
    return Talk(DeviceModel, version=request.param)


def set_one(talk: Talk, value: str, component: str, variable: str, **rest: Any) -> Any:
    data = address(component, variable, **rest) | {"attributeValue": value}
    (result,) = talk.ask("SetVariables", {"setVariableData": [data]})["setVariableResult"]
    return result


def get_one(talk: Talk, component: str, variable: str, **rest: Any) -> Any:
    data = address(component, variable, **rest)
    (result,) = talk.ask("GetVariables", {"getVariableData": [data]})["getVariableResult"]
    return result


@pytest.mark.ocpp("B05.FR.01", "B05.FR.02", "B05.FR.03", "B05.FR.10", "B05.FR.12")
def test_each_variable_that_is_set_has_its_result(talk: Talk) -> None:
    wanted = [
        address("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="60"),
        address("AuthCtrlr", "LocalPreAuthorize", attributeValue="false", attributeType="Actual"),
        address("NetworkConfiguration", "Identity", of="2", attributeValue="cp2"),
    ]
    results = talk.ask("SetVariables", {"setVariableData": wanted})["setVariableResult"]
    assert [(one["component"], one["variable"]) for one in results] == [
        (one["component"], one["variable"]) for one in wanted
    ]
    assert [(one["attributeStatus"], one["attributeType"]) for one in results] == [("Accepted", "Actual")] * 3
    assert talk.variables.get(communication.HEARTBEAT_INTERVAL) == 60
    assert talk.variables.get(communication.NETWORK_IDENTITY.at(slot=2)) == "cp2"


@pytest.mark.ocpp("B05.FR.04", "B05.FR.05", "B05.FR.06")
def test_what_is_unknown_is_not_set(talk: Talk) -> None:
    assert set_one(talk, "1", "NoSuchCtrlr", "Enabled")["attributeStatus"] == "UnknownComponent"
    assert set_one(talk, "1", "EVSE", "Power", evse=9)["attributeStatus"] == "UnknownComponent"
    assert set_one(talk, "1", "AuthCtrlr", "NoSuch")["attributeStatus"] == "UnknownVariable"
    result = set_one(talk, "1", "OCPPCommCtrlr", "HeartbeatInterval", attributeType="MaxSet")
    assert (result["attributeStatus"], result["attributeType"]) == ("NotSupportedAttributeType", "MaxSet")


BAD_VALUES = [
    ("HeartbeatInterval", ("-2", "01asdf", "99999999999999", "", "1.5", " 5", "5 ")),
    ("QueueAllMessages", ("True", "1", "", "yes")),
    ("NetworkConfigurationPriority", ("1,x", "1,,2", "3", "a")),
    ("PublicKeyWithSignedMeterValue", ("Always", "never")),
]


@pytest.mark.ocpp("B05.FR.07", "B05.FR.08")
@pytest.mark.parametrize(("variable", "values"), BAD_VALUES, ids=[name for name, _ in BAD_VALUES])
def test_a_value_that_is_none_is_rejected_and_changes_nothing(
    talk: Talk, variable: str, values: tuple[str, ...]
) -> None:
    before = get_one(talk, "OCPPCommCtrlr", variable)
    for value in values:
        result = set_one(talk, value, "OCPPCommCtrlr", variable)
        assert result["attributeStatus"] == "Rejected", value
        assert result["attributeStatusInfo"]["reasonCode"] == "InvalidValue"
    assert get_one(talk, "OCPPCommCtrlr", variable) == before


@pytest.mark.ocpp("B05.FR.07")
@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("2024-02-29T10:00:00Z", "Accepted"),
        ("2024-02-29T10:00:00.123456789+01:00", "Accepted"),
        ("2024-02-30T10:00:00Z", "Rejected"),
        ("2024-02-29 10:00", "Rejected"),
        ("", "Rejected"),
    ],
)
def test_a_date_must_exist(talk: Talk, value: str, status: str) -> None:
    assert set_one(talk, value, "ClockCtrlr", "NextTimeOffsetTransitionDateTime")["attributeStatus"] == status


@pytest.mark.ocpp("B05.FR.07", "A00.FR.205", "A00.FR.304")
@pytest.mark.parametrize(("length", "status"), [(15, "Rejected"), (16, "Accepted"), (40, "Accepted"), (41, "Rejected")])
def test_a_password_has_16_to_40_characters(talk: Talk, length: int, status: str) -> None:
    assert set_one(talk, "ü" * length, "SecurityCtrlr", "BasicAuthPassword")["attributeStatus"] == status


@pytest.mark.ocpp("B05.FR.09")
def test_a_variable_that_is_read_only_is_not_set(talk: Talk) -> None:
    result = set_one(talk, "cp9", "SecurityCtrlr", "Identity")
    assert result["attributeStatus"] == "Rejected"
    assert result["attributeStatusInfo"]["reasonCode"] == "ReadOnly"


def test_a_guard_of_another_block_refuses_with_its_reason(talk: Talk) -> None:
    talk.variables.guard(communication.NETWORK_URL.at(slot=1), lambda text: "PriorityNetworkConf")
    result = set_one(talk, "ws://a", "NetworkConfiguration", "OcppCsmsUrl", of="1")
    assert result["attributeStatus"] == "Rejected"
    assert result["attributeStatusInfo"]["reasonCode"] == "PriorityNetworkConf"


def test_a_value_may_be_as_long_as_the_station_takes_it(talk: Talk) -> None:
    talk.variables.set(station.CONFIGURATION_VALUE_SIZE, 20)
    assert set_one(talk, "x" * 20, "TariffCostCtrlr", "TariffFallbackMessage")["attributeStatus"] == "Accepted"
    result = set_one(talk, "x" * 21, "TariffCostCtrlr", "TariffFallbackMessage")
    assert result["attributeStatusInfo"]["reasonCode"] == "TooLargeElement"


def test_names_ignore_case_and_are_answered_as_they_were_asked(talk: Talk) -> None:
    result = set_one(talk, "60", "ocppcommctrlr", "HEARTBEATINTERVAL")
    assert result["component"]["name"] == "ocppcommctrlr" and result["attributeStatus"] == "Accepted"


@pytest.mark.ocpp("B05.FR.11", "B06.FR.05", "B06.FR.16", "B06.FR.17")
@pytest.mark.parametrize("action", ["SetVariables", "GetVariables"])
def test_too_many_items_or_bytes_are_refused_as_a_whole(action: str) -> None:
    member = f"{action[0].lower()}{action[1:-1]}Data"
    item = address("OCPPCommCtrlr", "HeartbeatInterval")
    if action == "SetVariables":
        item["attributeValue"] = "60"
    for version, code in (
        (Version.V201, "OccurenceConstraintViolation"),
        (Version.V21, "OccurrenceConstraintViolation"),
    ):
        talk = Talk(DeviceModel, version=version)
        talk.variables.set(station.ITEMS_SET_VARIABLES, 2)
        talk.variables.set(station.ITEMS_GET_VARIABLES, 2)
        talk.ask(action, {member: [item] * 2})
        with pytest.raises(Refused, match=rf"^{code}$"):
            talk.ask(action, {member: [item] * 3})
        talk.variables.set(station.BYTES_SET_VARIABLES, 200)
        talk.variables.set(station.BYTES_GET_VARIABLES, 200)
        with pytest.raises(Refused, match=r"^FormatViolation$"):
            talk.ask(action, {member: [item] * 2})


@pytest.mark.ocpp("B06.FR.01", "B06.FR.02", "B06.FR.03", "B06.FR.04", "B06.FR.10", "B06.FR.11")
def test_each_variable_that_is_read_has_its_result(talk: Talk) -> None:
    wanted = [
        address("OCPPCommCtrlr", "HeartbeatInterval"),
        address("EVSE", "Power", evse=2, attributeType="MaxSet"),
        address("Connector", "ConnectorType", evse=1, connector=1),
    ]
    results = talk.ask("GetVariables", {"getVariableData": wanted})["getVariableResult"]
    assert [(one["component"], one["variable"]) for one in results] == [
        (one["component"], one["variable"]) for one in wanted
    ]
    assert [(one["attributeStatus"], one["attributeType"], one["attributeValue"]) for one in results] == [
        ("Accepted", "Actual", "1800"),
        ("Accepted", "MaxSet", ""),
        ("Accepted", "Actual", "sType2"),
    ]


@pytest.mark.ocpp("B06.FR.06", "B06.FR.07", "B06.FR.08", "B06.FR.15")
def test_what_is_unknown_has_no_value(talk: Talk) -> None:
    for wanted, status in (
        (address("NoSuchCtrlr", "Enabled"), "UnknownComponent"),
        (address("AuthCtrlr", "NoSuch"), "UnknownVariable"),
        (address("OCPPCommCtrlr", "MessageTimeout"), "UnknownVariable"),
        (address("AuthCtrlr", "Enabled", attributeType="Target"), "NotSupportedAttributeType"),
    ):
        (result,) = talk.ask("GetVariables", {"getVariableData": [wanted]})["getVariableResult"]
        assert result["attributeStatus"] == status
        assert "attributeValue" not in result


@pytest.mark.ocpp("B06.FR.09")
def test_a_variable_that_is_write_only_is_not_read(talk: Talk) -> None:
    assert set_one(talk, "0123456789abcdef", "SecurityCtrlr", "BasicAuthPassword")["attributeStatus"] == "Accepted"
    result = get_one(talk, "SecurityCtrlr", "BasicAuthPassword")
    assert result["attributeStatus"] == "Rejected" and "attributeValue" not in result


@pytest.mark.ocpp("B06.FR.13")
def test_a_variable_without_a_value_is_an_empty_text(talk: Talk) -> None:
    assert get_one(talk, "AuthCacheCtrlr", "LifeTime")["attributeValue"] == ""


@pytest.mark.ocpp("B06.FR.14", "B06.FR.15")
def test_an_instance_is_respected_and_an_empty_one_is_none(talk: Talk) -> None:
    one = get_one(talk, "OCPPCommCtrlr", "MessageTimeout", instance="Default")
    assert (one["attributeStatus"], one["attributeValue"]) == ("Accepted", "60")
    assert get_one(talk, "OCPPCommCtrlr", "HeartbeatInterval", instance="")["attributeStatus"] == "Accepted"
    assert get_one(talk, "OCPPCommCtrlr", "HeartbeatInterval", instance="1")["attributeStatus"] == "UnknownVariable"
    assert get_one(talk, "NetworkConfiguration", "Identity", of="3")["attributeStatus"] == "UnknownComponent"


def test_a_long_value_is_cut_where_it_is_read(talk: Talk) -> None:
    talk.variables.set(communication.NETWORK_URL.at(slot=1), "ws://" + "x" * 1995)
    talk.variables.set(station.REPORTING_VALUE_SIZE, 100)
    assert len(get_one(talk, "NetworkConfiguration", "OcppCsmsUrl", of="1")["attributeValue"]) == 100


def reported(talk: Talk, request_id: int) -> list[dict[str, Any]]:
    """The union of a report, checked as a chain of messages."""
    parts = list(talk.payloads_of("NotifyReport"))
    assert [part["requestId"] for part in parts] == [request_id] * len(parts)
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part.get("tbc", False) for part in parts] == [True] * (len(parts) - 1) + [False]
    assert len({part["generatedAt"] for part in parts}) == 1
    return [item for part in parts for item in part["reportData"]]


def places(items: list[dict[str, Any]]) -> set[str]:
    found = [
        f"{one['component']['name']}.{one['variable']['name']}"
        + (f"[{one['variable']['instance']}]" if "instance" in one["variable"] else "")
        + (f"({one['component']['evse']['id']})" if "evse" in one["component"] else "")
        + (f"<{one['component']['instance']}>" if "instance" in one["component"] else "")
        for one in items
    ]
    assert len(set(found)) == len(found)
    return set(found)


@pytest.mark.ocpp("B07.FR.01", "B07.FR.03", "B07.FR.04", "B07.FR.08", "B07", "B07.FR.10", "B07.FR.12")
def test_the_full_inventory_has_every_variable_once_in_messages_that_are_not_too_large(talk: Talk) -> None:
    talk.variables.set(internal.MAX_MESSAGE_SIZE, 2000)
    talk.variables.set(communication.BASIC_AUTH_PASSWORD, "0123456789abcdef")
    assert talk.ask("GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"}) == {"status": "Accepted"}
    items = reported(talk, 9)
    assert len(places(items)) == len(talk.variables) > 300
    assert max(talk.bytes_sent) <= 2000 and len(talk.bytes_sent) > 50
    by_name = {(one["component"]["name"], one["variable"]["name"]): one for one in items}
    password = by_name["SecurityCtrlr", "BasicAuthPassword"]["variableAttribute"][0]
    assert password["mutability"] == "WriteOnly" and "value" not in password
    interval = by_name["OCPPCommCtrlr", "HeartbeatInterval"]
    assert interval["variableCharacteristics"] == {
        "dataType": "integer",
        "unit": "s",
        "minLimit": 0,
        "supportsMonitoring": True,
    }
    assert interval["variableAttribute"] == [
        {"type": "Actual", "value": "1800", "mutability": "ReadWrite", "persistent": True}
    ]


@pytest.mark.ocpp("B07.FR.07", "B07.FR.12")
def test_the_configuration_inventory_has_what_can_be_set(talk: Talk) -> None:
    talk.ask("GetBaseReport", {"requestId": 1, "reportBase": "ConfigurationInventory"})
    found = places(reported(talk, 1))
    assert {"OCPPCommCtrlr.HeartbeatInterval", "SecurityCtrlr.BasicAuthPassword"} <= found
    assert "SecurityCtrlr.Identity" not in found and "EVSE.Power(1)" not in found


@pytest.mark.ocpp("B07.FR.09")
def test_the_summary_has_states_and_problems(talk: Talk) -> None:
    talk.variables.set(station.EVSE_PROBLEM.at(2), True)
    talk.ask("GetBaseReport", {"requestId": 2, "reportBase": "SummaryInventory"})
    assert places(reported(talk, 2)) == {
        "ChargingStation.AvailabilityState",
        "Connector.AvailabilityState(1)",
        "Connector.AvailabilityState(2)",
        "EVSE.AvailabilityState(1)",
        "EVSE.AvailabilityState(2)",
        "EVSE.Problem(2)",
    }


def test_an_empty_base_report_is_answered_so() -> None:
    talk = Talk(DeviceModel, variables=Variables())
    answer = talk.ask("GetBaseReport", {"requestId": 3, "reportBase": "FullInventory"})
    assert answer == {"status": "EmptyResultSet"} and talk.sent == []


def test_the_next_message_of_a_report_waits_for_the_answer_to_the_one_before(talk: Talk) -> None:
    talk.variables.set(internal.MAX_MESSAGE_SIZE, 2000)
    talk.online = False
    talk.ask("GetBaseReport", {"requestId": 4, "reportBase": "FullInventory"})
    assert len(talk.sent) == 1


@pytest.mark.ocpp("B07.FR.13", "B08.FR.16")
def test_many_reports_at_once_are_rejected(talk: Talk) -> None:
    talk.online = False
    statuses = [
        talk.ask("GetBaseReport", {"requestId": number, "reportBase": "SummaryInventory"})["status"]
        for number in range(10)
    ]
    assert statuses == ["Accepted"] * 8 + ["Rejected"] * 2


def get_report(talk: Talk, request_id: int, **filters: Any) -> Any:
    return talk.ask("GetReport", {"requestId": request_id} | filters)["status"]


@pytest.mark.ocpp("B08.FR.01", "B08.FR.03", "B08.FR.04", "B08.FR.08", "B08", "B08.FR.14")
def test_components_that_are_available_or_cannot_be_otherwise(talk: Talk) -> None:
    talk.variables.set(station.MONITORING_AVAILABLE, False)
    assert get_report(talk, 777, componentCriteria=["Available"]) == "Accepted"
    found = places(reported(talk, 777))
    assert "AuthCacheCtrlr.Available" in found and "OCPPCommCtrlr.HeartbeatInterval" in found
    assert "MonitoringCtrlr.Enabled" not in found


@pytest.mark.ocpp("B08.FR.05", "B08.FR.09")
def test_criteria_and_filters_together_are_an_intersection(talk: Talk) -> None:
    set_one(talk, "false", "TxCtrlr", "Enabled")
    wanted = [{"component": {"name": name}} for name in ("TxCtrlr", "DeviceDataCtrlr", "AuthCacheCtrlr")]
    assert get_report(talk, 1, componentCriteria=["Enabled"], componentVariable=wanted) == "Accepted"
    assert {name.partition(".")[0] for name in places(reported(talk, 1))} == {"DeviceDataCtrlr", "AuthCacheCtrlr"}


@pytest.mark.ocpp("B08.FR.07")
def test_components_that_are_active_or_cannot_be_otherwise(talk: Talk) -> None:
    wanted = [{"component": {"name": name}} for name in ("ChargingStatusIndicator", "TxCtrlr")]
    get_report(talk, 1, componentCriteria=["Active"], componentVariable=wanted)
    assert {name.partition(".")[0] for name in places(reported(talk, 1))} == {"TxCtrlr"}


@pytest.mark.ocpp("B08.FR.10", "B08.FR.15")
def test_only_components_with_a_problem_have_one(talk: Talk) -> None:
    assert get_report(talk, 44, componentCriteria=["Problem"]) == "EmptyResultSet"
    talk.variables.set(station.STATION_PROBLEM, True)
    assert get_report(talk, 45, componentCriteria=["Problem"]) == "Accepted"
    assert {name.partition(".")[0] for name in places(reported(talk, 45))} == {"ChargingStation"}


@pytest.mark.ocpp("B08.FR.02")
def test_a_criterion_that_is_not_supported(talk: Talk) -> None:
    talk.variables.set(internal.SUPPORTED_CRITERIA, ("Enabled",))
    assert get_report(talk, 1, componentCriteria=["Problem"]) == "NotSupported"


@pytest.mark.ocpp("B08", "B08.FR.20", "B08.FR.21", "B08.FR.11", "B08.FR.22", "B08.FR.23", "B08.FR.25")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            address("DeviceDataCtrlr", "ItemsPerMessage"),
            {f"DeviceDataCtrlr.ItemsPerMessage[{one}]" for one in ("GetReport", "GetVariables", "SetVariables")},
        ),
        (
            address("DeviceDataCtrlr", "ItemsPerMessage", instance="GetReport"),
            {"DeviceDataCtrlr.ItemsPerMessage[GetReport]"},
        ),
        (address("EVSE", "Power"), {"EVSE.Power(1)", "EVSE.Power(2)"}),
        (address("EVSE", "Power", evse=2), {"EVSE.Power(2)"}),
        (
            address("NetworkConfiguration", "Identity"),
            {"NetworkConfiguration.Identity<1>", "NetworkConfiguration.Identity<2>"},
        ),
        (
            {"component": {"name": "ChargingStatusIndicator"}},
            {"ChargingStatusIndicator.Active", "ChargingStatusIndicator.Color"},
        ),
    ],
)
def test_what_a_filter_leaves_out_matches_everything(talk: Talk, wanted: Any, expected: set[str]) -> None:
    assert get_report(talk, 1, componentVariable=[wanted]) == "Accepted"
    assert places(reported(talk, 1)) == expected


def test_a_report_without_criteria_and_filters_has_everything(talk: Talk) -> None:
    assert get_report(talk, 1) == "Accepted"
    assert len(places(reported(talk, 1))) == len(talk.variables)


@pytest.mark.ocpp("B07.FR.02", "B07.FR.05")
def test_a_base_that_the_standard_does_not_have(talk: Talk) -> None:
    with pytest.raises(Exception, match=r"FormatViolation"):
        talk.ask("GetBaseReport", {"requestId": 1, "reportBase": "EverythingInventory"})
    assert talk.sent == []


@pytest.mark.ocpp("B08.FR.15")
def test_a_filter_that_matches_nothing(talk: Talk) -> None:
    assert get_report(talk, 1, componentVariable=[address("NoSuchCtrlr", "Enabled")]) == "EmptyResultSet"


@pytest.mark.ocpp("B08.FR.17", "B08.FR.18")
def test_a_report_with_too_many_items_or_bytes_is_refused(talk: Talk) -> None:
    talk.variables.set(station.ITEMS_GET_REPORT, 2)
    with pytest.raises(Refused, match=r"^Occurr?enceConstraintViolation$"):
        get_report(talk, 777, componentVariable=[address("TxCtrlr", "StopTxOnInvalidId")] * 3)
    talk.variables.set(station.BYTES_GET_REPORT, 42)
    with pytest.raises(Refused, match=r"^FormatViolation$"):
        get_report(talk, 777, componentCriteria=["Available"])


def test_every_values_list_fits_in_a_report() -> None:
    for variable in declared(connectors={1: 1}, legacy_keys=True):
        assert values_list(variable.values) == (",".join(variable.values) or None), variable.id
    assert values_list(["x" * 300] * 4) == ",".join(["x" * 300] * 3)
