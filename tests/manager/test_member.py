"""Our modules as the client of a manager elsewhere: configured, connected, ready and stopped over MQTT."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Unavailable
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.member import ManagerOnWire, Member
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.wire import requesting
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.dialect import Dialect
from chargebyte_fw.manager.wire.requesting import plan_of
from tests.manager.broker import Mosquitto
from tests.manager.peer import Peer
from tests.manager.test_mqtt import until


class MonitorConfig(ModuleConfig):
    interval_s: float = 1.0


class Monitor(IsolationMonitor):
    config: MonitorConfig

    async def start(self) -> None:
        self.isolation_measurement.publish(IsolationMeasurement(resistance_F_Ohm=self.module.config.resistance))

    async def stop(self) -> None:
        raise CommandError("NotReady", "it measures always")

    async def start_self_test(self, test_voltage_V: float) -> None:
        self.faults.raise_fault("isolation_monitor/DeviceFault", f"{test_voltage_V:g} V")


class OurMonitor(Module):
    class Config(ModuleConfig):
        resistance: float = 100.0

    config: Config
    main = provides(Monitor, config=MonitorConfig)
    began = False

    async def ready(self) -> None:
        self.began = True


class OurUser(Module):
    imd = requires(IsolationMonitor)

    async def init(self) -> None:
        self.measured: list[float] = []
        self.imd.isolation_measurement.subscribe(lambda value: self.measured.append(value.resistance_F_Ohm))

    async def ready(self) -> None:
        await self.imd.start()


CLASSES: dict[str, type[Module]] = {"OurMonitor": OurMonitor, "OurUser": OurUser}


class Manager(Peer):
    """The least of a manager, and the module at the other end, from raw MQTT."""

    def __init__(self, port: int, dialect: Dialect) -> None:
        super().__init__(port, "far", dialect)
        self.plans: dict[str, dict[str, Any]] = {}
        self.ready: list[str] = []
        self.answers: list[Any] = []
        self.subscribe("config/request", self._asked)

    def _asked(self, data: Any) -> None:
        config = self.plans.get(data["origin"])
        answer: dict[str, Any] = {"status": "Error", "status_info": "who is that?", "response": None}
        if config is not None:
            found = {"type": "Module", "data": {"module_config": config, "mappings": {}}}
            answer = {"status": "Ok", "status_info": "", "type": "Get", "response": found}
        self.send(f"modules/{data['origin']}/response", self.dialect.response, answer)

    def expect(self, module_id: str, name: str, **config: Any) -> None:
        """Have a configuration for a module, and announce that all are ready when it is."""
        self.plans[module_id] = {"module_id": module_id, "module_name": name, "mapping": None, **config}
        self.subscribe(f"modules/{module_id}/ready", lambda _: self._came(module_id))

    def _came(self, module_id: str) -> None:
        self.ready.append(module_id)
        self.send("ready", "GlobalReady", True)

    def provide(self, command: str, answer: Any) -> None:
        """Answer a command of the implementation `far.main`."""
        at = f"modules/far/impl/main/cmd/{command}"

        def take(data: Any) -> None:
            returned = {"id": data["id"], "origin": "far", **answer}
            self.send(f"{at}/response/{data['origin']}", "CmdResult", {"type": "result", "data": returned})

        self.subscribe(at, take)

    def command(self, module_id: str, command: str, **args: Any) -> None:
        at = f"modules/{module_id}/impl/main/cmd/{command}"
        self.subscribe(f"{at}/response/far", self.answers.append)
        self.send(at, "Cmd", {"id": command, "origin": "far", "args": args})


@pytest.fixture(params=list(Dialect))
def manager(request: pytest.FixtureRequest, mosquitto: Mosquitto) -> Iterator[Manager]:
    peer = Manager(mosquitto.port, request.param)
    yield peer
    peer.close()


class Joined:
    """A member for one module, from its configuration to its end."""

    def __init__(self, port: int, dialect: Dialect, tmp_path: Path) -> None:
        self.client = MqttClient(BrokerAddress("127.0.0.1", port))
        self.carrier = Carrier(self.client, "everest/", dialect=dialect)
        self.runtime = Runtime(root=Root(tmp_path, tmp_path))

    async def member(self, module_id: str) -> Member:
        self.client.start()
        await self.carrier.online()
        plan = await plan_of(self.carrier, module_id, CLASSES.__getitem__)
        return Member(self.carrier, self.runtime, [plan], ManagerOnWire(self.carrier))


def test_a_module_of_ours_serves_others_under_their_manager(
    manager: Manager, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    parameters = {
        "!module": [{"name": "resistance", "value": 5000.0, "characteristics": {"datatype": "number"}}],
        "main": [{"name": "interval_s", "value": 2.0, "characteristics": {"datatype": "number"}}],
    }
    tiers: dict[str, Any] = {"module": {"evse": 1}, "implementations": {"main": {"evse": 1, "connector": 2}}}
    manager.expect("imd", "OurMonitor", configuration_parameters=parameters, connections={})
    manager.plans["imd"]["mapping"] = tiers

    async def main() -> None:
        joined = Joined(mosquitto.port, manager.dialect, tmp_path)
        member = await joined.member("imd")
        await member.start()
        module: Any = member.assembly.modules["imd"]
        assert module.began and manager.ready == ["imd"]
        assert (module.config.resistance, module.main.config.interval_s) == (5000.0, 2.0)
        assert msgspec.to_builtins(module.main.mapping) == tiers["implementations"]["main"]
        measured: list[Any] = []
        raised: list[Any] = []
        await asyncio.to_thread(manager.subscribe, "modules/imd/impl/main/var/isolation_measurement", measured.append)
        await asyncio.to_thread(
            manager.subscribe, "modules/imd/impl/main/error/isolation_monitor/DeviceFault", raised.append
        )
        for command, args in (("start", {}), ("stop", {}), ("start_self_test", {"test_voltage_V": 500.0})):
            await asyncio.to_thread(manager.command, "imd", command, **args)
        await until(lambda: bool(measured and raised) and len(manager.answers) == 3)
        assert measured[0]["data"]["resistance_F_Ohm"] == 5000.0
        assert (raised[0]["message"], raised[0]["origin"]["module_id"]) == ("500 V", "imd")
        errors = [answer["data"].get("error", {}).get("__everest__error_type") for answer in manager.answers]
        assert errors == [None, "NotReady", None]
        await member.stop()
        await joined.client.stop()

    run_loop(main())
    assert manager.deadly == []


def test_a_module_of_ours_uses_others_under_their_manager(
    manager: Manager, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    end = {"module_id": "far", "implementation_id": "main", "requirement": {"id": "imd"}}
    manager.expect("user", "OurUser", configuration_parameters={}, connections={"imd": [end]})
    manager.provide("start", {"retval": None})
    failed = {"__everest__error_type": "HandlerException", "__everest__error_msg": "too high"}
    manager.provide("start_self_test", {"error": failed})

    async def main() -> None:
        joined = Joined(mosquitto.port, manager.dialect, tmp_path)
        member = await joined.member("user")
        await member.start()
        module: Any = member.assembly.modules["user"]
        at = "modules/far/impl/main"
        value = {"resistance_F_Ohm": 7.0}
        await asyncio.to_thread(manager.send, f"{at}/var/isolation_measurement", "Var", {"data": value})
        await until(lambda: module.measured == [7.0])
        with pytest.raises(CommandError, match="HandlerException: too high"):
            await module.imd.start_self_test(500.0)
        assert {data["data"]["origin"] for topic, data, _ in manager.received if topic.startswith(at)} == {"user"}
        await member.stop()
        with pytest.raises(CommandError, match="Shutdown"):
            await module.imd.stop()
        await joined.client.stop()

    run_loop(main())
    assert manager.deadly == []


def test_a_configuration_that_does_not_come_or_fit_is_a_sentence(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requesting, "ANSWER_LIMIT_S", 0.1)
    peer = Manager(mosquitto.port, Dialect.V2026_10)
    peer.expect("imd", "OurMonitor", configuration_parameters={"!module": [{"name": "resistance", "value": "much"}]})

    async def main() -> None:
        joined = Joined(mosquitto.port, peer.dialect, tmp_path)
        with pytest.raises(ConfigError, match=r"resistance.*\[C214\]"):
            await joined.member("imd")
        with pytest.raises(Unavailable, match="gives stranger no configuration: Error who is that"):
            await plan_of(joined.carrier, "stranger", CLASSES.__getitem__)
        await asyncio.to_thread(peer.close)
        with pytest.raises(Unavailable, match="the manager does not answer imd"):
            await plan_of(joined.carrier, "imd", CLASSES.__getitem__)
        await joined.client.stop()

    run_loop(main())
