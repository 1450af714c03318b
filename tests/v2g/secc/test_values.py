"""Values in answers: their precision, their zero, and what a refusal of the other kind of current carries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargebyte_fw.modules.v2g.messages import din, iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, SessionFacts
from tests.v2g.talk import demand, requests, talk

WHAT_THE_STATION_IS_BUILT_FOR = {"ac_nominal_voltage_V": 230.0}


def test_before_anything_is_reported_nothing_may_be_drawn() -> None:
    defaults = {
        field.name: field.default
        for field in msgspec.structs.fields(ChargerFacts)
        if field.name.endswith(("_V", "_A", "_W")) and field.default is not None
    }
    assert len(defaults) > 10
    assert {name: value for name, value in defaults.items() if value} == WHAT_THE_STATION_IS_BUILT_FOR


def test_what_belongs_to_a_session_ends_with_it() -> None:
    it = talk("iso2", State.CHARGING)
    it.facts.session = SessionFacts(
        authorized=True,
        cable_check=True,
        cable_check_aborted=True,
        isolation="Valid",
        no_energy_pause="PauseBeforeCableCheck",
        service_parameters={2: None},
    )
    it.end()
    assert it.facts.session == SessionFacts()


@pytest.mark.parametrize("kind", ["din", "iso2"])
@pytest.mark.parametrize(("present_A", "deci_A"), [(12.34, 123), (12.36, 124), (0.04, 0)])
def test_a_current_has_one_decimal(kind: str, present_A: float, deci_A: int) -> None:
    it = talk(kind, State.CHARGING)
    it.facts.present_current_A = present_A
    current = it.ask(demand(it.m)).EVSEPresentCurrent
    assert round(current.Value * 10.0**current.Multiplier * 10) == deci_A


@pytest.mark.parametrize("octets", [1, 31, 32])
def test_an_evse_id_of_din_has_up_to_32_octets(octets: int) -> None:
    it = talk("din", State.SESSION_SETUP, evse_id_din="AB" * octets)
    response = it.ask(din.SessionSetupReq(EVCCID=b"\x02\0\0\0\0\x02"))
    expected = bytes.fromhex("AB" * octets)
    evse_id = response.EVSEID
    assert evse_id == expected


@pytest.mark.parametrize("octets", [33, 64])
def test_a_longer_one_is_reported_as_none(octets: int) -> None:
    it = talk("din", State.SESSION_SETUP, evse_id_din="AB" * octets)
    assert it.ask(din.SessionSetupReq(EVCCID=b"\x02\0\0\0\0\x02")).EVSEID == b"\0"


@pytest.mark.parametrize("name", ["ChargingStatusReq", "MeteringReceiptReq"])
def test_a_refused_ac_request_of_din_reports_open_contactors_and_no_fault_current(name: str) -> None:
    it = talk("din", State.CHARGING)
    response = it.ask(requests(din)[name])
    assert response.ResponseCode.startswith("FAILED")
    assert (response.AC_EVSEStatus.PowerSwitchClosed, response.AC_EVSEStatus.RCD) == (False, False)


def test_a_refused_charging_status_of_din_asks_for_no_receipt() -> None:
    it = talk("din", State.CHARGING)
    response = it.ask(requests(din)["ChargingStatusReq"])
    assert response.ResponseCode == "FAILED_SequenceError"
    assert (response.ReceiptRequired, response.SAScheduleTupleID) == (False, 1)
    assert (response.EVSEID, response.MeterInfo) == (b"\x49\xa8\x07\x37\xa4\x56\x78", None)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("PaymentDetailsReq", {"GenChallenge": "", "DateTimeNow": 0}),
        ("CertificateInstallationReq", {"Id": "id1", "ContractID": "", "DHParams": b""}),
        ("CertificateUpdateReq", {"Id": "id1", "ContractID": "", "DHParams": b"", "RetryCounter": 0}),
    ],
)
def test_a_refused_contract_request_of_din_holds_nothing_of_a_contract(name: str, fields: dict[str, Any]) -> None:
    it = talk("din", State.CHARGING)
    response = it.ask(requests(din)[name])
    assert response.ResponseCode == "FAILED_SequenceError"
    assert {field: getattr(response, field) for field in fields} == fields


@pytest.mark.parametrize("name", ["PreChargeReq", "WeldingDetectionReq", "CurrentDemandReq"])
def test_a_refused_dc_request_in_an_ac_session_reports_no_voltage(name: str) -> None:
    it = talk("ac", State.CHARGING)
    response = it.ask(requests(iso2)[name])
    assert response.ResponseCode.startswith("FAILED")
    assert response.EVSEPresentVoltage.Value == 0
    if name == "CurrentDemandReq":
        assert (response.EVSEPresentCurrent.Value, response.EVSEMaximumPowerLimit) == (0, None)


def reasons(effects: list[Any]) -> list[type]:
    """Types of what the effects say for the log."""
    return [type(effect) for effect in effects if isinstance(effect, VIOLATION | NOTE)]


VIOLATION, NOTE = out.ProtocolViolation, out.Log


@pytest.mark.parametrize(
    ("name", "session_id"), [("WeldingDetectionReq", None), ("CurrentDemandReq", b"\x77" * 8)], ids=["order", "id"]
)
def test_a_wrong_order_and_an_unknown_session_are_violations_of_the_protocol(
    name: str, session_id: bytes | None
) -> None:
    it = talk("iso2", State.PRECHARGE)
    effects = it.raw(it.frame(requests(iso2)[name], session_id))
    assert VIOLATION in reasons(effects)


def test_a_refusal_for_another_reason_is_no_violation() -> None:
    it = talk("iso2", State.SERVICE_SELECTION)
    effects = it.raw(it.frame(requests(iso2)["PaymentServiceSelectionReq"].__class__(
        SelectedPaymentOption=iso2.paymentOptionType.Contract,
        SelectedServiceList=requests(iso2)["PaymentServiceSelectionReq"].SelectedServiceList,
    )))  # fmt: skip
    assert VIOLATION not in reasons(effects)
