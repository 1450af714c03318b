"""The RPC layer under frames that were broken, in any order: one answer a request, one request in each direction."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.rpc import endpoint as rpc
from chargebyte_fw.modules.ocpp.rpc.endpoint import MOST_CALLS, Endpoint, Transmit
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError
from chargebyte_fw.modules.ocpp.version import Version

STEPS = 3000
ODD: tuple[Any, ...] = (None, True, -1, 2**70, 0.5, "", "x" * 5000, "\x00", [], [[]], {}, {"a": {"b": []}}, [2, "y"])


def frame(random: Random, number: int, outstanding: str | None) -> list[Any]:
    """Return a frame of any type, with the id of the outstanding request in some."""
    answered = outstanding if outstanding is not None and random.random() < 0.7 else f"other-{number}"
    return random.choice(
        [
            [2, f"in-{number}", "Reset", {"type": "Hard"}],
            [2, f"in-{number}", "Reset", {"type": "Hard"}],
            [3, answered, {"status": "Accepted"}],
            [4, answered, "InternalError", "text", {}],
            [5, answered, "FormatViolation", "text", {}],
            [6, f"in-{number}", "NotifyPeriodicEventStream", {}],
            [7, "x", "y"],
        ]
    )


def broken(made: list[Any], random: Random) -> str | bytes:
    """Return a frame as text, in most cases with something wrong."""
    how = random.random()
    if how < 0.3:
        made[random.randrange(len(made))] = random.choice(ODD)
    elif how < 0.4:
        del made[random.randrange(len(made)) :]
    elif how < 0.5:
        made += [random.choice(ODD)] * random.randint(1, 5)
    text = json.dumps(made)
    if how > 0.9:
        data = bytearray(text.encode())
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        return bytes(data)
    return text[: random.randrange(len(text))] if how > 0.85 else text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("version", Version)
def test_any_order_of_frames(version: Version, seed: int) -> None:
    random = Random(seed)
    it = Endpoint(version)
    received: list[str] = []
    done: set[str] = set()
    results: Counter[str] = Counter()
    answers = 0

    def take(effects: list[Any]) -> None:
        nonlocal answers
        for effect in effects:
            match effect:
                case rpc.Received(call_id):
                    assert it.is_answering and call_id not in received, "one request at a time"
                    received.append(call_id)
                case rpc.Answered(message_id) | rpc.Refused(message_id):
                    results[message_id] += 1
                case Transmit(text):
                    sent = json.loads(text)
                    assert sent[0] in (2, 3, 4, 5) and len(text) < 1000
                    answers += sent[0] == 3
                case rpc.Invalid(reason):
                    assert reason and len(reason) < 600

    for number in range(STEPS):
        step = random.random()
        if step < 0.5:
            take(it.received(broken(frame(random, number, it.outstanding), random)))
        elif step < 0.75 and received and received[-1] not in done:
            call_id = received[-1]
            done.add(call_id)
            if random.random() < 0.7:
                before = answers
                take(it.answer(call_id, b"{}"))
                assert answers == before + 1
            else:
                take(it.refuse(call_id, RpcError.INTERNAL_ERROR, "x" * 1000))
            # A second answer to the same request goes nowhere.
            assert it.answer(call_id, b"{}") == [] or received[-1] != call_id
        elif it.outstanding is None and not it.is_answering:
            take(it.call(f"out-{number}", "Heartbeat", b"{}"))
        elif it.outstanding is not None and random.random() < 0.2:
            it.give_up(it.outstanding)
            assert it.outstanding is None
        assert len(it._waiting) <= MOST_CALLS and len(it._deferred) <= MOST_CALLS
    assert len(received) > STEPS // 20 and max(results.values()) == 1
    while it.is_answering:
        take(it.answer(received[-1], b"{}"))
    assert not it._deferred
