"""JSON-RPC 2.0 (jsonrpc.org), and the words that EVerest's clients know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.api.jsonrpc import Dispatcher, is_call_of

Run = Callable[[Any], Any]


async def add(left: int, right: Annotated[int, Meta(ge=0)]) -> int:
    return left + right


async def nothing() -> str:
    return "nothing"


async def broken() -> None:
    raise KeyError("secret")


FAILED: list[str] = []
DISPATCHER = Dispatcher(
    {"add": add, "nothing": nothing, "broken": broken}, lambda name, error: FAILED.append(f"{name}: {error!r}")
)


def ask(message: Any) -> Any:
    text = message if isinstance(message, bytes | str) else json.dumps(message)
    answer = clock.run(DISPATCHER.answer(text), speed=None)
    return None if answer is None else json.loads(answer)


def call(method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, **more}
    return request if params is None else {**request, "params": params}


@pytest.mark.parametrize("params", [[1, 2], {"left": 1, "right": 2}, {"right": 2, "left": 1, "extra": True}])
def test_parameters_come_by_place_or_by_name(params: Any) -> None:
    assert ask(call("add", params)) == {"id": 1, "jsonrpc": "2.0", "result": 3}


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (call("subtract"), -32601, "method not found: subtract"),
        (call("add", {"left": 1}), -32602, 'invalid parameter: missing named parameter "right"'),
        (call("add", "x"), -32600, "invalid request: params field must be an array, object or null"),
        (call("nothing", {}), -32602, "invalid parameter: procedure doesn't support named parameter"),
        (call("add", [1]), -32602, "invalid parameter: 1 values for the parameters: left, right"),
        (call("add", [1, "2"]), -32602, "invalid parameter: Expected `int`, got `str`"),
        (call("add", [1, -2]), -32602, "invalid parameter: Expected `int` >= 0"),
        (call("add", [1, True]), -32602, "invalid parameter: Expected `int`, got `bool`"),
        ({"id": 1, "method": "nothing"}, -32600, 'invalid request: missing jsonrpc field set to "2.0"'),
        ({"jsonrpc": "2.0", "id": 1}, -32600, "invalid request: method field must be a string"),
    ],
)
def test_a_wrong_request_is_told_why(request_: Any, code: int, message: str) -> None:
    assert ask(request_) == {"error": {"code": code, "message": message}, "id": 1, "jsonrpc": "2.0"}


def test_text_that_is_no_json_gets_a_parse_error() -> None:
    assert ask("{")["error"]["code"] == -32700
    assert ask("[" * 100_000)["error"]["code"] == -32700


def test_a_batch_is_answered_as_a_batch_without_its_notifications() -> None:
    notification = {"jsonrpc": "2.0", "method": "nothing"}
    answers = ask([call("nothing"), notification, 5])
    assert [answer.get("result", answer.get("error", {}).get("code")) for answer in answers] == ["nothing", -32600]
    assert ask([notification]) is None
    assert ask([])["error"]["code"] == -32600


def test_a_notification_gets_no_answer() -> None:
    assert ask({"jsonrpc": "2.0", "method": "nothing"}) is None
    assert ask({"jsonrpc": "2.0", "method": "unheard of"}) is None


def test_a_fault_of_ours_is_told_to_the_owner_and_not_to_the_client() -> None:
    FAILED.clear()
    assert ask(call("broken"))["error"] == {"code": -32603, "message": "internal server error"}
    assert FAILED == ["broken: KeyError('secret')"]


def test_a_call_is_recognized_before_it_is_answered() -> None:
    assert is_call_of('{"method": "API.Hello"}', "API.Hello")
    assert not is_call_of('[{"method": "API.Hello"}]', "API.Hello")
    assert not is_call_of("\xff", "API.Hello")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["jsonrpc", "id", "method", "params", "left"]) | st.text(max_size=4), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_text_breaks_it(text: bytes) -> None:
    clock.run(DISPATCHER.answer(text), speed=None)
