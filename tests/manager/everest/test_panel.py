"""The admin panel's requests are answered as EVerest's manager answers them (framework: 3.8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.manager.everest.panel import INTERNAL_ERROR, Panel
from chargebyte_fw.modules.auth.dummy_token_validator import DummyTokenValidator


class Asked:
    """A panel on a folder, and how often a restart was asked for."""

    def __init__(self, folder: Path) -> None:
        self.restarts = 0
        self.wrong: list[Finding] = []
        self.panel = Panel(folder, self._modules, lambda _path: self.wrong, self._restart, 2000)

    def _modules(self) -> dict[str, Any]:
        return {"DummyTokenValidator": DummyTokenValidator}

    def _restart(self) -> None:
        self.restarts += 1

    def ask(self, method: str, **params: Any) -> Any:
        answer = self.panel.answer(json.dumps({"id": 7, "method": method, "params": params}))
        assert answer is not None
        found = json.loads(answer)
        assert found.pop("id") == 7
        return found


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def test_what_is_installed_is_described(asked: Asked) -> None:
    manifest = asked.ask("get_modules")["result"]["DummyTokenValidator"]
    assert manifest["provides"]["main"]["interface"] == "auth_token_validator"
    assert asked.ask("get_interfaces")["result"]["kvs"]["cmds"]["load"]["arguments"]["key"]["type"] == "string"
    assert asked.ask("get_rpc_timeout") == {"result": 2000}


def test_a_configuration_is_saved_if_it_is_sound(asked: Asked, tmp_path: Path) -> None:
    modules = {"validator": {"module": "DummyTokenValidator"}}
    assert asked.ask("save_config", name="mine", config={"active_modules": modules}) == {"result": True}
    assert asked.ask("get_configs")["result"] == {
        "mine": {
            "active_modules": {"validator": {"module": "DummyTokenValidator", "connections": {}}},
            "settings": {},
            "x-module-layout": {},
        }
    }
    asked.wrong = [Finding("here", "this is wrong")]
    refused = asked.ask("save_config", name="mine", config={})["error"]
    assert refused["code"] == -32602 and "this is wrong" in refused["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    for name in ("../mine", "", None, "a/b"):
        assert asked.ask("save_config", name=name, config={})["error"]["code"] == -32602


def test_a_restart_is_accepted(asked: Asked) -> None:
    assert asked.ask("restart_modules") == {"result": {"accepted": True}}
    assert asked.panel.answer(b'{"method": "restart_modules"}') is None
    assert asked.restarts == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\xff", -32700),
        (b"{", -32700),
        (b"[1]", -32600),
        (b'{"id": 1}', -32600),
        (b'{"id": 1, "method": 5}', -32600),
        (b'{"id": 1, "method": "reboot"}', -32601),
        (b'{"id": 1, "method": "save_config", "params": [1]}', -32602),
    ],
)
def test_what_is_no_request_has_a_code(asked: Asked, message: bytes, code: int) -> None:
    answer = asked.panel.answer(message)
    assert answer is not None
    assert json.loads(answer)["error"]["code"] == code


def test_a_request_that_fails_ends_nothing(asked: Asked) -> None:
    def fail() -> dict[str, Any]:
        raise RuntimeError("no modules today")

    asked.panel._modules = fail
    assert asked.ask("get_modules")["error"] == {"code": INTERNAL_ERROR, "message": "no modules today"}
