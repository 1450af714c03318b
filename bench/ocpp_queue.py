"""The queue of OCPP: one durable message, and 10,000 of an outage that leave while heartbeats go on.

The file is on the disk of the temporary folder, the CSMS behind a WebSocket in the same process: its time counts, too.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.rows import Row, at_least, at_most
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.messages.v2 import transactions as v2
from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.queue.effects import Persist
from chargebyte_fw.modules.ocpp.queue.entries import TRANSACTION_QUEUE
from chargebyte_fw.modules.ocpp.queue.entries import Row as QueueRow
from chargebyte_fw.modules.ocpp.queue.store_link import Store
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import Csms
from tests.ocpp.test_whole_station import whole

ENTRIES = 300
ENTRY_BOUND_MS = 1.0
MESSAGES = 10_000
DRAIN_BOUND_S = 60.0
HEARTBEAT_S = 3
LATE_BOUND_S = 1.0
SESSION = "2c8f5f0e-8d0c-4e8c-9a53-0d1c1e0f4b7a"


async def _entry_cpu_ms(folder: Path) -> float:
    """Return the time of the processor for one message, from the effect of the queue to its commit."""
    confirmed = asyncio.Event()
    store = Store(folder / "cp.db", ModuleLog("bench"), _spawn, lambda ticket: confirmed.set())
    await store.load()
    message = '[2,"x","TransactionEvent",{"eventType":"Updated","x":"' + "y" * 900 + '"}]'
    began = 0.0
    for number in range(1, ENTRIES + 1):
        if number == ENTRIES // 10:
            began = time.process_time()
        row = QueueRow(f"m{number}", message, "TransactionEvent", 0, "2026-01-01T00:00:00.000Z", number, SESSION)
        confirmed.clear()
        store.keep(Persist(TRANSACTION_QUEUE, row, number))
        await confirmed.wait()
    spent_s = time.process_time() - began
    await store.close()
    return spent_s * 1000 / (ENTRIES - ENTRIES // 10)


def _spawn(work: Any, name: str) -> Any:
    return asyncio.get_running_loop().create_task(work)


def _message(point: Point, number: int) -> Any:
    now = point.station.utc
    if point.station.version.is_2:
        kinds = v2.TransactionEventEnumType
        kind = kinds.Started if number == 0 else kinds.Ended if number == MESSAGES - 1 else kinds.Updated
        return v2.TransactionEventRequest(
            event_type=kind,
            timestamp=now,
            trigger_reason=v2.TriggerReasonEnumType.MeterValuePeriodic,
            seq_no=number,
            transaction_info=v2.TransactionType(transaction_id=SESSION),
        )
    if number == 0:
        return v16.StartTransactionRequest(connector_id=1, id_tag="BENCH", meter_start_Wh=0, timestamp=now)
    if number == MESSAGES - 1:
        return v16.StopTransactionRequest(transaction_id=-1, meter_stop_Wh=number, timestamp=now)
    value = v16.MeterValue(timestamp=now, sampled_value=[v16.SampledValue(value=str(number))])
    return v16.MeterValuesRequest(connector_id=1, transaction_id=-1, meter_value=[value])


async def _drain(version: Version, folder: Path) -> tuple[float, float, int]:
    """Return how long it took, the longest time without a heartbeat, and how many messages came in order."""
    csms = Csms(version.value.removeprefix("ocpp"))
    runtime = Runtime(root=Root(folder, folder))
    beats: list[float] = []

    def beat(payload: dict[str, Any]) -> dict[str, Any]:
        beats.append(time.monotonic())
        return csms.usual("Heartbeat", payload)

    csms.answers["Heartbeat"] = beat
    csms.answers["BootNotification"] = csms.usual("BootNotification", {}) | {"interval": HEARTBEAT_S}
    await csms.listen()
    point = whole(runtime, csms, version)
    point.station.variables.set(internal.MESSAGE_QUEUE_SIZE_THRESHOLD, 2 * MESSAGES)
    await point.runner.load()
    point.runner.feed(events.Started())
    for number in range(MESSAGES):
        point.send(_message(point, number), transaction=SESSION)
        if number % 100 == 0:
            await asyncio.sleep(0)
    assert len(point.queue.of_transactions) >= MESSAGES
    began = time.monotonic()
    await point.start_connection()
    while point.queue.of_transactions:
        await asyncio.sleep(0.05)
    over = time.monotonic()
    await point.stop()
    await csms.close()
    numbers = [_number(frame) for who, frame in csms.frames if who == "station" and frame[0] == 2]
    in_order = itertools.takewhile(lambda pair: pair[0] == pair[1], enumerate(n for n in numbers if n >= 0))
    gaps = [b - a for a, b in itertools.pairwise([began, *beats, over])]
    return over - began, max(gaps), sum(1 for _ in in_order)


def _number(frame: list[Any]) -> int:
    """Return the number of a message of the transaction, -1 for any other."""
    _, _, action, payload = frame
    match action:
        case "TransactionEvent":
            return int(payload["seqNo"])
        case "MeterValues":
            return int(payload["meterValue"][0]["sampledValue"][0]["value"])
        case "StartTransaction":
            return int(payload["meterStart"])
        case "StopTransaction":
            return int(payload["meterStop"])
    return -1


def rows() -> list[Row]:
    """Return the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        entry_ms = clock.run(_entry_cpu_ms(Path(folder)))
    table = [at_most("a durable message, from the queue to its commit: CPU", entry_ms, "ms", ENTRY_BOUND_MS)]
    for version in (Version.V16, Version.V201):
        with tempfile.TemporaryDirectory() as folder:
            took_s, gap_s, in_order = clock.run(_drain(version, Path(folder)))
        what = f"{version}: {MESSAGES} messages of an outage"
        table += [
            at_most(f"{what}, to a CSMS on this machine", took_s, "s", DRAIN_BOUND_S),
            at_least("the same: arrived in order", in_order, "messages", MESSAGES),
            at_most(
                f"the same: longest time without a heartbeat, every {HEARTBEAT_S} s",
                gap_s,
                "s",
                HEARTBEAT_S + LATE_BOUND_S,
            ),
        ]
    return table


if __name__ == "__main__":
    for row in rows():
        print(row)
