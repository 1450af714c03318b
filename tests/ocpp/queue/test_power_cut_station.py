"""The power is cut before each statement of a day of the whole station: what the CSMS knows is a sound history.

The file has messages, ids of transactions and the documents of every block; the power cut ends the stack's sessions.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.variables.standard.metering import SAMPLED_DATA_TX_UPDATED_INTERVAL
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import Csms
from tests.ocpp.queue.disk import Disk, PowerCut
from tests.ocpp.stack import E, meter, token
from tests.ocpp.test_whole_station import whole

REACHED_S = 40.0
"""The CSMS is reached so late: the first session is over by then."""
OFF_S = 1000.0
"""When the power is back; the virtual clock begins anew."""
SECURITY = "SecurityEventNotification"
KEPT = ("StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent", SECURITY)
"""The actions of the queue that is on the disk."""


def event(point: Point, session: str, kind: E, **more: Any) -> None:
    happened = evse.SessionEvent(uuid=session, timestamp=rfc3339(utc_now()), event=kind, connector_id=1, **more)
    point.runner.feed(events.SessionEventReceived(1, happened))


def begin(point: Point, session: str) -> None:
    plugged = evse.SessionStarted(reason=evse.StartSessionReason.EVConnected, meter_value=meter(1000))
    event(point, session, E.SessionStarted, session_started=plugged)
    started = evse.TransactionStarted(id_tag=token(), meter_value=meter(1000))
    event(point, session, E.TransactionStarted, transaction_started=started)
    event(point, session, E.ChargingStarted)


def measure(point: Point, session: str) -> None:
    point.runner.feed(events.PowermeterReceived(1, meter(1500)))


def end(point: Point, session: str) -> None:
    reason = evse.StopTransactionReason.EVDisconnected
    finished = evse.TransactionFinished(meter_value=meter(2000), reason=reason)
    event(point, session, E.TransactionFinished, transaction_finished=finished)
    event(point, session, E.SessionFinished, session_finished=evse.SessionFinished(meter_value=meter(2000)))


DAY: list[tuple[float, str, Callable[[Point, str], None]]] = [
    (5.0, "s1", begin),
    (10.0, "s1", measure),
    (30.0, "s1", end),
    (60.0, "s2", begin),
    (62.0, "s2", measure),
    (125.0, "s2", measure),
    (140.0, "s2", end),
]
AFTERWARDS: list[tuple[float, str, Callable[[Point, str], None]]] = [(5.0, "s3", begin), (10.0, "s3", end)]


async def day(version: Version, path: Path, csms: Csms, disk: Disk, folder: Path, script: Any) -> None:
    """Run the station until every message was answered, or the power is cut."""
    runtime = Runtime(root=Root(folder, folder))
    point = whole(runtime, csms, version, path=path)
    point.station.variables.set(SAMPLED_DATA_TX_UPDATED_INTERVAL, 20)
    if script is AFTERWARDS:
        await asyncio.sleep(OFF_S)
    loop = asyncio.get_running_loop()
    began = loop.time()
    csms.refuse_handshake = HandshakeFailed("no network yet") if script is DAY else None
    try:
        await point.runner.load()
        point.runner.feed(events.Started())
        await point.start_connection()
        for at_s, session, do in script:
            while not disk.cut and loop.time() < began + at_s:
                await asyncio.sleep(0.5)
                csms.refuse_handshake = None if loop.time() > began + REACHED_S else csms.refuse_handshake
            if not disk.cut:
                do(point, session)
        for _ in range(400):
            if disk.cut or not point.queue.of_transactions:
                break
            await asyncio.sleep(0.5)
        if not disk.cut:
            assert not point.queue.of_transactions
            await point.stop()
    except PowerCut:
        pass
    assert not [one for one in point.outward if isinstance(one, effects.RowFailed)]
    if disk.cut:
        point.cut_power()
        await csms.disconnect(1006)
        await asyncio.sleep(1)


def key(frame: list[Any]) -> str:
    """What makes a message the same as another: all but the id of the transaction, which the CSMS gives late (1.6)."""
    payload = {name: value for name, value in frame[3].items() if name != "transactionId"}
    return json.dumps([frame[2], payload], sort_keys=True)


def kept(csms: Csms) -> list[list[Any]]:
    return [f for who, f in csms.frames if who == "station" and f[0] == 2 and f[2] in KEPT]


def judge(version: Version, csms: Csms, cut_after: int, committed: list[str], where: str) -> None:
    """Hold what the CSMS received against the standard, and against what was on the disk."""
    frames = kept(csms)
    keys = [key(frame) for frame in frames]
    assert {key(json.loads(text)) for text in committed} <= set(keys), f"{where}: a message on the disk is lost"
    again = set(keys[:cut_after]) & set(keys[cut_after:])
    assert len(again) <= 2 and max(Counter(keys).values()) <= 2, f"{where}: {again}"
    for part in (keys[:cut_after], keys[cut_after:]):
        assert len(set(part)) == len(part), f"{where}: twice without a power cut"
    parts = [[f for f in part if f[2] != SECURITY] for part in (frames[:cut_after], frames[cut_after:])]
    if version.is_2:
        judge_v2([*parts[0], *parts[1]], where)
    else:
        judge_v16(csms, parts, where)


def judge_v2(frames: list[list[Any]], where: str) -> None:
    found: dict[str, dict[int, str]] = {}
    for frame in frames:
        payload = frame[3]
        of_one = found.setdefault(payload["transactionInfo"]["transactionId"], {})
        number, kind = payload["seqNo"], payload["eventType"]
        assert of_one.setdefault(number, kind) == kind, f"{where}: two events have the number {number}"
        assert number in (max(of_one), *range(max(of_one))), where
    for of_one in found.values():
        kinds = [of_one[number] for number in sorted(of_one)]
        assert sorted(of_one) == list(range(len(of_one))), f"{where}: {of_one}"
        assert kinds[0] == "Started" and kinds[-1] == "Ended", f"{where}: {kinds}"
        assert set(kinds[1:-1]) <= {"Updated"}, f"{where}: {kinds}"


def judge_v16(csms: Csms, parts: list[list[list[Any]]], where: str) -> None:
    """`parts` are what was sent before the power cut and after it: what is sent again begins anew."""
    answers = {frame[1]: frame[2] for who, frame in csms.frames if who == "csms" and frame[0] == 3}
    ids: dict[str, list[int]] = {}
    ended: set[int] = set()
    for part in parts:
        ended_in_part: set[int] = set()
        for frame in part:
            if frame[2] == "StartTransaction":
                ids.setdefault(key(frame), []).append(answers[frame[1]]["transactionId"])
                continue
            number = frame[3]["transactionId"]
            assert number not in ended_in_part, f"{where}: {frame[2]} after the end"
            if frame[2] == "StopTransaction":
                ended_in_part.add(number)
                assert frame[3]["meterStop"] >= 1000
        ended |= ended_in_part
    for numbers in ids.values():
        assert sum(number in ended for number in numbers) == 1, f"{where}: {ids} ended {ended}"
    assert ended <= {number for numbers in ids.values() for number in numbers}, f"{where}: {ids} ended {ended}"


def cut_at(version: Version, number: int, statement: str, disk: Disk, folder: Path) -> None:
    """Cut the power of a day before a statement; the station that starts again has one more session."""
    csms = Csms(version.value.removeprefix("ocpp"))
    disk.statements, disk.messages, disk.last = [], [], number
    first = folder / f"{number}/cp.db"
    clock.run(day(version, first, csms, disk, folder, DAY), speed=None)
    if not disk.cut:
        return
    cut_after, committed = len(kept(csms)), list(disk.messages)
    second = disk.restart(first, folder / f"{number}-again")
    clock.run(day(version, second, csms, disk, folder, AFTERWARDS), speed=None)
    judge(version, csms, cut_after, committed + disk.messages, f"before statement {number}, {statement[:40]}")


def whole_day(version: Version, disk: Disk, folder: Path) -> list[str]:
    """Return the statements of a day in which the power stays."""
    disk.delay_s = 0.2
    csms = Csms(version.value.removeprefix("ocpp"))
    clock.run(day(version, folder / "whole/cp.db", csms, disk, folder, DAY), speed=None)
    judge(version, csms, 0, disk.messages, "whole")
    assert len(disk.traced) == len(disk.statements)
    return list(disk.statements)


VERSIONS = [Version.V16, Version.V201]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_power_cut_around_each_commit(version: Version, fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the disk changes with a commit only: each state of it, with all that was sent until the next."""
    disk = Disk(monkeypatch)
    for number, statement in enumerate(whole_day(version, disk, fast_path)):
        if statement.startswith(("BEGIN", "COMMIT")):
            cut_at(version, number, statement, disk, fast_path)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_a_power_cut_at_any_statement(version: Version, fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    for number, statement in enumerate(whole_day(version, disk, fast_path)):
        cut_at(version, number, statement, disk, fast_path)
