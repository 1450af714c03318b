"""Monitors that the CSMS sets, clears and reports (use cases N02 to N06)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.files.component_files import ConfiguredMonitor
from chargebyte_fw.modules.ocpp.variables.standard import internal, station
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import POWER, POWER_ADDRESS, brief, model, power, set_monitor, taken, talk_with
from tests.ocpp.variables.talk import Refused, Talk

HEARTBEAT: dict[str, Any] = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
SWITCH: dict[str, Any] = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}}


@pytest.fixture
def talk() -> Talk:
    return talk_with()


def configured() -> Variables:
    """A model with a hard-wired and two preconfigured monitors on the power: ids 1, 2 and 3."""
    variables = model()
    entry = variables.entry(POWER.id)
    assert entry is not None
    entry.monitors = (
        ConfiguredMonitor(type="UpperThreshold", value=21950, severity=1, hard_wired=True),
        ConfiguredMonitor(type="LowerThreshold", value=100, severity=1),
        ConfiguredMonitor(type="Delta", value=100, severity=2, reference="0"),
    )
    return variables


@pytest.mark.ocpp("N04.FR.01", "N04.FR.02", "N04.FR.08", "N04.FR.11")
def test_each_monitor_that_is_set_has_its_result_and_an_id(talk: Talk) -> None:
    data = [
        POWER_ADDRESS | {"type": "UpperThreshold", "value": 5000, "severity": 4},
        HEARTBEAT | {"type": "Delta", "value": 1, "severity": 8},
        SWITCH | {"type": "Periodic", "value": 60, "severity": 8},
    ]
    results = talk.ask("SetVariableMonitoring", {"setMonitoringData": data})["setMonitoringResult"]
    assert [(one["component"], one["variable"]) for one in results] == [
        (one["component"], one["variable"]) for one in data
    ]
    assert [one["status"] for one in results] == ["Accepted"] * 3
    assert len({one["id"] for one in results}) == 3


@pytest.mark.ocpp("N04.FR.03", "N04.FR.04")
def test_a_monitor_on_nothing(talk: Talk) -> None:
    for component, variable, status in (
        ("NoSuchCtrlr", "Enabled", "UnknownComponent"),
        ("AuthCtrlr", "NoSuch", "UnknownVariable"),
    ):
        where: dict[str, Any] = {"component": {"name": component}, "variable": {"name": variable}}
        result = set_monitor(talk, "Delta", 1, **where)
        assert result["status"] == status and "id" not in result


BAD = [
    ("UpperThreshold", 1, 4, SWITCH, "UnsupportedMonitorType"),
    ("UpperThreshold", 22001, 4, {}, "Rejected"),
    ("LowerThreshold", -1, 4, {}, "Rejected"),
    ("Delta", -1, 4, {}, "Rejected"),
    ("Periodic", 0, 4, {}, "Rejected"),
    ("PeriodicClockAligned", -5, 4, {}, "Rejected"),
    ("Delta", 1, 10, {}, "Rejected"),
]


@pytest.mark.ocpp("N04.FR.05", "N04.FR.06", "N04.FR.14")
@pytest.mark.parametrize(("kind", "value", "severity", "where", "status"), BAD)
def test_a_monitor_that_does_not_fit_its_variable(
    talk: Talk, kind: str, value: float, severity: int, where: dict[str, Any], status: str
) -> None:
    result = set_monitor(talk, kind, value, severity, **where)
    assert result["status"] == status and "id" not in result


@pytest.mark.ocpp("N04.FR.07")
def test_a_variable_that_cannot_be_monitored(talk: Talk) -> None:
    entry = talk.variables.entry(POWER.id)
    assert entry is not None
    entry.monitored = False
    assert set_monitor(talk, "UpperThreshold", 5000)["status"] == "Rejected"


@pytest.mark.ocpp("N04.FR.09")
def test_too_many_monitors_or_bytes_in_a_request_are_refused(talk: Talk) -> None:
    data = [POWER_ADDRESS | {"type": "Periodic", "value": 60, "severity": 4}] * 3
    talk.variables.set(station.ITEMS_SET_MONITORING, 2)
    with pytest.raises(Refused, match=r"^OccurenceConstraintViolation$"):
        talk.ask("SetVariableMonitoring", {"setMonitoringData": data})
    talk.variables.set(station.ITEMS_SET_MONITORING, 3)
    talk.variables.set(station.BYTES_SET_MONITORING, 200)
    with pytest.raises(Refused, match=r"^FormatViolation$"):
        talk.ask("SetVariableMonitoring", {"setMonitoringData": data})


@pytest.mark.ocpp("N04.FR.10")
def test_a_second_monitor_of_one_type_and_severity_is_a_duplicate(talk: Talk) -> None:
    first = set_monitor(talk, "UpperThreshold", 6000)
    assert set_monitor(talk, "UpperThreshold", 7000)["status"] == "Duplicate"
    assert set_monitor(talk, "UpperThreshold", 7000, 5)["status"] == "Accepted"
    assert set_monitor(talk, "LowerThreshold", 1000)["status"] == "Accepted"
    assert set_monitor(talk, "UpperThreshold", 6500, 5, id=first["id"])["status"] == "Duplicate"


@pytest.mark.ocpp("N04.FR.12", "N04.FR.13", "N04.FR.16")
def test_a_monitor_is_replaced_by_its_id(talk: Talk) -> None:
    number = set_monitor(talk, "UpperThreshold", 6000)["id"]
    assert set_monitor(talk, "UpperThreshold", 7000, 5, id=number)["id"] == number
    power(talk, 6500)
    assert brief(talk) == []
    power(talk, 7500)
    assert brief(talk) == [("7500", "Alerting", False)]
    assert set_monitor(talk, "UpperThreshold", 7000, id=number + 1)["status"] == "Rejected"
    assert set_monitor(talk, "Delta", 1, id=number, **HEARTBEAT)["status"] == "Rejected"


@pytest.mark.ocpp("N04.FR.15", "N04.FR.18", "N03.FR.04", "N02.FR.22")
def test_a_preconfigured_monitor_that_is_replaced_is_a_custom_one_until_the_base_is_reset() -> None:
    talk = talk_with(variables=configured())
    assert set_monitor(talk, "UpperThreshold", 9, 1, id=1)["status"] == "Rejected"
    assert set_monitor(talk, "LowerThreshold", 50, 1, id=2)["status"] == "Accepted"
    assert [one["eventNotificationType"] for one in monitors_of(talk_21(talk))] == [
        "HardWiredMonitor",
        "CustomMonitor",
        "PreconfiguredMonitor",
    ]
    talk.ask("SetMonitoringBase", {"monitoringBase": "FactoryDefault"})
    assert [(one["id"], one["value"]) for one in monitors_of(talk)] == [(1, 21950), (2, 100), (3, 100)]


def test_the_number_of_monitors_is_bounded(talk: Talk, monkeypatch: Any) -> None:
    monkeypatch.setattr("chargebyte_fw.modules.ocpp.monitoring.monitors.LIMIT", 3)
    statuses = [set_monitor(talk, "Periodic", 60, severity)["status"] for severity in range(5)]
    assert statuses == ["Accepted"] * 3 + ["Rejected"] * 2


def talk_21(talk: Talk) -> Talk:
    """The same station on a connection of 2.1, which reports more of a monitor."""
    talk.version = Version.V21
    talk.station.version = Version.V21
    return talk


def monitors_of(talk: Talk, request_id: int = 7, **filters: Any) -> list[dict[str, Any]]:
    """The monitors of a report, checked as a chain of messages."""
    talk.sent, talk.payloads = [], []
    answer = talk.ask("GetMonitoringReport", {"requestId": request_id} | filters)
    parts = list(talk.payloads_of("NotifyMonitoringReport"))
    if not parts:
        assert answer == {"status": "EmptyResultSet"}
        return []
    assert answer == {"status": "Accepted"}
    assert [part["requestId"] for part in parts] == [request_id] * len(parts)
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part.get("tbc", False) for part in parts] == [True] * (len(parts) - 1) + [False]
    return [one for part in parts for item in part["monitor"] for one in item["variableMonitoring"]]


@pytest.mark.ocpp("N02.FR.01", "N02.FR.03", "N02.FR.04", "N02.FR.09", "N02.FR.11")
def test_a_report_has_every_monitor_in_messages_that_are_not_too_large(talk: Talk) -> None:
    for number in range(8):
        set_monitor(talk, "Periodic", 60 + number, number)
    set_monitor(talk, "Delta", 1, **HEARTBEAT)
    talk.variables.set(internal.MAX_MESSAGE_SIZE, 500)
    found = monitors_of(talk)
    assert [one["value"] for one in found] == [1, *range(60, 68)] or [one["value"] for one in found] == [
        *range(60, 68),
        1,
    ]
    assert {one["type"] for one in found} == {"Periodic", "Delta"} and len(talk.sent) == 2


@pytest.mark.ocpp("N02.FR.05", "N02.FR.06", "N02.FR.12", "N02.FR.13", "N02.FR.14")
def test_criteria_of_a_report(talk: Talk) -> None:
    for kind in ("UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"):
        set_monitor(talk, kind, 60)
    set_monitor(talk, "Delta", 1, **HEARTBEAT)
    for criteria, types in (
        (["ThresholdMonitoring"], {"UpperThreshold", "LowerThreshold"}),
        (["DeltaMonitoring"], {"Delta"}),
        (["PeriodicMonitoring"], {"Periodic", "PeriodicClockAligned"}),
        (["PeriodicMonitoring", "DeltaMonitoring"], {"Periodic", "PeriodicClockAligned", "Delta"}),
    ):
        assert {one["type"] for one in monitors_of(talk, monitoringCriteria=criteria)} == types
    both = monitors_of(talk, monitoringCriteria=["DeltaMonitoring"], componentVariable=[POWER_ADDRESS])
    assert [one["value"] for one in both] == [60]


@pytest.mark.ocpp("N02.FR.13")
def test_a_report_of_2_1_has_the_monitors_of_a_target() -> None:
    talk = talk_with(Version.V21)
    for kind in ("Delta", "TargetDelta", "TargetDeltaRelative", "UpperThreshold"):
        assert set_monitor(talk, kind, 60)["status"] == "Accepted"
    found = monitors_of(talk, monitoringCriteria=["DeltaMonitoring"])
    assert {one["type"] for one in found} == {"Delta", "TargetDelta", "TargetDeltaRelative"}


@pytest.mark.ocpp("N02.FR.08", "N02.FR.10", "N02.FR.16", "N02.FR.17", "N02.FR.18", "N02.FR.19")
def test_filters_of_a_report(talk: Talk) -> None:
    set_monitor(talk, "Delta", 1)
    second: dict[str, Any] = {"component": {"name": "EVSE", "evse": {"id": 2}}, "variable": {"name": "Power"}}
    set_monitor(talk, "Delta", 2, **second)
    items: dict[str, Any] = {
        "component": {"name": "DeviceDataCtrlr"},
        "variable": {"name": "ItemsPerMessage", "instance": "GetReport"},
    }
    set_monitor(talk, "Delta", 3, **items)
    for wanted, values in (
        ({"component": {"name": "EVSE"}, "variable": {"name": "Power"}}, [1, 2]),
        ({"component": {"name": "EVSE", "evse": {"id": 2}}}, [2]),
        ({"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage"}}, [3]),
        (items, [3]),
        (HEARTBEAT, []),
    ):
        assert [one["value"] for one in monitors_of(talk, componentVariable=[wanted])] == values


@pytest.mark.ocpp("N02.FR.07")
def test_too_many_filters_are_refused(talk: Talk) -> None:
    talk.variables.set(station.ITEMS_GET_REPORT, 1)
    with pytest.raises(Refused, match=r"^OccurenceConstraintViolation$"):
        talk.ask("GetMonitoringReport", {"requestId": 1, "componentVariable": [POWER_ADDRESS] * 2})


@pytest.mark.ocpp("N03.FR.01", "N03.FR.03", "N03.FR.05")
def test_a_base_is_a_set_to_begin_with_and_filters_nothing() -> None:
    talk = talk_with(variables=configured())
    custom = set_monitor(talk, "UpperThreshold", 6000)["id"]
    assert talk.ask("SetMonitoringBase", {"monitoringBase": "All"}) == {"status": "Accepted"}
    assert [one["id"] for one in monitors_of(talk)] == [1, 2, 3, custom]
    assert talk.ask("SetMonitoringBase", {"monitoringBase": "HardWiredOnly"}) == {"status": "Accepted"}
    assert [one["id"] for one in monitors_of(talk)] == [1]
    assert talk.variables.get(station.ACTIVE_MONITORING_BASE) == "HardWiredOnly"
    again = set_monitor(talk, "UpperThreshold", 6000)
    assert again["status"] == "Accepted"
    taken(talk)
    power(talk, 6500)
    assert [one["variableMonitoringId"] for one in taken(talk)] == [again["id"]]


def test_the_base_holds_over_a_restart() -> None:
    first = talk_with(variables=configured())
    first.ask("SetMonitoringBase", {"monitoringBase": "HardWiredOnly"})
    again = talk_with(variables=configured(), saved=first.tables)
    assert [one["id"] for one in monitors_of(again)] == [1]


def test_a_base_that_the_standard_does_not_have(talk: Talk) -> None:
    with pytest.raises(Exception, match=r"FormatViolation"):
        talk.ask("SetMonitoringBase", {"monitoringBase": "Some"})


@pytest.mark.ocpp("N05.FR.01", "N05.FR.02", "N05.FR.03", "N07.FR.15")
def test_events_beyond_the_level_are_not_sent(talk: Talk) -> None:
    set_monitor(talk, "UpperThreshold", 6000, 5)
    set_monitor(talk, "UpperThreshold", 6100, 4)
    assert talk.ask("SetMonitoringLevel", {"severity": 4}) == {"status": "Accepted"}
    assert talk.ask("SetMonitoringLevel", {"severity": 10}) == {"status": "Rejected"}
    assert talk.variables.get(station.ACTIVE_MONITORING_LEVEL) == 4
    power(talk, 7000)
    assert len(taken(talk)) == 1


@pytest.mark.ocpp("N06.FR.01", "N06.FR.02", "N06.FR.03", "N06.FR.05")
def test_each_id_that_is_cleared_has_its_result() -> None:
    talk = talk_with(variables=configured())
    custom = set_monitor(talk, "UpperThreshold", 6000)["id"]
    results = talk.ask("ClearVariableMonitoring", {"id": [custom, 1, 2, 999, custom]})["clearMonitoringResult"]
    assert [(one["id"], one["status"]) for one in results] == [
        (custom, "Accepted"),
        (1, "Rejected"),
        (2, "Accepted"),
        (999, "NotFound"),
        (custom, "NotFound"),
    ]
    assert [one["id"] for one in monitors_of(talk)] == [1, 3]
    again = talk_with(variables=configured(), saved=talk.tables)
    assert [one["id"] for one in monitors_of(again)] == [1, 3]


@pytest.mark.ocpp("N06.FR.04", "N06.FR.06", "N06.FR.07")
def test_too_many_ids_or_bytes_are_refused(talk: Talk) -> None:
    talk.variables.set(station.ITEMS_CLEAR_MONITORING, 2)
    with pytest.raises(Refused, match=r"^OccurenceConstraintViolation$"):
        talk.ask("ClearVariableMonitoring", {"id": [1, 2, 3]})
    talk.variables.set(station.BYTES_CLEAR_MONITORING, 50)
    with pytest.raises(Refused, match=r"^FormatViolation$"):
        talk.ask("ClearVariableMonitoring", {"id": [1, 2]})


@pytest.mark.ocpp("N07.FR.13", "N04.FR.19")
def test_monitors_are_there_after_a_restart_and_those_on_nothing_are_removed() -> None:
    first = talk_with()
    number = set_monitor(first, "UpperThreshold", 6000, transaction=True)["id"]
    set_monitor(first, "Delta", 1, **HEARTBEAT)
    first.tables["monitors"]["7"] = b"{"
    changed = model()
    entry = changed.entry(POWER.id)
    assert entry is not None
    for one in list(changed):
        if one.id.component.name == "OCPPCommCtrlr":
            changed.remove(one.id)
    second = talk_with(variables=changed, saved=first.tables)
    assert monitors_of(second) == [
        {"id": number, "transaction": True, "value": 6000, "type": "UpperThreshold", "severity": 4}
    ]
    assert list(second.tables["monitors"]) == [str(number)]


def test_the_document_of_a_monitor_is_plain(tmp_path: Path) -> None:
    talk = talk_with()
    number = set_monitor(talk, "UpperThreshold", 6000)["id"]
    document = json.loads(talk.tables["monitors"][str(number)])
    assert document["component"] == "EVSE" and document["evse"] == 1 and document["value"] == 6000
