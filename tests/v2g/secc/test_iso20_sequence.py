"""Which request may come when in ISO 15118-20, and that every refusal can be read by the car."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from chargebyte_fw.kernel.machine import MachineError
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso20_ac, iso20_common, iso20_dc, iso20_types
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20 import sequence
from chargebyte_fw.modules.v2g.secc.iso20.refusals import refusal
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.talk20 import (
    Talk20,
    authorization,
    dc20_facts,
    dc_loop,
    header,
    of,
    power,
    requests,
    schedule,
    session_setup,
    stop,
    talk20,
    talk20_ac,
)

UNREACHED = (S.RESUMED, S.PRECHARGING, S.SCHEDULE_RENEGOTIATION, S.NEW_SCHEDULE, S.ENDED)
STATES = [("dc", one) for one in sequence.DC if one not in UNREACHED]
STATES += [("ac", one) for one in sequence.AC if one not in UNREACHED]
TABLES = {"dc": sequence.DC, "ac": sequence.AC}


def at(kind: str, state: S) -> Talk20:
    return talk20(state) if kind == "dc" else talk20_ac(state)


@pytest.mark.parametrize(("kind", "state"), STATES, ids=lambda one: getattr(one, "name", one))
def test_every_request_out_of_turn_gets_a_sequence_error_and_the_session_ends(kind: str, state: S) -> None:
    wrong = [name for name in requests() if name not in TABLES[kind][state]]
    assert len(wrong) > 10
    for name in wrong:
        it = at(kind, state)
        response = it.ask(requests()[name])
        assert type(response).__name__ == f"{name[:-3]}Res"
        assert response.ResponseCode == "FAILED_SequenceError", name
        assert it.closing
        assert "dlink_terminate" in it.end()


@pytest.mark.parametrize("state", [S.CABLE_CHECK, S.PRECHARGE])
def test_power_may_be_taken_off_before_it_was_there(state: S) -> None:
    it = talk20(state)
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert it.session.state is S.STOPPED
    it = talk20(state)
    assert it.ask(power("Start")).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("session_id", [bytes(8), b"\1" * 8])
@pytest.mark.parametrize("state", [S.AUTHORIZATION, S.CHARGING])
def test_another_session_is_unknown(state: S, session_id: bytes) -> None:
    it = talk20(state)
    request = authorization() if state is S.AUTHORIZATION else dc_loop()
    assert it.ask(request, session_id).ResponseCode == "FAILED_UnknownSession"
    assert it.closing


@pytest.mark.parametrize("name", sorted(requests()))
@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "WARNING_StandbyNotAllowed"])
def test_a_refusal_with_the_least_content_is_read_again(name: str, code: str) -> None:
    message = refusal(name, header(), iso20_types.responseCodeType(code), derived=False)
    schema_set = {iso20_dc.NAMESPACE: "iso20_dc", iso20_ac.NAMESPACE: "iso20_ac"}.get(message.namespace, "iso20_common")
    chosen = codec(schema_set)
    assert chosen.decode(chosen.encode(message)) == message
    assert type(message).__name__ == f"{name[:-3]}Res"


def test_every_response_of_the_schema_sets_has_a_refusal() -> None:
    names = {
        one.__name__[:-3] + "Req"
        for module in (iso20_common, iso20_dc, iso20_ac)
        for one in module.MESSAGES
        if one.__name__.endswith("Res")
    }
    assert names == set(requests())


def test_the_sequence_has_only_states_that_it_describes() -> None:
    for table in (sequence.DC, sequence.AC):
        targets = {state for row in table.values() for states in row.values() for state in states}
        assert targets <= set(table)


def test_a_way_that_the_sequence_does_not_have_is_an_error_of_ours() -> None:
    it = talk20(S.AUTHORIZATION)
    with pytest.raises(MachineError, match="leads from AUTHORIZATION to CHARGING"):
        it.session.enter(S.CHARGING)


@pytest.mark.parametrize("kind", ["dc", "ac"])
def test_a_message_of_another_protocol_ends_nothing(kind: str) -> None:
    it = at(kind, S.CHARGING)
    iso2 = bytes.fromhex("809802000000000000000011b8")
    for payload_type in (0x8001, 0x8002, 0x8003, 0x8004, 0x8101, 0x8005, 0x9000, 0xA000):
        it.raw(Frame(payload_type, iso2).to_bytes())
    assert it.charger.broken() and "dlink_error" in it.end()


def test_a_main_stream_in_frames_of_iso_15118_2_is_answered_as_main_stream() -> None:
    it = Talk20(dc20_facts())
    assert it.ask(session_setup(), kind=0x8001).ResponseCode == "OK_NewSessionEstablished"
    assert it.types == [0x8002]
    it = talk20(S.SCHEDULE)
    assert it.ask(stop(), kind=0x8001).ResponseCode == "OK"
    assert it.types[-1] == 0x8002


@pytest.mark.parametrize("state", [one for kind, one in STATES if kind == "dc"], ids=lambda one: one.name)
def test_silence_ends_the_session_after_60_s(state: S) -> None:
    it = talk20(state)
    it.wait(59.9)
    assert not it.closed
    it.wait(0.2)
    assert it.closed
    assert "dlink_error" in it.charger.names()


@pytest.mark.parametrize("limit_s", [0.5, 2.0])
def test_silence_in_the_loop_takes_the_power_off_sooner(limit_s: float) -> None:
    it = talk20(S.CHARGING, options=Iso20Settings(scheduled=True, charge_loop_timeout_s=limit_s))
    it.wait(10.0)
    assert not it.closed, "the loop has not begun"
    it.ask(dc_loop())
    it.wait(limit_s - 0.1)
    assert not it.closed
    it.wait(0.2)
    assert it.closed
    assert it.charger.names()[-4:] == [
        *("current_demand_finished", "dc_open_contactor", "dlink_error", "hlc_session_failed")
    ]
    assert f"no request for {limit_s:g} s (ISO 15118-20 tables 216, 217)" in it.charger.broken()


def test_messages_beside_the_loop_do_not_lengthen_its_time() -> None:
    it = talk20(S.CHARGING)
    it.ask(dc_loop())
    began = it.now
    it.wait(1.9)
    assert it.ask(schedule(), stream="schedule").ResponseCode == "OK"
    assert it.machine.due("sequence") == began + 2.0
    it.wait(0.1)
    assert it.closed
    assert it.charger.names()[-4:-2] == ["current_demand_finished", "dc_open_contactor"]


def test_sequences_of_any_two_requests_never_raise() -> None:
    every = requests()
    for first, second in itertools.islice(itertools.product(every, every), 0, None, 7):
        it = talk20(S.CHARGING)
        for name in (first, second):
            it.raw(it.frame(requests()[name]))
        it.end()


def test_a_header_time_in_microseconds_changes_nothing() -> None:
    it = talk20(S.AUTHORIZATION_SETUP)
    request = of(iso20_common.AuthorizationSetupReq)
    request.Header.TimeStamp *= 1_000_000
    response = it.ask(request)
    assert response.ResponseCode == "OK"
    assert response.Header.TimeStamp == 1_767_225_600 + 100


ZERO = {"Exponent": 0, "Value": 0}
LEAST = {
    "SessionSetupReq": {"EVSEID": "ZZ00000"},
    "AuthorizationSetupReq": {
        "AuthorizationServices": ["EIM"],
        "CertificateInstallationService": False,
        "EIM_ASResAuthorizationMode": {},
        "PnC_ASResAuthorizationMode": None,
    },
    "AuthorizationReq": {"EVSEProcessing": "Finished"},
    "ServiceDiscoveryReq": {
        "ServiceRenegotiationSupported": False,
        "EnergyTransferServiceList": {"Service": [{"ServiceID": 0, "FreeService": False}]},
        "VASList": None,
    },
    "ServiceDetailReq": {
        "ServiceID": 0,
        "ServiceParameterList": {
            "ParameterSet": [
                {
                    "ParameterSetID": 0,
                    "Parameter": [
                        {
                            "Name": "Connector",
                            **dict.fromkeys(("boolValue", "byteValue", "shortValue", "rationalNumber", "finiteString")),
                            "intValue": 0,
                        }
                    ],
                }
            ]
        },
    },
    "DC_ChargeParameterDiscoveryReq": {
        "DC_CPDResEnergyTransferMode": {
            **{f"EVSE{end}Charge{what}": ZERO for end in ("Maximum", "Minimum") for what in ("Power", "Current")},
            "EVSEMaximumVoltage": ZERO,
            "EVSEMinimumVoltage": ZERO,
            "EVSEPowerRampLimitation": None,
        }
    },
    "DC_PreChargeReq": {"EVSEPresentVoltage": ZERO},
    "DC_ChargeLoopReq": {
        **dict.fromkeys(("EVSEStatus", "MeterInfo", "Receipt")),
        "EVSEPresentCurrent": ZERO,
        "EVSEPresentVoltage": ZERO,
        **dict.fromkeys(("EVSEPowerLimitAchieved", "EVSECurrentLimitAchieved", "EVSEVoltageLimitAchieved"), False),
    },
    "VehicleCheckOutReq": {"EVSECheckOutStatus": "Completed"},
}
"""What a refusal has beside header and code: nothing of it is a value of the charger."""


@pytest.mark.parametrize("name", LEAST)
def test_a_refusal_states_no_value(name: str) -> None:
    content = msgspec.to_builtins(refusal(name, header(), iso20_types.responseCodeType("FAILED"), derived=False))
    content.pop("CLResControlMode", None)
    assert {key: content[key] for key in content if key not in ("Header", "ResponseCode")} == LEAST[name]
