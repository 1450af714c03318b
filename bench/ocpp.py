"""OCPP's messages: a large charging profile read and answered, an event of a transaction made, memory of a version."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from typing import Any

from bench.rows import Row, at_most, median_us, times_less
from chargebyte_fw.modules.ocpp.messages.schema import catalogue, decode_request, encode
from chargebyte_fw.modules.ocpp.messages.v2 import transactions
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import (
    MeasurandEnumType,
    MeterValueType,
    PhaseEnumType,
    ReadingContextEnumType,
    SampledValueType,
    UnitOfMeasureType,
)
from chargebyte_fw.modules.ocpp.rpc import frames
from chargebyte_fw.modules.ocpp.version import Version

PERIODS = 1000
PROFILE_BOUND_MS = 10
EVENT_BOUND_US = 300
MEMORY_BOUND_MB = 14
IMPORT_ALL = """
import sys
def resident_kB():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
import msgspec, datetime, chargebyte_fw.kernel.decoding
before = resident_kB()
from chargebyte_fw.modules.ocpp.messages import wire_types
from chargebyte_fw.modules.ocpp.messages.schema import Version, catalogue
version = Version(sys.argv[1])
actions = catalogue(version)
for action in actions.actions_from_csms:
    wire_types.incoming(actions.request(action), version)
for action in actions.actions_from_csms - {"NotifyPeriodicEventStream"}:
    wire_types.outgoing(actions.response(action), version)
for action in actions.actions_from_station:
    wire_types.outgoing(actions.request(action), version)
for action in actions.actions_from_station - {"NotifyPeriodicEventStream"}:
    wire_types.incoming(actions.response(action), version)
print(resident_kB() - before)
"""


def profile(version: Version) -> str:
    """Return the frame of a SetChargingProfile with 1,000 periods."""
    periods = [{"startPeriod": 60 * i, "limit": 6.0 + i % 26, "numberPhases": 3} for i in range(PERIODS)]
    schedule: Any = {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": periods,
        "startSchedule": "2024-08-27T09:00:00Z",
    }
    kinds = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    if version is Version.V16:
        request: Any = {
            "connectorId": 1,
            "csChargingProfiles": {"chargingProfileId": 1, "chargingSchedule": schedule} | kinds,
        }
    else:
        request = {"evseId": 1, "chargingProfile": {"id": 1, "chargingSchedule": [{"id": 1} | schedule]} | kinds}
    return json.dumps([2, "5f2d3c1b", "SetChargingProfile", request])


def take(frame: str, version: Version) -> str:
    """Read a request from its frame, and return the frame of the answer."""
    call = frames.parse(frame, version)
    assert isinstance(call, frames.Call)
    decode_request(version, call.action, call.payload)
    accepted: Any = catalogue(version).response(call.action)(status="Accepted")
    return frames.call_result(call.message_id, encode(version, accepted))


def event(version: Version) -> str:
    """Make a TransactionEvent with ten sampled values, and return its frame."""
    at = datetime.now(UTC)
    values = [
        SampledValueType(
            value=230.1 + number,
            context=ReadingContextEnumType.Sample_Periodic,
            measurand=MeasurandEnumType.Voltage,
            phase=PhaseEnumType.L1,
            unit_of_measure=UnitOfMeasureType(unit="V"),
        )
        for number in range(10)
    ]
    request = transactions.TransactionEventRequest(
        event_type=transactions.TransactionEventEnumType.Updated,
        timestamp=at,
        trigger_reason=transactions.TriggerReasonEnumType.MeterValuePeriodic,
        seq_no=3,
        transaction_info=transactions.TransactionType(
            transaction_id="2c8f5f0e-8d0c-4e8c-9a53-0d1c1e0f4b7a",
            charging_state=transactions.ChargingStateEnumType.Charging,
        ),
        meter_value=[MeterValueType(timestamp=at, sampled_value=values)],
        evse=EVSEType(id=1, connector_id=1),
    )
    return frames.call("5f2d3c1b", request.action_name, encode(version, request))


def beside_jsonschema(value_ms: float, frame: str, version: Version) -> str:
    """Compare with jsonschema and the schemas of the package `ocpp`, where these are installed (extra `test`)."""
    try:
        import jsonschema

        name = "SetChargingProfile" if version is Version.V16 else "SetChargingProfileRequest"
        folder = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}[version]
        text = (resources.files("ocpp") / folder / "schemas" / f"{name}.json").read_text("utf-8-sig")
    except ImportError:
        return ""
    validator = jsonschema.Draft6Validator(json.loads(text))
    payload = json.loads(frame)[3]
    began = time.perf_counter()
    list(validator.iter_errors(payload))
    return times_less(value_ms, (time.perf_counter() - began) * 1000, "jsonschema", "ms")


def memory_MB(version: Version) -> float:
    """Return what every message of a version, with its checks, takes in a process."""
    run = subprocess.run([sys.executable, "-c", IMPORT_ALL, version], check=True, capture_output=True, text=True)
    return int(run.stdout) / 1024


def rows() -> list[Row]:
    """Return the rows of the table."""
    table = []
    for version in Version:
        frame = profile(version)
        read_ms = median_us(partial(take, frame, version), 50, 5) / 1000
        name = f"{version}: SetChargingProfile with 1,000 periods, checked and answered"
        table.append(at_most(name, read_ms, "ms", PROFILE_BOUND_MS, beside_jsonschema(read_ms, frame, version)))
    for version in (Version.V201, Version.V21):
        made_us = median_us(partial(event, version), 1000, 100)
        name = f"{version}: TransactionEvent with 10 sampled values, made, checked, framed"
        table.append(at_most(name, made_us, "us", EVENT_BOUND_US))
    for version in Version:
        name = f"{version}: every message with its checks, in memory"
        table.append(at_most(name, memory_MB(version), "MB", MEMORY_BOUND_MB, "bound for all of the module"))
    return table
