"""Messages: from payload to message and back, with the error code of each version."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.messages.errors import Violation
from chargebyte_fw.modules.ocpp.messages.schema import (
    MessageError,
    NotEncodable,
    Version,
    catalogue,
    decode_request,
    decode_response,
    encode,
    to_object,
)
from chargebyte_fw.modules.ocpp.messages.v2.availability import ChangeAvailabilityRequest, HeartbeatResponse
from chargebyte_fw.modules.ocpp.messages.v2.event_streams import NotifyPeriodicEventStream
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import (
    BootNotificationRequest,
    BootNotificationResponse,
    BootReasonEnumType,
    ChargingStationType,
    RegistrationStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.security import CertificateSigningUseEnumType, SignCertificateRequest
from chargebyte_fw.modules.ocpp.rpc.errors import spelled

V16, V201, V21 = Version
AT = "2024-08-27T09:19:32.876Z"


def refused(version: Version, action: str, payload: Any) -> MessageError:
    with pytest.raises(MessageError) as caught:
        decode_request(version, action, payload)
    return caught.value


def test_every_action_has_its_messages() -> None:
    assert [len(catalogue(version).actions) for version in Version] == [39, 64, 91]
    for version in Version:
        actions = catalogue(version)
        assert actions.actions_from_csms | actions.actions_from_station == actions.actions
        for action in actions.actions:
            assert actions.request(action).action_name == action
            if not actions.is_send(action):
                assert actions.response(action).action_name == action


def test_a_send_has_no_response() -> None:
    assert catalogue(V21).is_send("NotifyPeriodicEventStream")
    assert catalogue(V21).request("NotifyPeriodicEventStream") is NotifyPeriodicEventStream
    with pytest.raises(KeyError):
        catalogue(V21).response("NotifyPeriodicEventStream")


@pytest.mark.parametrize("version", Version)
def test_only_the_messages_that_are_asked_for_are_imported(version: Version) -> None:
    program = (
        "import sys; from chargebyte_fw.modules.ocpp.messages.schema import *;"
        f"decode_request(Version({version.value!r}), 'Reset', b'{{\"type\":\"x\"}}')"
    )
    code = f"import contextlib\nwith contextlib.suppress(Exception):\n    {program}\nprint(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    found = {name.rpartition("messages.")[2] for name in modules if ".messages.v" in name}
    assert {name.partition(".")[0] for name in found} == {"v16" if version is V16 else "v2"}
    assert not {name for name in found if name.endswith(("smart_charging", "transactions"))}


@pytest.mark.ocpp("B06.FR.17", "1.6J §4.2.3")
def test_a_value_of_no_enumeration_has_the_code_of_the_version() -> None:
    error = refused(V16, "ChangeAvailability", b'{"connectorId":1,"type":"Broken"}')
    assert (error.code, error.details) == ("FormationViolation", {"path": "type"})
    for version in (V201, V21):
        error = refused(version, "ChangeAvailability", b'{"operationalStatus":"Broken"}')
        assert (error.code, error.details) == ("FormatViolation", {"path": "operationalStatus"})


@pytest.mark.parametrize(
    ("version", "action", "payload", "code", "text"),
    [
        (V16, "GetConfiguration", b'{"key":"x"}', "FormationViolation", "key: is a string, a list is required"),
        (V16, "ChangeConfiguration", {"key": "k"}, "FormationViolation", "value: is missing"),
        (V16, "Nonsense", b"{}", "NotImplemented", "no action 'Nonsense' in ocpp1.6"),
        (V16, "DataTransfer", b'{"vendorId":"x","data":{}}', "FormationViolation", "data: is an object"),
        (V201, "UsePriorityCharging", b"{}", "NotImplemented", "no action"),
        (V201, "DataTransfer", {"vendorId": "x" * 300}, "FormatViolation", "vendorId: has 300 characters, at most 255"),
        (V201, "GetVariables", b'{"getVariableData":[]}', "OccurenceConstraintViolation", "has 0 items, at least 1"),
        (V21, "GetVariables", b'{"getVariableData":[]}', "OccurrenceConstraintViolation", "has 0 items, at least 1"),
        (V21, "SetMonitoringLevel", b'{"severity":-1}', "PropertyConstraintViolation", "severity: -1 is below 0"),
        (V21, "GetBaseReport", b"[]", "FormatViolation", "payload: is a list, an object is required"),
        (V21, "GetBaseReport", b'{"requestId":true}', "FormatViolation", "requestId: is a boolean, an integer is"),
        (V21, "GetBaseReport", b'{"requestId":1e300}', "PropertyConstraintViolation", "requestId: "),
        (V21, "GetBaseReport", b'{"requestId":1.5}', "FormatViolation", "requestId: is a number, an integer is"),
        (V21, "GetBaseReport", b'{"requestId":null}', "FormatViolation", "requestId: is null, an integer is required"),
        (V21, "ClearCache", b'{"customData":{}}', "FormatViolation", "customData.vendorId: is missing"),
        (V21, "ClearCache", b"{", "FormatViolation", "payload: Input data was truncated"),
        (V21, "ClearCache", b"\xff", "FormatViolation", "payload: "),
        (V21, "ClearCache", b'{"x":%s}' % (b"[" * 100_000), "FormatViolation", "nested more than 64 levels"),
        (V21, "ClearCache", b'{"x":"%s"}' % (b"y" * 2_000_000), "FormatViolation", "payload: 2000008 bytes"),
    ],
)
def test_what_breaks_the_schema_is_named(version: Version, action: str, payload: Any, code: str, text: str) -> None:
    error = refused(version, action, payload)
    assert error.code == code and text in error.description and len(error.description) <= 255


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30T10:00:00Z",
        "2024-08-27",
        "2024-08-27T25:00:00Z",
        "2024-08-27T23:59:61Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "2024-08-27T09:19:32+99:00",
    ],
)
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    log = {"remoteLocation": "ftp://127.0.0.1/x", "oldestTimestamp": text, "latestTimestamp": AT}
    error = refused(V201, "GetLog", {"requestId": 7, "logType": "DiagnosticsLog", "log": log})
    assert (error.code, error.details) == ("FormatViolation", {"path": "log.oldestTimestamp"})


@pytest.mark.ocpp("1.6 §3.15")
@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-08-27T09:19:32.876446300Z", datetime(2024, 8, 27, 9, 19, 32, 876446, UTC)),
        ("2013-02-01T20:53:32.486+01:00", datetime(2013, 2, 1, 19, 53, 32, 486000, UTC)),
        ("2024-08-27T09:19:32Z", datetime(2024, 8, 27, 9, 19, 32, 0, UTC)),
        ("2024-08-27T09:19:32", datetime(2024, 8, 27, 9, 19, 32, 0, UTC)),
        ("2024-08-27t09:19:32z", datetime(2024, 8, 27, 9, 19, 32, 0, UTC)),
        ("2024-08-27 11:19:32,5+0200", datetime(2024, 8, 27, 9, 19, 32, 500000, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 0, UTC)),
    ],
)
def test_dates_are_read_as_peers_write_them(text: str, date: datetime) -> None:
    payload = {"currentTime": text, "interval": 300, "status": "Accepted"}
    for version in Version:
        for form in (payload, json.dumps(payload).encode()):
            response: Any = decode_response(version, "BootNotification", form)
            assert response.current_time == date and response.current_time.tzinfo is not None


def test_the_zone_of_a_date_is_kept() -> None:
    payload = {"currentTime": "2024-08-27T18:00:00+05:00", "interval": 300, "status": "Accepted"}
    response: Any = decode_response(V21, "BootNotification", payload)
    assert response.current_time.hour == 18 and response.current_time.utcoffset() == timedelta(hours=5)


def test_dates_go_out_in_utc_with_milliseconds() -> None:
    date = datetime(2024, 1, 1, 12, 0, 0, 123999, timezone(timedelta(hours=2)))
    assert encode(V21, HeartbeatResponse(current_time=date)) == b'{"currentTime":"2024-01-01T10:00:00.123Z"}'
    with pytest.raises(NotEncodable, match="without time zone"):
        encode(V21, HeartbeatResponse(current_time=datetime(2024, 1, 1)))  # noqa: DTZ001


def test_unknown_members_are_kept_and_reported() -> None:
    text = b'{"type":"Immediate","later":[1],"customData":{"vendorId":"x","k":1}}'
    for form in (text, json.loads(text)):
        request: Any = decode_request(V21, "Reset", form)
        assert request.unknown == {"later": [1]} and request.custom_data == {"vendorId": "x", "k": 1}
        assert json.loads(encode(V21, request)) == {"type": "Immediate", "customData": {"vendorId": "x", "k": 1}}
    assert decode_request(V21, "Reset", b'{"type":"OnIdle"}').unknown == {}


def test_what_2_1_added_is_unknown_to_2_0_1() -> None:
    request: Any = decode_request(V201, "CertificateSigned", b'{"certificateChain":"x","requestId":5}')
    assert request.request_id is None and request.unknown == {"requestId": 5}
    assert refused(V201, "Reset", b'{"type":"ImmediateAndResume"}').code == "FormatViolation"
    assert decode_request(V21, "Reset", b'{"type":"ImmediateAndResume"}').unknown == {}


def test_what_2_1_added_is_not_sent_to_2_0_1() -> None:
    request = SignCertificateRequest(csr="x", request_id=5)
    assert to_object(V21, request) == {"csr": "x", "requestId": 5}
    assert to_object(V201, request) == {"csr": "x"}
    request = SignCertificateRequest(csr="x", certificate_type=CertificateSigningUseEnumType.V2G20Certificate)
    with pytest.raises(NotEncodable, match="V2G20Certificate"):
        encode(V201, request)


def test_lengths_are_those_of_the_version() -> None:
    payload = {"remoteStartId": 1, "idToken": {"idToken": "x" * 40, "type": "Central"}}
    error = refused(V201, "RequestStartTransaction", payload)
    assert (error.code, error.details) == ("FormatViolation", {"path": "idToken.idToken"})
    request: Any = decode_request(V21, "RequestStartTransaction", payload)
    assert request.id_token.id_token == "x" * 40


def test_null_is_absent_in_a_response_only() -> None:
    payload = b'{"currentTime":"2024-08-27T09:19:32.876Z","interval":300.0,"status":"Accepted","statusInfo":null}'
    assert decode_response(V201, "BootNotification", payload) == BootNotificationResponse(
        current_time=datetime(2024, 8, 27, 9, 19, 32, 876000, UTC),
        interval_s=300,
        status=RegistrationStatusEnumType.Accepted,
    )
    assert refused(V201, "Reset", b'{"type":"OnIdle","evseId":null}').code == "FormatViolation"


def test_a_message_of_ours_is_checked_before_it_is_sent() -> None:
    station = ChargingStationType(model="CC", vendor_name="v")
    request = BootNotificationRequest(charging_station=station, reason=BootReasonEnumType.PowerUp)
    expected = {"chargingStation": {"model": "CC", "vendorName": "v"}, "reason": "PowerUp"}
    assert to_object(V201, request) == json.loads(encode(V21, request)) == expected
    station.model = "x" * 21
    with pytest.raises(NotEncodable, match=r"BootNotificationRequest in ocpp2.1: .*charging_station.model"):
        encode(V21, request)


def test_equal_messages_are_equal_whatever_the_version_they_came_by() -> None:
    text = b'{"operationalStatus":"Operative","evse":{"id":1}}'
    one, other = (decode_request(version, "ChangeAvailability", text) for version in (V201, V21))
    assert one == other and isinstance(one, ChangeAvailabilityRequest)


def test_the_manual_has_the_error_codes_of_each_version() -> None:
    manual = (Path(__file__).parents[2] / "docs/ocpp.md").read_text("utf-8")
    _, _, table = manual.partition("| what is wrong |")
    rows = [re.findall(r"`(\w+)`", line) for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert rows == [[spelled(violation.value, version) for version in Version] for violation in Violation]


def test_custom_data_in_a_response_of_1_6_changes_nothing() -> None:
    response = decode_response(V16, "StatusNotification", {"customData": {"vendorId": "x.y", "k": 1}})
    assert response.unknown == {"customData": {"vendorId": "x.y", "k": 1}}


def test_an_answer_to_what_has_none_is_refused() -> None:
    for action in ("NotifyPeriodicEventStream", "Nonsense"):
        with pytest.raises(MessageError, match="NotImplemented: no answer to"):
            decode_response(V21, action, b"{}")


def test_what_no_wire_can_carry_is_not_encodable() -> None:
    late = datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=5)))
    with pytest.raises(NotEncodable, match="outside of the years"):
        encode(V21, HeartbeatResponse(current_time=late))
    for convert in (encode, to_object):
        with pytest.raises(NotEncodable):
            convert(V21, SignCertificateRequest(csr="x", custom_data={"vendorId": "x", "k": object()}))
