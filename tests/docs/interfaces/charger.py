"""What API, the panel of EvseManager and RpcApi have for integrators, recorded beside a small charger."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from unittest.mock import Mock

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, SessionStarted, StartSessionReason
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.manifest import variable_types
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.modules.api import jsonrpc
from chargebyte_fw.modules.api.api import API
from chargebyte_fw.modules.api.rpc_api import RpcApi
from chargebyte_fw.modules.api.rpc_methods import Methods
from chargebyte_fw.modules.evse.adapters.node_red import Panel
from chargebyte_fw.modules.evse.adapters.panel_commands import PanelCommands
from chargebyte_fw.modules.evse.machine.events import Charging
from tests.api import helpers
from tests.docs.interfaces.bridges import Refusals, compact, compact_text, provider
from tests.docs.interfaces.samples import sample

T = TypeVar("T")
EVSE = "connector"
ENDS = {
    "evse_manager": ("connector", "evse"),
    "evse_energy_sink": ("grid", "external_limits"),
    "charger_information": ("identity", "main"),
    "error_history": ("history", "error_history"),
    "ocpp": ("ocpp", "main"),
    "random_delay": ("delay", "main"),
}
COMMANDS = {
    "enable_disable": '{"connector_id": 0, "source": "LocalAPI", "state": "Disable", "priority": 100}',
    "enable": "0",
    "disable": "0",
    "pause_charging": "",
    "resume_charging": "",
    "stop_charging": "",
    "force_unlock": "1",
    "set_limit_amps": "16",
    "set_limit_watts": "11000",
    "set_limit_amps_phases": '{"amps": 16, "phases": 3}',
    "uk_random_delay": "enable",
    "uk_random_delay_set_max_duration_s": "600",
}
"""A payload of each command of `API`."""
PANEL_COMMANDS = {
    "disable": "",
    "enable": "",
    "pause_charging": "",
    "resume_charging": "",
    "switch_three_phases_while_charging": "true",
}
"""A payload of each command of the panel."""
PARAMETERS: dict[str, list[Any]] = {
    "EVSE.SetChargingAllowed": [1, True],
    "EVSE.SetACChargingCurrent": [1, 16.0],
    "EVSE.SetACChargingPhaseCount": [1, 3],
    "EVSE.SetDCChargingPower": [1, 11000.0],
    "EVSE.EnableConnector": [1, 1, True, 100],
}
"""The parameters of a call of each method of `RpcApi` that takes more than the EVSE."""


class Message(NamedTuple):
    """A topic with a payload."""

    topic: str
    payload: str
    from_client: bool = False


class Call(NamedTuple):
    """A method with a call of it."""

    name: str
    about: str
    parameters: dict[str, Any]
    types: dict[str, Any]
    result: Any


def _assembly(module: type[Module], runtime: Runtime) -> Any:
    """Return `module` beside one EVSE, an energy node and what else it may be connected to."""
    here = Mapping(1)
    ocpp = type("Station", (Module,), {"main": provides(provider(Ocpp)), "__doc__": "A station."})
    delay = type("Delay", (Module,), {"main": provides(provider(UkRandomDelay)), "__doc__": "A delay."})
    peers: dict[str, Any] = {
        "connector": helpers.EvseModule,
        "grid": helpers.SinkModule,
        "identity": helpers.IdentityModule,
        "history": helpers.HistoryModule,
        "ocpp": ocpp,
        "delay": delay,
    }
    plans = [ModulePlan(name, cls, cls.Config(), mapping=here) for name, cls in peers.items()]
    connections = {name: [Connection(*ENDS[name])] for name in module.requirements}
    plans.append(ModulePlan("api", module, module.Config(), connections=connections))
    assembly = Assembly(runtime)
    assembly.build(plans)
    return assembly


def _on_charger(module: type[Module], story: Callable[[Any, helpers.Mqtt], Awaitable[T]]) -> T:
    """Run a story with `module` on a virtual clock."""

    async def main() -> T:
        with tempfile.TemporaryDirectory() as folder:
            runtime = Runtime(root=Root(Path(folder), Path(folder)))
            mqtt = helpers.Mqtt()
            runtime.mqtt = mqtt
            runtime.wires.plug("websocket:8080", lambda serve: None)
            assembly = _assembly(module, runtime)
            await assembly.start()
            evse = assembly.implementations["connector", "evse"]
            helpers.publish_first_facts(evse)
            for name in ("telemetry", "limits", "ev_info", "enforced_limits"):
                getattr(evse, name).publish(sample(variable_types(evse.declaration())[name], name))
            evse.session_event.publish(helpers.event(SessionEventEnum.SessionStarted, session_started=_started()))
            await asyncio.sleep(1.5)
            done = await story(assembly, mqtt)
            assert not assembly.modules["api"].failed.done()
            await assembly.stop()
            return done

    return clock.run(main(), speed=None)


def _started() -> Any:
    return SessionStarted(
        reason=StartSessionReason.EVConnected,
        meter_value=helpers.meter(1000.0),
        logging_path="/tmp/everest-logs/session",
    )


@cache
def api_messages() -> tuple[Message, ...]:
    """Return the topics of `API`: each value that it publishes, each command taken."""

    async def story(assembly: Any, mqtt: helpers.Mqtt) -> list[Message]:
        for owner, contract in (("ocpp", Ocpp), ("delay", UkRandomDelay)):
            types = variable_types(contract)
            for name in ("connection_status", "charging_schedules", "countdown"):
                if name in types:
                    getattr(assembly.implementations[owner, "main"], name).publish(sample(types[name], name))
        await asyncio.sleep(2.5)
        found = {topic: Message(topic, compact_text(payload)) for topic, payload in mqtt.published}
        module, log = assembly.modules["api"], []  # type: ignore[var-annotated]
        module._complaints = Refusals(log)
        listened = [topic for topic in mqtt._subscribers if topic.startswith(f"everest_api/{EVSE}/cmd/")]
        assert {topic.rpartition("/")[2] for topic in listened} == COMMANDS.keys()
        for name, payload in COMMANDS.items():
            topic = f"everest_api/{EVSE}/cmd/{name}"
            mqtt.receive(topic, payload)
            await asyncio.sleep(0.1)
            assert log == [], name
            found[topic] = Message(topic, payload, from_client=True)
        return [found[topic] for topic in sorted(found)]

    return tuple(_on_charger(API, story))


@cache
def panel_messages() -> tuple[Message, ...]:
    """Return what EvseManager publishes for EVerest's Node-RED panel, and the session log."""

    async def story(assembly: Any, mqtt: helpers.Mqtt) -> list[Message]:
        evse = assembly.implementations["connector", "evse"]
        mqtt.published.clear()
        panel = Panel(mqtt, EVSE, 1)
        requests, log = Mock(), []  # type: ignore[var-annotated]
        commands = PanelCommands(requests, Mock())
        commands._refused = Refusals(log)  # type: ignore[assignment]
        commands.subscribe(panel)
        base = "everest_external/nodered/1/cmd/"
        listened = [topic.removeprefix(base) for topic in mqtt._subscribers if topic.startswith(base)]
        assert sorted(listened) == sorted(PANEL_COMMANDS)
        for number, (name, payload) in enumerate(PANEL_COMMANDS.items(), 1):
            mqtt.receive(base + name, payload)
            assert not log and len(requests.method_calls) == number, name
        panel.mirror(evse, lambda error: None)
        evse.powermeter.publish(helpers.meter(1000.0))
        panel.state(Charging.Charging)
        panel.log("EVSE", "CAR", False, "Charger state: Charging")
        await asyncio.sleep(0.1)
        sent = [Message(topic, compact_text(payload)) for topic, payload in sorted(dict(mqtt.published).items())
                if topic.startswith("everest_external") or topic.endswith("hlc_log")]  # fmt: skip
        return [*sent, *(Message(base + name, payload, True) for name, payload in PANEL_COMMANDS.items())]

    return tuple(_on_charger(API, story))


