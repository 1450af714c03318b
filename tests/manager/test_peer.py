"""A module of another vendor, played from raw MQTT as strictly as one in C++, in both dialects (framework: 4, 10)."""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode, VoltageCurrent
from chargebyte_fw.everestpy import SEARCH_PATH
from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides, requires
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.configuration.changes import Overlay
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import Found, Installed
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.dialect import Dialect
from chargebyte_fw.manager.wire.foreign import command_line
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.manager.wire.remote import proxy
from tests.manager.broker import Mosquitto
from tests.manager.parts import words_of
from tests.manager.peer import Peer, retained
from tests.manager.test_mqtt import until

MONITOR = """\
description: An insulation monitor that somebody else starts
config:
  resistance: {description: What it measures in Ohm, type: number, default: 900000, mutability: ReadWrite}
  samples: {description: How many it takes, type: integer, default: 10}
  label: {description: Text, type: string, default: "7"}
  place: {description: A file, type: string, default: /etc/everest/monitor.txt}
  quiet: {description: Less output, type: boolean, default: true}
provides:
  main: {interface: isolation_monitor, description: The monitor}
requires:
  supply: {interface: power_supply_DC}
enable_external_mqtt: true
enable_global_errors: true
metadata:
  license: https://opensource.org/licenses/MIT
  authors: [Another vendor]
"""
CONFIG = """\
active_modules:
  imd:
    module: Monitor
    standalone: true
    config_module: {resistance: 5}
    connections: {supply: [{module_id: supply, implementation_id: main}]}
    mapping: {module: {evse: 1}}
    telemetry: {id: 3}
    access: {config: {modules: {supply: {allow_read: true}}}}
  supply: {module: Supply}
  user:
    module: Using
    connections: {imd: [{module_id: imd, implementation_id: main}]}
"""
SUPPLY = "modules/supply/impl/main"
IMD = "modules/imd/impl/main"


class Main(PowerSupplyDC):
    """Notes what it is asked for."""

    async def setMode(self, mode: Mode, phase: ChargingPhase) -> None:
        self.module.asked.append((mode, phase))

    async def setExportVoltageCurrent(self, voltage: float, current: float) -> None:
        raise ValueError("not now")

    async def setImportVoltageCurrent(self, voltage: float, current: float) -> None:
        raise CommandError("AnythingElse", "a kind of error that EVerest does not know")


class Supply(Module):
    """A power supply of this process."""

    main = provides(Main)

    async def init(self) -> None:
        self.asked: list[Any] = []


class Using(Module):
    """Uses the monitor."""

    imd = requires(IsolationMonitor)

    async def init(self) -> None:
        self.measured: list[float] = []
        self.imd.isolation_measurement.subscribe(lambda value: self.measured.append(value.resistance_F_Ohm))


class Switch(Module):
    """Uses a supply."""

    of = requires(PowerSupplyDC)


class Stage:
    """The charger in this loop and the peer in a thread."""

    def __init__(self, broker: Mosquitto, folder: Path, runtime: Runtime, dialect: Dialect, **options: Any) -> None:
        self.broker = broker
        self.dialect = dialect
        program = folder / "modules" / "Monitor"
        program.mkdir(parents=True)
        (program / "manifest.yaml").write_text(MONITOR)
        self.config = folder / "c.yaml"
        self.config.write_text(CONFIG)
        installed = Installed(
            [
                Found("Monitor", str(program), str(program), program),
                Found("Supply", "tests 1.0", f"{__name__}:Supply"),
                Found("Using", "tests 1.0", f"{__name__}:Using"),
            ]
        )
        root = Root(folder, folder)
        loaded = load(self.config, root, environment={}, installed=installed)
        assert [words_of(finding) for finding in loaded.findings] == []
        client = MqttClient(BrokerAddress("127.0.0.1", broker.port))
        retain = options.pop("retain_topics", False)
        carrier = Carrier(client, "everest/", "", "/usr", dialect=dialect, graceful_shutdown=True, **options)
        wire = Publisher(carrier, retain_topics=retain, overlay=Overlay(self.config, root))
        self.supervisor = Supervisor(loaded.plans, runtime, client, wire)

    def module(self, name: str) -> Any:
        assert self.supervisor.assembly is not None
        return self.supervisor.assembly.modules[name]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Peer]:
        running = asyncio.ensure_future(self.supervisor.run())
        # The metadata is there before a module asks for anything.
        await until(lambda: self.supervisor.mqtt is not None and self.supervisor.mqtt.online, 10)
        peer = Peer(self.broker.port, "imd", self.dialect)
        try:
            yield peer
        finally:
            self.supervisor.request_stop()
            await asyncio.wait_for(running, 10)
            peer.close()

    async def ready(self) -> None:
        await until(lambda: self.supervisor.status_file.now.ready, 10)


