"""From packets to frames, whatever they were captured from."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.capture.files import CaptureError, Packet
from chargebyte_fw.modules.v2g.capture.sniffed import Sniffer, of_capture
from chargebyte_fw.modules.v2g.capture.traffic import HomeplugFrame, Item, Trouble, V2gFrame
from tests.v2g.capture import wire

FRAMES = wire.frames()
SDP_REQUEST = bytes.fromhex("01fe9000000000021000")


def items_of(packets: Sequence[bytes], link_type: int = wire.ETHERNET, step_s: float = 0.1) -> list[Item]:
    return list(of_capture(io.BytesIO(wire.pcap(packets, link_type, step_s=step_s)), "a.pcap"))


def frames_of(packets: Sequence[bytes], link_type: int = wire.ETHERNET) -> list[bytes]:
    items = items_of(packets, link_type)
    assert all(isinstance(item, V2gFrame) for item in items), items
    return [item.to_bytes() for item in items if isinstance(item, V2gFrame)]


@pytest.mark.parametrize("address", [wire.CAR, "192.168.0.1"])
@pytest.mark.parametrize(
    ("link_type", "vlans"),
    [
        *((link, ()) for link in (wire.ETHERNET, wire.COOKED_V1, wire.COOKED_V2, wire.RAW, wire.NULL)),
        *((link, (0x8100,)) for link in (wire.ETHERNET, wire.COOKED_V1, wire.COOKED_V2)),
        *((link, (0x88A8, 0x8100)) for link in (wire.ETHERNET, wire.COOKED_V1, wire.COOKED_V2)),
    ],
)
def test_every_link_layer(address: str, link_type: int, vlans: tuple[int, ...]) -> None:
    packets = wire.conversation(FRAMES, car=(address, 50000))
    assert frames_of([wire.link(p, link_type, vlans) for p in packets], link_type) == FRAMES


@pytest.mark.parametrize("size", [1, 3, 8, 20])
def test_a_frame_may_take_many_segments(size: int) -> None:
    packets = wire.conversation(FRAMES[:6], size=size)
    assert frames_of([wire.link(p, wire.ETHERNET) for p in packets]) == FRAMES[:6]


def test_segments_that_overtake_each_other_and_repeat() -> None:
    packets = [wire.link(p, wire.ETHERNET) for p in wire.conversation(FRAMES[:8], size=20)]
    swapped = packets[:2]
    for n in range(2, len(packets), 2):
        swapped += [*reversed(packets[n : n + 2]), packets[n]]
    found = frames_of(swapped)
    assert sorted(found) == sorted(FRAMES[:8])


def test_a_packet_that_a_capture_of_all_interfaces_doubles_counts_once() -> None:
    packets = [wire.udp((wire.CAR, 40000), ("ff02::1", 15118), SDP_REQUEST), *wire.conversation(FRAMES)]
    doubled = [
        wire.link(p, wire.COOKED_V2, direction=direction, index=index)
        for p in packets
        for direction, index in ((4, 3), (0, 2))
    ]
    assert frames_of(doubled, wire.COOKED_V2) == [SDP_REQUEST, *FRAMES]


def test_the_same_sdp_request_sent_again_counts_again() -> None:
    packet = wire.udp((wire.CAR, 40000), ("ff02::1", 15118), SDP_REQUEST)
    copies = [wire.link(packet, wire.COOKED_V2, index=index) for _ in range(3) for index in (2, 3)]
    assert len(frames_of(copies, wire.COOKED_V2)) == 3
    assert len(frames_of([wire.link(packet, wire.ETHERNET)] * 3)) == 3


def test_interfaces_that_a_cooked_capture_does_not_tell_apart() -> None:
    packet = wire.link(wire.udp((wire.CAR, 40000), ("ff02::1", 15118), SDP_REQUEST), wire.COOKED_V1)
    assert len(items_of([packet, packet], wire.COOKED_V1, step_s=0.0001)) == 1
    assert len(items_of([packet, packet], wire.COOKED_V1, step_s=0.25)) == 2


@pytest.mark.parametrize("link_type", [wire.ETHERNET, wire.COOKED_V1, wire.COOKED_V2])
def test_homeplug_frames(link_type: int) -> None:
    mme = bytes.fromhex("01646000000000" + "0102030405060708")
    (item,) = items_of([wire.link(mme, link_type)], link_type)
    assert isinstance(item, HomeplugFrame)
    assert item.frame[12:].startswith(bytes.fromhex("88e1") + mme)
    assert item.origin.source == "02:00:00:00:00:01"
    assert item.origin.destination == ("02:00:00:00:00:02" if link_type == wire.ETHERNET else "")


def test_a_homeplug_frame_doubled_with_and_without_padding_counts_once() -> None:
    mme = bytes.fromhex("01646000000000" + "0102030405060708")
    packets = [wire.link(mme, 276, index=2, direction=4), wire.link(mme + bytes(30), 276, index=3)]
    assert len(items_of(packets, wire.COOKED_V2)) == 1


def test_what_is_no_v2g_is_passed_over() -> None:
    mqtt = wire.conversation([b"\x10\x0c\x00\x04MQTT", b"\x20\x02\x00\x00", b"\x01\xfe nothing"], car=(wire.CAR, 40001))
    dns = wire.udp((wire.CAR, 40000), (wire.CHARGER, 53), b"question")
    icmp = wire.ip(wire.CAR, wire.CHARGER, 58, bytes(8))
    assert items_of([wire.link(p, wire.ETHERNET) for p in [*mqtt, dns, icmp]]) == []


def test_an_encrypted_connection_is_remarked_and_no_error() -> None:
    packets = wire.conversation([b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x03\x00\x05world"])
    items = items_of([wire.link(p, wire.ETHERNET) for p in packets])
    assert [item.is_error for item in items if isinstance(item, Trouble)] == [False, False]
    assert len(items) == 2


def test_a_capture_that_begins_within_a_connection() -> None:
    packets = wire.conversation(FRAMES[:6])[3:]
    assert frames_of([wire.link(p, wire.ETHERNET) for p in packets]) == FRAMES[1:6]


def test_a_broken_header_is_told_and_reading_goes_on_at_the_next_frame() -> None:
    items = items_of(
        [wire.link(p, wire.ETHERNET) for p in wire.conversation([FRAMES[0], FRAMES[1], b"\x02" * 20, *FRAMES[3:6]])]
    )
    troubles = [item for item in items if isinstance(item, Trouble)]
    assert [item.what for item in troubles] == ["header 0202020202020202 is not version 1 [V2GTP]"]
    assert troubles[0].is_error
    found = [item.to_bytes() for item in items if isinstance(item, V2gFrame)]
    assert found == [FRAMES[0], FRAMES[1], *FRAMES[3:6]]


def test_a_lost_segment_is_told_and_reading_goes_on_behind_it() -> None:
    packets = wire.conversation(FRAMES[:8])
    lost = [p for p in packets if not p.endswith(FRAMES[2])]
    items = items_of([wire.link(p, wire.ETHERNET) for p in lost])
    assert [item.what for item in items if isinstance(item, Trouble)] == [
        f"{len(FRAMES[2])} octets before this were not captured"
    ]
    found = [item.to_bytes() for item in items if isinstance(item, V2gFrame)]
    assert sorted(found) == sorted([*FRAMES[:2], *FRAMES[3:8]])


def test_a_connection_whose_first_data_was_not_captured_is_read_from_the_next_frame_on() -> None:
    packets = wire.conversation(FRAMES[:6], size=20)
    first = next(p for p in packets if p.endswith(FRAMES[0][:20]))
    packets.remove(first)
    found = frames_of([wire.link(p, wire.ETHERNET) for p in packets])
    assert sorted(found) == sorted(FRAMES[1:6])


def test_the_same_ports_are_used_for_another_connection() -> None:
    packets = wire.conversation(FRAMES[:4]) + wire.conversation(FRAMES[4:8], first=5_000)
    assert frames_of([wire.link(p, wire.ETHERNET) for p in packets]) == FRAMES[:8]


def test_a_frame_that_is_not_whole_at_the_end() -> None:
    packets = wire.conversation([FRAMES[0], FRAMES[1][:12]])
    items = items_of([wire.link(p, wire.ETHERNET) for p in packets])
    assert isinstance(items[0], V2gFrame) and isinstance(items[1], Trouble)
    assert items[1].what == "the last 12 octets are no whole frame"


def test_a_broken_file_still_yields_what_waited_behind_a_hole() -> None:
    packets = [wire.link(p, wire.ETHERNET) for p in wire.conversation(FRAMES[:3])]
    del packets[2]
    found: list[Item] = []
    with pytest.raises(CaptureError):
        found.extend(of_capture(io.BytesIO(wire.pcap(packets) + b"\x00"), "a.pcap"))
    assert len([item for item in found if isinstance(item, V2gFrame)]) == 2


def test_a_broken_file_is_blamed_once() -> None:
    packets = [wire.link(p, wire.ETHERNET) for p in wire.conversation([FRAMES[0], FRAMES[1]], size=20)]
    found: list[Item] = []
    with pytest.raises(CaptureError):
        found.extend(of_capture(io.BytesIO(wire.pcap(packets)[:-120]), "a.pcap"))
    assert [type(item) for item in found] == [V2gFrame]


def test_packets_of_a_link_layer_that_nobody_knows_are_told_once() -> None:
    items = items_of([b"\x00" * 40] * 3, 105)
    assert [item.what for item in items if isinstance(item, Trouble)] == ["packets of link type 105"]


@given(
    st.sampled_from([1, 0, 101, 113, 276]),
    st.binary(max_size=120),
    st.sampled_from([b"", wire.link(wire.conversation(FRAMES[:1])[2], 1), wire.link(b"\x01\x64\x60" + bytes(20), 276)]),
    st.integers(0, 60),
)
@settings(max_examples=300, deadline=None)
def test_no_packet_is_too_strange(link_type: int, octets: bytes, beginning: bytes, cut: int) -> None:
    sniffer = Sniffer()
    packet = Packet(1, 0.0, link_type, beginning[:cut] + octets)
    sniffer.feed(packet)
    sniffer.feed(packet)
    sniffer.close(packet)


def test_a_fragment_of_an_ip_packet_is_left_alone() -> None:
    packet = bytearray(wire.conversation(FRAMES[:1], car=("192.168.0.1", 4))[2])
    packet[6:8] = struct.pack(">H", 0x2000)
    assert items_of([wire.link(bytes(packet), wire.ETHERNET)]) == []
