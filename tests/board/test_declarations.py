"""What holds for every declared message at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.link.messages import generations as _generations
from chargebyte_fw.board.link.messages.charge_som import CpState, Platform, SafeStateReason
from chargebyte_fw.board.link.messages.declaration import Message, OpenEnum, Sender, declared

SPOKEN = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E, 0x10, 0x11, 0x12, 0x13}
SPOKEN |= {0x14, 0x15, 0x16, 0xFE, 0xFF}
LAYOUTS = [*declared(), _generations.ChargeStateUpTo025]


def test_every_com_id_of_the_protocol_is_declared_once() -> None:
    ids = [message.com_id for message in declared()]
    assert len(ids) == len(set(ids))
    assert set(ids) == SPOKEN


def test_the_host_says_only_what_is_the_hosts() -> None:
    assert {m.com_id for m in declared() if m.sender is Sender.HOST} == {0x00, 0x06, 0x11, 0xFF}


@pytest.mark.parametrize("kind", LAYOUTS, ids=lambda kind: kind.__name__)
def test_no_two_fields_share_a_bit(kind: type[Message]) -> None:
    taken = 0
    for name, place in kind.places.items():
        mask = place.mask << place.low
        assert 0 <= place.low <= place.high <= 63, name
        assert not taken & mask, name
        taken |= mask


@pytest.mark.parametrize("kind", LAYOUTS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None)
@given(payload=st.binary(min_size=8, max_size=8))
def test_any_eight_bytes_are_read_and_written_back(kind: type[Message], payload: bytes) -> None:
    declared_bits = 0
    for place in kind.places.values():
        declared_bits |= place.mask << place.low
    written = int.from_bytes(kind.from_payload(payload).payload(), "big")
    expected = int.from_bytes(payload, "big") & declared_bits
    limited = next((place for place in kind.places.values() if place.maximum is not None), None)
    if limited is not None and (expected >> limited.low) & limited.mask > (limited.maximum or 0):
        return  # more than 100 % is not a duty cycle
    assert written == expected


def test_what_a_newer_firmware_says_has_a_name() -> None:
    strange = SafeStateReason(77)
    assert strange.name == "UNKNOWN_77"
    assert not strange.is_known
    assert strange.text == "reason 77"
    assert SafeStateReason(77) is strange
    assert Platform(0x90).text == "platform 0x90"
    assert CpState.C.is_known


def test_an_enumeration_of_a_byte_knows_no_more_than_a_byte() -> None:
    wrong: Any
    for wrong in (256, -1, "A"):
        with pytest.raises(ValueError, match="valid"):
            SafeStateReason(wrong)
    assert issubclass(SafeStateReason, OpenEnum)
