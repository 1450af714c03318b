"""Which request may come when (ISO 15118-2 clause 8.8.4, DIN SPEC 70121 clause 9.5), the checks before any answer."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.kernel.machine import MachineError
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE as DIN_SEQUENCE
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2_sequence
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame
from tests.v2g.talk import Talk, demand, ev_status, power, precharge, requests, selection, stop, talk

TABLES = {"din": DIN_SEQUENCE, "iso2": iso2_sequence.DC, "ac": iso2_sequence.AC}
KINDS = list(TABLES)
EVERY = [(kind, state) for kind in KINDS for state in TABLES[kind] if state is not State.ENDED]


@pytest.mark.parametrize(("kind", "state"), EVERY, ids=lambda v: getattr(v, "name", v))
def test_every_request_out_of_turn_gets_a_sequence_error_and_the_connection_closes(kind: str, state: State) -> None:
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    m = talk(kind).m
    wrong = [name for name in requests(m, mode) if name not in TABLES[kind][state]]
    assert wrong
    for name in wrong:
        it = talk(kind, state)
        response = it.ask(requests(m, mode)[name])
        assert type(response).__name__ == f"{name[:-3]}Res"
        assert response.ResponseCode == "FAILED_SequenceError", name
        assert it.closing
        it.wait(2.5)
        assert it.machine.state.name == "SHUT_DOWN"
        it.wait(3.0)
        assert it.closed


@pytest.mark.parametrize(("kind", "state"), EVERY, ids=lambda v: getattr(v, "name", v))
def test_every_request_in_turn_is_no_sequence_error(kind: str, state: State) -> None:
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    for name in TABLES[kind][state]:
        it = talk(kind, state)
        response = it.ask(requests(it.m, mode)[name]) or it.change(contactor_closed=True) or it.answer_in(it.wait(5.0))
        assert response.ResponseCode != "FAILED_SequenceError", name


IN_SESSION = [(kind, state) for kind, state in EVERY if state is not State.SESSION_SETUP]


@pytest.mark.parametrize(("kind", "state"), IN_SESSION, ids=lambda v: getattr(v, "name", v))
def test_a_request_of_another_session_is_refused(kind: str, state: State) -> None:
    it = talk(kind, state)
    name = next(iter(TABLES[kind][state]))
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    response = it.ask(requests(it.m, mode)[name], session_id=b"\xff" * 8)
    assert response.ResponseCode == "FAILED_UnknownSession"
    assert not it.closing, "the car is expected to end"


def test_the_sequence_counts_before_the_session_in_iso15118_2_and_after_it_in_din() -> None:
    for kind, code in (("iso2", "FAILED_SequenceError"), ("din", "FAILED_UnknownSession")):
        it = talk(kind, State.SERVICE_DISCOVERY)
        assert it.ask(demand(it.m), session_id=b"\xff" * 8).ResponseCode == code


@pytest.mark.parametrize("session_id", [bytes(8), b"\0", b""], ids=lambda value: value.hex() or "empty")
@pytest.mark.parametrize(("kind", "state"), IN_SESSION, ids=lambda v: getattr(v, "name", v))
def test_a_session_id_of_zero_belongs_to_no_session(kind: str, state: State, session_id: bytes) -> None:
    """Only SessionSetupReq may carry it: [V2G2-460], [V2G-DC-391]."""
    it = talk(kind, state)
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    for name in TABLES[kind][state]:
        response = it.ask(requests(it.m, mode)[name], session_id=session_id)
        assert response.ResponseCode == "FAILED_UnknownSession", name
    assert it.machine.session.state is state and not it.closing


@pytest.mark.parametrize("frame", ["809802000000000000000011b8", "80980011b8"])
def test_a_service_discovery_without_a_session_is_refused(frame: str) -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY)
    response = it.answer_in(it.raw(Frame(EXI_DIN_ISO2, bytes.fromhex(frame)).to_bytes()))
    assert response.ResponseCode == "FAILED_UnknownSession"


def test_a_failed_answer_leaves_the_state_so_that_the_car_may_correct_itself() -> None:
    it = talk("iso2", State.SERVICE_SELECTION)
    assert it.ask(selection(it.m, payment="Contract")).ResponseCode == "FAILED_PaymentSelectionInvalid"
    assert it.ask(selection(it.m)).ResponseCode == "OK"


def test_failed_answers_close_the_connection_where_configured() -> None:
    it = talk("iso2", State.SERVICE_SELECTION, Settings(terminate_connection_on_failed_response=True))
    assert it.ask(selection(it.m, payment="Contract")).ResponseCode == "FAILED_PaymentSelectionInvalid"
    assert it.closing


@pytest.mark.parametrize("state", [State.CABLE_CHECK, State.PRECHARGE_FIRST])
@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_power_may_be_taken_off_early_but_not_switched_on(kind: str, state: State) -> None:
    it = talk(kind, state)
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK"
    assert talk(kind, state).ask(power(it.m, "Start")).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("kind", KINDS)
def test_session_stop_answers_and_closes_from_every_state_that_allows_it(kind: str) -> None:
    for state, allowed in TABLES[kind].items():
        if "SessionStopReq" not in allowed:
            continue
        it = talk(kind, state)
        assert it.ask(stop(it.m)).ResponseCode == "OK"
        assert it.closing
        told = it.end()
        assert told[-1] == "dlink_terminate", (state, told)


def session_end(it: Talk) -> list[tuple[str, Any]]:
    it.end()
    return it.charger.published("dlink_error", "dlink_terminate", "dlink_pause", "hlc_session_failed")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.SERVICE_DISCOVERY, "ProtocolNegotiationFailed"),
        (State.SERVICE_SELECTION, "ChargingParametersNotAccepted"),
        (State.AUTHORIZATION, "AuthorizationFailed"),
        (State.CABLE_CHECK, "ChargingParametersNotAccepted"),
        (State.PRECHARGE_FIRST, "EnergyTransferSetupFailed"),
        (State.PRECHARGE, "EnergyTransferSetupFailed"),
        (State.CHARGING_FIRST, "EnergyTransferSetupFailed"),
        (State.CHARGING, "ChargingInterrupted"),
        (State.STOPPED, "EnergyTransferSetupFailed"),
        (State.WELDING, None),
    ],
)
def test_a_car_that_vanishes_is_a_failure_named_after_its_last_message(state: State, reason: str | None) -> None:
    ends = session_end(talk("iso2", state))
    assert ends[0] == ("dlink_error", None)
    assert [str(value) for name, value in ends[1:]] == ([reason] if reason else [])


def test_a_car_that_vanishes_before_its_first_message_failed_to_negotiate() -> None:
    it = Talk(talk("iso2").m, talk("iso2").facts, shake=False)
    assert [str(value) for _, value in session_end(it)] == ["None", "ProtocolNegotiationFailed"]


@pytest.mark.parametrize("state", [s for s in iso2_sequence.DC if s is not State.ENDED], ids=lambda s: s.name)
def test_the_power_goes_off_when_the_car_vanishes(state: State) -> None:
    it = talk("iso2", state)
    if state is State.CABLE_CHECK:
        it.ask(it.m.CableCheckReq(DC_EVStatus=ev_status(it.m)))
    energised = "start_cable_check" in it.charger.names() and state not in (State.STOPPED, State.WELDING)
    told = it.end()
    assert ("dc_open_contactor" in told) == energised
    assert ("current_demand_finished" in told) == (state in (State.CHARGING, State.RECEIPT))


def test_the_power_goes_off_with_the_answer_that_ends_the_session() -> None:
    it = talk("iso2", State.CHARGING)
    assert it.ask(precharge(it.m)).ResponseCode == "FAILED_SequenceError"
    assert it.charger.names()[-2:] == ["current_demand_finished", "dc_open_contactor"]
    it = talk("iso2", State.PRECHARGE)
    it.ask(stop(it.m))
    assert it.charger.names()[-1] == "dc_open_contactor"
    it = talk("ac", State.CHARGING)
    it.ask(demand(it.m))
    assert it.charger.names()[-1] == "ac_open_contactor"


def test_the_power_goes_off_once() -> None:
    it = talk("iso2", State.WELDING)
    it.ask(stop(it.m))
    it.end()
    assert it.charger.names().count("dc_open_contactor") == 1
    assert it.charger.names().count("current_demand_finished") == 1


def test_a_restart_within_the_loop_is_refused() -> None:
    for kind in ("din", "iso2"):
        it = talk(kind, State.CHARGING)
        assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED"
        assert it.ask(demand(it.m)).ResponseCode == "OK"


def test_pre_charge_may_be_repeated_and_starts_once() -> None:
    it = talk("iso2", State.PRECHARGE)
    for _ in range(3):
        assert it.ask(precharge(it.m)).ResponseCode == "OK"
    assert it.charger.names().count("start_pre_charge") == 1


def test_a_session_goes_no_way_that_its_sequence_does_not_have() -> None:
    session = talk("din", State.CHARGING).machine.session
    session.enter(State.CHARGING)
    with pytest.raises(MachineError, match="CurrentDemandReq leads from CHARGING to WELDING"):
        session.enter(State.WELDING)
