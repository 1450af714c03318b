"""`secc bus`, `secc call`, `secc graph`: messages between modules, one command by hand, modules and connections."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.control import Control
from chargebyte_fw.manager.operator import Operator
from chargebyte_fw.manager.wire import observing
from chargebyte_fw.manager.wire.publisher import Publisher
from tests.manager.broker import Mosquitto
from tests.manager.test_wire import Onlooker, with_wire

REPOSITORY = Path(__file__).parents[2]
NONE: Any = None


def secc(*arguments: str) -> int:
    try:
        return main(list(arguments))
    except SystemExit as exit_:
        return int(exit_.code or 0)


async def until_listening(onlooker: Onlooker, assembly: Assembly, ends: asyncio.Task[int], litres: float = 1.0) -> int:
    """Publish a level again and again until the tool has what it waits for."""
    while not ends.done():
        assembly.modules["pump"].tank.litres.publish(litres)  # type: ignore[attr-defined]
        await asyncio.sleep(0.02)
    return ends.result()


def test_bus_shows_variables_as_they_come_and_what_is_asked_for_alone(
    mosquitto: Mosquitto, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = ("--broker", f"mqtt://127.0.0.1:{mosquitto.port}")

    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        async def bus(*arguments: str) -> list[str]:
            shown = asyncio.create_task(asyncio.to_thread(secc, "bus", *arguments, *broker))
            assert await until_listening(onlooker, assembly, shown) == 0
            return capsys.readouterr().out.splitlines()

        for text in await bus("pump", "--count", "2"):
            assert text.split(" ", 1)[1] == "pump.tank = litres 1.0"
        (one,) = await bus("pump.tank", "--name", "litres", "--kind", "variable", "--count", "1", "--json")
        seen = json.loads(one)
        assert seen.pop("time") > 0
        assert seen == {
            "module": "pump", "implementation": "tank", "kind": "variable", "name": "litres", "content": 1.0
        }  # fmt: skip

    with_wire(mosquitto, runtime, test)


def test_bus_shows_a_command_its_caller_and_its_answer(
    mosquitto: Mosquitto, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        broker = ("--broker", f"mqtt://127.0.0.1:{mosquitto.port}")
        shown = asyncio.create_task(asyncio.to_thread(secc, "bus", "pump.main", "--count", "3", *broker))
        while not shown.done():
            await onlooker.call("turn", {"to": 40, "mode": "Fast"})
            await asyncio.sleep(0.1)
        lines = sorted({text.split(" ", 1)[1] for text in capsys.readouterr().out.splitlines()})
        assert lines == [
            'pump.main -> turn (tool) {"litres":20.0}',
            'pump.main <- turn (tool) {"to":40,"mode":"Fast"}',
            "pump.main = position 40.0",
        ]

    with_wire(mosquitto, runtime, test)


@pytest.mark.parametrize(
    ("topic", "payload", "seen"),
    [
        (
            "everest/modules/a/impl/b/var/c",
            b'{"msg_type": "Var", "data": {"data": [1]}}',
            observing.Seen("a", "b", "variable", "c", [1]),
        ),
        (
            "everest/modules/a/impl/b/cmd/c",
            b'{"msg_type": "Cmd", "data": {"id": "1", "args": {"x": 2}, "origin": "d"}}',
            observing.Seen("a", "b", "command", "c", {"x": 2}, "d"),
        ),
        (
            "everest/modules/a/impl/b/cmd/c/response/d",
            b'{"msg_type": "CmdResult", "data": {"data": {"id": "1", "retval": null}}}',
            observing.Seen("a", "b", "result", "c", None, "d"),
        ),
        (
            "everest/modules/a/impl/b/error/generic/VendorError",
            b'{"msg_type": "RaiseError", "data": {"state": "Active"}}',
            observing.Seen("a", "b", "error", "generic/VendorError", {"state": "Active"}),
        ),
        ("everest/modules/a/impl/b/var/c", b"\x1b[2J{", observing.Seen("a", "b", "garbage", "c", "\\x1b[2J{")),
        ("everest/modules/a/impl/b/var/c", b"[]", observing.Seen("a", "b", "garbage", "c", "[]")),
        ("everest/modules/a/ready", b"true", None),
        ("other/modules/a/impl/b/var/c", b"{}", None),
    ],
)
def test_a_message_is_read_or_garbage(topic: str, payload: bytes, seen: observing.Seen | None) -> None:
    assert observing.read(topic, payload, "everest/") == seen


def test_call_over_mqtt_as_a_module_would(
    mosquitto: Mosquitto, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        async def call(*arguments: str) -> tuple[int, str]:
            broker = ("--broker", f"mqtt://127.0.0.1:{mosquitto.port}", "--origin", "tool")
            status = await asyncio.to_thread(secc, "call", *arguments, *broker)
            shown = capsys.readouterr()
            return status, shown.out + shown.err

        status, text = await call("pump.main", "turn", '{"to": 40, "mode": "Fast"}')
        assert (status, json.loads(text)) == (0, {"litres": 20.0})
        assert await call("pump.main", "turn", '{"to": 400, "mode": "Fast"}') == (
            1,
            "secc call: HandlerException: a valve opens to 100 at most\n",
        )
        status, text = await call("pump", "turn")
        assert (status, text) == (
            2,
            "secc call: with --broker the implementation must be named: MODULE.IMPLEMENTATION\n",
        )

    with_wire(mosquitto, runtime, test)


def test_call_through_the_control_socket(
    mosquitto: Mosquitto, runtime: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        operator = {"call": Operator(lambda: assembly).call}
        control = Control(Root(tmp_path, tmp_path), NONE, ModuleLog("control"), operator)
        await control.start()

        async def call(*arguments: str) -> tuple[int, str]:
            status = await asyncio.to_thread(secc, "call", *arguments, "--root", str(tmp_path))
            shown = capsys.readouterr()
            return status, shown.out + shown.err

        status, text = await call("pump.main", "turn", '{"to": 40, "mode": "Slow"}')
        assert (status, json.loads(text)) == (0, {"litres": 20.0})
        assert await call("pump", "turn") == (1, "secc call: pump has main, tank: name one of them\n")
        assert await call("pump.mian", "turn") == (1, "secc call: there is no pump.mian (did you mean pump.main?)\n")
        assert await call("pump.main", "trun") == (
            1,
            "secc call: valve has no command trun (did you mean turn?)\n",
        )
        assert await call("pump.main", "turn", '{"to": 4}') == (1, "secc call: missing argument mode\n")
        assert await call("pump.main", "turn", "{") == (
            2,
            "secc call: the arguments are no JSON: Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1)\n",
        )
        await control.stop()

    with_wire(mosquitto, runtime, test)


def test_without_a_broker_a_line_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargebyte_fw.cli.broker.CONNECT_LIMIT_S", 0.2)
    assert secc("bus", "--broker", "mqtt://127.0.0.1:9") == 1
    assert capsys.readouterr().err == (
        "secc: there is no MQTT broker at 127.0.0.1:9 (name another with --broker)\n"
    )  # fmt: skip


def test_graph_draws_modules_with_their_connections(capsys: pytest.CaptureFixture[str]) -> None:
    assert secc("graph", "bsp-only-dc", "--root", str(REPOSITORY), "--of", "imd") == 0
    assert capsys.readouterr().out.splitlines() == [
        "flowchart LR",
        '    m0["connector<br>EvseManager"]',
        '    m1["imd<br>IMDSimulator"]',
        '    m0 -- "imd: isolation_monitor" --> m1',
    ]
    assert secc("graph", "--machine", "Reconnect") == 0
    assert "Connecting --> Online : Accepted" in capsys.readouterr().out
    assert secc("graph", "--machine", "Reconect") == 2
    assert capsys.readouterr().err == "secc graph: there is no state machine Reconect (did you mean Reconnect?)\n"
