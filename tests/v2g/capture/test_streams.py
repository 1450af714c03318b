"""TCP gives back the octets that were sent, however their segments were captured."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g.capture.files import Packet
from chargebyte_fw.modules.v2g.capture.packets import ACK, SYN, Segment
from chargebyte_fw.modules.v2g.capture.streams import ACKNOWLEDGED_WAITING, Direction

PACKET = Packet(1, 0.0, 1, b"")
FIRST = 2**32 - 50
"""The sequence number wraps around within the test."""


def segment(at: int, data: bytes, flags: int = ACK, missing: int = 0) -> Segment:
    return Segment(PACKET, "a", "b", (FIRST + at) % 2**32, 0, flags, data, missing)


def started() -> Direction:
    direction = Direction()
    direction.feed(segment(-1, b"", SYN))
    return direction


@given(st.binary(min_size=1, max_size=400), st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=150, deadline=None)
def test_segments_in_any_order_repeated_and_overlapping(sent: bytes, seed: int, size: int) -> None:
    random = Random(seed)
    segments = [segment(at, sent[at : at + size]) for at in range(0, len(sent), size)]
    for _ in range(4):
        at = random.randrange(len(sent))
        segments.append(segment(at, sent[at : at + random.randint(1, 80)]))
    # Near their place: what overtakes further than a window is not on one wire.
    shuffled = sorted(enumerate(segments[: -(-len(sent) // size)]), key=lambda one: one[0] + random.random() * 20)
    ordered = [one for _, one in shuffled]
    for extra in segments[len(ordered) :]:
        ordered.insert(random.randrange(len(ordered) + 1), extra)
    direction = started()
    pieces = [piece for one in ordered for piece in direction.feed(one)]
    assert b"".join(piece.data for piece in pieces) == sent
    assert not direction.is_waiting and not any(piece.lost for piece in pieces)


def test_the_first_segment_repeated_changes_nothing() -> None:
    direction = started()
    assert [p.data for p in direction.feed(segment(0, b"abc"))] == [b"abc"]
    direction.feed(segment(-1, b"", SYN))
    assert [p.data for p in direction.feed(segment(3, b"def"))] == [b"def"]


def test_a_hole_that_the_peer_acknowledged_is_given_up() -> None:
    direction = started()
    direction.feed(segment(0, b"abc"))
    for n in range(ACKNOWLEDGED_WAITING + 1):
        assert direction.feed(segment(5 + n, b"x")) == []
    assert direction.acknowledged((FIRST + 4) % 2**32, PACKET) == []
    pieces = direction.acknowledged((FIRST + 10) % 2**32, PACKET)
    assert [(p.lost, p.data) for p in pieces] == [(2, b"x")] + [(0, b"x")] * ACKNOWLEDGED_WAITING


def test_many_segments_do_not_wait_for_ever() -> None:
    direction = started()
    pieces = [p for n in range(200) for p in direction.feed(segment(10 + n, b"x"))]
    assert len(pieces) == 200 and pieces[0].lost == 10


def test_octets_that_the_capture_cut_off_are_lost() -> None:
    direction = started()
    assert [p.data for p in direction.feed(segment(0, b"abc", missing=7))] == [b"abc"]
    assert [(p.lost, p.data) for p in direction.feed(segment(10, b"def"))] == [(7, b"def")]


@pytest.mark.parametrize("at", [5, 2**20])
def test_a_connection_joined_midway_begins_with_what_comes(at: int) -> None:
    direction = Direction()
    assert [(p.lost, p.data) for p in direction.feed(segment(at, b"abc"))] == [(0, b"abc")]
