"""Requests of which only the kind can be read: values beyond the schema's limits, streams that end too early."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.messages import din, iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE as DIN_SEQUENCE
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2_sequence
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame
from tests.v2g.pair import dc_facts
from tests.v2g.talk import Talk, demand, ev_status, parameters, power, precharge, requests, stop, talk, with_soc

CONTENT_BIT = 8 + 7 + 1 + (1 + 1 + 8 + 64 + 1 + 2) + 1 + 6
"""Where the body's content begins: EXI header, root, Header with a session id of eight octets, Body, body element."""
MESSAGES = {"din": din, "iso2": iso2, "ac": iso2}
MODES = {"din": "DC_extended", "iso2": "DC_extended", "ac": "AC_three_phase_core"}


def with_parameter(m: Any, progress: str) -> Any:
    request = power(m, progress)
    request.EVPowerDeliveryParameter = m.DC_EVPowerDeliveryParameterType(
        DC_EVStatus=ev_status(m), ChargingComplete=False
    )
    return request


DC_REQUESTS = [
    (State.CHARGE_PARAMETERS, parameters),
    (State.CABLE_CHECK, lambda m: m.CableCheckReq(DC_EVStatus=ev_status(m))),
    (State.PRECHARGE_FIRST, precharge),
    (State.PRECHARGE, lambda m: with_parameter(m, "Start")),
    (State.CHARGING, demand),
    (State.CHARGING, lambda m: with_parameter(m, "Stop")),
    (State.STOPPED, lambda m: m.WeldingDetectionReq(DC_EVStatus=ev_status(m))),
]


@pytest.mark.parametrize("soc_percent", [101, 127])
@pytest.mark.parametrize(("state", "make"), DC_REQUESTS, ids=lambda v: getattr(v, "name", ""))
@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_a_state_of_charge_beyond_the_limit_is_answered_failed(
    kind: str, state: State, make: Any, soc_percent: int
) -> None:
    it = talk(kind, state)
    body = make(it.m)
    frame = with_soc(it.frame(body), soc_percent)
    with pytest.raises(ExiError):
        codec(kind).decode(frame[8:])
    effects = it.raw(frame)
    response = it.answer_in(effects)
    name = type(body).__name__
    assert (type(response).__name__, response.ResponseCode) == (f"{name[:-3]}Res", "FAILED")
    assert not it.closing and it.machine.session.state is state, "the car ends the session, or corrects itself"
    (line,) = it.charger.broken()
    assert line.startswith(f"{name} is refused with FAILED: V2G_Message.Body") and f"no value {soc_percent}" in line
    assert "dc_ev_status" not in [e.variable for e in effects if isinstance(e, Publish)]
    assert [e.name for e in effects if isinstance(e, out.MessageExchanged)] == [name, f"{name[:-3]}Res"]


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_a_wish_that_cannot_be_read_ends_the_energy_transfer(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    effects = it.raw(with_soc(it.frame(demand(it.m)), 127))
    assert [e.variable for e in effects if isinstance(e, Publish)] == ["current_demand_finished", "dc_open_contactor"]
    response = it.ask(demand(it.m))
    assert (response.ResponseCode, response.DC_EVSEStatus.EVSEStatusCode) == ("OK", "EVSE_Shutdown")
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK"
    assert it.ask(stop(it.m)).ResponseCode == "OK"
    assert it.end()[-1] == "dlink_terminate"


def test_checks_of_session_and_sequence_come_first() -> None:
    it = talk("iso2", State.CHARGING)
    strange = with_soc(it.frame(demand(iso2)), 127)
    it.session_id = b"\xff" * 8
    response = it.answer_in(it.raw(with_soc(it.frame(demand(iso2)), 127)))
    assert response.ResponseCode == "FAILED_UnknownSession"
    assert "current_demand_finished" not in it.charger.names(), "it says nothing of this session"
    it = talk("iso2", State.SERVICE_DISCOVERY)
    assert it.answer_in(it.raw(strange)).ResponseCode == "FAILED_SequenceError"
    assert it.closing
    it = talk("din", State.SERVICE_DISCOVERY)
    it.session_id = b"\xff" * 8
    assert it.answer_in(it.raw(with_soc(it.frame(demand(din)), 127))).ResponseCode == "FAILED_UnknownSession"


def test_it_closes_where_configured() -> None:
    it = talk("din", State.CHARGING, Settings(terminate_connection_on_failed_response=True))
    assert it.answer_in(it.raw(with_soc(it.frame(demand(din)), 101))).ResponseCode == "FAILED"
    assert it.closing


def test_it_is_bounded() -> None:
    it = talk("iso2", State.CHARGING)
    frame = with_soc(it.frame(demand(iso2)), 127)
    for _ in range(20):
        assert it.answer_in(it.raw(frame)).ResponseCode == "FAILED"
    it.raw(frame)
    assert it.closed


SEQUENCES = {"din": DIN_SEQUENCE, "iso2": iso2_sequence.DC, "ac": iso2_sequence.AC}


@pytest.mark.parametrize("kind", MESSAGES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_request_whose_kind_is_known_is_always_answered_in_kind(kind: str, data: Any) -> None:
    """Whatever happens to the bits behind the body's event code, or to the length."""
    m = MESSAGES[kind]
    state = data.draw(st.sampled_from([s for s in SEQUENCES[kind] if s is not State.ENDED]))
    it = talk(kind, state)
    known = requests(m, MODES[kind])
    name = data.draw(st.sampled_from(sorted(known)))
    frame = bytearray(it.frame(known[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        bit = data.draw(st.integers(CONTENT_BIT, len(frame) * 8 - 65))
        frame[8 + bit // 8] ^= 0x80 >> bit % 8
    if data.draw(st.booleans()):
        end = data.draw(st.integers(8 + (CONTENT_BIT + 7) // 8, len(frame)))
        frame = bytearray(Frame(EXI_DIN_ISO2, bytes(frame[8:end])).to_bytes())
    effects = it.raw(bytes(frame))
    if it.machine._deferred:
        return
    response = it.answer_in(effects)
    assert type(response).__name__ == f"{name[:-3]}Res"
    it.charger.feed(out.LinkLost("end of the test"), it.now)
    assert "dc_open_contactor" in it.charger.names() or "start_cable_check" not in it.charger.names()


@pytest.mark.parametrize("payload", ["8000dbab9371d3234b71d1b981899189d191818991d26b9b3a232b30020000040040"])
def test_a_handshake_that_cannot_be_read_to_its_end_is_refused_in_kind(payload: str) -> None:
    whole = bytes.fromhex(payload)
    for octets in (len(whole) - 1, len(whole) - 4, 12):
        it = Talk(din, dc_facts(), shake=False)
        effects = it.raw(Frame(EXI_DIN_ISO2, whole[:octets]).to_bytes())
        (sent,) = [e for e in effects if isinstance(e, out.Send)]
        answer: Any = codec("sap").decode(sent.data[8:])
        assert answer.ResponseCode == "Failed_NoNegotiation"
        assert it.closing and not it.closed
        it.wait(5.1)
        assert it.closed
        assert it.charger.published("hlc_session_failed")[0][1] == "ProtocolNegotiationFailed"
