"""The topics of modules that have a few: setting up a unit, and the simulators."""

from __future__ import annotations

import asyncio
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.manifest import variable_types
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.modules.auth.dummy_token_provider_manual import DummyTokenProviderManual
from chargebyte_fw.modules.ocpp.adapters.module import CONNECT, DISCONNECT
from chargebyte_fw.modules.power.imd_simulator import IMDSimulator
from chargebyte_fw.modules.system.setup import NETWORK_COMMANDS, Setup
from chargebyte_fw.sim.modules.ev_api import EvAPI
from chargebyte_fw.sim.modules.ev_manager import EvManager
from chargebyte_fw.sim.modules.ovm_simulator import OVMSimulator
from chargebyte_fw.sim.modules.temperature_sensor_simulator import TemperatureSensorSimulator
from chargebyte_fw.sim.modules.yeti_simulator import YetiSimulator
from tests.api.helpers import Mqtt
from tests.docs.interfaces.bridges import Refusals, compact_text, provider
from tests.docs.interfaces.charger import Message
from tests.docs.interfaces.samples import sample

HERE = "module"
TOKEN = '{"id_token": {"value": "DEADBEEF", "type": "ISO14443"}, "authorization_type": "RFID"}'
SETUP = "everest_api/setup/cmd/"
CAR = "everest_external/nodered/1/carsim/"
TEMPERATURE = f"everest_api/{HERE}/cmd/"
PAYLOADS: dict[type[Module], dict[str, str]] = {
    DummyTokenProviderManual: {f"everest_api/{HERE}/cmd/provide": TOKEN},
    Setup: {
        f"{SETUP}change_current_language": "de",
        f"{SETUP}change_default_language": "de",
        f"{SETUP}get_application_info": "",
        f"{SETUP}reset_initialized": "",
        f"{SETUP}set_initialized": "",
        f"{SETUP}set_mode": "private",
    },
    EvAPI: {},
    EvManager: {
        f"{CAR}cmd/enable": "true",
        f"{CAR}cmd/execute_charging_session": "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 30",
        f"{CAR}cmd/modify_charging_session": "unplug",
    },
    IMDSimulator: {f"everest_api/{HERE}/cmd/set_resistance": "900000"},
    OVMSimulator: {f"everest_api/{HERE}/cmd/set_over_voltage_measurement_V": "500"},
    TemperatureSensorSimulator: {
        f"{TEMPERATURE}set_temperature_C": "40",
        f"{TEMPERATURE}set_identification": "plug",
        f"{TEMPERATURE}set_location": "cable",
        f"{TEMPERATURE}set_publish_interval_ms": "500",
        f"{TEMPERATURE}stop_publishing": "",
        f"{TEMPERATURE}start_publishing": "",
    },
    YetiSimulator: {f"{CAR}error": '{"error_type": "DiodeFault", "raise": "true"}'},
}
"""A payload of each command, by module, without the network commands of Setup, all of which are refused."""
THIS_MACHINE = {"everest_api/setup/var/hostname": "charger"}
"""What depends on where it is recorded."""
OF_OCPP = (Message(CONNECT, "", from_client=True), Message(DISCONNECT, "", from_client=True))
"""With `EnableExternalWebsocketControl`; the payload is not read."""


async def _record(cls: type[Module]) -> list[Message]:
    mqtt, log = Mqtt(), []  # type: ignore[var-annotated]
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(root=Root(Path(folder), Path(folder)))
        runtime.mqtt = mqtt
        plans, connections = [], {}
        for name, requirement in cls.requirements.items():
            if requirement.minimum or cls is EvAPI:
                contract = requirement.contract.declaration()
                peer: Any = type("Peer", (Module,), {"main": provides(provider(contract)), "__doc__": "A peer."})
                plans.append(ModulePlan(name, peer, peer.Config()))
                connections[name] = [Connection(name, "main")]
        config = {"connector_id": 1} if "connector_id" in cls.Config.__struct_fields__ else {}
        configs = {name: one.config() for name, one in cls.provisions.items()}
        plans.append(ModulePlan(HERE, cls, cls.Config(**config), configs, connections))
        assembly = Assembly(runtime)
        assembly.build(plans)
        await assembly.start()
        for name in connections:
            implementation = assembly.implementations[name, "main"]
            for variable in {"ev_info", "bsp_event"} & set(implementation.variables):
                kind = variable_types(implementation.declaration())[variable]
                getattr(implementation, variable).publish(sample(kind, variable))
        await asyncio.sleep(2.5)
        published = {**dict(mqtt.published), **{topic: name for topic, name in THIS_MACHINE.items() if cls is Setup}}
        found = [Message(topic, compact_text(payload)) for topic, payload in sorted(published.items())]
        module: Any = assembly.modules[HERE]
        module._refused = Refusals(log)
        listened = {topic for topic in mqtt._subscribers if topic.removeprefix(SETUP) not in NETWORK_COMMANDS}
        assert listened == PAYLOADS[cls].keys(), listened ^ PAYLOADS[cls].keys()
        for topic, payload in PAYLOADS[cls].items():
            mqtt.receive(topic, payload)
            await asyncio.sleep(0.1)
            assert not log and not module.failed.done(), (topic, log)
            found.append(Message(topic, payload, from_client=True))
        await assembly.stop()
    return found


@cache
def other_messages() -> dict[str, tuple[Message, ...]]:
    """Return the topics of each of these modules, by name."""
    found = {cls.module_name(): tuple(clock.run(_record(cls), speed=None)) for cls in PAYLOADS}
    return dict(sorted({**found, "OCPP, OCPP201, OCPPmulti": OF_OCPP}.items()))
