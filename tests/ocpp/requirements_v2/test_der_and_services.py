"""Requirements of DER control (R04), customer information (N09, N10) and displays (O01 to O04)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types import text_message
from chargebyte_fw.modules.ocpp.variables.standard.station import DISPLAY_LANGUAGE
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import quiet
from tests.ocpp.test_der_control import T, directives, pf, station

CARD = {"idToken": "CAFE", "type": "ISO14443"}
OTHER = {"idToken": "C0FFEE", "type": "ISO14443"}
MESSAGE = {"id": 3, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "hello", "language": "en"}}


# DER control.


@pytest.mark.ocpp("R04.FR.02", "R04.FR.03")
def test_a_default_holds_until_one_of_a_lower_number_takes_its_place() -> None:
    found = station()
    assert found.ask("SetDERControl", pf("a", default=True, priority=5)) == {"status": "Accepted"}
    answer = found.ask("SetDERControl", pf("b", default=True, priority=3))
    assert answer == {"status": "Accepted", "supersededIds": ["a"]}
    assert directives(found) == [["a"], ["b"]]
    assert superseded(found) == {"a": True, "b": False}


def superseded(found: Any) -> dict[str, bool]:
    found.requests()
    found.ask("GetDERControl", {"requestId": 1})
    reports = list(found.payloads_of("ReportDERControl"))
    return {one["id"]: one.get("isSuperseded", False) for report in reports for one in report["fixedPFInject"]}


@pytest.mark.ocpp("R04.FR.04", "R04.FR.11")
def test_a_default_waits_while_a_scheduled_control_holds() -> None:
    found = station()
    found.ask("SetDERControl", pf("timed", startTime="2023-11-15T00:01:00Z", duration=300.0, priority=1))
    found.pass_s(65)
    assert directives(found)[-1] == ["timed"]
    assert found.ask("SetDERControl", pf("default", default=True, priority=1)) == {"status": "Accepted"}
    assert all(one == ["timed"] for one in directives(found))
    found.pass_s(360)
    assert directives(found)[-1] == ["default"]


@pytest.mark.ocpp("R04.FR.05", "R04.FR.06", "R04.FR.09", "R04.FR.10", "R04.FR.20", "R04.FR.22")
def test_a_scheduled_control_is_superseded_at_once_and_never_executed() -> None:
    found = station()
    first = pf("a", startTime="2023-11-15T00:01:00Z", duration=120.0, priority=5)
    assert found.ask("SetDERControl", first) == {"status": "Accepted"}
    later = pf("b", startTime="2023-11-15T00:02:00Z", duration=120.0, priority=3)
    assert found.ask("SetDERControl", later) == {"status": "Accepted", "supersededIds": ["a"]}
    assert superseded(found) == {"a": True, "b": False}
    found.requests()
    found.pass_s(300)
    told = [(one["controlId"], one["started"]) for one in found.payloads_of("NotifyDERStartStop")]
    assert told == [("b", True), ("b", False)]
    assert "a" not in [control for one in directives(found) for control in one]
    assert found.ask("GetDERControl", {"requestId": 1}) == {"status": "NotFound"}


@pytest.mark.ocpp("R04.FR.07", "R04.FR.08", "R04.FR.21")
def test_a_control_that_is_executed_goes_on_until_a_better_one_starts() -> None:
    found = station()
    found.ask("SetDERControl", pf("b", startTime="2023-11-15T00:00:30Z", duration=900.0, priority=5))
    found.pass_s(40)
    assert directives(found)[-1] == ["b"]
    worse = pf("c", startTime="2023-11-15T00:02:00Z", duration=60.0, priority=7)
    assert found.ask("SetDERControl", worse) == {"status": "Accepted", "supersededIds": ["c"]}
    better = pf("a", startTime="2023-11-15T00:05:00Z", duration=60.0, priority=1)
    assert found.ask("SetDERControl", better) == {"status": "Accepted"}
    found.requests()
    found.pass_s(230)
    assert all(one == ["b"] for one in directives(found))
    found.pass_s(65)
    assert directives(found)[-1] == ["a"]
    [start] = found.payloads_of("NotifyDERStartStop")
    assert (start["controlId"], start["started"], start["supersededIds"]) == ("a", True, ["b"])


@pytest.mark.ocpp("R04.FR.30", "R04.FR.34", "R04.FR.35", "R04.FR.36", "R04.FR.37")
def test_controls_are_reported_by_id_by_kind_or_as_defaults() -> None:
    found = station(T.FixedPFInject, T.FixedVar)
    assert found.ask("GetDERControl", {"requestId": 1}) == {"status": "NotFound"}
    found.ask("SetDERControl", pf("a", default=True))
    found.ask("SetDERControl", pf("b", priority=1))
    assert found.ask("GetDERControl", {"requestId": 1, "controlType": "HVMustTrip"}) == {"status": "NotSupported"}
    for wanted, ids in (
        ({"controlType": "FixedPFInject"}, ["a", "b"]),
        ({"controlId": "b"}, ["b"]),
        ({"isDefault": True}, ["a"]),
        ({"isDefault": False}, ["b"]),
    ):
        found.requests()
        assert found.ask("GetDERControl", {"requestId": 2, **wanted}) == {"status": "Accepted"}
        reports = list(found.payloads_of("ReportDERControl"))
        assert sorted(one["id"] for report in reports for one in report["fixedPFInject"]) == ids
    for wanted in ({"controlType": "FixedVar"}, {"controlId": "z"}):
        assert found.ask("GetDERControl", {"requestId": 1, **wanted}) == {"status": "NotFound"}


@pytest.mark.ocpp("R04.FR.41", "R04.FR.42", "R04.FR.43", "R04.FR.44", "R04.FR.45", "R04.FR.46")
def test_controls_are_cleared_by_id_by_kind_or_as_a_whole() -> None:
    found = station(T.FixedPFInject, T.FixedVar)
    found.ask("SetDERControl", pf("a", default=True))
    for name in ("b", "c"):
        found.ask("SetDERControl", pf(name, priority=1))

    def clear(**wanted: Any) -> str:
        return str(found.ask("ClearDERControl", {"isDefault": False, **wanted})["status"])

    assert clear(controlType="HVMustTrip") == "NotSupported"
    assert clear(controlType="FixedVar") == clear(controlId="z") == "NotFound"
    assert clear(controlId="b") == "Accepted" and set(superseded(found)) == {"a", "c"}
    assert clear(controlType="FixedPFInject") == "Accepted" and set(superseded(found)) == {"a"}
    found.ask("SetDERControl", pf("d"))
    assert clear() == "Accepted" and set(superseded(found)) == {"a"}
    assert clear(isDefault=True) == "Accepted"
    assert found.ask("GetDERControl", {"requestId": 1}) == {"status": "NotFound"}


# Customers.


@pytest.mark.ocpp("N09.FR.02", "N09.FR.06", "N10.FR.01", "N10.FR.03", "N10.FR.04")
@pytest.mark.parametrize("clear", [False, True])
def test_a_customer_is_reported_and_one_who_is_unknown_has_no_data(clear: bool) -> None:
    found = quiet()
    found.present("CAFE")
    wanted = {"requestId": 4, "report": True, "clear": clear}
    for card, known in ((CARD, True), (CARD, not clear), (OTHER, False)):
        found.requests()
        assert found.ask("CustomerInformation", {**wanted, "idToken": card}) == {"status": "Accepted"}
        [report] = found.payloads_of("NotifyCustomerInformation")
        assert (report["data"] != "") is known and not report.get("tbc", False)


@pytest.mark.ocpp("N10.FR.06")
def test_a_customer_is_forgotten_and_the_report_has_nothing_of_him() -> None:
    found = quiet(LocalPreAuthorize=True)
    found.present("CAFE")
    found.requests()
    wanted = {"requestId": 4, "report": False, "clear": True, "idToken": CARD}
    assert found.ask("CustomerInformation", wanted) == {"status": "Accepted"}
    assert [one["data"] for one in found.payloads_of("NotifyCustomerInformation")] in ([], [""])
    found.present("CAFE")
    assert len(found.requests("Authorize")) == 1


# Displays.


@pytest.mark.ocpp("O01.FR.01", "O01.FR.02", "O01.FR.03", "O02.FR.03", "O02.FR.04", "O02.FR.05")
@pytest.mark.parametrize("transaction", [{}, {"transactionId": "s1"}])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"priority": "AlwaysFront"}, "NotSupportedPriority"),
        ({"state": "Unavailable"}, "NotSupportedState"),
        ({"message": {"format": "HTML", "content": "x"}}, "NotSupportedMessageFormat"),
    ],
)
def test_priority_state_and_format_are_those_of_the_display(
    transaction: dict[str, str], change: dict[str, Any], status: str
) -> None:
    found = quiet(SupportedStates=("Charging", "Idle"))
    found.charge()
    found.commanded()
    assert found.ask("SetDisplayMessage", {"message": {**MESSAGE, **transaction, **change}}) == {"status": status}
    assert found.commanded("set_display_message") == []


def text(language: str | None) -> dict[str, Any]:
    return {"format": "UTF8", "content": "hello", **({"language": language} if language else {})}


@pytest.mark.ocpp("O01.FR.18")
@pytest.mark.parametrize(
    ("languages", "status"),
    [
        (("de",), "Accepted"),
        (("EN-us",), "Accepted"),
        ((None,), "Accepted"),
        (("fr",), "LanguageNotSupported"),
        (("de", "nl"), "Accepted"),
        (("de", "fr"), "LanguageNotSupported"),
    ],
)
def test_languages_are_those_of_the_display(languages: tuple[str | None, ...], status: str) -> None:
    found = quiet(version=Version.V21)
    accepted = display.SetDisplayMessageResponse(status=display.DisplayMessageStatusEnum.Accepted)
    found.results["set_display_message"] = accepted
    first, *more = [text(one) for one in languages]
    extra = {"messageExtra": more} if more else {}
    assert found.ask("SetDisplayMessage", {"message": {**MESSAGE, "message": first, **extra}}) == {"status": status}
    assert len(found.commanded("set_display_message")) == (status == "Accepted")


@pytest.mark.ocpp("O01.FR.19")
def test_a_display_that_names_no_languages_takes_one_text() -> None:
    found = quiet(version=Version.V21)
    found.variables.remove(DISPLAY_LANGUAGE.id)
    found.results["set_display_message"] = display.SetDisplayMessageResponse(
        status=display.DisplayMessageStatusEnum.Accepted
    )
    wanted = {**MESSAGE, "message": text("fr")}
    assert found.ask("SetDisplayMessage", {"message": wanted}) == {"status": "Accepted"}
    wanted["messageExtra"] = [text("de")]
    assert found.ask("SetDisplayMessage", {"message": wanted}) == {"status": "Rejected"}
    assert len(found.commanded("set_display_message")) == 1


@pytest.mark.ocpp("O05.FR.03")
@pytest.mark.parametrize(("version", "status"), [(Version.V21, "Rejected"), (Version.V201, "Unknown")])
def test_a_display_that_cannot_remove_a_message_rejects_it(version: Version, status: str) -> None:
    """2.0.1 has no such word."""
    found = quiet(version=version)
    found.results["clear_display_message"] = None
    assert found.ask("ClearDisplayMessage", {"id": 3}) == {"status": status}


@pytest.mark.ocpp("O03.FR.01", "O03.FR.02", "O03.FR.03", "O03.FR.04", "O03.FR.06")
@pytest.mark.ocpp("O04.FR.01", "O04.FR.02", "O04.FR.03", "O04.FR.04", "O04.FR.05", "O04.FR.07")
@pytest.mark.parametrize("wanted", [{}, {"id": [0, 1, 2, 3, 4]}, {"priority": "NormalCycle"}, {"state": "Idle"}])
def test_messages_are_listed_in_as_many_notifications_as_it_takes(wanted: dict[str, Any]) -> None:
    found = quiet()
    content = text_message.MessageContent(content="x")
    messages = [display.DisplayMessage(id=number, message=content) for number in range(5)]
    found.results["get_display_messages"] = display.GetDisplayMessageResponse(messages=messages)
    assert found.ask("GetDisplayMessages", {"requestId": 9, **wanted}) == {"status": "Accepted"}
    sent = list(found.payloads_of("NotifyDisplayMessages"))
    assert [one["id"] for payload in sent for one in payload["messageInfo"]] == [0, 1, 2, 3, 4]
    assert [payload.get("tbc", False) for payload in sent] == [True, False]
    found.results["get_display_messages"] = display.GetDisplayMessageResponse(messages=[])
    found.requests()
    assert found.ask("GetDisplayMessages", {"requestId": 9, **wanted}) == {"status": "Unknown"}
    assert found.requests() == []
