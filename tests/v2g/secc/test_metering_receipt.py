"""Meter values in the charge loop of ISO 15118-2, and the receipts of cars with a contract (clause 8.4.3.13)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chargebyte_fw.contracts.types import powermeter, units, units_signed
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from tests.v2g.contract_chains import key
from tests.v2g.talk import Talk, demand, power, receipt, stop, talk

STRICT = Settings(reject_invalid_receipts=True)
KINDS = ["iso2", "ac"]


def loop(it: Talk) -> Any:
    return it.ask(demand(iso2) if it.facts.is_dc else iso2.ChargingStatusReq())


@pytest.mark.parametrize("kind", KINDS)
def test_a_meter_value_is_signed_by_the_car(kind: str) -> None:
    it = talk(kind, State.RECEIPT, STRICT)
    sent = it.charger.sent()[-1]
    assert sent.ReceiptRequired is True
    assert (sent.MeterInfo.MeterID, sent.MeterInfo.MeterReading) == ("M1", 1234)
    response = it.ask_signed(receipt(it))
    assert response.ResponseCode == "OK"
    assert type(response.EVSEStatus).__name__ == ("DC_EVSEStatusType" if kind == "iso2" else "AC_EVSEStatusType")
    assert it.machine.session.state is State.CHARGING
    assert loop(it).ReceiptRequired in (None, False), "there is no new value"
    it.change(meter_Wh=1300.0, meter_is_new=True)
    assert loop(it).ReceiptRequired is True


@pytest.mark.parametrize("kind", KINDS)
def test_no_receipt_without_contract_or_demand(kind: str) -> None:
    for contract, required in ((False, True), (True, False)):
        it = talk(kind, State.CHARGING, contract=contract, receipt_required=required)
        it.change(meter_id="M1", meter_Wh=1234.0, meter_is_new=True)
        response = loop(it)
        assert response.MeterInfo.MeterReading == 1234
        assert response.ReceiptRequired is (None if kind == "iso2" else False)
        assert it.machine.session.state is State.CHARGING


@pytest.mark.ocpp("J03")
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_owes_a_receipt_gets_no_further_but_may_stop(kind: str) -> None:
    it = talk(kind, State.RECEIPT)
    assert loop(it).ResponseCode == "FAILED_SequenceError"
    assert it.closing
    it = talk(kind, State.RECEIPT)
    assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "FAILED_SequenceError"
    it = talk(kind, State.RECEIPT)
    assert it.ask(power(iso2, "Stop")).ResponseCode == "OK"
    assert it.ask(stop(iso2)).ResponseCode == "OK"


def meter(**changes: Any) -> iso2.MeterInfoType:
    values: dict[str, Any] = {"MeterID": "M1", "MeterReading": 1234} | changes
    return iso2.MeterInfoType(**values)


WRONG: dict[str, dict[str, Any]] = {
    "another reading": {"MeterInfo": meter(MeterReading=1)},
    "another meter": {"MeterInfo": meter(MeterID="M2")},
    "a signed reading from nowhere": {"MeterInfo": meter(SigMeterReading=b"1")},
    "another session": {"SessionID": b"\7" * 8},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_receipt_for_something_else_is_refused_where_it_must_be_valid(wrong: str) -> None:
    it = talk("ac", State.RECEIPT, STRICT)
    assert it.ask_signed(receipt(it, **WRONG[wrong])).ResponseCode == "FAILED_MeteringSignatureNotValid"
    assert loop(it).ResponseCode == "OK", "the car may go on, or end"
    it = talk("ac", State.RECEIPT)
    assert it.ask_signed(receipt(it, **WRONG[wrong])).ResponseCode == "OK"
    assert any("receipt is not valid" in effect.text for effect in it.charger.log if isinstance(effect, out.Log))


@pytest.mark.ocpp("J03")
def test_a_receipt_needs_the_signature_of_the_contract() -> None:
    for signer in (None, key("stranger")):
        for settings, code in ((STRICT, "FAILED_MeteringSignatureNotValid"), (Settings(), "OK")):
            it = talk("ac", State.RECEIPT, settings)
            response = it.ask(receipt(it)) if signer is None else it.ask_signed(receipt(it), signer)
            assert response.ResponseCode == code


def test_the_own_signature_of_the_meter_goes_to_cars_with_a_contract() -> None:
    for contract, signed in ((True, b"OCMF|x"), (False, None)):
        it = talk("ac", State.CHARGING, contract=contract)
        it.change(meter_id="M1", meter_Wh=1.0, meter_is_new=True, meter_signature=b"OCMF|x")
        assert loop(it).MeterInfo.SigMeterReading == signed


def test_a_signed_value_that_does_not_fit_is_left_out() -> None:
    charger = Iso15118ChargerImpl.__new__(Iso15118ChargerImpl)
    facts = ChargerFacts()

    class Owner:
        log = logging.getLogger("v2g")

    owner: Any = Owner()
    owner.engine = owner
    owner.facts = facts
    charger.module = owner
    for data, octets in (("x" * 64, b"x" * 64), ("x" * 65, b""), ("ü" * 33, b""), (None, b"")):
        signed = None
        if data is not None:
            signed = units_signed.SignedMeterValue(signed_meter_data=data, signing_method="", encoding_method="OCMF")
        value = powermeter.Powermeter(
            timestamp="2026-01-01T00:00:00Z",
            energy_Wh_import=units.Energy(total=1.0),
            meter_id="M1",
            signed_meter_value=signed,
        )
        asyncio.run(charger.update_meter_info(value))
        assert facts.meter_signature == octets
    asyncio.run(charger.receipt_is_required(True))
    assert facts.receipt_required


def test_a_refusal_in_the_loop_uses_up_no_meter_value() -> None:
    it = talk("iso2", State.CHARGING, contract=True)
    it.change(meter_id="M1", meter_Wh=7.0, meter_is_new=True)
    assert it.ask(demand(iso2), session_id=b"\7" * 8).MeterInfo is None
    assert loop(it).MeterInfo.MeterReading == 7
