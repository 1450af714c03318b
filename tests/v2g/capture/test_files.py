"""Capture files are read from front to back, and where they break off, everything before was read."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.capture.files import CaptureError, Packet, is_capture, packets
from tests.v2g.capture import wire

PACKETS = [b"\x01" * 60, b"", b"\x03" * 61]


def read(file: bytes) -> list[Packet]:
    assert is_capture(file)
    return list(packets(io.BytesIO(file), "a.pcap"))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_either_byte_order_and_resolution(order: str, nanoseconds: bool) -> None:
    found = read(wire.pcap(PACKETS, 276, order, nanoseconds))
    assert [(p.number, p.link_type, p.data) for p in found] == [(n + 1, 276, data) for n, data in enumerate(PACKETS)]
    assert [round(p.time_s - 1_700_000_000, 6) for p in found] == [0, 0.1, 0.2]


@pytest.mark.parametrize("order", "<>")
def test_pcapng_of_either_byte_order(order: str) -> None:
    stamps = [(n, 1_700_000_000_000_000 + n * 100_000) for n in range(3)]
    file = wire.section(order) + wire.interface(113, order)
    file += b"".join(wire.enhanced(PACKETS[n], ticks, order) for n, ticks in stamps)
    assert [(p.link_type, p.data) for p in read(file)] == [(113, data) for data in PACKETS]
    assert [round(p.time_s - 1_700_000_000, 6) for p in read(file)] == [0, 0.1, 0.2]


@pytest.mark.parametrize(("resolution", "ticks"), [(9, 5 * 10**9), (0x80 | 10, 5 * 1024), (3, 5000)])
def test_pcapng_times_have_the_resolution_and_offset_of_their_interface(resolution: int, ticks: int) -> None:
    file = wire.section() + wire.interface(resolution=resolution, offset_s=1000) + wire.enhanced(b"a", ticks)
    assert read(file)[0].time_s == pytest.approx(1005)


def test_pcapng_with_several_interfaces_sections_simple_packets_and_blocks_of_others() -> None:
    other = wire.block(0x0BAD, b"whatever")
    simple = wire.block(3, struct.pack("<I", 5) + b"12345")
    first = wire.section() + other + wire.interface(1) + wire.interface(276) + wire.enhanced(b"x", 1, face=1) + simple
    second = wire.section(">") + wire.interface(101, ">") + wire.enhanced(b"y", 1, ">")
    found = [(p.number, p.interface, p.link_type, p.data) for p in read(first + second)]
    assert found == [(1, 1, 276, b"x"), (2, 0, 1, b"12345"), (3, 0, 101, b"y")]


@pytest.mark.parametrize(
    "file",
    [
        wire.pcap(PACKETS),
        wire.section() + wire.interface() + b"".join(wire.enhanced(data, 1) for data in PACKETS),
    ],
    ids=["pcap", "pcapng"],
)
def test_a_file_that_ends_anywhere_says_where_and_everything_before_was_read(file: bytes) -> None:
    whole = read(file)
    for length in range(4, len(file)):
        found = []
        try:
            for packet in packets(io.BytesIO(file[:length]), "a.pcap"):
                found.append(packet)
        except CaptureError as error:
            assert str(error).startswith("a.pcap: octet ") and "ends in" in str(error) and "\n" not in str(error)
        assert found == whole[: len(found)]


@pytest.mark.parametrize(
    ("file", "what"),
    [
        (wire.pcap([]) + struct.pack("<IIII", 1, 1, 2**31, 2**31), "octet 32: packet 1 claims 2147483648 octets"),
        (wire.section() + struct.pack("<II", 6, 7), "octet 32: a block claims 7 octets: damaged"),
        (wire.section() + wire.enhanced(b"a", 1), "octet 28: packet 1 is of an interface never described"),
        (wire.section() + wire.interface() + wire.block(6, b"abcd"), "octet 48: a block of type 6 is too short"),
        (wire.section()[:8] + b"1234" + wire.section()[12:], "octet 8: no byte order is told"),
        (wire.section()[:-4] + bytes(4), "octet 24: a block of 28 octets ends as one of 0"),
    ],
)
def test_damage_is_named_with_its_place(file: bytes, what: str) -> None:
    with pytest.raises(CaptureError, match=what):
        read(file)


@given(
    st.binary(max_size=300), st.sampled_from([wire.pcap([]), wire.section() + wire.interface(), b"\xa1\xb2\xc3\xd4"])
)
@settings(max_examples=200, deadline=None)
def test_nothing_else_than_a_capture_error_comes_of_any_file(octets: bytes, beginning: bytes) -> None:
    try:
        read(beginning + octets)
    except CaptureError as error:
        assert "\n" not in str(error)
