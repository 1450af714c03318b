"""What `secc ocpp` asks of a running station: how it stands, its variables, its queue, and one message by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.kernel.redaction import redact_value
from chargebyte_fw.modules.ocpp.adapters.requests import Requests
from chargebyte_fw.modules.ocpp.charge_point import ChargePoint
from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
from chargebyte_fw.modules.ocpp.messages.schema import MessageError, decode_request
from chargebyte_fw.modules.ocpp.station.operator import Operator
from chargebyte_fw.modules.ocpp.variables.access import Status, read
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, VariableId


class OperatorRequests:
    """Answers the requests of one subcommand; an error is an answer with the member `error`."""

    def __init__(self, machine: ChargePoint, requests: Requests, now: Callable[[], float]) -> None:
        self._machine = machine
        self._requests = requests
        self._now = now

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request."""
        what = request.get("what")
        if what == "status":
            return {"status": msgspec.to_builtins(self._machine.status(self._now()))}
        if what == "queue":
            return {"queue": self._queue()}
        if what == "variables":
            return self._variables(str(request.get("filter") or ""))
        if what in ("get", "set"):
            return await self._variable(str(request.get("name") or ""), request.get("value") if what == "set" else None)
        if what == "priority":
            return await self._priority(request.get("evse"), request.get("wish"))
        if what == "send":
            return await self._send(str(request.get("action") or ""), request.get("payload") or {})
        return {"error": "a request that this station does not know"}

    def _queue(self) -> list[dict[str, Any]]:
        queue = self._machine.dispatcher.queue
        entries = sorted((*queue.boots, *queue.of_transactions, *queue.others), key=lambda one: one.number)
        return [
            {
                "action": one.action,
                "queued": one.timestamp,
                "attempts": one.attempts,
                "transaction": one.transaction,
                "outstanding": bool(one.wire_id),
                "bytes": len(one.payload),
            }
            for one in entries
        ]

    def _variables(self, wanted: str) -> dict[str, Any]:
        found = [
            {"name": str(entry.id), "value": self._shown(entry.id), "unit": entry.unit, "meaning": entry.meaning}
            for entry in self._machine.station.variables
            if wanted.lower() in str(entry.id).lower()
        ]
        answer: dict[str, Any] = {"variables": sorted(found, key=lambda one: str(one["name"]))}
        return answer if found else {**answer, "nearest": self._nearest(wanted)}

    def _nearest(self, name: str) -> str:
        """Return the variable that was probably meant, by its own name or with its component; empty if none is near."""
        known = [entry.id for entry in self._machine.station.variables]
        names = {**{one.name: str(one) for one in known}, **{str(one): str(one) for one in known}}
        return names.get(closest(name, names) or "", "")

    def _shown(self, place: VariableId) -> str:
        """Return a value as people may see it: what may only be written stays hidden."""
        reading = read(self._machine.station.variables, place)
        return "(hidden)" if reading.status is Status.REJECTED else (reading.value or "")

    async def _variable(self, name: str, value: Any) -> dict[str, Any]:
        place = _place(name)
        found = None if place is None else self._machine.station.variables.entry(place)
        if place is None or found is None:
            near = self._nearest(name)
            hint = f"did you mean {near}?" if near else "`secc ocpp variables` lists them"
            return {"error": f"there is no variable {name!r} ({hint})"}
        answer = {"name": str(found.id), "value": self._shown(place)}
        if value is None:
            return answer
        status = await self._requests.serve(Operator.set_variable, found.id, str(value))
        if status not in (Status.ACCEPTED.value, Status.REBOOT_REQUIRED.value):
            return {"error": f"{name} is not set to {value!r}: {status}"}
        return {**answer, "value": self._shown(place), "status": status}

    async def _priority(self, evse: Any, wish: Any) -> dict[str, Any]:
        """Let the driver at the station have priority charging, or end it (2.1 K22)."""
        activate = wish == "on"
        if not isinstance(evse, int) or wish not in ("on", "off"):
            return {"error": "priority charging needs the number of an EVSE, and on or off"}
        try:
            done = await self._requests.serve(Operator.use_priority_charging, evse, activate)
        except CommandError as error:
            return {"error": f"this station has no priority charging: {error}"}
        if not done:
            needs = "it needs a transaction, and a profile of PriorityCharging"
            return {"error": f"priority charging of EVSE {evse} is not switched {wish}: {needs}"}
        return {"evse": evse, "priority": activate}

    async def _send(self, action: str, payload: Any) -> dict[str, Any]:
        version = self._machine.station.version
        try:
            request = decode_request(version, action, payload)
        except MessageError as error:
            near = closest(action, known) if action not in (known := catalogue(version).actions) else None
            hint = f" (did you mean {near}?)" if near else ""
            return {"error": f"{action} is no message of {version.value}: {error}{hint}"}
        result = await self._requests.serve(Operator.send_message, request)
        return {"action": action, **redact_value(result)}


def _place(name: str) -> VariableId | None:
    """Return the address in `Component[instance](evse,connector).Variable[instance]`."""
    component, dot, variable = name.rpartition(".")
    if not dot:
        return None
    variable, _, instance = variable.rstrip("]").partition("[")
    component, _, tier = component.rstrip(")").partition("(")
    component, _, component_instance = component.rstrip("]").partition("[")
    numbers = [int(one) for one in tier.split(",") if one.strip().isdecimal()]
    evse = numbers[0] if numbers else None
    connector = numbers[1] if len(numbers) > 1 else None
    return VariableId(ComponentId(component, component_instance, evse, connector), variable, instance)
