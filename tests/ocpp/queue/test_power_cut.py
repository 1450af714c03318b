"""The power is cut before each SQL statement of two transactions: nothing is lost, and nothing counted twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.modules.ocpp.messages.v2 import transactions as v2
from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.station import Block, receives
from chargebyte_fw.modules.ocpp.station.events import Loaded
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import Csms, Refusal
from tests.ocpp.queue.disk import Disk, PowerCut

STEPS = [("s1", "start"), ("s1", "meter"), ("s1", "meter"), ("s1", "stop"), ("s2", "start"), ("s2", "stop")]
STEP_S = 3.0
OFFLINE_STEPS = len(STEPS)
"""The CSMS is reached after so many, so that the answer to a start is followed by others at once."""


class Sessions(Block):
    """Does one step after the other, each in one event: progress and message are one commit."""

    done = 0

    @receives(Loaded)
    def loaded(self, event: Loaded) -> None:
        self.done = int(event.tables.get("progress", {}).get("done", b"0"))
        self.station.start("step", self.station.now + STEP_S, self.step)

    def step(self) -> None:
        if self.done == len(STEPS):
            return
        session, what = STEPS[self.done]
        self.done += 1
        self.station.save("progress", "done", self.done)
        self.station.send(self.message(session, what), transaction=session)
        self.station.start("step", self.station.now + STEP_S, self.step)

    def message(self, session: str, what: str) -> Any:
        number, now = self.done, self.station.utc
        if self.station.version.is_2:
            kind = {"start": "Started", "meter": "Updated", "stop": "Ended"}[what]
            return v2.TransactionEventRequest(
                event_type=v2.TransactionEventEnumType(kind),
                timestamp=now,
                trigger_reason=v2.TriggerReasonEnumType.CablePluggedIn,
                seq_no=number,
                transaction_info=v2.TransactionType(transaction_id=session),
            )
        if what == "start":
            return v16.StartTransactionRequest(connector_id=1, id_tag=session, meter_start_Wh=number, timestamp=now)
        if what == "stop":
            return v16.StopTransactionRequest(transaction_id=-1, meter_stop_Wh=number, timestamp=now)
        value = v16.MeterValue(timestamp=now, sampled_value=[v16.SampledValue(value=str(number))])
        return v16.MeterValuesRequest(connector_id=1, transaction_id=-1, meter_value=[value])


def number_of(frame: list[Any]) -> int:
    """The number of the step that a message is of."""
    _, _, action, payload = frame
    match action:
        case "StartTransaction":
            return int(payload["meterStart"])
        case "StopTransaction":
            return int(payload["meterStop"])
        case "MeterValues":
            return int(payload["meterValue"][0]["sampledValue"][0]["value"])
    return int(payload["seqNo"])


async def day(version: Version, path: Path, csms: Csms, disk: Disk, folder: Path) -> bool:
    """Run a station until every message was answered, or the power is cut; returns whether it was cut."""
    runtime = Runtime(root=Root(folder, folder))
    csms.plug(runtime.wires)
    csms.refuse_handshake = None if csms.frames else HandshakeFailed("no network yet")
    point = Point(runtime, csms.url, version, path=path, blocks=(Sessions,), queue={"retry_interval_s": 1.0})
    try:
        await point.start()
        done = point.station.block(Sessions)
        while not disk.cut and (done.done < len(STEPS) or len(point.queue)):
            await asyncio.sleep(0.5)
            if done.done >= OFFLINE_STEPS:
                csms.refuse_handshake = None
    except PowerCut:
        pass
    if disk.cut:
        point.cut_power()
        await csms.disconnect(1006)
        await asyncio.sleep(1)
        return True
    await point.stop()
    return False


def judge(version: Version, csms: Csms, cut_after: int, where: str) -> None:
    frames = [frame for who, frame in csms.frames if who == "station" and frame[0] == 2]
    frames = [frame for frame in frames if frame[2] not in ("BootNotification", "Heartbeat")]
    accepted = [frame for frame in frames if frame[1] not in csms_refused(csms)]
    numbers = [number_of(frame) for frame in accepted]
    assert set(numbers) == set(range(1, len(STEPS) + 1)), f"{where}: lost of {numbers}"
    before, after = numbers[:cut_after], numbers[cut_after:]
    for part in (before, after):
        assert part == sorted(set(part)), f"{where}: twice, or out of order, without a power cut: {numbers}"
    # Those whose answer the file does not have are sent again: two at most, and the start of a transaction alone.
    again = set(before) & set(after)
    assert len(again) <= 2, f"{where}: {numbers}"
    if not version.is_2 and any(STEPS[number - 1][1] == "start" for number in again):
        assert STEPS[before[-1] - 1][1] == "start", f"{where}: {numbers}"
    assert len({frame[1] for frame in frames}) == len(frames), f"{where}: an id was used again"
    if not version.is_2:
        ids: dict[str, set[int]] = {"s1": set(), "s2": set()}
        for frame in accepted:
            if "transactionId" in frame[3]:
                ids[STEPS[number_of(frame) - 1][0]].add(frame[3]["transactionId"])
        assert all(len(found) == 1 and -1 not in found for found in ids.values()), f"{where}: {ids}"
        assert ids["s1"] != ids["s2"]


def csms_refused(csms: Csms) -> set[str]:
    return {frame[1] for who, frame in csms.frames if who == "csms" and frame[0] == 4}


def prepare(version: Version) -> Csms:
    """A CSMS that refuses the second message of its kind once."""
    csms = Csms(version.value.removeprefix("ocpp"))
    seen: list[int] = []

    def refuse_once(payload: dict[str, Any]) -> Any:
        seen.append(len(seen))
        if len(seen) == 2:
            raise Refusal("InternalError")
        return {}

    csms.answers["TransactionEvent" if version.is_2 else "MeterValues"] = refuse_once
    return csms


@pytest.mark.parametrize("version", [Version.V16, Version.V201])
def test_a_power_cut_at_any_statement(version: Version, fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, tmp_path = Disk(monkeypatch), fast_path
    disk.delay_s = 0.2
    csms = prepare(version)
    assert not clock.run(day(version, tmp_path / "whole/cp.db", csms, disk, tmp_path), speed=None)
    judge(version, csms, 0, "whole")
    statements = disk.statements
    assert len(statements) > 50
    # No statement is done in another way than the one in which the power is cut.
    assert len(disk.traced) == len(statements)
    for number, statement in enumerate(statements):
        csms = prepare(version)
        disk.statements, disk.last = [], number
        first = tmp_path / f"{number}/cp.db"
        where = f"before statement {number}, {statement[:40]}"
        if clock.run(day(version, first, csms, disk, tmp_path), speed=None):
            refused = csms_refused(csms)
            sent = [f for who, f in csms.frames if who == "station" and f[0] == 2 and f[2] != "BootNotification"]
            cut_after = len([frame for frame in sent if frame[1] not in refused])
            second = disk.restart(first, tmp_path / f"{number}-again")
            assert not clock.run(day(version, second, csms, disk, tmp_path), speed=None)
            judge(version, csms, cut_after, where)
