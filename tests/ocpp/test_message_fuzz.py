"""Whatever a peer sends as payload is a message or a MessageError, and whatever we make is sent or is NotEncodable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.messages.errors import MessageError, NotEncodable
from chargebyte_fw.modules.ocpp.messages.model import Message, Request
from chargebyte_fw.modules.ocpp.messages.schema import catalogue, decode_request, decode_response, encode
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.instances import as_text, instance, valid_payload
from tests.ocpp.schemas import complaint, message_types

ROUNDS = 400
TOKENS = (b'"', b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b"e", b"\\", b"\xff", b"\x00", b"null", b"9" * 30)


def _deep() -> Any:
    deep: Any = []
    for _ in range(3000):
        deep = [deep]
    return deep


_SIMPLE = (
    *(None, True, 0, -1, 2**63, 10**400, 1e308, 5.0, float("nan"), float("inf")),
    *("", "x" * 70_000, "\x00\ud800", "2024-13-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
)
_MADE: tuple[Callable[[], Any], ...] = (
    list,
    lambda: [None],
    lambda: [[]] * 2000,
    dict,
    lambda: {"vendorId": 1},
    lambda: {"": {"": {}}},
    _deep,
)


def strange_values() -> tuple[Any, ...]:
    """Values that are wrong nearly everywhere, made anew."""
    return (*_SIMPLE, *(make() for make in _MADE))


def strange_value(random: Random) -> Any:
    """Return one of them."""
    number = random.randrange(len(_SIMPLE) + len(_MADE))
    return _SIMPLE[number] if number < len(_SIMPLE) else _MADE[number - len(_SIMPLE)]()


def decode(version: Version, kind: type[Message], payload: Any) -> Message | None:
    reader = decode_request if issubclass(kind, Request) else decode_response
    try:
        return reader(version, kind.action_name, payload)
    except MessageError as error:
        assert 0 < len(error.description) <= 255 and "\n" not in error.description
        assert error.description.isprintable() and len(json.dumps(error.details)) < 500
        return None


def mutated(payload: Any, random: Random) -> Any:
    """Put a strange value, or a strange member, at a random place."""
    place: Any = payload
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return payload
        key = random.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and random.random() < 0.8:
            place = place[key]
            continue
        what = random.random()
        if what < 0.2:
            del place[key]
        elif what < 0.3 and isinstance(place, dict):
            place[random.choice(("later", "", "x" * 3000, "\n"))] = strange_value(random)
        else:
            place[key] = strange_value(random)
        return payload


@pytest.mark.parametrize("version", Version)
def test_any_payload_is_a_message_or_a_message_error(version: Version) -> None:
    random = Random(7)
    kinds = list(message_types(version))
    for turn in range(ROUNDS):
        kind = kinds[turn % len(kinds)]
        payload = valid_payload(kind, version, random, 0.8)
        for _ in range(random.randint(1, 3)):
            payload = mutated(payload, random)
        began = time.process_time()
        decode(version, kind, payload)
        assert time.process_time() - began < 0.5


@pytest.mark.parametrize("version", Version)
def test_any_text_is_a_message_or_a_message_error(version: Version) -> None:
    random = Random(8)
    kinds = list(message_types(version))
    for turn in range(ROUNDS):
        kind = kinds[turn % len(kinds)]
        octets = bytearray(as_text(valid_payload(kind, version, random, 0.8)))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(octets))
            octets[at : at + random.randint(0, 3)] = random.choice(
                (
                    b'"',
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b",",
                    b":",
                    b"0",
                    b"-",
                    b"e",
                    b"\\",
                    b"\xff",
                    b"\x00",
                    b"null",
                    b"9" * 30,
                )
            )
        decode(version, kind, bytes(octets))


@pytest.mark.parametrize("payload", [*strange_values(), b"", b"\x00", b"[" * 500_000, '{"a":' * 500_000, "\ud800"])
def test_what_is_no_object_is_refused(payload: Any) -> None:
    if isinstance(payload, dict):
        payload = [payload]
    with pytest.raises(MessageError):
        decode_request(Version.V21, "Reset", payload)


@pytest.mark.parametrize("version", Version)
def test_a_message_with_any_value_is_valid_or_not_encodable(version: Version) -> None:
    random = Random(9)
    kinds = list(message_types(version))
    sent = 0
    for turn in range(ROUNDS):
        kind = kinds[turn % len(kinds)]
        message = instance(kind, version, random, 0.8)
        place: Any = message
        for _ in range(random.randint(0, 2)):
            inner = [
                value for name in place.__struct_fields__ if hasattr(value := getattr(place, name), "__struct_fields__")
            ]
            place = random.choice(inner) if inner else place
        names = [name for name in place.__struct_fields__ if name != "data"]
        if names:
            setattr(place, random.choice(names), strange_value(random))
        try:
            text = encode(version, message)
        except NotEncodable as error:
            assert len(str(error)) < 400
        else:
            assert complaint(kind, version, text) == "", text
            sent += 1
    assert sent > ROUNDS / 20


def test_many_unknown_members_are_kept_up_to_a_limit() -> None:
    message = decode_request(Version.V21, "Reset", {"type": "OnIdle"} | {f"x{n}": n for n in range(1000)})
    assert len(message.unknown) == 32
    assert catalogue(Version.V21).request("Reset") is type(message)
