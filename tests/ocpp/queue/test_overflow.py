"""What is dropped where more messages wait than MessageQueueSizeThreshold."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.queue.effects import Failed, Remove
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.queue.bench import Bench

V16, V201, V21 = Version


def test_a_full_queue_drops_the_oldest_of_the_others_first() -> None:
    it = Bench(online=False, queue_all=True, size_threshold=20)
    keys = [it.put("StatusNotification") for _ in range(15)]
    for _ in range(6):
        it.put("StopTransaction")
    dropped = [one.entry.key for one in it.effects if isinstance(one, Failed)]
    assert dropped == keys[:3] and len(it.queue) == 18
    assert [one.key for one in it.effects if isinstance(one, Remove)] == keys[:3]


@pytest.mark.parametrize(
    ("version", "update", "other"),
    [
        (V16, ("MeterValues", {}), [("StartTransaction", {}), ("StopTransaction", {})]),
        (
            V201,
            ("TransactionEvent", {"eventType": "Updated"}),
            [("TransactionEvent", {"eventType": "Started"}), ("TransactionEvent", {"eventType": "Ended"})],
        ),
    ],
)
@pytest.mark.ocpp(
    "E04.FR.07", "E04.FR.08", "E11.FR.04", "E11.FR.05", "E12.FR.04", "E12.FR.05", "J02.FR.12", "J02.FR.13"
)
def test_then_every_second_update_and_never_the_begin_or_the_end(
    version: Version, update: tuple[str, Any], other: list[tuple[str, Any]]
) -> None:
    it = Bench(version, online=False, size_threshold=20)
    it.put(*other[0])
    updates = [it.put(*update) for _ in range(20)]
    dropped = [one.entry.key for one in it.effects if isinstance(one, Failed)]
    assert dropped == updates[1::2]
    for _ in range(40):
        it.put(*other[1])
    assert len(it.queue) >= 41
    assert not [one for one in it.effects if isinstance(one, Failed) and one.entry.key not in updates]


def test_security_events_have_a_bound_too() -> None:
    it = Bench(online=False, size_threshold=50)
    for _ in range(500):
        it.put("SecurityEventNotification")
    assert len(it.queue) <= 51


def test_what_is_in_flight_is_not_dropped() -> None:
    it = Bench(size_threshold=5)
    it.put("MeterValues")
    it.next()
    for _ in range(50):
        it.put("MeterValues")
    assert it.answer()
