"""Errors of the stack are events of the variable Problem, and set it."""

from __future__ import annotations

import pytest

from chargebyte_fw.kernel.faults import Fault, FaultState, Mapping, Origin, Severity
from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
from chargebyte_fw.modules.ocpp.station.events import ErrorCleared, ErrorRaised
from chargebyte_fw.modules.ocpp.variables.standard.station import (
    EVSE_PROBLEM,
    MONITORING_ENABLED,
    OFFLINE_QUEUING_SEVERITY,
    STATION_PROBLEM,
)
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import go_offline, go_online, taken, talk_with


def fault(kind: str, evse: int | None = None, severity: Severity = Severity.High, sub_type: str = "") -> Fault:
    mapping = None if evse is None else Mapping(evse)
    return Fault(
        type=kind,
        sub_type=sub_type,
        message="it is broken",
        description="",
        severity=severity,
        origin=Origin("bsp", "main", mapping),
        state=FaultState.Active,
        timestamp="2023-11-15T00:00:00.000Z",
        uuid=f"{kind}{evse}",
    )


@pytest.mark.ocpp("N07.FR.05", "N07.FR.21")
def test_an_error_and_its_end_are_two_events_of_the_evse() -> None:
    talk = talk_with(Version.V21)
    talk.variables.set(MONITORING_ENABLED, False)
    one = fault("evse_board_support/MREC8EmergencyStop", 2)
    talk.feed(ErrorRaised(one))
    assert talk.variables.get(EVSE_PROBLEM.at(2)) and not talk.variables.get(STATION_PROBLEM)
    talk.feed(ErrorCleared(one.cleared()))
    assert not talk.variables.get(EVSE_PROBLEM.at(2))
    raised, cleared = taken(talk)
    assert raised["component"] == {"name": "EVSE", "evse": {"id": 2}} and raised["variable"] == {"name": "Problem"}
    assert (raised["actualValue"], raised["trigger"]) == ("true", "Alerting")
    assert raised["eventNotificationType"] == "HardWiredNotification" and raised["severity"] == 3
    assert (raised["techCode"], raised["techInfo"]) == ("evse_board_support/MREC8EmergencyStop", "it is broken")
    assert (cleared["actualValue"], cleared["cleared"], cleared["cause"]) == ("false", True, raised["eventId"])


@pytest.mark.ocpp("G05", "G05.FR.02")
def test_a_lock_that_fails_is_a_problem_of_the_lock() -> None:
    talk = talk_with(Version.V21)
    one = fault("connector_lock/ConnectorLockFailedLock", 2)
    talk.feed(ErrorRaised(one))
    assert talk.variables.get(EVSE_PROBLEM.at(2))
    talk.feed(ErrorCleared(one.cleared()))
    lock = {"name": "ConnectorPlugRetentionLock", "evse": {"id": 2, "connectorId": 1}}
    hard_wired = [one for one in taken(talk) if one["eventNotificationType"] == "HardWiredNotification"]
    assert [(one["component"], one["actualValue"]) for one in hard_wired] == [(lock, "true"), (lock, "false")]


def test_an_error_without_a_place_is_that_of_the_station() -> None:
    talk = talk_with()
    for one in (fault("generic/CommunicationFault"), fault("generic/Other", 0), fault("generic/Another", 9)):
        talk.feed(ErrorRaised(one))
    assert talk.variables.get(STATION_PROBLEM)
    assert [one["component"] for one in taken(talk)] == [{"name": "ChargingStation"}] * 3


def test_a_problem_lasts_as_long_as_any_error() -> None:
    talk = talk_with()
    one, other = fault("a/One", 1), fault("a/Two", 1)
    for event in (ErrorRaised(one), ErrorRaised(one), ErrorRaised(other), ErrorCleared(one)):
        talk.feed(event)
    assert talk.variables.get(EVSE_PROBLEM.at(1))
    talk.feed(ErrorCleared(other))
    talk.feed(ErrorCleared(other))
    assert not talk.variables.get(EVSE_PROBLEM.at(1))
    assert [one["actualValue"] for one in taken(talk)] == ["true", "true", "false", "false"]


def test_technical_codes_of_the_integrator() -> None:
    talk = talk_with()
    talk.station.block(Problems).codes = {"a/One": "E-17"}
    talk.feed(ErrorRaised(fault("a/One", 1)))
    talk.feed(ErrorRaised(fault("a/" + "x" * 60, 1)))
    assert [one["techCode"] for one in taken(talk)] == ["E-17", ("a/" + "x" * 60)[:50]]


def test_errors_while_offline_wait_by_their_severity() -> None:
    talk = talk_with()
    talk.variables.set(OFFLINE_QUEUING_SEVERITY, 5)
    go_offline(talk)
    talk.feed(ErrorRaised(fault("a/High", 1)))
    talk.feed(ErrorRaised(fault("a/Medium", 1, Severity.Medium)))
    talk.feed(ErrorRaised(fault("a/Low", 1, Severity.Low)))
    go_online(talk)
    assert [one["techCode"] for one in taken(talk)] == ["a/High", "a/Medium"]
