"""Frames of OCPP-J: what is one, what is none, and how the latter is answered in each version."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.modules.ocpp.rpc import frames
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError
from chargebyte_fw.modules.ocpp.rpc.frames import Call, CallError, CallResult, CallResultError, Malformed, Send, parse
from chargebyte_fw.modules.ocpp.version import Version, of_subprotocol

V16, V201, V21 = Version
DEEP = '[2,"a","DataTransfer",' + '{"a":' * 5000 + "1" + "}" * 5000 + "]"


@pytest.mark.parametrize("version", Version)
def test_requests_and_answers_are_read(version: Version) -> None:
    assert parse('[2,"a1","Heartbeat",{}]', version) == Call("a1", "Heartbeat", {})
    assert parse(b'[3,"a1",{"x":1}]', version) == CallResult("a1", {"x": 1})
    assert parse('[4,"a1","GenericError","text",{}]', version) == CallError("a1", "GenericError", "text", {})


def test_an_id_is_any_text() -> None:
    for message_id in ("1", "req/2024-03-01T10:00:00.000#000001-A", "x" * 255, "ü"):
        assert parse(json.dumps([2, message_id, "A", {}]), V16) == Call(message_id, "A", {})


def test_the_message_types_of_2_1() -> None:
    assert parse('[5,"a1","FormatViolation","text",{}]', V21) == CallResultError("a1", "FormatViolation", "text", {})
    assert parse('[6,"a1","NotifyPeriodicEventStream",{}]', V21) == Send("a1", "NotifyPeriodicEventStream", {})
    for text in ('[5,"a1","FormatViolation","",{}]', '[6,"a1","X",{}]', '[9,"a1"]'):
        for version in (V201, V16):
            found = parse(text, version)
            assert isinstance(found, Malformed) and found.message_id == "a1"
            assert found.error == (None if version is V16 else RpcError.MESSAGE_TYPE_NOT_SUPPORTED)


@pytest.mark.parametrize(
    "rest",
    [
        [],
        ["InternalError"],
        ["InternalError", "a long text of more than 20 characters", "SQL detail"],
        [7, None, []],
        ["InternalError", "text", {}, "more"],
    ],
)
def test_a_refusal_of_any_form_is_one(rest: list[Any]) -> None:
    found = parse(json.dumps([4, "a1", *rest]), V201)
    assert isinstance(found, CallError) and found.message_id == "a1"


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        (b"\xff\xfe", "-1"),
        ("", "-1"),
        ("{", "-1"),
        ("[2,", "-1"),
        ("null", "-1"),
        ("{}", "-1"),
        ("[]", "-1"),
        ("[2]", "-1"),
        ("\ud800", "-1"),
        ('[2,"a1","X",{"n":1e999}]', "-1"),
        ('[2,"a1","X",{"n":123456789012345678901234567890}]', "-1"),
        ('["2","a1","X",{}]', "a1"),
        ('[true,"a1","X",{}]', "a1"),
        ('[2,"","X",{}]', "-1"),
        ('[2,17,"X",{}]', "-1"),
        (json.dumps([2, "x" * 256, "X", {}]), "-1"),
        ('[2,"a1"]', "a1"),
        ('[2,"a1","X"]', "a1"),
        ('[2,"a1","X",{},{}]', "a1"),
        ('[2,"a1",{},{}]', "a1"),
        ('[2,"a1","X",[]]', "a1"),
        ('[2,"a1","X","{}"]', "a1"),
        (DEEP, "-1"),
        ('[2,"a1","X",{"t":"' + "y" * frames.SIZE_LIMIT_BYTES + '"}]', "-1"),
    ],
)
@pytest.mark.parametrize("version", Version)
def test_what_is_no_frame_is_answered_with_its_id_where_it_has_one(
    text: str | bytes, message_id: str, version: Version
) -> None:
    found = parse(text, version)
    if isinstance(found, Malformed):
        assert (found.message_id, found.error) == (message_id, RpcError.RPC_FRAMEWORK_ERROR)
        assert len(found.reason) < 300 and found.reason.isprintable()
    else:  # an infinite number is read as one
        assert text == '[2,"a1","X",{"n":1e999}]'


def test_answers_that_are_none_are_never_answered() -> None:
    assert parse("[3,17,{}]", V201) == Malformed("the message id is not a text of 1 to 255 characters", error=None)
    assert parse('[6,"a1","X"]', V21) == Malformed("3 elements where a request has 4", "a1", None)


@pytest.mark.ocpp("1.6J §4.2.3")
def test_codes_are_spelled_as_each_version_spells_them() -> None:
    def code(version: Version, error: str) -> str:
        return str(json.loads(frames.call_error(version, "a", error, "text"))[2])

    assert [code(version, RpcError.FORMAT_VIOLATION) for version in Version] == [
        "FormationViolation",
        "FormatViolation",
        "FormatViolation",
    ]
    assert [code(version, RpcError.OCCURRENCE_CONSTRAINT_VIOLATION) for version in Version] == [
        "OccurenceConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
    ]
    assert [code(version, RpcError.RPC_FRAMEWORK_ERROR) for version in Version] == [
        "GenericError",
        "RpcFrameworkError",
        "RpcFrameworkError",
    ]
    assert code(V16, "Vendor") == "Vendor"


def test_a_refusal_has_a_short_text_in_one_line_and_an_object() -> None:
    text = frames.call_error(V201, "b1", RpcError.FORMAT_VIOLATION, "a\nb" + "x" * 300)
    kind, message_id, code, description, details = json.loads(text)
    assert (kind, message_id, code, details) == (4, "b1", "FormatViolation", {})
    assert len(description) <= 255 and "\n" not in description
    assert json.loads(frames.call_result_error(V21, "b1", "GenericError", "x"))[0] == 5


def test_what_is_sent_can_be_read() -> None:
    assert parse(frames.call("a", "Heartbeat", b"{}"), V16) == Call("a", "Heartbeat", {})
    assert parse(frames.call_result("a", b'{"status":"Accepted"}'), V16) == CallResult("a", {"status": "Accepted"})
    assert parse(frames.send("a", "X", b"{}"), V21) == Send("a", "X", {})


def test_sub_protocols() -> None:
    assert [of_subprotocol(version) for version in Version] == list(Version)
    assert of_subprotocol(None) is None and of_subprotocol("ocpp2.0") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@given(
    st.binary(max_size=200) | st.text(max_size=200) | st.lists(JSON, max_size=6).map(json.dumps),
    st.sampled_from(Version),
)
def test_nothing_that_is_received_raises(data: str | bytes, version: Version) -> None:
    parse(data, version)