def joined(peer: Peer) -> dict[str, Any]:
    """Begin as an EVerest module does, with one command to serve."""
    found = peer.learn()
    peer.subscribe(f"{SUPPLY}/var/voltage_current")
    peer.subscribe(f"{SUPPLY}/error/power_supply_DC/VendorError")
    for command in found["interface_definitions/isolation_monitor"]["cmds"]:
        # A result where the interface has none: it is not looked at.
        peer.serve("main", command, lambda args: True)
    peer.join("Monitor", {"main": "isolation_monitor"})
    return found


def play(
    broker: Mosquitto,
    folder: Path,
    runtime: Runtime,
    dialect: Dialect,
    test: Callable[[Stage, Peer], Any],
    **options: Any,
) -> None:
    async def main() -> None:
        stage = Stage(broker, folder, runtime, dialect, **options)
        async with stage.running() as peer:
            await test(stage, peer)
        assert peer.deadly == []

    run_loop(main())


@pytest.mark.parametrize("dialect", Dialect)
def test_a_session_from_start_to_stop(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, dialect: Dialect) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        before = await asyncio.to_thread(retained, stage.broker.port, "module_names")
        assert {message["msg_type"] for message in before.values()} == {dialect.response}
        found = await asyncio.to_thread(joined, peer)
        check_metadata(found)
        await stage.ready()
        # The manager clears every one of its topics before it announces that all are ready.
        await asyncio.to_thread(peer.wait_for, "ready")
        assert await asyncio.to_thread(retained, stage.broker.port) == {}

        user, supply = stage.module("user"), stage.module("supply")
        await user.imd.start()
        (call,) = peer.at(f"{IMD}/cmd/start")
        assert (call["data"]["origin"], call["data"]["args"]) == ("user", {})
        peer.send(f"{IMD}/var/isolation_measurement", "Var", {"data": {"resistance_F_Ohm": 7}})
        await until(lambda: user.measured == [7.0])

        supply.main.voltage_current.publish(VoltageCurrent(voltage_V=400, current_A=float("nan")))
        supply.main.voltage_current.publish(VoltageCurrent(voltage_V=400, current_A=2))
        (value,) = await asyncio.to_thread(peer.wait_for, f"{SUPPLY}/var/voltage_current")
        assert value["data"] == {"data": {"voltage_V": 400, "current_A": 2}}
        done = await asyncio.to_thread(peer.call, SUPPLY.removeprefix("modules/"), "setMode", MODE)
        assert done == {"id": "0f8c6a52", "origin": "supply", "retval": None}
        assert supply.asked == [(Mode.Export, ChargingPhase.Charging)]
        await check_failures(peer)
        await check_errors(peer, user, supply)
        assert {qos for _, _, qos in peer.received} == {2}

        stage.supervisor.request_stop()
        (shutdown,) = await asyncio.to_thread(peer.wait_for, "shutdown")
        assert shutdown == b"true"

    play(mosquitto, tmp_path, runtime, dialect, test)
    assert retained(mosquitto.port) == {}


MODE = {"mode": "Export", "phase": "Charging"}


