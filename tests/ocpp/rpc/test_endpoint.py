"""The endpoint: answers find their requests, and a received request is answered before anything else is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.rpc.endpoint import (
    MOST_CALLS,
    Answered,
    Endpoint,
    Ignored,
    Invalid,
    Received,
    Refused,
    ResultRefused,
    SendReceived,
    Transmit,
)
from chargebyte_fw.modules.ocpp.version import Version

V16, V201, V21 = Version


def sent(effects: list[Any]) -> list[Any]:
    return [json.loads(one.text) for one in effects if isinstance(one, Transmit)]


@pytest.mark.ocpp("1.6J §4.1.3")
def test_an_answer_finds_its_request() -> None:
    it = Endpoint(V16)
    assert sent(it.call("m1", "Heartbeat", b"{}")) == [[2, "m1", "Heartbeat", {}]]
    assert it.received('[3,"other",{}]') == [Ignored("other")]
    assert it.outstanding == "m1"
    assert it.received('[3,"m1",{"currentTime":"x"}]') == [Answered("m1", "Heartbeat", {"currentTime": "x"})]
    assert it.outstanding is None
    assert it.received('[3,"m1",{}]') == [Ignored("m1")], "a second answer"


def test_a_refusal_releases_the_request() -> None:
    it = Endpoint(V16)
    it.call("m1", "Heartbeat", b"{}")
    text = '[4,"m1","InternalError","a long text of more than 20 characters","SQL detail"]'
    assert it.received(text) == [Refused("m1", "Heartbeat", "InternalError", "a long text of more than 20 characters")]
    assert it.outstanding is None


def test_an_answer_after_the_time_is_ignored() -> None:
    it = Endpoint(V16)
    it.call("m1", "Heartbeat", b"{}")
    it.give_up("m1")
    assert it.received('[3,"m1",{}]') == [Ignored("m1")]


@pytest.mark.ocpp("1.6J §4.1.1", "FR.02")
def test_requests_cross() -> None:
    it = Endpoint(V16)
    it.call("m1", "MeterValues", b"{}")
    (call,) = it.received('[2,"c1","GetConfiguration",{"key":["HeartbeatInterval"]}]')
    assert call == Received("1/c1", "GetConfiguration", {"key": ["HeartbeatInterval"]})
    assert it.is_answering
    assert sent(it.answer(call.call_id, b"{}")) == [[3, "c1", {}]]
    assert not it.is_answering
    assert it.received('[3,"m1",{}]') == [Answered("m1", "MeterValues", {})]


def test_ids_may_recur() -> None:
    it = Endpoint(V16)
    first = it.received('[2,"1","GetLocalListVersion",{}]')[0]
    assert sent(it.answer(first.call_id, b'{"listVersion":0}')) == [[3, "1", {"listVersion": 0}]]
    second = it.received('[2,"1","GetLocalListVersion",{}]')[0]
    assert it.answer(first.call_id, b"{}") == [], "an answer to the first is none to the second"
    assert sent(it.answer(second.call_id, b"{}")) == [[3, "1", {}]]


def test_a_request_within_a_request_waits_for_its_turn() -> None:
    it = Endpoint(V201)
    first = it.received('[2,"a","GetVariables",{}]')[0]
    assert it.received('[2,"b","GetReport",{}]') == []
    answer, second = it.answer(first.call_id, b"{}")
    assert json.loads(answer.text) == [3, "a", {}]
    assert second.action == "GetReport" and it.is_answering
    assert sent(it.refuse(second.call_id, "NotSupported", "no")) == [[4, "b", "NotSupported", "no", {}]]


def test_too_many_requests_are_refused_after_the_answer() -> None:
    it = Endpoint(V201)
    call = it.received('[2,"first","GetVariables",{}]')[0]
    for number in range(MOST_CALLS):
        assert it.received(f'[2,"{number}","GetVariables",{{}}]') == []
    for _ in range(MOST_CALLS + 5):
        (line,) = it.received('[2,"more","GetVariables",{}]')
        assert isinstance(line, Invalid)
    frames = sent(it.answer(call.call_id, b"{}"))
    assert frames[0] == [3, "first", {}]
    assert [frame[:3] for frame in frames[1:]] == [[4, "more", "GenericError"]] * MOST_CALLS


@pytest.mark.parametrize(("version", "code"), [(V16, "GenericError"), (V201, "RpcFrameworkError")])
def test_what_is_no_frame_is_answered_at_once(version: Version, code: str) -> None:
    effects = Endpoint(version).received("[2,")
    assert isinstance(effects[0], Invalid)
    assert sent(effects)[0][:3] == [4, "-1", code]


def test_a_type_without_meaning_is_ignored_in_1_6() -> None:
    assert sent(Endpoint(V16).received('[7,"a"]')) == []
    assert sent(Endpoint(V21).received('[7,"a"]'))[0][:3] == [4, "a", "MessageTypeNotSupported"]


def test_an_answer_comes_before_the_answer_to_a_broken_frame() -> None:
    it = Endpoint(V201)
    call = it.received('[2,"a","GetVariables",{}]')[0]
    assert sent(it.received("[2,")) == []
    assert [frame[:2] for frame in sent(it.answer(call.call_id, b"{}"))] == [[3, "a"], [4, "-1"]]


def test_a_request_without_an_answer() -> None:
    it = Endpoint(V16)
    call = it.received('[2,"a","ChangeAvailability",{}]')[0]
    assert it.ignore(call.call_id) == [] and not it.is_answering


def test_send_and_refused_results_of_2_1() -> None:
    it = Endpoint(V21)
    assert it.received('[6,"s1","X",{"a":1}]') == [SendReceived("X", {"a": 1})]
    assert it.received('[5,"c1","FormatViolation","text",{}]') == [ResultRefused("c1", "FormatViolation", "text")]
    assert sent(it.send("s2", "NotifyPeriodicEventStream", b"{}")) == [[6, "s2", "NotifyPeriodicEventStream", {}]]
    assert sent(it.refuse_result("m1", "FormatViolation", "text")) == [[5, "m1", "FormatViolation", "text", {}]]
    assert Endpoint(V201).refuse_result("m1", "FormatViolation", "text") == []
