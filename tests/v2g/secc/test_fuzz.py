"""Whatever a car sends: an answer, a warning, or the end of the connection; no exception, no contactor left closed."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE as DIN_SEQUENCE
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2_sequence
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g import contract_chains
from tests.v2g.pair import change, dc_facts
from tests.v2g.talk import (
    CONTRACT_STATES,
    Talk,
    certificate_response,
    parameters,
    payment_details,
    power,
    requests,
    selection,
    talk,
)

RESPONSE = certificate_response(bytes(range(1, 9)))
KINDS = st.sampled_from(["din", "iso2", "ac"])
FACTS: dict[str, Any] = {
    "authorized": st.sampled_from([None, True, False]),
    "cable_check": st.sampled_from([None, True, False]),
    "contactor_closed": st.booleans(),
    "stop_requested": st.booleans(),
    "error": st.sampled_from(["", "Error_EmergencyShutdown", "Error_Malfunction", "Error_RCD", "Error_Contactor"]),
    "isolation": st.sampled_from(["Invalid", "Valid", "Warning", "Fault", "No_IMD"]),
    "no_energy_pause": st.sampled_from(["", "PauseAfterPrecharge", "PauseBeforeCableCheck", "AllowEvToIgnorePause"]),
    "present_voltage_V": st.floats(0, 1500),
    "present_current_A": st.floats(-10_000, 10_000),
    "dc_max_current_A": st.floats(0, 10_000),
    "dc_max_power_W": st.one_of(st.none(), st.floats(-1_000_000, 1_000_000)),
    "meter_Wh": st.one_of(st.none(), st.floats(0, 1e12)),
    "evse_id": st.text(max_size=60),
    "meter_is_new": st.booleans(),
    "meter_signature": st.sampled_from([b"", bytes(64)]),
    "receipt_required": st.booleans(),
    "ac_max_current_A": st.floats(0, 400),
    "certificate_status": st.sampled_from(["Accepted", "CertificateRevoked", "ContractCancelled"]),
    "certificate_response": st.one_of(
        st.none(), st.binary(max_size=40).map(CertificateResponse), st.just(CertificateResponse(RESPONSE))
    ),
    "contract_verification": st.sampled_from([None, Result.Valid, Result.IssuerNotFound]).map(
        lambda result: None if result is None else ContractVerification(contract_chains.chain().der, result)
    ),
}
CHANGE = st.sampled_from(sorted(FACTS)).flatmap(lambda name: st.tuples(st.just(name), FACTS[name]))


def check_the_end(it: Talk) -> None:
    """However it went: at the end the power is off and the data link has been told once."""
    it.charger.feed(out.LinkLost("end of the test"), it.now)
    names = it.charger.names()
    assert sum(name.startswith("dlink_") for name in names) == 1
    for on, off in (("start_cable_check", "dc_open_contactor"), ("ac_close_contactor", "ac_open_contactor")):
        if on in names:
            last_on = len(names) - 1 - names[::-1].index(on)
            assert off in names[last_on:], names
    if "current_demand_started" in names:
        assert names.count("current_demand_started") == names.count("current_demand_finished")


@given(KINDS, st.lists(st.one_of(st.binary(max_size=60), st.integers(0, 5)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_bytes_of_any_kind(kind: str, pieces: list[bytes | int]) -> None:
    it = Talk(iso2, dc_facts(), shake=False) if kind == "din" else talk(kind, State.AUTHORIZATION)
    for piece in pieces:
        if isinstance(piece, int):
            it.wait(piece * 20.0)
        else:
            it.raw(piece)
    check_the_end(it)


@given(
    KINDS,
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=12),
)
@settings(max_examples=80, deadline=None)
def test_valid_messages_with_wrong_octets(kind: str, changes: list[tuple[int, int, int]]) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS)
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    known = list(requests(it.m, mode).values())
    for which, where, value in changes:
        frame = bytearray(it.frame(known[which % len(known)]))
        frame[8 + where % (len(frame) - 8)] = value
        it.raw(bytes(frame))
    check_the_end(it)


@given(
    KINDS,
    st.sampled_from([state for state in State if state is not State.ENDED]),
    st.lists(
        st.one_of(st.integers(0, 60), CHANGE, st.floats(0.0, 30.0), st.just("stop"), st.just("renegotiate")),
        max_size=25,
    ),
    st.booleans(),
)
@settings(max_examples=160, deadline=None)
def test_requests_facts_and_time_in_any_order(kind: str, state: State, steps: list[Any], contract: bool) -> None:
    table = {"din": DIN_SEQUENCE, "iso2": iso2_sequence.DC, "ac": iso2_sequence.AC}[kind]
    contract = kind != "din" and contract
    it = talk(kind, state if state in table else State.SESSION_SETUP, contract=contract or state in CONTRACT_STATES)
    it.machine.settings.verify_contract_cert_chain = True
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    known = [*requests(it.m, mode).values(), parameters(it.m, "DC_core")]
    if contract:
        proof = iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(range(1, 17)))
        known += [payment_details(), selection(iso2, payment="Contract"), selection(iso2, (1, 2), "Contract"), proof]
    for step in steps:
        if isinstance(step, tuple):
            change(it.facts, {step[0]: step[1]})
            it.charger.feed(out.FactsChanged(), it.now)
        elif isinstance(step, float):
            it.wait(step)
        elif isinstance(step, str):
            it.raw(it.frame(power(it.m, "Stop" if step == "stop" or kind == "din" else "Renegotiate")))
        else:
            it.raw(it.frame(known[step % len(known)]))
    check_the_end(it)


@given(st.binary(min_size=2, max_size=200))
@settings(max_examples=100, deadline=None)
def test_payloads_of_any_kind_in_a_frame_of_ours(payload: bytes) -> None:
    it = talk("iso2", State.CHARGING)
    for _ in range(2):
        it.raw(Frame(0x8001, b"\x80\x98" + payload).to_bytes())
    check_the_end(it)
