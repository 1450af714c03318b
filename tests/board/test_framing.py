"""Frames in a stream of bytes: fixed length, no escaping, found again one byte after a false start."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.link.messages.framing import EOF, FRAME_BYTES, SOF, Frame, Receiver, crc8, encode
from tests.board import cables

PAYLOADS = [bytes(8), bytes([SOF] * 8), bytes([EOF] * 8), bytes(range(8)), b"\xa5\x03\xa5\x03\xa5\x03\xa5\x03"]


def frames(count: int) -> list[Frame]:
    return [Frame((7, 8, 0xA5)[n % 3], PAYLOADS[n % len(PAYLOADS)]) for n in range(count)]


def received(cable: Callable[[bytes], list[bytes]], sent: list[Frame]) -> list[Frame]:
    receiver = Receiver()
    return [frame for one in sent for chunk in cable(encode(*one)) for frame in receiver.feed(chunk)]


@pytest.mark.parametrize("name", ["perfect", "byte_by_byte"])
def test_every_frame_arrives_however_it_is_cut(name: str) -> None:
    assert received(cables.ALL[name](), frames(50)) == frames(50)


def test_a_frame_whose_end_is_late_arrives_with_its_end() -> None:
    assert received(cables.late(), frames(50)) == frames(49)


def test_noise_between_frames_costs_no_frame() -> None:
    """Noise may form a false frame start, never a frame: CRC and EOF have to fit as well."""
    assert received(cables.noisy(3), frames(200)) == frames(200)


def test_a_lost_byte_costs_the_frame_it_belonged_to_and_no_other() -> None:
    sent = [Frame((7, 8)[n % 2], bytes.fromhex("803203007e3c0000")) for n in range(400)]
    cable = cables.lossy(11)
    receiver = Receiver()
    whole, got = [], []
    for one in sent:
        (arrived,) = cable(encode(*one))
        if len(arrived) == FRAME_BYTES:
            whole.append(one)
        got += receiver.feed(arrived)
    assert got == whole
    assert len(whole) < len(sent)


def test_quirk_o_a_frame_with_a_wrong_crc_is_dropped_and_the_next_one_counts() -> None:
    """The shipped driver went on into the handling of a frame whose CRC was wrong."""
    good = encode(7, bytes(8))
    bad = bytearray(encode(6, b"\x81\x0a\x07\0\0\0\0\0"))
    bad[10] ^= 0x01
    receiver = Receiver()
    assert receiver.feed(bytes(bad) + good) == [Frame(7, bytes(8))]
    assert receiver.bad_frames == 1


@pytest.mark.parametrize("at", range(1, FRAME_BYTES))
def test_the_search_goes_on_one_byte_after_a_false_start(at: int) -> None:
    """A frame that begins inside a broken one is found."""
    good = encode(8, bytes(range(8)))
    broken = encode(7, bytes(8))[:at]
    assert Receiver().feed(broken + good) == [Frame(8, bytes(range(8)))]


@pytest.mark.parametrize("bit", range(8 * FRAME_BYTES))
def test_no_single_flipped_bit_makes_a_frame(bit: int) -> None:
    data = bytearray(encode(6, b"\x80\x32\x00\0\0\0\0\0"))
    data[bit // 8] ^= 1 << (bit % 8)
    assert Receiver().feed(bytes(data)) == []


def test_reset_forgets_an_unfinished_frame() -> None:
    receiver = Receiver()
    first = encode(7, bytes(8))
    receiver.feed(first[:6])
    receiver.reset()
    assert receiver.feed(first[6:]) == []


@settings(max_examples=150, deadline=None)
@given(chunks=st.lists(st.binary(max_size=40), max_size=12))
def test_whatever_comes_is_taken_and_only_whole_frames_come_out(chunks: list[bytes]) -> None:
    receiver = Receiver()
    stream = b"".join(chunks)
    got = [frame for chunk in chunks for frame in receiver.feed(chunk)]
    assert got == Receiver().feed(stream)
    for frame in got:
        assert encode(*frame) in stream


def test_the_time_grows_with_the_length_of_the_noise_and_no_faster() -> None:
    """The worst noise: every byte is a start, every twelfth an end, no CRC fits."""
    worst = bytes([SOF] * (FRAME_BYTES - 1) + [EOF]) * 2000
    assert crc8(worst[1:10]) != worst[10]
    chance = random.Random(5)
    for kind in (worst, bytes(chance.randrange(256) for _ in range(len(worst))), bytes([SOF]) * len(worst)):
        short, long = (_time(kind[: len(kind) // 8]), _time(kind))
        assert long < 8 * short * 6, "eight times the bytes must not take more than about eight times as long"


def _time(data: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        receiver = Receiver()
        began = time.process_time()
        for at in range(0, len(data), 64):
            receiver.feed(data[at : at + 64])
        best = min(best, time.process_time() - began)
    return best
