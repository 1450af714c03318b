"""What goes wrong below the messages: pieces, floods, junk, silence (ISO 15118-2 clauses 7.8.3, 8.7)."""

from __future__ import annotations

import struct

import pytest

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.access import (
    Access,
    AccessState,
    CarConnected,
    CarGone,
    CarSpoke,
    CloseConnection,
    DataLink,
    HandshakeFailed,
    SdpAnswered,
)
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.pair import dc_facts
from tests.v2g.talk import Talk, demand, stop, talk

JUNK = b"\x80\x98\xff\xff\xff\xff\xff\xff"


def test_a_message_in_pieces_is_a_message() -> None:
    it = talk("iso2", State.CHARGING)
    frame = it.frame(demand(iso2))
    for octet in frame[:-1]:
        assert it.answer_in(it.raw(bytes([octet]))) is None
    assert it.answer_in(it.raw(frame[-1:])).ResponseCode == "OK"


def test_two_messages_in_one_piece_are_two_answers() -> None:
    it = talk("iso2", State.CHARGING)
    effects = it.raw(it.frame(demand(iso2)) * 2)
    assert [e.message for e in effects if isinstance(e, out.Send)] == ["CurrentDemandRes"] * 2


@pytest.mark.parametrize(
    "header",
    [
        b"\x02\xfe\x80\x01\x00\x00\x00\x10",
        b"\x01\x01\x80\x01\x00\x00\x00\x10",
        struct.pack(">BBHI", 1, 0xFE, 0x8001, 8185),
        struct.pack(">BBHI", 1, 0xFE, 0x8001, 0xFFFFFFFF),
        b"GET / HTTP/1.1\r\n",
    ],
)
@pytest.mark.parametrize("state", [State.SESSION_SETUP, State.CHARGING], ids=lambda s: s.name)
def test_a_header_that_is_none_closes_the_connection(state: State, header: bytes) -> None:
    it = talk("iso2", state)
    effects = it.raw(header)
    assert out.Abort() in effects and it.closed
    assert len(it.charger.broken()) == 1
    assert ("dc_open_contactor" in it.charger.names()) == (state is State.CHARGING)


def test_the_greatest_frame_is_still_read() -> None:
    it = talk("iso2", State.CHARGING)
    it.raw(Frame(0x8001, b"\x80" + bytes(8183)).to_bytes())
    assert not it.closed


@pytest.mark.parametrize("payload", [b"", b"\x80", JUNK, b"\x80\x02", b"<xml/>", b"\x80\x9a" + bytes(20)])
def test_a_message_that_is_not_understood_is_overlooked(payload: bytes) -> None:
    it = talk("iso2", State.CHARGING)
    effects = it.raw(Frame(0x8001, payload).to_bytes())
    assert not any(isinstance(e, out.Send) for e in effects)
    assert len(it.charger.broken()) == 1
    assert it.ask(demand(iso2)).ResponseCode == "OK"


def test_a_frame_of_another_payload_type_is_overlooked() -> None:
    it = talk("iso2", State.CHARGING)
    it.raw(Frame(0x8002, b"\x80\x00").to_bytes())
    assert it.ask(demand(iso2)).ResponseCode == "OK"


def test_a_response_from_the_car_is_overlooked() -> None:
    it = talk("iso2", State.STOPPED)
    it.raw(it.frame(iso2.SessionStopRes(ResponseCode=iso2.responseCodeType.OK)))
    assert it.charger.broken() == ["SessionStopRes is no request"]
    assert it.ask(stop(iso2)).ResponseCode == "OK"


def test_junk_without_end_closes_the_connection() -> None:
    it = talk("iso2", State.CHARGING)
    for _ in range(21):
        it.raw(Frame(0x8001, JUNK).to_bytes())
    assert it.closed


def test_a_car_that_does_not_wait_for_answers_is_closed() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    power_on = iso2.PowerDeliveryReq(ChargeProgress=iso2.chargeProgressType.Start, SAScheduleTupleID=1)
    it.raw(it.frame(power_on))
    it.raw(it.frame(iso2.ChargingStatusReq()) * 10)
    assert it.closed


def test_a_request_ahead_of_an_answer_waits_for_its_turn() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    power_on = iso2.PowerDeliveryReq(ChargeProgress=iso2.chargeProgressType.Start, SAScheduleTupleID=1)
    it.raw(it.frame(power_on) + it.frame(iso2.ChargingStatusReq()))
    it.facts.contactor_closed = True
    effects = it.charger.feed(out.FactsChanged(), it.now)
    assert [e.message for e in effects if isinstance(e, out.Send)] == ["PowerDeliveryRes", "ChargingStatusRes"]


# -- silence


@pytest.mark.parametrize("state", [State.SESSION_SETUP, State.AUTHORIZATION, State.CHARGING], ids=lambda s: s.name)
def test_the_sequence_time_out_closes_after_sixty_seconds(state: State) -> None:
    it = talk("iso2", state)
    it.wait(59.9)
    assert not it.closed
    it.wait(0.2)
    assert it.closed and "no request for 60 s" in it.charger.broken()[0]


def test_din_is_not_held_to_a_clause_of_iso_15118_2() -> None:
    for kind, clause in (("din", False), ("iso2", True)):
        it = talk(kind, State.CHARGING)
        it.wait(60.1)
        (line,) = it.charger.broken()
        assert line.startswith("no request for 60 s") and ("[V2G2" in line) is clause


def test_the_sequence_time_out_counts_before_the_handshake_too() -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    it.wait(60.1)
    assert it.closed


