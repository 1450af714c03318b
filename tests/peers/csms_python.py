"""Run the CSMS of PyPI `ocpp-csms` for `tests.peers.csms`, which it speaks to by JSON lines.

Arguments: PROFILE PASSWORD FOLDER; the folder has server.pem, server.key and root.pem for the profiles 2 and 3.
Runs in that package's own environment; of this repository it knows nothing. Writes `{"listening": port}`, then what it
received and answered, what it refused, and the results of the calls that standard input asks for.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import logging
import ssl
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


def security(profile: int, password: str, folder: str) -> dict[str, Any]:
    """Return what the CSMS needs for a security profile."""
    how: dict[str, Any] = {}
    if profile >= 2:
        how["ssl_context"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        how["ssl_context"].load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    if profile == 3:
        how["ssl_context"].verify_mode = ssl.CERT_REQUIRED
        how["ssl_context"].load_verify_locations(f"{folder}/root.pem")

    async def authenticate(identity: str, given: str | None) -> bool:
        return given == password

    if profile in (1, 2):
        how["authenticate"] = authenticate
    return how


async def main() -> None:
    how = security(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    logging.getLogger("ocpp_csms").addHandler(Refusals(logging.WARNING))
    async with csms.CentralSystem(host="127.0.0.1", port=0, **how) as central:
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
