"""Messages as rows of the file, and a StopTransaction that is too long."""

from __future__ import annotations

import json

import pytest

from chargebyte_fw.modules.ocpp.queue.effects import Persist
from chargebyte_fw.modules.ocpp.queue.entries import Entry, entry_of, row_of, thinned
from tests.ocpp.queue.bench import Bench


def test_messages_survive_as_rows() -> None:
    it = Bench(online=False)
    it.put("StartTransaction", {"idTag": "ÄÖ"}, transaction="s1", timestamp="2026-01-01T00:00:00.000Z")
    it.put("StopTransaction", {"transactionId": -1}, transaction="s1")
    rows = [one.row for one in it.effects if isinstance(one, Persist)]
    assert json.loads(rows[0].MESSAGE) == [2, "m1", "StartTransaction", {"idTag": "ÄÖ"}]
    again = Bench()
    again.queue.load([entry_of(row, of_transaction=True) for row in reversed(rows)], {"s0": 3})
    assert again.next() == "StartTransaction"
    assert again.flying.wire_id == "again-1", "the id of the row may have been sent before the power cut"
    assert row_of(again.flying) == rows[0]
    again.answer({"transactionId": 9})
    assert again.next() == "StopTransaction"
    assert json.loads(again.queue.payload_of(again.flying))["transactionId"] == 9
    again.put("StopTransaction")
    assert again.queue.of_transactions[-1].number == 3


@pytest.mark.parametrize("message", ["", "[", "[2]", "{}", '[2,"a","b",7]', '[2,"a","b",[]]'])
def test_a_row_that_is_no_message_is_named(message: str) -> None:
    row = row_of(Entry("m1", "StopTransaction", b"{}", 1, of_transaction=True))
    broken = type(row)(row.UNIQUE_ID, message, row.MESSAGE_TYPE, 0, "", 1)
    with pytest.raises(ValueError, match="m1"):
        entry_of(broken, of_transaction=True)


def test_a_stop_that_is_too_long_loses_every_second_reading() -> None:
    data = [{"timestamp": f"{number:024}", "sampledValue": [{"value": str(number)}]} for number in range(1000)]
    payload = json.dumps({"meterStop": 5, "transactionData": data}, separators=(",", ":")).encode()
    found = json.loads(thinned(payload, 20_000))
    assert len(json.dumps(found, separators=(",", ":"))) <= 20_000
    assert found["meterStop"] == 5
    assert found["transactionData"][0] == data[0] and found["transactionData"][-1] == data[-1]
    assert len(found["transactionData"]) > 100
    assert thinned(payload, len(payload)) == payload
    assert json.loads(thinned(b'{"a":"' + b"x" * 100 + b'"}', 50)) == {"a": "x" * 100}
