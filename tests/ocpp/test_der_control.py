"""DER control of OCPP 2.1 (R04, R05): acceptance, superseding, schedules, reports, directives, alarms."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import grid_support as grid
from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused

T = grid.DirectiveType
ALL = [
    T.EnterService,
    T.Gradients,
    T.FixedPFInject,
    T.FixedVar,
    T.FreqDroop,
    T.FreqWatt,
    T.LimitMaxDischarge,
    T.HVMustTrip,
]
PF = {"displacement": 0.9, "excitation": True, "priority": 1}


def station(*supported: grid.DirectiveType, **more: Any) -> Station2:
    found = Station2(version=Version.V21, **more)
    capability(found, *(supported or ALL))
    return found


def capability(found: Station2, *supported: grid.DirectiveType) -> None:
    rating = grid.NameplateRating(max_w_W=11000.0, max_va_VA=11000.0, v_nom_V=230.0)
    value = grid.EVSECapability(
        evse_id=1, capability=grid.DERCapability(supported_types=list(supported), nameplate=rating)
    )
    found.feed(events.FactReceived("grid_support", "capability", value, 1))
    found.commanded()


def pf(control_id: str, *, default: bool = False, **content: Any) -> dict[str, Any]:
    return {
        "isDefault": default,
        "controlId": control_id,
        "controlType": "FixedPFInject",
        "fixedPFInject": {**PF, **content},
    }


def curve(unit: str, kind: str = "FreqWatt", points: int = 2, **more: Any) -> dict[str, Any]:
    data = [{"x": float(n), "y": 1.0} for n in range(points)]
    return {
        "isDefault": False,
        "controlId": "c",
        "controlType": kind,
        "curve": {"curveData": data, "priority": 1, "yUnit": unit, **more},
    }


def directives(found: Station2) -> list[list[str]]:
    return [[one.id for one in args[0].directives] for _, _, args in found.commanded("set_active_directives")]


@pytest.mark.ocpp("R04", "R04.FR.01")
def test_a_control_that_no_evse_supports_is_not_supported() -> None:
    assert station(T.FreqDroop).ask("SetDERControl", pf("a")) == {"status": "NotSupported"}
    older = Station2(version=Version.V201)
    request = decode_request(Version.V21, "ClearDERControl", b'{"isDefault":false}')
    with pytest.raises(Refused, match="NotImplemented"):
        older.answer_of(older.station.feed(events.CallReceived("c", "ClearDERControl", request), older.now))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({**pf("a"), "fixedVar": {"priority": 1, "setpoint": 1.0, "unit": "PctMaxVar"}}, "nothing else"),
        ({**pf("a"), "controlType": "FixedVar"}, "FixedVar needs fixed_var"),
        (pf("a", default=True, startTime="2023-11-15T01:00:00Z"), "neither startTime nor duration"),
        (
            {
                "isDefault": False,
                "controlId": "a",
                "controlType": "Gradients",
                "gradient": {"priority": 1, "gradient": 1.0, "softGradient": 1.0},
            },
            "default control only",
        ),
        (pf("a", startTime="2025-02-15T00:00:00Z"), "more than a year ahead"),
        (curve("PctMaxVar"), "yUnit is PctMaxVar, not PctMaxW or PctWAvail"),
        (curve("PctMaxW", kind="HVMustTrip"), "not Not_Applicable"),
    ],
)
@pytest.mark.ocpp("R04", "R04.FR.13", "R04.FR.15", "R04.FR.17")
def test_a_control_that_contradicts_itself_is_rejected_and_not_kept(payload: dict[str, Any], words: str) -> None:
    found = station()
    answer = found.ask("SetDERControl", payload)
    assert answer["status"] == "Rejected" and answer["statusInfo"]["reasonCode"] == "InvalidValue"
    assert words in answer["statusInfo"]["additionalInfo"]
    assert found.ask("GetDERControl", {"requestId": 1}) == {"status": "NotFound"}


@pytest.mark.ocpp("R04")
def test_the_lower_number_has_priority_and_an_equal_one_changes_nothing() -> None:
    found = station()
    assert found.ask("SetDERControl", pf("a", priority=5)) == {"status": "Accepted"}
    assert found.ask("SetDERControl", pf("b", priority=3)) == {"status": "Accepted", "supersededIds": ["a"]}
    assert found.ask("SetDERControl", pf("c", priority=4)) == {"status": "Accepted", "supersededIds": ["c"]}
    found.pass_s(1)
    assert found.ask("SetDERControl", pf("d", priority=3)) == {"status": "Accepted"}
    assert directives(found) == [["a"], ["b"]]


@pytest.mark.ocpp("R04")
def test_a_control_that_holds_is_superseded_when_the_new_one_starts() -> None:
    found = station()
    found.ask("SetDERControl", pf("now", priority=5))
    later = pf("later", priority=1, startTime="2023-11-15T01:00:00Z", duration=600.0)
    assert found.ask("SetDERControl", later) == {"status": "Accepted"}
    found.requests()
    found.pass_s(3599)
    assert found.requests("NotifyDERStartStop") == []
    found.pass_s(32)
    [start] = found.payloads_of("NotifyDERStartStop")
    assert (start["controlId"], start["started"], start["supersededIds"]) == ("later", True, ["now"])
    found.requests()
    found.pass_s(630)
    [end] = found.payloads_of("NotifyDERStartStop")
    assert (end["controlId"], end["started"]) == ("later", False)


@pytest.mark.ocpp("R04")
def test_the_default_holds_while_no_scheduled_control_does() -> None:
    found = station()
    found.ask("SetDERControl", pf("default", default=True))
    found.ask("SetDERControl", pf("timed", startTime="2023-11-15T00:10:00Z", duration=300.0))
    assert directives(found) == [["default"]]
    found.pass_s(640)
    assert ["timed"] in directives(found)
    found.pass_s(320)
    assert directives(found)[-1] == ["default"]


@pytest.mark.ocpp("R04.FR.31", "R04.FR.32", "R04.FR.33")
def test_twelve_controls_are_reported_in_two_messages() -> None:
    found = station()
    for n in range(12):
        found.ask("SetDERControl", pf(f"c{n}"))
    found.requests()
    assert found.ask("GetDERControl", {"requestId": 5}) == {"status": "Accepted"}
    reports = list(found.payloads_of("ReportDERControl"))
    assert [(one["requestId"], len(one["fixedPFInject"]), one.get("tbc", False)) for one in reports] == [
        (5, 10, True),
        (5, 2, False),
    ]
    found.requests()
    assert found.ask("GetDERControl", {"requestId": 6, "controlId": "C3"}) == {"status": "Accepted"}
    [report] = found.payloads_of("ReportDERControl")
    assert report["fixedPFInject"][0]["id"] == "c3"
    assert found.ask("GetDERControl", {"requestId": 7, "controlType": "FreqWatt"}) == {"status": "NotFound"}


@pytest.mark.ocpp("R04")
def test_controls_are_cleared_by_id_or_by_kind() -> None:
    found = station()
    for n in range(3):
        found.ask("SetDERControl", pf(f"c{n}"))
    assert found.ask("ClearDERControl", {"isDefault": False, "controlId": "c1"}) == {"status": "Accepted"}
    assert found.ask("ClearDERControl", {"isDefault": False, "controlId": "c1"}) == {"status": "NotFound"}
    assert found.ask("ClearDERControl", {"isDefault": True}) == {"status": "NotFound"}
    assert found.ask("ClearDERControl", {"isDefault": False, "controlType": "FixedPFInject"})["status"] == "Accepted"
    assert found.ask("GetDERControl", {"requestId": 1}) == {"status": "NotFound"}
    assert directives(found)[-1] == []


@pytest.mark.ocpp("R01.FR.03", "R02.FR.02", "R03.FR.02")
def test_controls_outlive_a_restart_and_reach_the_device_again() -> None:
    found = station()
    found.ask("SetDERControl", pf("a"))
    again = found.restart()
    again.commands.clear()
    rating = grid.NameplateRating(max_w_W=11000.0, max_va_VA=11000.0, v_nom_V=230.0)
    value = grid.EVSECapability(evse_id=1, capability=grid.DERCapability(supported_types=ALL, nameplate=rating))
    again.feed(events.FactReceived("grid_support", "capability", value, 1))
    assert directives(again) == [["a"]]
    again.pass_s(61)
    assert directives(again) == [["a"]], "sent again for a device that was restarted"


@pytest.mark.ocpp("R05")
@pytest.mark.parametrize("ended", [False, True])
def test_an_event_of_the_grid_is_reported_and_its_end(ended: bool) -> None:
    found = station()
    found.requests()
    alarm = grid.GridAlarm(
        fault=grid.GridEventFault.OverVoltage,
        alarm_ended=ended,
        timestamp="2023-11-15T00:00:00.000Z",
        directive_type=T.HVMustTrip,
    )
    found.feed(events.FactReceived("grid_support", "alarm", alarm, 1))
    [payload] = found.payloads_of("NotifyDERAlarm")
    assert (payload["controlType"], payload["gridEventFault"]) == ("HVMustTrip", "OverVoltage")
    assert payload["alarmEnded"] is ended
