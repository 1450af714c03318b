"""Events that wait for a connection: over a restart, once, bounded, and by their severity (N07)."""

from __future__ import annotations

import pytest

from chargebyte_fw.kernel.faults import Fault, FaultState, Origin, Severity
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station2 import Station2


def problem(number: int) -> Fault:
    return Fault(
        type=f"generic/Problem{number}",
        sub_type="",
        message="",
        description="",
        severity=Severity.High,
        origin=Origin("bsp", "main", None),
        state=FaultState.Active,
        timestamp="2023-11-15T00:00:00.000Z",
        uuid=str(number),
    )


def reported(station: Station2) -> list[tuple[int, str]]:
    payloads = station.payloads_of("NotifyEvent")
    return [
        (one["eventId"], one["techCode"]) for payload in payloads for one in payload["eventData"] if "techCode" in one
    ]


@pytest.mark.ocpp("N07.FR.04")
def test_events_that_wait_survive_a_restart_once() -> None:
    station = Station2(connects=False)
    for number in (1, 2):
        station.feed(events.ErrorRaised(problem(number)))
    again = station.restart(connects=False)
    again.feed(events.ErrorRaised(problem(3)))
    again.connect()
    found = reported(again)
    assert [code for _, code in found] == ["generic/Problem1", "generic/Problem2", "generic/Problem3"]
    assert len({number for number, _ in found}) == 3
    assert not again.tables["OFFLINE_EVENTS"]
    third = again.restart()
    assert reported(third) == []


def test_events_that_wait_are_bounded_and_have_the_severity_that_is_wanted() -> None:
    station = Station2(connects=False, OfflineQueuingSeverity=2)
    station.feed(events.ErrorRaised(problem(1)))
    assert not station.tables.get("OFFLINE_EVENTS")
    station.set("OfflineQueuingSeverity", 9)
    for number in range(510):
        station.feed(events.ErrorRaised(problem(number + 10)))
    assert len(station.tables["OFFLINE_EVENTS"]) == 500
    station.tables["OFFLINE_EVENTS"]["0000000001"] = b"broken"
    again = station.restart()
    found = reported(again)
    assert len(found) == 500 and found[-1][1] == "generic/Problem519"
    assert not again.tables["OFFLINE_EVENTS"]