def check_metadata(found: dict[str, Any]) -> None:
    own = found["config"]["response"]["data"]
    assert found["config"]["status"] == "Ok" and found["config"]["status_info"] == ""
    config = own["module_config"]
    values = {one["name"]: one for one in config["configuration_parameters"]["!module"]}
    kinds = {name: (type(one["value"]), one["characteristics"]["datatype"]) for name, one in values.items()}
    # A C++ module ends on an integer for a number, and the other way around.
    assert kinds == {
        "resistance": (float, "number"),
        "samples": (int, "integer"),
        "label": (str, "string"),
        "place": (str, "string"),
        "quiet": (bool, "bool"),
    }
    assert values["resistance"]["characteristics"]["mutability"] == "ReadWrite"
    end = {"module_id": "supply", "implementation_id": "main", "requirement": {"id": "supply"}}
    assert config["connections"] == {"supply": [end]}
    assert config["configuration_parameters"]["main"] == []
    assert (config["module_id"], config["module_name"], config["standalone"]) == ("imd", "Monitor", True)
    assert own["mappings"] == {"imd": {"module": {"evse": 1}}, "supply": None}
    assert own["telemetry_config"] == {"id": 3} and config["telemetry_enabled"] is False
    assert found["interfaces"] == ["isolation_monitor", "power_supply_DC"]
    for name in found["interfaces"]:
        definition = found[f"interface_definitions/{name}"]
        assert set(definition) == {"cmds", "vars", "errors"}
        assert all(set(command) == {"arguments", "result"} for command in definition["cmds"].values())
    for name in found["module_names"].values():
        provided = {one["interface"] for one in found[f"manifests/{name}"]["provides"].values()}
        assert provided <= set(found["interfaces"])
    assert found["module_names"] == {"imd": "Monitor", "supply": "Supply", "user": "Using"}
    manifest = found["manifests/Monitor"]
    assert manifest["enable_external_mqtt"] and manifest["enable_global_errors"] and not manifest["enable_telemetry"]
    assert manifest["requires"] == {
        "supply": {"interface": "power_supply_DC", "min_connections": 1, "max_connections": 1}
    }
    assert manifest["metadata"] == {"license": "https://opensource.org/licenses/MIT", "authors": ["Another vendor"]}
    assert "config" not in manifest and manifest["provides"]["main"]["config"] == {}
    assert set(found["settings"]) == {
        *("prefix", "etc_dir", "data_dir", "modules_dir"),
        *("telemetry_prefix", "telemetry_enabled", "validate_schema", "forward_exceptions"),
    }


async def check_failures(peer: Peer) -> None:
    """The kinds of error that a C++ caller knows."""
    target = SUPPLY.removeprefix("modules/")
    values = {"voltage": 1, "current": 2}

    async def kind_of(command: str, args: Any) -> str:
        data = await asyncio.to_thread(peer.call, target, command, args)
        assert "retval" not in data
        return str(data["error"]["__everest__error_type"])

    assert await kind_of("setExportVoltageCurrent", values) == "HandlerException"
    assert await kind_of("setImportVoltageCurrent", values) == "HandlerException"
    assert await kind_of("setExportVoltageCurrent", {"voltage": 1}) == "MessageParsingError"
    assert await kind_of("setMode", {**MODE, "mode": "Sideways"}) == "MessageParsingError"
    assert await kind_of("nothing", {}) == "MessageParsingError"