def test_each_request_begins_the_time_anew_but_junk_does_not() -> None:
    it = talk("iso2", State.CHARGING)
    it.wait(40)
    it.ask(demand(iso2))
    it.wait(40)
    it.raw(Frame(0x8001, JUNK).to_bytes())
    it.raw(it.frame(demand(iso2))[:5])
    assert not it.closed
    it.wait(20.1)
    assert it.closed


def test_after_the_last_response_the_car_has_two_seconds_and_three_more_to_close() -> None:
    it = talk("iso2", State.STOPPED)
    it.ask(stop(iso2))
    assert out.ShutDown() not in it.wait(1.9)
    assert out.ShutDown() in it.wait(0.2)
    assert out.Abort() not in it.wait(2.8)
    assert out.Abort() in it.wait(0.2)
    assert [n for n in it.charger.names() if n.startswith("dlink")] == ["dlink_terminate"]


def test_a_car_that_closes_first_ends_it_at_once() -> None:
    it = talk("iso2", State.STOPPED)
    it.ask(stop(iso2))
    assert it.end() == ["dlink_terminate"]
    assert it.machine.deadline is None


def test_nothing_happens_after_the_end() -> None:
    it = talk("iso2", State.STOPPED)
    it.ask(stop(iso2))
    it.end()
    for event in (out.Received(b"abc"), out.Disconnected(), out.FactsChanged(), out.LinkLost("late")):
        assert it.charger.feed(event, it.now) == []


# -- who may connect


def test_nobody_connects_before_the_data_link() -> None:
    access = Access()
    assert not access.open
    access.feed(DataLink(True), 0.0)
    assert access.open
    access.feed(DataLink(False), 1.0)
    assert not access.open


def test_without_a_car_the_data_link_is_reported_broken_after_the_time_of_join_and_set_up() -> None:
    """TT_match_join (12 s) and V2G_SECC_CommunicationSetup (18 s): by default the modem's link is not watched."""
    access = Access()
    access.feed(DataLink(True), 100.0)
    assert access.wake(129.9) == [] and access.open
    assert publish(Iso15118Charger.dlink_error, None) in access.wake(130.0)
    assert not access.open


def test_a_car_that_asks_late_may_still_connect() -> None:
    access = Access()
    access.feed(DataLink(True), 100.0)
    access.feed(SdpAnswered(), 105.0)
    assert access.deadline == 130.0
    access.feed(SdpAnswered(), 129.9)
    assert access.wake(134.8) == [] and access.open
    access.feed(CarConnected(), 134.8)
    assert access.deadline is None
    access.feed(SdpAnswered(), 135.0)
    assert access.deadline is None
    access.feed(CarSpoke(), 135.1)
    assert not access.open


def test_asking_without_end_keeps_nothing_open() -> None:
    access = Access()
    access.feed(DataLink(True), 100.0)
    now, effects = 100.0, []
    while access.open and now < 1000.0:
        now += 0.25
        access.feed(SdpAnswered(), now)
        effects += access.wake(now)
    assert now == 150.0 and publish(Iso15118Charger.dlink_error, None) in effects


def test_a_connected_car_stops_that_time_and_keeps_others_out() -> None:
    access = Access()
    access.feed(DataLink(True), 0.0)
    access.feed(CarConnected(), 5.0)
    assert access.deadline is None and access.open, "until its first request another one may take its place"
    access.feed(CarConnected(), 6.0)
    access.feed(CarSpoke(), 6.1)
    assert access.deadline is None and not access.open
    access.feed(CarGone(), 60.0)
    assert access.open and access.deadline is None


def test_a_lost_data_link_takes_the_connection_with_it() -> None:
    access = Access()
    access.feed(DataLink(True), 0.0)
    access.feed(CarConnected(), 5.0)
    assert access.feed(DataLink(True), 6.0) == []
    (effect,) = access.feed(DataLink(False), 7.0)
    assert isinstance(effect, CloseConnection)
    assert access.feed(CarGone(), 7.0) == [] and access.state is AccessState.SHUT


def test_a_failed_handshake_leaves_the_car_a_bounded_time_to_try_again() -> None:
    failure = publish(Iso15118Charger.hlc_session_failed, FailureReason.FailedTLSHandshake)
    access = Access()
    access.feed(DataLink(True), 0.0)
    assert access.feed(HandshakeFailed(), 29.0) == [failure] and access.deadline == 34.0
    assert access.feed(HandshakeFailed(), 29.9) == [], "it is published once a second"
    assert access.feed(HandshakeFailed(), 30.0) == [failure]
    access.feed(CarConnected(), 31.0)
    assert access.feed(HandshakeFailed(), 31.5) == [], "another one than the car's"
    access.feed(CarSpoke(), 32.0)
    access.feed(CarGone(), 1000.0)
    assert access.deadline is None
    assert access.feed(HandshakeFailed(), 1000.5) == [failure] and access.deadline == 1018.5
    now = 1000.5
    while access.open and now < 2000.0:
        now += 0.5
        access.feed(HandshakeFailed(), now)
        access.wake(now)
    assert now == 1038.5 and not access.open


def test_the_answer_leaves_before_anybody_else_hears_of_the_request() -> None:
    it = talk("iso2", State.CHARGING)
    effects = it.raw(it.frame(demand(iso2, amperes=60)))
    assert isinstance(effects[0], out.Send)
    assert [e.name for e in effects if isinstance(e, out.MessageExchanged)] == ["CurrentDemandReq", "CurrentDemandRes"]