@cache
def rpc_calls() -> tuple[Call, ...]:
    """Return the methods of `RpcApi`, each with a call that was answered."""

    async def story(assembly: Any, mqtt: helpers.Mqtt) -> list[Call]:
        methods: Methods = assembly.modules["api"].methods
        failed: list[str] = []
        dispatcher = jsonrpc.Dispatcher(methods.table, lambda name, error: failed.append(name))
        found = []
        for name, method in methods.table.items():
            types = jsonrpc._parameter_types(method)
            values = PARAMETERS.get(name, [1] if types else [])
            parameters = dict(zip(types, values, strict=True))
            request: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": name}
            if parameters:
                request["params"] = parameters
            sink = assembly.implementations["grid", "external_limits"]
            task = asyncio.ensure_future(dispatcher.answer(json.dumps(request)))
            await asyncio.sleep(0.1)
            if not task.done():
                # A limit of current is answered once it is in force.
                assembly.implementations["connector", "evse"].enforced_limits.publish(
                    helpers.enforced(sink.in_force()[0] or 16.0)
                )
            text = await task
            assert text is not None and not failed, name
            answer = json.loads(compact(text.decode() if isinstance(text, bytes) else text))
            assert "result" in answer, answer
            if "everest_version" in answer["result"]:
                answer["result"]["everest_version"] = "chargebyte_fw 0.1.0"
            found.append(Call(name, (method.__doc__ or "").strip(), parameters, types, answer["result"]))
        return found

    return tuple(_on_charger(RpcApi, story))