async def check_errors(peer: Peer, user: Any, supply: Any) -> None:
    """Raised and cleared, in both directions, with the same identity."""
    supply.main.faults.raise_fault("power_supply_DC/VendorError", "hot", sub_type="fan")
    supply.main.faults.clear("power_supply_DC/VendorError", "fan")
    topic = f"{SUPPLY}/error/power_supply_DC/VendorError"
    raised, cleared = await asyncio.to_thread(peer.wait_for, topic, 2)
    assert (raised["msg_type"], cleared["msg_type"]) == ("RaiseError", "ClearError")
    error = raised["data"]
    assert cleared["data"] == {**error, "state": "ClearedByModule"}
    assert error["origin"] == {"module_id": "supply", "implementation_id": "main"}
    assert (error["severity"], error["state"], error["vendor_id"]) == ("High", "Active", "everest")
    assert error["timestamp"].endswith("Z") and len(error["timestamp"]) == 24
    own = {
        **error,
        "type": "isolation_monitor/DeviceFault",
        "origin": {"module_id": "imd", "implementation_id": "main"},
        "uuid": "u-1",
    }
    topic = f"{IMD}/error/isolation_monitor/DeviceFault"
    peer.send(topic, "RaiseError", own)
    await until(lambda: [fault.uuid for fault in user.imd.faults.active] == ["u-1"])
    peer.send(topic, "ClearError", {**own, "state": "ClearedByModule"})
    await until(lambda: not user.imd.faults.active)


def test_a_module_that_joins_again_finds_everything_again(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        user = stage.module("user")
        await asyncio.to_thread(peer.wait_for, "ready")
        supply = stage.module("supply").main
        supply.voltage_current.publish(VoltageCurrent(voltage_V=400.0, current_A=1.0))
        supply.faults.raise_fault("power_supply_DC/VendorError", "overheated")
        for _ in range(2):
            peer.close()
            peer.__init__(stage.broker.port, "imd", stage.dialect)  # type: ignore[misc]
            found = await asyncio.to_thread(joined, peer)
            check_metadata(found)
            (announced,) = await asyncio.to_thread(peer.wait_for, "ready")
            assert announced == {"msg_type": "GlobalReady", "data": True}
            # What was published while it was away, and what is active.
            (value,) = await asyncio.to_thread(peer.wait_for, f"{SUPPLY}/var/voltage_current")
            assert value["data"]["data"] == {"voltage_V": 400.0, "current_A": 1.0}
            (error,) = await asyncio.to_thread(peer.wait_for, f"{SUPPLY}/error/power_supply_DC/VendorError")
            assert error["data"]["message"] == "overheated"
            assert await asyncio.to_thread(retained, stage.broker.port) == {}
            await user.imd.start()
            assert peer.deadly == []

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test)


def test_the_metadata_stays_if_it_is_to_be_retained(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        await asyncio.to_thread(peer.wait_for, "ready")
        assert "module_names" in await asyncio.to_thread(retained, stage.broker.port)

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test, retain_topics=True)
    assert "module_names" in retained(mosquitto.port)


def test_types_and_schemas_are_there_for_modules_that_check_messages(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        found = await asyncio.to_thread(joined, peer)
        assert found["settings"]["validate_schema"] is True
        assert {"/power_supply_DC", "/isolation_monitor"} <= set(found["types"])
        value = found["type_definitions/power_supply_DC"]["VoltageCurrent"]
        assert value["required"] == ["voltage_V", "current_A"]
        assert set(found["schemas"]) == {"config", "manifest", "interface", "type", "error_declaration_list"}
        await stage.ready()

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test, validate_schema=True)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_request_is_answered_in_its_own_dialect(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, dialect: Dialect
) -> None:
    """Whatever the metadata is published in."""
    other = next(one for one in Dialect if one is not dialect)

    async def test(stage: Stage, peer: Peer) -> None:
        peer.dialect = other
        answer = await asyncio.to_thread(lambda: peer.ask(type="Get", request={"type": "AllMappings"}))
        assert answer["response"]["data"] == {"imd": {"module": {"evse": 1}}, "supply": None}
        peer.dialect = dialect
        await asyncio.to_thread(joined, peer)
        await stage.ready()

    play(mosquitto, tmp_path, runtime, dialect, test)


def identifier(name: str, module_id: str = "imd") -> dict[str, str]:
    return {"module_id": module_id, "configuration_parameter_name": name}


