"""Run the CSMS of PyPI `ocpp-csms` for `tests.peers.csms`, which it speaks to by JSON lines.

Runs in that package's own environment; of this repository it knows nothing. Writes `{"listening": port}`, then what it
received and answered, what it refused, and the results of the calls that standard input asks for.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import logging
import sys
from typing import Any

csms: Any = importlib.import_module("ocpp_csms")


def write(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class Refusals(logging.Handler):
    """The package logs what it could not accept."""

    def emit(self, record: logging.LogRecord) -> None:
        write(refused=record.getMessage())


def report(event: Any) -> None:
    """Write an event as the message that it came from."""
    match type(event).__name__:
        case "BootEvent":
            write(received="BootNotification", payload=dataclasses.asdict(event.info), response={})
        case "StatusEvent":
            connector = {"connectorId": event.connector.connector_id, "status": event.connector.status}
            write(received="StatusNotification", payload=connector, response={})
        case "TransactionStartedEvent":
            one = event.transaction
            payload = {"connectorId": one.connector_id, "idTag": one.id_tag, "meterStart": one.meter_start}
            write(received="StartTransaction", payload=payload, response={"transactionId": one.transaction_id})
        case "TransactionStoppedEvent":
            one = event.transaction
            payload = {"transactionId": one.transaction_id, "reason": one.stop_reason, "meterStop": one.meter_stop}
            write(received="StopTransaction", payload=payload, response={})
        case "MeterValuesEvent":
            write(received="MeterValues", payload={"transactionId": event.transaction_id}, response={})


async def call(point: Any, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Carry out a call by the package's own method."""
    match action:
        case "RemoteStopTransaction":
            result = await point.async_remote_stop_transaction(payload["transactionId"])
        case "GetConfiguration":
            found = await point.async_get_configuration(payload.get("key"))
            return {"configurationKey": [{"key": one.key, "value": one.value} for one in found.values.values()]}
        case "ChangeConfiguration":
            result = await point.async_change_configuration(payload["key"], payload["value"])
        case "ChangeAvailability":
            kind = csms.AvailabilityType(payload["type"])
            result = await point.async_change_availability(payload["connectorId"], kind)
        case "TriggerMessage":
            kind = csms.MessageTrigger(payload["requestedMessage"])
            result = await point.async_trigger_message(kind, payload.get("connectorId"))
        case _:
            raise ValueError(f"no method for {action}")
    return {"status": result}


async def main() -> None:
    logging.getLogger("ocpp_csms").addHandler(Refusals(logging.WARNING))
    async with csms.CentralSystem(host="127.0.0.1", port=0) as central:
        central.add_listener(report)
        write(listening=central.port)
        lines = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(lines)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        while line := await lines.readline():
            order = json.loads(line)
            try:
                [point] = central.charge_points.values()
                write(id=order["id"], answer=await call(point, order["call"], order["payload"]))
            except (csms.CsmsError, ValueError) as error:
                write(id=order["id"], failure=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    asyncio.run(main())
