"""Messages are checked against interfaces and types where the settings have `validate_schema` (framework: 4.4, 6)."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.everestpy.everest.framework import Module, RuntimeSession
from chargebyte_fw.everestpy.everest.framework.schema import Schemas
from chargebyte_fw.everestpy.everest.framework.wire import CommandFailed
from tests.everestpy.scripted_manager import DEFINITIONS, MANIFESTS, ScriptedManager
from tests.manager.broker import Mosquitto

LIMIT_S = 5.0
LOGIC, VALVE = "modules/logic/impl/main", "modules/valve_1/impl/main"
TYPES: dict[str, Any] = {
    "/flow": {
        "Flow": {
            "type": "object",
            "additionalProperties": False,
            "required": ["rate", "at"],
            "properties": {
                "rate": {"type": "object", "$ref": "/flow#/Rate"},
                "at": {"type": "string", "format": "date-time"},
                "parts": {"type": "array", "maxItems": 2, "items": {"$ref": "/flow#/Flow"}},
                "way": {"type": "string", "enum": ["In", "Out"]},
            },
        },
        "Rate": {"type": "number", "minimum": 0, "maximum": 10},
    }
}
DEFINED = {
    **DEFINITIONS,
    "logic": {**DEFINITIONS["logic"], "vars": {"verdict": {"type": "object", "$ref": "/flow#/Flow"}}},
}
FLOW = {"rate": 1, "at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "integer"}, [1, -1, 2.0, 10**400], [1.5, True, "1", None, float("inf")]),
        ({"type": "number", "minimum": 1, "maximum": 2}, [1, 1.5, 2], [0.9, 2.1, False]),
        ({"type": "boolean"}, [True], [1, None]),
        ({"type": "null"}, [None], [0, {}]),
        ({"type": ["null", "string"]}, [None, ""], [0]),
        ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", "µµ"], ["", "abc"]),
        ({"type": "string", "pattern": "^[a-z]+$"}, ["a"], ["", "A"]),
        (
            {"type": "string", "format": "date-time"},
            ["2026-01-01T00:00:00.000Z"],
            ["2026-01-01", "2026-01-01T00:00:00"],
        ),
        ({"type": "string", "enum": ["A", "B"]}, ["A"], ["C"]),
        ({"type": "array", "minItems": 1, "items": {"type": "number"}}, [[1], [1, 2.5]], [[], ["a"], {}]),
        ({"type": "object", "additionalProperties": {"type": "number"}}, [{}, {"a": 1}], [{"a": ""}, []]),
        ({"type": "object", "$ref": "/flow#/Rate"}, [1], [{}, 11]),
        ({"$ref": "/elsewhere#/Unknown"}, [1, "a"], []),
        ({"$ref": "/flow#/Flow"}, [FLOW, {**FLOW, "way": "In", "parts": [FLOW]}], [{"rate": 1}, {**FLOW, "more": 1}]),
        ({}, [1, None, []], []),
    ],
)
def test_values_are_right_or_wrong(schema: Any, right: list[Any], wrong: list[Any]) -> None:
    schemas = Schemas(TYPES)
    assert [value for value in right if schemas.complaint(schema, value)] == []
    assert [value for value in wrong if not schemas.complaint(schema, value)] == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"rate": 1}, "at is missing"),
        ({**FLOW, "rate": 11}, "rate is above 10"),
        ({**FLOW, "parts": [FLOW, {**FLOW, "way": "Up"}]}, "parts[1].way is none of In, Out"),
        ({**FLOW, "parts": [FLOW] * 3}, "parts has the length 3, maxItems is 2"),
        ({**FLOW, "colour": 1}, "colour is not declared"),
        ([], "the value is no object"),
    ],
)
def test_a_complaint_says_where_and_why(value: Any, complaint: str) -> None:
    assert Schemas(TYPES).complaint({"$ref": "/flow#/Flow"}, value) == complaint


@pytest.fixture
def manager(mosquitto: Mosquitto) -> Iterator[ScriptedManager]:
    played = ScriptedManager(mosquitto.port)
    played.publish_metadata(MANIFESTS, DEFINED, types=TYPES)
    yield played
    played.close()


@pytest.fixture
def logic(mosquitto: Mosquitto, manager: ScriptedManager, tmp_path: Path, monkeypatch: Any) -> Iterator[Module]:
    monkeypatch.setenv("MQTT_SERVER_ADDRESS", "127.0.0.1")
    monkeypatch.setenv("MQTT_SERVER_PORT", str(mosquitto.port))
    (tmp_path / "c.yaml").write_text("active_modules: {}\n")
    made = Module("logic", RuntimeSession(str(tmp_path), str(tmp_path / "c.yaml")))
    yield made
    made._life.close()


def test_what_is_wrong_is_not_sent(logic: Module, manager: ScriptedManager) -> None:
    (valve,) = logic.say_hello().connections["valve"]
    for arguments, why in (
        ({"open": 1}, "open: the value is no boolean"),
        ({"open": True, "wide": 1}, "wide is no arg"),
    ):
        with pytest.raises(CommandFailed, match=rf"valve\.set_open: {why}") as raised:
            logic.call_command(valve, "set_open", arguments)
        assert raised.value.kind == "SchemaValidationError"
    with pytest.raises(RuntimeError, match=r"main\.verdict is not published: rate is below 0"):
        logic.publish_variable("main", "verdict", {**FLOW, "rate": -1})
    assert manager.nothing(f"{VALVE}/cmd/set_open") and manager.nothing(f"{LOGIC}/var/verdict")
    logic.publish_variable("main", "verdict", FLOW)
    assert manager.next(f"{LOGIC}/var/verdict") == ("Var", {"data": FLOW})


def test_a_command_with_a_wrong_argument_or_result_is_answered_so(logic: Module, manager: ScriptedManager) -> None:
    taken: list[Any] = []

    def decide(args: Any) -> Any:
        taken.append(args["level"])
        return "high" if args["level"] > 1 else 5

    logic.implement_command("main", "decide", decide)

    def ask(arguments: Any) -> Any:
        manager.send(f"{LOGIC}/cmd/decide", "Cmd", {"id": "1", "args": arguments, "origin": "valve_1"})
        answer = manager.next(f"{LOGIC}/cmd/decide/response/valve_1")[1]["data"]
        return answer["retval"] if "retval" in answer else tuple(answer["error"].values())

    assert ask({"level": "much"}) == ("SchemaValidationError", "level: the value is no number")
    assert ask({}) == ("SchemaValidationError", "level is missing")
    assert ask({"level": 1}) == ("SchemaValidationError", "the value is no string")
    assert ask({"level": 2}) == "high"
    assert taken == [1, 2]


def test_a_wrong_variable_is_dropped(logic: Module, manager: ScriptedManager, caplog: pytest.LogCaptureFixture) -> None:
    values: queue.Queue[Any] = queue.Queue()
    (valve,) = logic.say_hello().connections["valve"]
    logic.subscribe_variable(valve, "position", values.put)
    manager.send(f"{VALVE}/var/position", "Var", {"data": "ajar"})
    manager.send(f"{VALVE}/var/position", "Var", {"data": 0.5})
    assert values.get(timeout=LIMIT_S) == 0.5
    assert (
        "everest/modules/valve_1/impl/main/var/position: the message is dropped: the value is no number" in caplog.text
    )
