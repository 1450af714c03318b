"""The boot loader's packets: the published ones, what is damaged, and any bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash.messages import Area, AreaKind, Command, Damaged, Packet, Packets, Signature, Status

PUBLISHED = [
    ("01 00 01 00 FF 03", m.command(Command.INQUIRY)),
    ("81 00 02 00 00 FE 03", m.status_packet(Command.INQUIRY)),
    ("01 00 05 34 00 01 C2 00 04 03", m.command(Command.BAUD_RATE, struct.pack(">I", 115200))),
    ("81 00 02 34 00 CA 03", m.status_packet(Command.BAUD_RATE)),
    ("01 00 01 3A C5 03", m.command(Command.SIGNATURE)),
    ("01 00 02 3B 00 C3 03", m.command(Command.AREA_INFO, b"\0")),
    ("01 00 02 3B 01 C2 03", m.command(Command.AREA_INFO, b"\1")),
    ("01 00 09 12 00 00 00 00 00 01 FF FF E6 03", m.command(Command.ERASE, m.address_range(0, 0x1FFFF))),
    ("01 00 09 13 00 00 00 00 00 00 03 FF E2 03", m.command(Command.WRITE, m.address_range(0, 0x3FF))),
    ("81 00 02 15 00 E9 03", m.status_packet(Command.READ)),
    ("81 00 02 92 DA 92 03", m.status_packet(Command.ERASE, Status.PROTECTED)),
]


def both_ways() -> Packets:
    return Packets(m.SOD_COMMAND, m.SOD_DATA)


@pytest.mark.parametrize(("published", "made"), PUBLISHED)
def test_the_published_packets(published: str, made: bytes) -> None:
    assert made == bytes.fromhex(published)
    assert both_ways().feed(made) == [Packet(made[0], made[3], made[4:-2])]


def test_packets_come_in_any_pieces() -> None:
    stream = b"".join(bytes.fromhex(published) for published, _ in PUBLISHED)
    whole, packets = both_ways().feed(stream), both_ways()
    assert len(whole) == len(PUBLISHED)
    assert [found for byte in stream for found in packets.feed(bytes((byte,)))] == whole


def test_noise_before_a_packet_is_passed_over() -> None:
    assert Packets(m.SOD_DATA).feed(b"\xff\x00\xc3" + m.status_packet(Command.READ)) == [
        Packet(m.SOD_DATA, Command.READ, b"\0")
    ]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("01 00 01 00 FE 03", Status.CHECKSUM),
        ("01 00 01 00 FF 04", Status.PACKET),
        ("01 00 00 00 00 03", Status.PACKET),
        ("01 04 02 00 FF 03", Status.PACKET),
        ("81 FF FF 00 FF 03", Status.PACKET),
    ],
)
def test_damage_says_which_status_answers_it(data: str, status: Status) -> None:
    (found,) = both_ways().feed(bytes.fromhex(data))
    assert isinstance(found, Damaged)
    assert found.status is status


def test_the_largest_packet_holds_1024_data_bytes() -> None:
    packet = m.data_packet(Command.READ, bytes(1024))
    assert packet[1:3] == b"\x04\x01"
    assert both_ways().feed(packet) == [Packet(m.SOD_DATA, Command.READ, bytes(1024))]
    with pytest.raises(ValueError, match="1025"):
        m.data_packet(Command.READ, bytes(1025))


def test_signature_and_area_have_their_published_lengths() -> None:
    signature = Signature(48_000_000, 1_500_000, 3, 2, 1, 0)
    area = Area(AreaKind.DATA, 0x40100000, 0x401007FF, 0x400, 1)
    assert m.data_packet(Command.SIGNATURE, signature.pack())[1:3] == b"\x00\x0d"
    assert m.data_packet(Command.AREA_INFO, area.pack())[1:3] == b"\x00\x12"
    assert Signature.unpack(signature.pack()) == signature
    assert Area.unpack(area.pack()) == area and area.size == 2048
    for kind in (Signature, Area):
        with pytest.raises(ValueError, match="data bytes"):
            kind.unpack(b"\0" * 5)
    with pytest.raises(ValueError, match="area from"):
        Area.unpack(Area(AreaKind.CODE, 5, 4, 1, 1).pack())


def test_every_status_has_words() -> None:
    assert all(status.is_known and "not documented" not in status.text for status in Status)
    assert "not documented" in Status(0x77).text


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_become_packets_or_damage(chunks: list[bytes]) -> None:
    packets = both_ways()
    for chunk in chunks:
        for found in packets.feed(chunk):
            assert isinstance(found, Damaged) or len(found.data) <= m.DATA_LIMIT


@settings(max_examples=100)
@given(st.sampled_from([m.SOD_COMMAND, m.SOD_DATA]), st.integers(0, 255), st.binary(max_size=1024), st.data())
def test_every_packet_is_found_again_however_it_is_cut(start: int, code: int, data: bytes, cut: st.DataObject) -> None:
    packet = m.command(code, data) if start == m.SOD_COMMAND else m.data_packet(code, data)
    at = cut.draw(st.integers(0, len(packet)))
    packets = both_ways()
    assert packets.feed(packet[:at]) + packets.feed(packet[at:]) == [Packet(start, code, data)]
