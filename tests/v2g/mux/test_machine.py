"""One connection before several back ends: handed over, passed on, and every way to end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.mux import machine as mux
from chargebyte_fw.modules.v2g.mux.machine import MuxConnection
from chargebyte_fw.modules.v2g.mux.machine import MuxState as S
from chargebyte_fw.modules.v2g.mux.selection import Elsewhere
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.v2gtp import Frame


def first(app: handshake.AppProtocol) -> bytes:
    return Frame(0x8001, codec("sap").encode(handshake.offer([app]))).to_bytes()


OLD, NEW = first(handshake.ISO15118D2), first(handshake.ISO15118D20_DC)


def connection(*elsewhere: int) -> MuxConnection:
    one = MuxConnection((Elsewhere(["DIN70121", "ISO15118D2"]), Elsewhere(["ISO15118D20"])), frozenset(elsewhere))
    assert one.feed(out.Connected(), 0.0) == []
    return one


def relaying() -> MuxConnection:
    one = connection(0, 1)
    assert one.feed(out.Received(NEW), 1.0) == [mux.ConnectTo(1)]
    assert one.feed(mux.BackEndConnected(), 1.1) == [mux.ToBackEnd(NEW)]
    return one


def published(effects: list[Any]) -> list[str]:
    return [one.variable for one in effects if isinstance(one, Publish)]


FAILED = ["dlink_error", "hlc_session_failed"]


@pytest.mark.parametrize(("frame", "place"), [(OLD, 0), (NEW, 1)])
def test_the_first_frame_decides_and_goes_along(frame: bytes, place: int) -> None:
    one = connection()
    for octet in frame[:-1]:
        assert one.feed(out.Received(bytes((octet,))), 1.0) == []
    assert one.feed(out.Received(frame[-1:] + b"more"), 1.0) == [mux.HandOver(place, frame + b"more")]
    assert one.state is S.HANDED_OVER and one.deadline is None
    assert one.feed(out.LinkLost("unplugged"), 2.0) == []


def test_frames_of_another_type_before_the_handshake_do_not_decide() -> None:
    one = connection()
    other = Frame(0x8002, b"\x80").to_bytes()
    assert one.feed(out.Received(other), 1.0) == []
    assert one.feed(out.Received(NEW), 1.0) == [mux.HandOver(1, other + NEW)]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", Frame(0x8001, b"\x80").to_bytes()])
def test_what_is_no_handshake_is_judged_by_the_first_back_end(data: bytes) -> None:
    one = connection()
    assert one.feed(out.Received(data), 1.0) == [mux.HandOver(0, data)]


def test_undecided_bytes_are_bounded() -> None:
    one = connection()
    frame = Frame(0x8002, bytes(8000)).to_bytes()
    assert one.feed(out.Received(frame), 1.0) == one.feed(out.Received(frame), 1.0) == []
    assert one.feed(out.Received(frame), 1.0) == [mux.HandOver(0, frame * 3)]


def test_a_silent_car() -> None:
    one = connection()
    assert one.deadline == 60.0
    effects = one.wake(60.0)
    assert out.Abort() in effects and published(effects) == FAILED and effects[-1] == mux.Released()


@pytest.mark.parametrize(
    ("event", "what"),
    [(out.Disconnected(), FAILED), (out.LinkLost("the data link is gone"), ["dlink_error"])],
)
def test_the_end_before_the_handshake(event: Any, what: list[str]) -> None:
    one = connection()
    effects = one.feed(event, 1.0)
    assert published(effects) == what and effects[-1] == mux.Released() and one.state is S.ENDED


# -- passed on


def test_bytes_both_ways_unchanged() -> None:
    one = relaying()
    assert one.feed(mux.BackEndSent(b"response"), 1.2) == [mux.ToCar(b"response")]
    assert one.feed(out.Received(b"req"), 1.3) == [mux.ToBackEnd(b"req")]
    assert one.deadline is None


def test_what_comes_before_the_back_end_is_there_is_kept() -> None:
    one = connection(0, 1)
    one.feed(out.Received(OLD), 1.0)
    assert one.feed(out.Received(b"more"), 1.0) == []
    assert one.feed(mux.BackEndConnected(), 1.1) == [mux.ToBackEnd(OLD + b"more")]


def test_but_not_without_bound() -> None:
    one = connection(0, 1)
    one.feed(out.Received(OLD), 1.0)
    effects = one.feed(out.Received(bytes(20_000)), 1.0)
    assert {mux.AbortBackEnd(), out.Abort(), mux.Released()} <= set(effects) and one.state is S.ENDED


@pytest.mark.parametrize("event", [mux.BackEndUnreachable("refused"), mux.BackEndClosed(), out.Disconnected(), None])
def test_no_connection_to_the_back_end(event: Any) -> None:
    one = connection(0, 1)
    one.feed(out.Received(NEW), 1.0)
    effects = one.wake(3.0) if event is None else one.feed(event, 1.5)
    assert published(effects) == FAILED and effects[-1] == mux.Released() and one.state is S.ENDED
    if event is None:
        assert {mux.AbortBackEnd(), out.Abort()} <= set(effects)


def test_the_car_closes_first() -> None:
    one = relaying()
    assert one.feed(out.Disconnected(), 2.0) == [mux.ShutDownBackEnd()]
    assert one.feed(mux.BackEndSent(b"late"), 2.1) == []
    assert one.feed(mux.BackEndClosed(), 2.2) == [mux.Released()]


def test_the_back_end_closes_first() -> None:
    one = relaying()
    assert one.feed(mux.BackEndClosed(), 2.0) == [out.ShutDown()]
    assert one.feed(out.Received(b"late"), 2.1) == []
    assert one.feed(out.Disconnected(), 2.2) == [mux.Released()]


@pytest.mark.parametrize("event", [out.Disconnected(), mux.BackEndClosed()])
def test_the_other_side_does_not_close(event: Any) -> None:
    one = relaying()
    one.feed(event, 2.0)
    assert one.wake(5.0) == [mux.AbortBackEnd(), out.Abort(), mux.Released()]


def test_the_data_link_goes_while_bytes_are_passed_on() -> None:
    one = relaying()
    effects = one.feed(out.LinkLost("unplugged"), 2.0)
    assert effects[1:] == [mux.AbortBackEnd(), out.Abort(), mux.Released()]
    for event in (out.Received(b""), out.Disconnected(), mux.BackEndClosed(), mux.BackEndSent(b""), out.LinkLost("")):
        assert one.feed(event, 3.0) == []


# -- whatever comes


class Surroundings:
    """A car, a back end and time that do what they can do at each moment, in any order."""

    def __init__(self, machine: MuxConnection) -> None:
        self.machine = machine
        self.now = 0.0
        self.car_open = self.open = True
        self.back_end = "none"
        self.to_back_end = b""
        self.to_car = b""

    def feed(self, event: Any) -> None:
        if self.open:
            self.act(self.machine.feed(event, self.now))

    def act(self, effects: list[Any]) -> None:
        for effect in effects:
            match effect:
                case mux.ConnectTo():
                    self.back_end = "asked"
                case mux.ToBackEnd(data):
                    assert self.back_end == "open"
                    self.to_back_end += data
                case mux.ToCar(data):
                    assert self.car_open
                    self.to_car += data
                case mux.AbortBackEnd():
                    self.back_end = "gone"
                case out.Abort():
                    self.car_open = False
                case mux.Released() | mux.HandOver():
                    self.open = False

    def step(self, what: int, data: bytes) -> None:
        match what:
            case 0 if self.car_open:
                self.feed(out.Received(data))
            case 1 if self.car_open:
                self.car_open = False
                self.feed(out.Disconnected())
            case 2 if self.back_end == "asked":
                self.back_end = "open"
                self.feed(mux.BackEndConnected())
            case 3 if self.back_end == "asked":
                self.back_end = "gone"
                self.feed(mux.BackEndUnreachable("refused"))
            case 4 if self.back_end == "open":
                self.feed(mux.BackEndSent(data))
            case 5 if self.back_end == "open":
                self.back_end = "gone"
                self.feed(mux.BackEndClosed())
            case 6 if self.open and (deadline := self.machine.deadline) is not None:
                self.now = deadline
                self.act(self.machine.wake(self.now))
            case 7:
                self.feed(out.LinkLost("unplugged"))


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from([OLD, NEW[:9], NEW[9:], b"x", b""])), max_size=30))
def test_every_course_ends_and_no_byte_is_changed(steps: list[tuple[int, bytes]]) -> None:
    one = Surroundings(connection(0, 1))
    sent = b""
    for what, data in steps:
        if what == 0 and one.car_open and one.open and one.machine.state is not S.BACK_END_CLOSED:
            sent += data
        one.step(what, data)
    assert sent.startswith(one.to_back_end)
    one.step(7, b"")
    assert not one.open and one.machine.state in (S.ENDED, S.HANDED_OVER) and one.machine.deadline is None