def test_configuration_is_read_and_changed_within_the_rights(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        replies: list[Any] = []

        def changed(request: Any) -> None:
            assert request["identifier"] == {**identifier("resistance"), "module_implementation_id": "!module"}
            outcome = {"status": "Accepted", "status_info": request["value"]}
            replies.append(outcome)
            data = {"status": "Ok", "status_info": "", "type": "Set", "response": outcome}
            peer.send("modules/imd/config/set_response", "ConfigurationResponse", data)

        await asyncio.to_thread(peer.subscribe, "modules/imd/config/set_request", changed)

        async def ask(kind: str, **request: Any) -> Any:
            return await asyncio.to_thread(lambda: peer.ask(type=kind, request=request))

        applied = await ask("Set", identifier=identifier("resistance"), value="6.5")
        assert applied["status"] == "Ok" and applied["response"] == {"status": "Accepted", "status_info": "6.5"}
        value = await ask("Get", type="Value", identifier=identifier("resistance"))
        assert value["response"]["data"]["value"] == 6.5
        stored = await ask("Set", identifier=identifier("samples"), value="12")
        assert (stored["status"], stored["response"]["status"]) == ("Ok", "RebootRequired")
        overlay = json.loads((tmp_path / "user-config/c.yaml").read_text())
        assert overlay == {"active_modules": {"imd": {"config_module": {"resistance": 6.5, "samples": 12}}}}

        wrong = await ask("Set", identifier=identifier("samples"), value="many")
        assert (wrong["status"], wrong["response"]["status"]) == ("Ok", "Rejected")
        unknown = await ask("Set", identifier=identifier("nothing"), value="1")
        assert (unknown["status"], unknown["response"]["status"]) == ("Error", "Rejected")
        denied = await ask("Set", identifier=identifier("x", "supply"), value="1")
        assert (denied["status"], denied["response"]["status"]) == ("AccessDenied", "Rejected")
        denied = await ask("Get", type="Value", identifier=identifier("x", "user"))
        assert denied["status"] == "AccessDenied"
        assert len(replies) == 1
        readable = await ask("Get", type="All")
        assert set(readable["response"]["data"]) == {"imd", "supply"}

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test)


def test_requests_of_others_are_answered_too(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        peer.me = "user"
        found = await asyncio.to_thread(lambda: peer.ask(type="Get", request={"type": "Module"}))
        assert found["response"]["data"]["module_config"]["module_name"] == "Using"
        own = {"module_id": "user", "configuration_parameter_name": "x"}
        refused = await asyncio.to_thread(lambda: peer.ask(type="Set", request={"identifier": own, "value": "1"}))
        assert (refused["status"], refused["response"]["status"]) == ("AccessDenied", "Rejected")
        assert refused["status_info"] == "changes over MQTT are not taken from user"
        peer.me = "nobody"
        found = await asyncio.to_thread(lambda: peer.ask(type="Get", request={"type": "Module"}))
        assert found == {"status": "Error", "status_info": "there is no module nobody", "response": None}
        peer.me = "imd"
        found = await asyncio.to_thread(lambda: peer.ask(type="Sell", request={}))
        assert found["status"] == "Error" and found["response"] is None

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test)


def test_absolute_paths_of_a_program_are_those_below_the_root(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    (tmp_path / "etc/everest").mkdir(parents=True)

    async def test(stage: Stage, peer: Peer) -> None:
        found = await asyncio.to_thread(joined, peer)
        parameters = found["config"]["response"]["data"]["module_config"]["configuration_parameters"]["!module"]
        values = {one["name"]: one["value"] for one in parameters}
        assert values["place"] == f"{tmp_path}/etc/everest/monitor.txt"
        await stage.ready()

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test, root=Root(tmp_path, tmp_path))


def test_a_program_is_chosen_where_this_product_has_the_name_too(tmp_path: Path) -> None:
    program = tmp_path / "modules" / "Supply"
    program.mkdir(parents=True)
    (program / "manifest.yaml").write_text(MONITOR)
    (program / "Supply").write_text("a program")
    (tmp_path / "c.yaml").write_text("active_modules: {supply: {module: Supply}}\n")
    both = Installed(
        [Found("Supply", "tests 1.0", f"{__name__}:Supply"), Found("Supply", str(program), str(program), program)]
    )
    root = Root(tmp_path, tmp_path)
    (finding,) = load(tmp_path / "c.yaml", root, environment={}, installed=both).findings
    assert finding.hint == "remove one, or choose the program with --program Supply"
    for choice in ("Supply", "all"):
        chosen = load(tmp_path / "c.yaml", root, environment={}, installed=both, programs=[choice])
        assert [words_of(finding) for finding in chosen.errors] == [
            f"{tmp_path}/c.yaml:1:18: error: supply (Supply) needs a connection supply to interface power_supply_DC"
            " (no module of this configuration provides it)"
        ]


