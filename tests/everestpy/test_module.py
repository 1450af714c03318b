"""`everest.framework` under a manager of another product, in both dialects (framework: 4, 5, 8)."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.everestpy.everest.framework import Fulfillment, Module, RuntimeSession, error, fetch, module
from chargebyte_fw.everestpy.everest.framework.wire import CommandFailed
from chargebyte_fw.manager.wire.dialect import Dialect
from tests.everestpy.scripted_manager import ScriptedManager
from tests.manager.broker import Mosquitto

LIMIT_S = 5.0
VALVE = "modules/valve_1/impl/main"
LOGIC = "modules/logic/impl/main"


@pytest.fixture(params=list(Dialect), ids=str)
def manager(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[ScriptedManager]:
    played = ScriptedManager(mosquitto.port, request.param)
    played.publish_metadata()
    yield played
    played.close()


def session_of(broker: Mosquitto, folder: Path, prefix: str = "everest") -> RuntimeSession:
    (folder / "c.yaml").write_text(
        f"settings: {{mqtt_broker_port: {broker.port}, mqtt_broker_host: 127.0.0.1, mqtt_everest_prefix: {prefix}}}\n"
    )
    return RuntimeSession(str(folder), str(folder / "c.yaml"))


@pytest.fixture
def logic(mosquitto: Mosquitto, manager: ScriptedManager, tmp_path: Path, monkeypatch: Any) -> Iterator[Module]:
    monkeypatch.delenv("MQTT_SERVER_ADDRESS", raising=False)
    monkeypatch.delenv("MQTT_SERVER_PORT", raising=False)
    made = Module("logic", session_of(mosquitto, tmp_path))
    yield made
    made._life.close()


def valve_of(logic: Module) -> Fulfillment:
    return logic.say_hello().connections["valve"][0]


def test_setup_and_information_are_those_of_manifest_and_configuration(logic: Module, manager: ScriptedManager) -> None:
    setup = logic.say_hello()
    assert setup.configs.module == {"interval_s": 2.5} and setup.configs.implementations == {"main": {}}
    (valve,) = setup.connections["valve"]
    assert (valve.module_id, valve.implementation_id) == ("valve_1", "main")
    assert setup.connections["other"] == [] and logic.fulfillments is setup.connections
    assert logic.implementations["main"].commands == ["decide", "reset"]
    assert logic.implementations["main"].variables == ["verdict"]
    assert logic.requirements["valve"].errors == [
        "generic/CommunicationFault",
        "generic/VendorError",
        "generic/VendorWarning",
    ]
    info = logic.info
    assert (info.id, info.name, info.authors, info.telemetry_enabled) == ("logic", "DemoLogic", ["A", "B"], False)
    assert info.license == "https://opensource.org/licenses/MIT"
    assert info.paths.etc / "certs" == Path("/etc/everest/certs")
    assert info.paths.libexec == Path("/usr/libexec/everest/modules/DemoLogic")
    assert info.paths.share == Path("/usr/share/everest/modules/DemoLogic")
    kind, data = manager.next("modules/logic/metadata")
    assert kind == manager.dialect.response
    assert data == {"module": "DemoLogic", "provides": {name: {"interface": "logic"} for name in ("main", "spare")}}


def serve(logic: Module, decide: Any) -> None:
    for implementation in ("main", "spare"):
        logic.implement_command(implementation, "decide", decide)
        logic.implement_command(implementation, "reset", lambda args: None)


def test_ready_is_called_once_and_needs_a_handler_for_each_command(logic: Module, manager: ScriptedManager) -> None:
    with pytest.raises(RuntimeError, match=r"no handler for main\.decide, main\.reset, spare\.decide, spare\.reset"):
        logic.init_done()
    serve(logic, lambda args: "")
    with pytest.raises(RuntimeError, match="has a handler already"):
        logic.implement_command("main", "reset", lambda args: None)
    with pytest.raises(RuntimeError, match="has no command twist"):
        logic.implement_command("main", "twist", lambda args: None)
    calls: queue.Queue[str] = queue.Queue()
    logic.init_done(lambda: calls.put(threading.current_thread().name))
    assert manager.next("modules/logic/ready") == ("ModuleReady", True)
    manager.send("ready", "GlobalReady", True)
    assert calls.get(timeout=LIMIT_S) == "everest ready"
    manager.send("ready", "GlobalReady", True)
    manager.send(f"{LOGIC}/cmd/reset", "Cmd", {"id": "1", "args": {}, "origin": "valve_1"})
    manager.next(f"{LOGIC}/cmd/reset/response/valve_1")
    assert calls.empty()


def test_commands_are_served_with_every_kind_of_answer(
    logic: Module, manager: ScriptedManager, caplog: pytest.LogCaptureFixture
) -> None:
    def decide(args: dict[str, Any]) -> Any:
        if args["level"] == 1:
            raise ValueError("too low")
        if args["level"] == 2:
            raise CommandFailed("NotReady", "not yet")
        if args["level"] == 3:
            raise CommandFailed("Anything", "an unknown kind")
        return float("nan") if args["level"] == 4 else f"level {args['level']}"

    serve(logic, decide)

    def ask(level: int) -> Any:
        manager.send(f"{LOGIC}/cmd/decide", "Cmd", {"id": f"c{level}", "args": {"level": level}, "origin": "valve_1"})
        kind, data = manager.next(f"{LOGIC}/cmd/decide/response/valve_1")
        assert kind == "CmdResult" and data["type"] == "result"
        assert data["data"].pop("id") == f"c{level}" and data["data"].pop("origin") == "logic"
        return data["data"]

    def failed(kind: str, text: str) -> Any:
        return {"error": {"__everest__error_type": kind, "__everest__error_msg": text}}

    assert ask(0) == {"retval": "level 0"}
    assert ask(1) == failed("HandlerException", "too low")
    assert ask(2) == failed("NotReady", "not yet")
    assert ask(3) == failed("HandlerException", "an unknown kind")
    # JSON has no word for it.
    assert ask(4)["error"]["__everest__error_type"] == "HandlerException"
    manager.client.publish(f"everest/{LOGIC}/cmd/decide", b"{", qos=2)
    manager.send(f"{LOGIC}/cmd/decide", "Cmd", {"id": 5, "args": {}, "origin": "valve_1"})
    manager.send(f"{LOGIC}/cmd/decide", "Gossip", {})
    assert ask(6) == {"retval": "level 6"}
    assert "message type Gossip" in caplog.text


def test_a_handler_may_call_a_command_while_others_run(logic: Module, manager: ScriptedManager) -> None:
    valve = valve_of(logic)
    serve(logic, lambda args: f"valve {logic.call_command(valve, 'set_open', {'open': True})}")
    manager.send(f"{LOGIC}/cmd/decide", "Cmd", {"id": "outer", "args": {"level": 1.0}, "origin": "valve_1"})
    _, call = manager.next(f"{VALVE}/cmd/set_open")
    assert (call["args"], call["origin"]) == ({"open": True}, "logic")
    # The first call is still waiting.
    manager.send(f"{LOGIC}/cmd/reset", "Cmd", {"id": "other", "args": None, "origin": "valve_1"})
    assert manager.next(f"{LOGIC}/cmd/reset/response/valve_1")[1]["data"]["retval"] is None
    at = f"{VALVE}/cmd/set_open/response/logic"
    manager.send(at, "CmdResult", {"type": "result", "data": {"id": "unknown", "origin": "valve_1", "retval": False}})
    manager.send(at, "CmdResult", {"type": "result", "data": {"id": call["id"], "origin": "valve_1", "retval": True}})
    _, answer = manager.next(f"{LOGIC}/cmd/decide/response/valve_1")
    assert answer["data"]["retval"] == "valve True"


def test_a_command_that_fails_raises(logic: Module, manager: ScriptedManager, monkeypatch: Any) -> None:
    valve = valve_of(logic)
    with pytest.raises(RuntimeError, match="valve \\(valve\\) has no command twist"):
        logic.call_command(valve, "twist", {})
    with pytest.raises(RuntimeError, match="missing: open"):
        logic.call_command(valve, "set_open", {})

    def refuse() -> None:
        _, call = manager.next(f"{VALVE}/cmd/set_open")
        answer = {"__everest__error_type": "HandlerException", "__everest__error_msg": "stuck"}
        data = {"type": "result", "data": {"id": call["id"], "origin": "valve_1", "error": answer}}
        manager.send(f"{VALVE}/cmd/set_open/response/logic", "CmdResult", data)

    thread = threading.Thread(target=refuse)
    thread.start()
    with pytest.raises(RuntimeError, match="stuck"):
        logic.call_command(valve, "set_open", {"open": True})
    thread.join()
    monkeypatch.setattr(module, "COMMAND_LIMIT_S", 0.05)
    with pytest.raises(CommandFailed, match="no answer") as caught:
        logic.call_command(valve, "set_open", {"open": True})
    assert caught.value.kind == "CmdTimeout"


def test_variables_keep_their_order_and_a_callback_that_fails_costs_nothing_else(
    logic: Module, manager: ScriptedManager, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[float] = []
    done = threading.Event()

    def take(value: float) -> None:
        received.append(value)
        if value == 3:
            raise ValueError("a mistake of the module")
        if value == 49:
            done.set()

    logic.subscribe_variable(valve_of(logic), "position", take)
    logic.subscribe_variable(valve_of(logic), "position", lambda value: None)
    with pytest.raises(RuntimeError, match="has no variable weight"):
        logic.subscribe_variable(valve_of(logic), "weight", take)
    manager.send(f"{VALVE}/var/position", "Var", {})
    for number in range(50):
        manager.send(f"{VALVE}/var/position", "Var", {"data": number})
    assert done.wait(LIMIT_S) and received == list(range(50))
    assert "a mistake of the module" in caplog.text and "a variable without a value" in caplog.text
    logic.publish_variable("main", "verdict", "Prüfung")
    assert manager.next(f"{LOGIC}/var/verdict") == ("Var", {"data": "Prüfung"})
    with pytest.raises(RuntimeError, match="main has no variable weight"):
        logic.publish_variable("main", "weight", 1)


def test_errors_are_raised_and_cleared_once(logic: Module, manager: ScriptedManager) -> None:
    factory, monitor = logic.get_error_factory("main"), logic.get_error_state_monitor_impl("main")
    made = factory.create_error("generic/VendorError", "fan", "it is hot", error.Severity.Medium)
    at = f"{LOGIC}/error/generic/VendorError"
    logic.raise_error("main", made)
    kind, data = manager.next(at)
    assert kind == "RaiseError"
    assert data.pop("timestamp").endswith("Z") and data.pop("uuid") == made.uuid.uuid
    assert data == {
        "type": "generic/VendorError",
        "sub_type": "fan",
        "message": "it is hot",
        "description": "about VendorError",
        "severity": "Medium",
        "state": "Active",
        "origin": {"module_id": "logic", "implementation_id": "main", "mapping": {"evse": 1}},
        "vendor_id": "everest",
    }
    logic.raise_error("main", factory.create_error("generic/VendorError", "fan", "again"))
    logic.raise_error("main", factory.create_error("example/Nothing", "", "not of this interface"))
    hot = error.ErrorStateCondition("generic/VendorError", "fan", True)
    warned = error.ErrorStateCondition("generic/VendorWarning", "", False)
    assert monitor.is_error_active("generic/VendorError", "fan")
    assert monitor.is_condition_satisfied(hot) and monitor.is_condition_satisfied([hot, warned])
    logic.clear_error("main", "generic/VendorError")  # another sub_type
    logic.clear_error("main", "generic/VendorError", "fan")
    kind, cleared = manager.next(at)
    assert (kind, cleared["state"], cleared["uuid"]) == ("ClearError", "ClearedByModule", made.uuid.uuid)
    assert not monitor.is_condition_satisfied([hot, warned])
    for kind in ("generic/VendorError", "generic/VendorWarning"):
        logic.raise_error("spare", logic.get_error_factory("spare").create_error(kind, "", "m", error.State.Active))
    logic.clear_all_errors_of_impl("spare", "generic/VendorError")
    logic.clear_all_errors_of_impl("spare")
    _, warning = manager.next("modules/logic/impl/spare/error/generic/VendorWarning")
    assert warning["origin"]["mapping"] == {"evse": 2, "connector": 1}
    assert manager.next("modules/logic/impl/spare/error/generic/VendorWarning")[0] == "ClearError"
    assert factory.create_error().type == "NotValidType"
    with pytest.raises(RuntimeError, match="provides no cellar"):
        logic.raise_error("cellar", made)


def test_errors_of_others_reach_those_who_want_them(logic: Module, manager: ScriptedManager) -> None:
    valve = valve_of(logic)
    seen: queue.Queue[tuple[str, str, str]] = queue.Queue()

    def note(name: str) -> Any:
        return lambda found: seen.put((name, found.type, found.state.name))

    logic.subscribe_error(valve, "generic/VendorError", note("one"), note("one cleared"))
    logic.subscribe_all_errors(valve, note("all"), note("all cleared"))
    with pytest.raises(ValueError, match="example/Nothing is not an error"):
        logic.subscribe_error(valve, "example/Nothing", print, print)
    fault = error.to_json(error.Error("generic/VendorError", "", "stuck", "about it"))
    warning = {**fault, "type": "generic/VendorWarning", "severity": "Unheard"}
    manager.send(f"{VALVE}/error/generic/VendorWarning", "RaiseError", {"type": "generic/VendorWarning"})
    manager.send(f"{VALVE}/error/generic/VendorWarning", "RaiseError", warning)
    assert seen.get(timeout=LIMIT_S) == ("all", "generic/VendorWarning", "Active")
    for _ in range(2):
        manager.send(f"{VALVE}/error/generic/VendorError", "RaiseError", fault)
    assert [seen.get(timeout=LIMIT_S)[0] for _ in range(2)] == ["one", "all"]
    monitor = logic.get_error_state_monitor_req(valve)
    assert monitor.is_error_active("generic/VendorError", "")
    assert {one.severity for one in monitor.get_active_errors()} == {error.Severity.High, error.Severity.Low}
    for _ in range(2):
        manager.send(f"{VALVE}/error/generic/VendorError", "ClearError", {**fault, "state": "ClearedByModule"})
    assert [seen.get(timeout=LIMIT_S)[0] for _ in range(2)] == ["one cleared", "all cleared"]
    assert not monitor.is_error_active("generic/VendorError", "") and seen.empty()


def test_configuration_is_read_and_changed(logic: Module, manager: ScriptedManager) -> None:
    manager.answers["Value"] = manager.got("Value", {"name": "interval_s", "value": 2.5, "characteristics": {}})
    assert logic.get_config_value("logic", "interval_s") == {"status": "Ok", "status_info": "", "value": 2.5}
    _, request = manager.next("config/request")
    while request["request"]["type"] != "Value":
        _, request = manager.next("config/request")
    assert request["request"]["identifier"] == {"module_id": "logic", "configuration_parameter_name": "interval_s"}
    manager.answers["Value"] = manager.got("Value", None, "AccessDenied")
    assert logic.get_config_value("valve_1", "x", "main") == {"status": "AccessDenied", "status_info": ""}
    manager.answers["Set"] = {
        "status": "Ok",
        "status_info": "",
        "type": "Set",
        "response": {"status": "RebootRequired", "status_info": "later"},
    }
    expected = {"status": "Ok", "status_info": "later", "set_status": "RebootRequired"}
    assert logic.set_config_value("logic", "interval_s", "5.0") == expected


def test_changes_are_handled_by_parameter(logic: Module, manager: ScriptedManager) -> None:
    if manager.dialect is Dialect.V2026_02:
        return  # without this message
    taken: list[str] = []

    def change(text: str) -> Any:
        taken.append(text)
        return {"status": "Accepted"} if text == "5.0" else {"status": "Rejected", "reason": "too much"}

    logic.register_config_change_handler("!module", "interval_s", change)
    logic.register_config_change_handler("main", "broken", lambda text: {})

    def ask(name: str, text: str, **more: str) -> Any:
        identifier = {"module_id": "logic", "configuration_parameter_name": name, **more}
        data = {"identifier": identifier, "value": text}
        manager.send("modules/logic/config/set_request", manager.dialect.request, data)
        kind, answer = manager.next("modules/logic/config/set_response")
        assert (kind, answer["status"], answer["type"]) == (manager.dialect.response, "Ok", "Set")
        return answer["response"]

    assert ask("interval_s", "5.0") == {"status": "Accepted", "status_info": ""}
    assert ask("interval_s", "6.0", module_implementation_id="!module")["status_info"] == "too much"
    assert ask("broken", "1", module_implementation_id="main")["status"] == "Rejected"
    assert ask("other", "1") == {"status": "Rejected", "status_info": "other has no handler"}
    assert taken == ["5.0", "6.0"]


def test_shutdown_is_handled_and_fails_what_waits(logic: Module, manager: ScriptedManager) -> None:
    ended = threading.Event()
    kinds: list[str] = []

    def call() -> None:
        try:
            logic.call_command(valve_of(logic), "set_open", {"open": True})
        except CommandFailed as problem:
            kinds.append(problem.kind)

    def end() -> None:
        logic.publish_variable("main", "verdict", "the last word")
        ended.set()

    logic.shutdown_handler(end)
    thread = threading.Thread(target=call)
    thread.start()
    manager.next(f"{VALVE}/cmd/set_open")
    manager.client.publish("everest/shutdown", b"true", qos=2)
    assert ended.wait(LIMIT_S)
    thread.join(LIMIT_S)
    assert kinds == ["Shutdown"]
    assert manager.next(f"{LOGIC}/var/verdict") == ("Var", {"data": "the last word"})
    with pytest.raises(CommandFailed, match="has no connection"):
        logic.call_command(valve_of(logic), "set_open", {"open": True})


def test_a_second_shutdown_is_not_handled(logic: Module, manager: ScriptedManager) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def end() -> None:
        begun.release()
        go_on.wait(LIMIT_S)

    logic.shutdown_handler(end)
    manager.client.publish("everest/shutdown", b"true", qos=2)
    assert begun.acquire(timeout=LIMIT_S)
    manager.client.publish("everest/shutdown", b"true", qos=2)
    assert not begun.acquire(timeout=0.2)
    go_on.set()


def test_without_metadata_or_configuration_or_broker_the_reason_is_given(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("MQTT_SERVER_PORT", raising=False)
    monkeypatch.setattr(fetch, "GET_LIMIT_S", 0.05)
    session = session_of(mosquitto, tmp_path)
    with pytest.raises(RuntimeError, match="nothing is published as everest/settings: the manager is not there"):
        Module("logic", session)
    played = ScriptedManager(mosquitto.port)
    played.publish_metadata()
    played.answers["Module"] = {"status": "Error", "status_info": "there is no module logic", "response": None}
    with pytest.raises(RuntimeError, match="the manager has no configuration for logic: there is no module logic"):
        Module("logic", session)
    played.close()
    with pytest.raises(RuntimeError, match="the manager does not answer logic"):
        Module("logic", session)
    mosquitto.kill()
    with pytest.raises(RuntimeError, match=r"no MQTT broker at 127\.0\.0\.1"):
        Module("logic", session)


def test_a_test_program_outlives_the_broker_and_its_calls_fail(
    mosquitto: Mosquitto, logic: Module, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    mosquitto.kill()
    give_up_at = time.monotonic() + LIMIT_S
    while "has lost the MQTT broker" not in caplog.text:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    with pytest.raises(CommandFailed, match="has no connection"):
        logic.call_command(valve_of(logic), "set_open", {"open": True})
    with pytest.raises(RuntimeError, match="the MQTT broker has gone"):
        logic.publish_variable("main", "verdict", "")
