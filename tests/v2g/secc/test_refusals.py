"""What exactly is answered, logged and published where everything is refused: codes, reasons, times."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as Reason
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g.messages import din, iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE as DIN_SEQUENCE
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2_sequence
from tests.v2g.pair import ac_facts, dc_facts
from tests.v2g.talk import Talk, demand, power, requests, talk, with_soc

TABLES = {"din": DIN_SEQUENCE, "iso2": iso2_sequence.DC, "ac": iso2_sequence.AC}
WAYS_OUT = ("WeldingDetectionReq", "SessionStopReq")
IN_TURN = [
    (kind, state, name)
    for kind, table in TABLES.items()
    for state, names in table.items()
    if state not in (State.SESSION_SETUP, State.ENDED)
    for name in names
]


def request(kind: str, name: str, m: Any) -> Any:
    return requests(m, "AC_three_phase_core" if kind == "ac" else "DC_extended")[name]


# -- the handshake


@pytest.mark.parametrize(
    ("facts", "why", "reason"),
    [
        ({"stop_requested": True}, "the charger wants to stop", None),
        ({"error": "Error_EmergencyShutdown"}, "the charger wants to stop", None),
        ({"app_protocols": ["DIN70121"]}, "the car offers urn:iso:15118:2:2013:MsgDef 2", "ProtocolNegotiationFailed"),
    ],
)
def test_the_reason_of_a_refused_handshake(facts: dict[str, Any], why: str, reason: str | None) -> None:
    it = Talk(iso2, dc_facts(**facts), shake=False)
    response = it.handshake("ISO15118D2")
    assert (response.ResponseCode, response.SchemaID) == ("Failed_NoNegotiation", None)
    notes = [effect.text for effect in it.charger.log if isinstance(effect, out.Log)]
    assert notes == [f"no common protocol: {why}"]
    it.wait(5.1)
    assert it.closed
    told = it.charger.published("dlink_error", "hlc_session_failed")
    assert told == [("dlink_error", None), *([("hlc_session_failed", Reason(reason))] if reason else [])]


def test_an_error_that_leaves_the_way_to_the_car_open_does_not_refuse_the_handshake() -> None:
    for error in ("Error_Malfunction", "Error_UtilityInterruptEvent", "Error_RCD", "Error_Contactor"):
        it = Talk(iso2, ac_facts(error=error), shake=False)
        assert it.handshake("ISO15118D2").ResponseCode == "OK_SuccessfulNegotiation"


def test_a_connection_without_a_word_is_a_negotiation_that_failed() -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    it.end()
    assert it.charger.published("hlc_session_failed") == [("hlc_session_failed", Reason.ProtocolNegotiationFailed)]


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, [Reason.ChargingInterrupted]),
        ({"stop_requested": True}, []),
        ({"error": "Error_RCD"}, []),
        ({"error": "Error_RCD", "stop_requested": True}, []),
    ],
)
def test_a_session_that_breaks_off_is_the_cars_failure_unless_the_charger_wanted_its_end(
    kind: str, facts: dict[str, Any], reasons: list[Reason]
) -> None:
    it = talk(kind, State.CHARGING)
    it.change(**facts)
    it.end()
    assert [value for _, value in it.charger.published("hlc_session_failed")] == reasons


# -- everything is refused


def hindered(it: Talk, how: str) -> None:
    if how == "emergency":
        it.change(error="Error_EmergencyShutdown")
        return
    it.change(stop_requested=True)
    it.wait(10.1)


@pytest.mark.parametrize("how", ["emergency", "ten seconds of stop_charging"])
@pytest.mark.parametrize(("kind", "state", "name"), IN_TURN, ids=lambda v: getattr(v, "name", v))
def test_everything_but_the_way_out_is_answered_failed(kind: str, state: State, name: str, how: str) -> None:
    it = talk(kind, state)
    hindered(it, how)
    response = it.ask(request(kind, name, it.m))
    assert type(response).__name__ == f"{name[:-3]}Res"
    assert response.ResponseCode == ("OK" if name in WAYS_OUT else "FAILED")
    assert it.closing is (name == "SessionStopReq")
    codes = [effect.text for effect in it.charger.log if isinstance(effect, out.Log) and "FAILED" in effect.text]
    assert codes == ([] if name in WAYS_OUT else [f"{name}: FAILED"])


@pytest.mark.parametrize("how", ["emergency", "ten seconds of stop_charging"])
@pytest.mark.parametrize("kind", TABLES)
def test_the_power_may_be_taken_off_and_nothing_else(kind: str, how: str) -> None:
    it = talk(kind, State.CHARGING)
    hindered(it, how)
    if kind != "din":
        assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "FAILED"
    assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED"
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK"
    assert it.charger.names()[-1] == ("ac_open_contactor" if kind == "ac" else "dc_open_contactor")


@pytest.mark.parametrize("kind", TABLES)
def test_before_the_ten_seconds_are_over_nothing_is_refused(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(stop_requested=True)
    it.wait(9.9)
    loop = iso2.ChargingStatusReq() if kind == "ac" else demand(it.m)
    assert it.ask(loop).ResponseCode == "OK"
    it.wait(0.2)
    assert it.ask(loop).ResponseCode == "FAILED"


@pytest.mark.parametrize("kind", TABLES)
def test_sequence_and_session_win_over_the_refusal_of_everything(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    hindered(it, "emergency")
    assert it.ask(it.m.ServiceDiscoveryReq()).ResponseCode == "FAILED_SequenceError"
    it = talk(kind, State.CHARGING)
    hindered(it, "emergency")
    loop = iso2.ChargingStatusReq() if kind == "ac" else demand(it.m)
    assert it.ask(loop, session_id=b"\xff" * 8).ResponseCode == "FAILED_UnknownSession"


# -- a request that cannot be read


@pytest.mark.parametrize("m", [din, iso2], ids=["din", "iso2"])
def test_an_unreadable_request_out_of_turn_takes_the_power_off_at_once(m: Any) -> None:
    """The connection stays for two seconds more, so that the car can read the answer."""
    kind = "din" if m is din else "iso2"
    it = talk(kind, State.PRECHARGE)
    before = len(it.charger.log)
    response = it.answer_in(it.raw(with_soc(it.frame(demand(m)), 127)))
    assert response.ResponseCode == "FAILED_SequenceError" and it.closing and not it.closed
    assert "dc_open_contactor" in [e.variable for e in it.charger.log[before:] if isinstance(e, Publish)]