def test_capabilities_are_those_of_linux_and_of_programs(tmp_path: Path) -> None:
    program = tmp_path / "modules" / "Monitor"
    program.mkdir(parents=True)
    (program / "manifest.yaml").write_text(MONITOR)
    (program / "Monitor").write_text("a program")
    (tmp_path / "c.yaml").write_text(
        "active_modules:\n"
        "  imd:\n    module: Monitor\n    capabilities: [cap_net_raw, cap_net_rwa]\n"
        "    connections: {supply: [{module_id: supply, implementation_id: main}]}\n"
        "  supply: {module: Supply, capabilities: [cap_net_raw]}\n"
    )
    found = [Found("Monitor", "d", str(program), program), Found("Supply", "tests 1.0", f"{__name__}:Supply")]
    loaded = load(tmp_path / "c.yaml", Root(tmp_path, tmp_path), environment={}, installed=Installed(found))
    findings = {words_of(finding).partition(": ")[2] for finding in loaded.findings}
    assert findings == {
        "error: Linux has no capability cap_net_rwa (did you mean cap_net_raw?)",
        "warning: capabilities has no effect: the process keeps those it started with",
    }


def test_the_log_configuration_of_programs_is_shipped() -> None:
    """A program of EVerest does not start without it."""
    sections = configparser.ConfigParser(interpolation=None)
    sections.read(Path(__file__).parents[2] / "etc/everest/default_logging.cfg")
    assert sections["Core"]["Filter"] == '"%Severity% >= INFO"'
    assert sections["Sinks.Console"]["Destination"] == "Console"


def test_settings_of_programs_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "settings: {telemetry_prefix: t, telemetry_enabled: true, validate_schema: true, forward_exceptions: true,\n"
        "  logging_config_file: /etc/log.cfg}\nactive_modules: {supply: {module: Supply}}\n"
    )
    installed = Installed([Found("Supply", "tests 1.0", f"{__name__}:Supply")])
    loaded = load(tmp_path / "c.yaml", Root(tmp_path, tmp_path), environment={}, installed=installed)
    assert loaded.findings == []
    found = loaded.settings
    assert (found.telemetry_prefix, found.logging_config_file) == ("t/", "/etc/log.cfg")
    assert found.telemetry_enabled and found.validate_schema and found.forward_exceptions


def test_a_module_that_breaks_the_rules_ends_nothing(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    """It answers twice, to nothing, with rubbish, and never."""

    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        user = stage.module("user")

        def answered(call: Any) -> None:
            at = f"{IMD}/cmd/start/response/{call['origin']}"
            good = {"type": "result", "data": {"id": call["id"], "origin": "imd", "retval": None}}
            for data in ({**good, "data": {"id": "another"}}, good, good, {"type": "result"}, None):
                peer.send(at, "CmdResult", data)

        peer._handlers[f"{IMD}/cmd/start"] = answered
        for _ in range(3):
            await user.imd.start()
        peer._handlers[f"{IMD}/cmd/stop"] = lambda call: None
        waiting = asyncio.ensure_future(user.imd.stop())
        measurement = f"{IMD}/var/isolation_measurement"
        rubbish: list[Any] = [None, {}, {"data": None}, {"data": {"resistance_F_Ohm": "much"}}, {"data": []}]
        for data in rubbish:
            peer.send(measurement, "Var", data)
        peer.send(f"{IMD}/error/isolation_monitor/Other", "RaiseError", {"type": "isolation_monitor/Other"})
        peer.client.publish(f"everest/{measurement}", b"\xff{", qos=2)
        for number in range(2000):
            peer.send(measurement, "Var", {"data": {"resistance_F_Ohm": number}})
        await until(lambda: len(user.measured) == 2000, 10)
        assert user.measured == [float(number) for number in range(2000)]
        assert not waiting.done() and not user.failed.done()
        # What it never answers ends with the connection.
        mosquitto.kill()
        with pytest.raises(CommandError, match="NotReady: the broker has gone"):
            await waiting

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test)


