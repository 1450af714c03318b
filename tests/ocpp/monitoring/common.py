"""A station with monitors that is registered and online."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.ocpp.monitoring.block import Monitoring
from chargebyte_fw.modules.ocpp.monitoring.problems import Problems
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.model import Attribute
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard.station import EVSE_POWER, MONITORING_ENABLED
from chargebyte_fw.modules.ocpp.variables.storage import VariableStorage
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.variables.talk import Talk

BLOCKS = (VariableStorage, DeviceModel, Monitoring, Problems)
POWER: Variable[float] = EVSE_POWER.at(1)
POWER_ADDRESS = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
SETPOINT = VariableId(ComponentId("EVSE", evse=1), "DischargePower")


def model() -> Variables:
    """The model of a station with two EVSEs on which monitors are evaluated."""
    variables = Variables(declared(connectors={1: 1, 2: 1}))
    entry = variables.entry(MONITORING_ENABLED.id)
    assert entry is not None
    entry.attributes["Actual"].value = "true"
    power = variables.entry(POWER.id)
    assert power is not None
    power.attributes["Target"] = Attribute(Mutability.READ_WRITE, "1000")
    return variables


def talk_with(version: Version = Version.V201, *, online: bool = True, **rest: Any) -> Talk:
    """A station, by default registered."""
    rest.setdefault("variables", model())
    rest.setdefault("answers", {"OpenPeriodicEventStream": {"status": "Accepted"}})
    talk = Talk(*BLOCKS, version=version, **rest)
    talk.online = online
    if online:
        talk.feed(Registered(True))
    return talk


def go_offline(talk: Talk) -> None:
    talk.online = False
    talk.feed(WentOffline())


def go_online(talk: Talk, outage_s: float = 60.0) -> None:
    talk.online = True
    talk.feed(BackOnline(outage_s))


def set_monitor(talk: Talk, kind: str, value: float, severity: int = 4, **rest: Any) -> dict[str, Any]:
    """Set one monitor, by default on the power of EVSE 1; return its result."""
    data = POWER_ADDRESS | {"type": kind, "value": value, "severity": severity} | rest
    (result,) = talk.ask("SetVariableMonitoring", {"setMonitoringData": [data]})["setMonitoringResult"]
    assert result["component"] == data["component"] and result["variable"] == data["variable"]
    assert (result["type"], result["severity"]) == (kind, severity)
    found: dict[str, Any] = result
    return found


def power(talk: Talk, value_W: float) -> None:
    """The EVSE delivers this power."""
    talk.variables.set(POWER, float(value_W))
    talk.settle()


def taken(talk: Talk) -> list[dict[str, Any]]:
    """The events that the CSMS has got since the last look, each NotifyEvent checked."""
    found = []
    for payload in talk.payloads_of("NotifyEvent"):
        assert payload["seqNo"] == 0 and not payload.get("tbc", False)
        found += payload["eventData"]
    talk.sent, talk.payloads = [], []
    return found


def brief(talk: Talk) -> list[tuple[Any, ...]]:
    """Value, trigger and whether cleared, of the events since the last look."""
    return [(one["actualValue"], one["trigger"], one.get("cleared", False)) for one in taken(talk)]
