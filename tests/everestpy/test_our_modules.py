"""Modules of ours as programs of a manager of another product, in both dialects (framework: 3.2, 4.4)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.errors import ConfigError, Unavailable
from chargebyte_fw.manager import member_process
from chargebyte_fw.manager.everest.prefix import PROGRAM, write_program
from chargebyte_fw.manager.manifest import definition_of, manifest_of
from chargebyte_fw.manager.member_process import Start, find_module, start_of
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.wire.dialect import Dialect
from chargebyte_fw.modules.power.imd_simulator import IMDSimulator
from tests.everestpy.scripted_manager import ScriptedManager
from tests.manager.broker import Mosquitto, free_port

IMD = "modules/imd/impl/main"
NATIVE = {"module": "imd", "prefix": "/opt/usr", "mqtt_broker_host": "h", "mqtt_broker_port": "1"}


def play(port: int, dialect: Dialect) -> ScriptedManager:
    """A manager with one module, whose class is ours."""
    manager = ScriptedManager(port, dialect)
    parameter = {"name": "interval", "value": 50, "characteristics": {"datatype": "integer"}}
    config: dict[str, Any] = {
        "module_id": "imd",
        "module_name": "IMDSimulator",
        "configuration_parameters": {"!module": [], "main": [parameter]},
        "connections": {},
    }
    manager.answers["Module"] = manager.got("Module", {"module_config": config, "mappings": {}})
    definitions = {"isolation_monitor": definition_of(IMDSimulator.provisions["main"].implementation)}
    manager.publish_metadata({"IMDSimulator": manifest_of(IMDSimulator)}, definitions, {"imd": "IMDSimulator"})
    return manager


def serve_a_session(manager: ScriptedManager) -> None:
    """What the manager and a user of the monitor see."""
    kind, metadata = manager.next("modules/imd/metadata", 20)
    assert kind == manager.dialect.response
    assert metadata == {"module": "IMDSimulator", "provides": {"main": {"interface": "isolation_monitor"}}}
    assert manager.next("modules/imd/ready") == ("ModuleReady", True)
    manager.send("ready", "GlobalReady", True)
    manager.send(f"{IMD}/cmd/start", "Cmd", {"id": "c1", "args": {}, "origin": "evse"})
    _, answer = manager.next(f"{IMD}/cmd/start/response/evse")
    assert answer["data"] == {"id": "c1", "origin": "imd", "retval": None}
    kind, value = manager.next(f"{IMD}/var/isolation_measurement")
    assert kind == "Var" and value["data"]["resistance_F_Ohm"] > 0


@pytest.mark.parametrize("dialect", Dialect)
def test_a_module_of_ours_serves_until_the_manager_ends_it(
    mosquitto: Mosquitto, tmp_path: Path, dialect: Dialect
) -> None:
    manager = play(mosquitto.port, dialect)
    played: list[BaseException | None] = []

    def session() -> None:
        try:
            serve_a_session(manager)
            played.append(None)
        except BaseException as error:
            played.append(error)
        finally:
            manager.client.publish("everest/shutdown", b"true", qos=2)

    thread = threading.Thread(target=session)
    thread.start()
    start = Start(module_id="imd", prefix=str(tmp_path), broker=BrokerAddress("127.0.0.1", mosquitto.port))
    try:
        assert run_loop(asyncio.wait_for(member_process.run(start), 30)) == 0
    finally:
        thread.join()
        manager.close()
    assert played == [None]


def test_the_program_that_a_prefix_has(mosquitto: Mosquitto, tmp_path: Path) -> None:
    manager = play(mosquitto.port, Dialect.V2026_10)
    program = tmp_path / "IMDSimulator"
    write_program(program, PROGRAM.format(python=sys.executable))
    broker = ["--mqtt_broker_host", "127.0.0.1", "--mqtt_broker_port", str(mosquitto.port)]
    prefixes = ["--prefix", str(tmp_path), "--mqtt_everest_prefix", "everest/", "--mqtt_external_prefix", ""]
    arguments = ["imd:IMDSimulator", *prefixes, "--module", "imd", "--log_config", "/none", *broker]
    process = subprocess.Popen(arguments, executable=program, stderr=subprocess.PIPE, text=True)
    try:
        serve_a_session(manager)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0 and "Traceback" not in errors
    finally:
        process.kill()
        process.wait()
        manager.close()


def test_arguments_come_before_the_environment() -> None:
    environment = {"EV_MODULE": "other", "EV_MQTT_EVEREST_PREFIX": "e", "EV_MQTT_EXTERNAL_PREFIX": "x"}
    start = start_of(NATIVE, environment)
    assert (start.module_id, start.prefix, start.broker) == ("imd", "/opt/usr", BrokerAddress("h", 1))
    assert (start.everest_prefix, start.external_prefix) == ("e/", "x")
    start = start_of({"mqtt_broker_socket_path": "/run/b"}, environment)
    assert (start.module_id, start.broker) == ("other", BrokerAddress(socket_path="/run/b"))
    assert start_of(NATIVE, {"MQTT_SERVER_ADDRESS": "s", "MQTT_SERVER_PORT": "2"}).broker == BrokerAddress("s", 2)
    with pytest.raises(ConfigError, match="no module's id"):
        start_of({}, {})
    with pytest.raises(ConfigError, match="many is no port"):
        start_of({**NATIVE, "mqtt_broker_port": "many"}, {})


def test_without_a_module_a_broker_or_a_manager_the_reason_is_given(mosquitto: Mosquitto, monkeypatch: Any) -> None:
    with pytest.raises(ConfigError, match="EvseMangler: error: is not a module of this product"):
        find_module("EvseMangler")
    monkeypatch.setattr(member_process, "METADATA_LIMIT_S", 0.05)
    monkeypatch.setattr(member_process, "BROKER_LIMIT_S", 0.2)
    start = Start(module_id="imd", broker=BrokerAddress("127.0.0.1", mosquitto.port))
    with pytest.raises(Unavailable, match="no manager of EVerest has published its settings below everest/"):
        run_loop(member_process.run(start))
    with pytest.raises(Unavailable, match=r"no MQTT broker at 127\.0\.0\.1"):
        run_loop(member_process.run(Start(module_id="imd", broker=BrokerAddress("127.0.0.1", free_port()))))
