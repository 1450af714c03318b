"""What a CSMS must not do, while a car charges: the version's error, one line with the reason, an undisturbed car.

What needs a real socket (10 MB, a close in mid-frame, silence after TCP, redirects, wrong, expired and downgraded
certificates) is in `connection/test_sockets.py`; firmware that never ends in `tests/system/cb_system/test_transfer.py`;
random payloads are in `test_fuzz.py` and `test_fuzz_handlers.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.rpc.frames import SIZE_LIMIT_BYTES
from chargebyte_fw.modules.ocpp.station import effects
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import SILENT, Csms
from tests.ocpp.queue.test_power_cut_station import begin, end
from tests.ocpp.test_whole_station import start, whole

CODES = {
    "frame": {Version.V16: "GenericError", Version.V201: "RpcFrameworkError", Version.V21: "RpcFrameworkError"},
    "type": {Version.V16: "FormationViolation", Version.V201: "FormatViolation", Version.V21: "FormatViolation"},
}
HEARTBEAT = {"requestedMessage": "Heartbeat"}


class Visit:
    """A station with a car that charges, and a CSMS that may do what it likes."""

    def __init__(self, point: Point, csms: Csms, caplog: pytest.LogCaptureFixture) -> None:
        self.point = point
        self.csms = csms
        self.version = point.station.version
        self._caplog = caplog

    @property
    def lines(self) -> list[str]:
        """What was logged as a warning or worse."""
        return [record.getMessage() for record in self._caplog.records if record.levelno >= logging.WARNING]

    async def refused(self, text: str | bytes | list[Any], message_id: str) -> str:
        """Send a frame; returns the code that it is refused with."""
        before = len(self.csms.frames)
        await self.csms.send(text)
        await asyncio.sleep(5)
        found = [f for who, f in self.csms.frames[before:] if who == "station" and f[0] == 4]
        assert [frame[1] for frame in found] == [message_id], found
        assert len(found[0][3]) <= 255
        return str(found[0][2])

    async def heartbeat(self, answer: Callable[[list[Any]], list[Any]], wait_s: float = 5.0) -> list[Any]:
        """Have the station send a Heartbeat, and give it these frames for an answer; returns the Heartbeat."""
        self.csms.answers["Heartbeat"] = SILENT
        await self.csms.call("TriggerMessage", HEARTBEAT)
        await self.csms.received("Heartbeat")
        sent: list[Any] = [f for who, f in self.csms.frames if who == "station" and f[2:3] == ["Heartbeat"]][-1]
        del self.csms.answers["Heartbeat"]
        for frame in answer(sent):
            await self.csms.send(frame)
        await asyncio.sleep(wait_s)
        return sent

    def good(self) -> dict[str, Any]:
        return self.csms.usual("Heartbeat", {})


def profile(version: Version, periods: list[dict[str, Any]], *, number: int = 1, level: int = 1, **more: Any) -> Any:
    """Return a SetChargingProfile."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, **more}
    made = {"stackLevel": level, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    if version.is_2:
        return {"evseId": 1, "chargingProfile": {**made, "id": number, "chargingSchedule": [{"id": 1, **schedule}]}}
    return {"connectorId": 1, "csChargingProfiles": {**made, "chargingProfileId": number, "chargingSchedule": schedule}}


# What the answer to a request of ours may be.


async def late(it: Visit) -> None:
    sent = await it.heartbeat(lambda sent: [], wait_s=70.0)
    await it.csms.send([3, sent[1], it.good()])
    await asyncio.sleep(1)
    assert len([line for line in it.lines if "not outstanding" in line]) == 1


async def twice(it: Visit) -> None:
    await it.heartbeat(lambda sent: [[3, sent[1], it.good()]] * 2)
    assert len([line for line in it.lines if "not outstanding" in line]) == 1


async def never(it: Visit) -> None:
    await it.heartbeat(lambda sent: [], wait_s=70.0)


async def another_id(it: Visit) -> None:
    await it.heartbeat(lambda sent: [[3, "another", it.good()], [3, sent[1], it.good()]])
    assert len([line for line in it.lines if "not outstanding" in line]) == 1


async def an_answer_of_wrong_types(it: Visit) -> None:
    await it.heartbeat(lambda sent: [[3, sent[1], {"currentTime": 7}]])
    assert len([line for line in it.lines if "the answer to Heartbeat cannot be read" in line]) == 1


async def a_call_within_a_call(it: Visit) -> None:
    action = "GetLocalListVersion"
    calls = [[2, f"in-{number}", action, {}] for number in range(5)]
    await it.heartbeat(lambda sent: [*calls, [3, sent[1], it.good()]])
    found = [f[1] for who, f in it.csms.frames if who == "station" and f[0] == 3 and str(f[1]).startswith("in-")]
    assert found == [call[1] for call in calls]


async def flips_of_the_registration(it: Visit) -> None:
    statuses = iter(["Pending", "Rejected", "Accepted", "Pending", "Rejected", "Accepted"])

    def boot(payload: Any) -> dict[str, Any]:
        status = next(statuses, "Accepted")
        interval_s = 86_400 if status == "Accepted" else 10
        return {**it.csms.usual("BootNotification", payload), "interval": interval_s, "status": status}

    it.csms.answers["BootNotification"] = boot
    for number in range(6):
        # Not with an answer: a station of 1.6 that was rejected gives none (4.2).
        await it.csms.send([2, f"flip-{number}", "TriggerMessage", {"requestedMessage": "BootNotification"}])
        await asyncio.sleep(15)
    await asyncio.sleep(60)
    assert it.point.queue.registration == "Accepted"


# What it may send by itself.


async def broken_json(it: Visit) -> None:
    assert await it.refused('[2,"x","Reset",{"type":', "-1") == CODES["frame"][it.version]
    assert len([line for line in it.lines if "no message of OCPP: not JSON" in line]) == 1


async def ten_MB(it: Visit) -> None:
    began = time.process_time()
    text = '[2,"x","DataTransfer",{"vendorId":"' + "y" * 10_000_000 + '"}]'
    assert await it.refused(text, "-1") == CODES["frame"][it.version]
    assert time.process_time() - began < 1.0


async def deep_nesting(it: Visit) -> None:
    text = '[2,"x","DataTransfer",{"vendorId":"v","data":' + "[" * 100_000 + "]" * 100_000 + "}]"
    assert await it.refused(text, "-1") == CODES["frame"][it.version]


async def wrong_types(it: Visit) -> None:
    assert await it.refused([2, "x", "TriggerMessage", {"requestedMessage": 7}], "x") == CODES["type"][it.version]
    assert len([line for line in it.lines if line.startswith("TriggerMessage of the CSMS")]) == 1
    assert await it.refused([2, "y", "TriggerMessage", []], "y") == CODES["frame"][it.version]


async def a_million_periods(it: Visit) -> None:
    text = json.dumps([2, "x", "SetChargingProfile", profile(it.version, [])])
    million = text.replace("[]", "[" + '{"startPeriod":0,"limit":10.0},' * 1_000_000 + "{}]")
    began = time.process_time()
    assert await it.refused(million, "-1") == CODES["frame"][it.version]
    # And as many as a message may have.
    periods = [{"startPeriod": 60 * number, "limit": 10.0} for number in range(9_000)]
    few = json.dumps([2, "y", "SetChargingProfile", profile(it.version, periods, startSchedule="2023-11-15T00:00:00Z")])
    assert len(few) < SIZE_LIMIT_BYTES
    before = len(it.csms.frames)
    await it.csms.send(few)
    await asyncio.sleep(5)
    (answer,) = [f for who, f in it.csms.frames[before:] if who == "station" and f[1] == "y"]
    assert answer[0] == 4 or answer[2]["status"] == "Rejected"
    assert time.process_time() - began < 2.0


async def cycles_of_stack_levels(it: Visit) -> None:
    """Two profiles change places again and again: at no time there is more than one at a level."""
    periods = [{"startPeriod": 0, "limit": 10.0}]
    for turn in range(30):
        for number in (1, 2):
            level = 1 + (number + turn) % 2
            payload = profile(it.version, periods, number=number, level=level, startSchedule="2023-11-15T00:00:00Z")
            answer = await it.csms.call("SetChargingProfile", payload)
            assert answer["status"] in ("Accepted", "Rejected")
    place = "evseId" if it.version.is_2 else "connectorId"
    schedule = await it.csms.call("GetCompositeSchedule", {place: 1, "duration": 60})
    assert schedule["status"] == "Accepted"


async def dates_of_1970_and_9999(it: Visit) -> None:
    periods = [{"startPeriod": 0, "limit": 10.0}, {"startPeriod": 2**31 - 1, "limit": 8.0}]
    place = "evseId" if it.version.is_2 else "connectorId"
    for at in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        payload = profile(it.version, periods, startSchedule=at, duration=2**31 - 1)
        assert (await it.csms.call("SetChargingProfile", payload))["status"] in ("Accepted", "Rejected")
        answer = await it.csms.call("GetCompositeSchedule", {place: 1, "duration": 86_400})
        assert answer["status"] == "Accepted"
        it.csms.answers["Heartbeat"] = {"currentTime": at}
        await it.csms.call("TriggerMessage", HEARTBEAT)
        await asyncio.sleep(5)
    del it.csms.answers["Heartbeat"]
    it.point.runner.clock_set()
    # This one is in the year 10000 by UTC.
    payload = profile(it.version, periods, startSchedule="9999-12-31T23:59:59-14:00")
    assert await it.refused([2, "x", "SetChargingProfile", payload], "x") == CODES["type"][it.version]


async def a_close_in_mid_conversation(it: Visit) -> None:
    it.csms.answers["Heartbeat"] = SILENT
    await it.csms.call("TriggerMessage", HEARTBEAT)
    await it.csms.received("Heartbeat")
    await it.csms.disconnect(1006)
    del it.csms.answers["Heartbeat"]
    await asyncio.sleep(120)
    assert it.csms.socket is not None


DEEDS: tuple[Callable[[Visit], Awaitable[None]], ...] = (
    late,
    twice,
    never,
    another_id,
    an_answer_of_wrong_types,
    a_call_within_a_call,
    flips_of_the_registration,
    broken_json,
    ten_MB,
    deep_nesting,
    wrong_types,
    a_million_periods,
    cycles_of_stack_levels,
    dates_of_1970_and_9999,
    a_close_in_mid_conversation,
)
DISTURBING = ("stop_transaction", "pause_charging", "enable_disable", "force_unlock")


@pytest.mark.parametrize("version", Version)
def test_the_car_notices_nothing(
    run: Any, runtime: Runtime, version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        csms = Csms(version.value.removeprefix("ocpp"))
        point = whole(runtime, csms, version)
        point.station.variables.set(comm.HEARTBEAT_INTERVAL, 86_400)
        await start(point, csms)
        begin(point, "s1")
        await asyncio.sleep(10)
        it = Visit(point, csms, caplog)
        for deed in DEEDS:
            caplog.clear()
            point.outward.clear()
            await deed(it)
            about = f"{deed.__name__}, {version}"
            assert not [one for one in point.outward if isinstance(one, effects.RowFailed)], about
            commands = [one.call.command for one in point.outward if isinstance(one, effects.Command)]
            assert not set(commands) & set(DISTURBING), about
            assert len(it.lines) <= 6 and all("\n" not in line and len(line) < 500 for line in it.lines), about
            assert await is_alive(it), about
        end(point, "s1")
        await asyncio.sleep(30)
        ended = csms.requests("StopTransaction") or csms.requests("TransactionEvent")
        assert ended[-1].get("eventType", "Ended") == "Ended" and len(point.queue) == 0
        await point.stop()

    run(main())


async def is_alive(it: Visit) -> bool:
    """Whether a request is answered, and a heartbeat follows."""
    before = len(it.csms.requests("Heartbeat"))
    await it.csms.call("TriggerMessage", HEARTBEAT)
    await asyncio.sleep(2)
    return len(it.csms.requests("Heartbeat")) == before + 1