def test_a_broker_that_goes_and_comes_is_joined_again(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    async def test(stage: Stage, peer: Peer) -> None:
        await asyncio.to_thread(joined, peer)
        await stage.ready()
        user = stage.module("user")
        assembly = stage.supervisor.assembly
        client = stage.supervisor.mqtt
        assert client is not None
        mosquitto.kill()
        await until(lambda: not client.online)
        with pytest.raises(CommandError, match="NotReady: imd has no broker"):
            await user.imd.start()
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: client.online, 10)
        # A C++ module ends with the connection; it is started again from outside.
        peer.close()
        peer.__init__(stage.broker.port, "imd", stage.dialect)  # type: ignore[misc]
        check_metadata(await asyncio.to_thread(joined, peer))
        await asyncio.to_thread(peer.wait_for, "ready")
        await user.imd.start()
        assert stage.supervisor.assembly is assembly and assembly is not None

    play(mosquitto, tmp_path, runtime, Dialect.V2026_10, test)


def test_a_program_gets_everests_arguments_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = BrokerAddress("127.0.0.1", 1884)
    carrier = Carrier(MqttClient(address), "p/", "x", "/opt/usr", "/log.cfg", validate_schema=True)
    (tmp_path / "Native").write_text("")
    arguments, environment = command_line(tmp_path, "Native", "one", carrier)
    assert arguments == [
        *(str(tmp_path / "Native"), "--prefix", "/opt/usr", "--module", "one", "--log_config", "/log.cfg"),
        *("--mqtt_everest_prefix", "p/", "--mqtt_external_prefix", "x"),
        *("--mqtt_broker_host", "127.0.0.1", "--mqtt_broker_port", "1884"),
    ]
    assert not [name for name in environment if name.startswith("EV_")]
    monkeypatch.setenv("EV_PREFIX", "/kept")
    monkeypatch.setenv("EV_MODULE", "other")
    monkeypatch.setenv("PYTHONPATH", "/mine")
    arguments, environment = command_line(tmp_path, "Script", "one", carrier)
    assert arguments[1:] == [str(tmp_path / "module.py")]
    assert {name: value for name, value in environment.items() if name.startswith("EV_")} == {
        "EV_MODULE": "one",
        "EV_PREFIX": "/kept",
        "EV_LOG_CONF_FILE": "/log.cfg",
        "EV_MQTT_EVEREST_PREFIX": "p/",
        "EV_MQTT_EXTERNAL_PREFIX": "x",
        "EV_MQTT_BROKER_HOST": "127.0.0.1",
        "EV_MQTT_BROKER_PORT": "1884",
        "EV_VALIDATE_SCHEMA": "1",
    }
    assert environment["PYTHONPATH"] == f"/opt/usr/lib/everest/everestpy:/mine:{SEARCH_PATH}"
    (tmp_path / "index.js").write_text("")
    arguments, environment = command_line(tmp_path, "Script", "one", carrier)
    assert arguments == ["node", "--unhandled-rejections=strict", str(tmp_path / "index.js")]
    assert environment["NODE_PATH"] == "/opt/usr/lib/everest/node_modules"


def test_a_command_is_never_sent_without_one_of_its_arguments() -> None:
    """A C++ module ends on a missing one."""

    async def main() -> None:
        supply: Any = proxy(PowerSupplyDC)()
        with pytest.raises(TypeError, match="setMode takes the arguments mode, phase"):
            await supply.setMode(Mode.Export)

    run_loop(main())
