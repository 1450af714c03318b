"""ISO 15118-2, meter values in the charge loop and their receipts by the car (clause 8.4.3.13)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.iso2.certificates import Iso2Certificates
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext


class Iso2Metering(Iso2Certificates):
    """What the meter shows, and that the car has seen it."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._to_sign: iso2.MeterInfoType | None = None
        """The meter value that the car was asked to sign."""

    def metering(self) -> dict[str, Any]:
        """Return MeterInfo where a new value came, and ReceiptRequired; a value to be signed changes the state."""
        info = self.meter_info()
        receipt = info is not None and self.by_contract and self.facts.receipt_required  # [V2G2-691]
        if receipt:
            self._to_sign = info
            self.enter(State.RECEIPT)
        return {"MeterInfo": info, "ReceiptRequired": receipt}

    def meter_info(self) -> iso2.MeterInfoType | None:
        """Return MeterInfo when a value came since the last one, else None."""
        facts = self.facts
        if not facts.meter_is_new or facts.meter_Wh is None:
            return None
        facts.meter_is_new = False
        return iso2.MeterInfoType(
            MeterID=facts.meter_id[:32],
            MeterReading=max(0, round(facts.meter_Wh)),
            SigMeterReading=facts.meter_signature if self.by_contract and facts.meter_signature else None,
        )

    def on_MeteringReceiptReq(self, request: iso2.MeteringReceiptReq, now: float) -> Answer:
        """Take the car's signature of a meter value."""
        name = "MeteringReceiptReq"
        why = self._receipt_fault(request)
        self._to_sign = None
        self.enter(State.CHARGING)
        if why and self.settings.reject_invalid_receipts:
            return self.failed(name, "FAILED_MeteringSignatureNotValid", why)  # [V2G2-904]
        status = self.energy.evse_status("EVSE_Ready")
        log = f"{name}: the receipt is not valid: {why}" if why else ""
        return Answer(iso2.MeteringReceiptRes(ResponseCode=self.ok(), EVSEStatus=status), log=log)

    def _receipt_fault(self, request: iso2.MeteringReceiptReq) -> str:
        """Return why the receipt is none for the value that was sent, or nothing ([V2G2-902])."""
        sent, got = self._to_sign, request.MeterInfo
        if sent is None:
            return "no receipt was asked for"
        if request.SessionID.rjust(8, b"\0") != self.session_id:
            return "it is of another session"
        if _value(got) != _value(sent):
            return f"{got.MeterReading} Wh of {got.MeterID} instead of {sent.MeterReading} Wh of {sent.MeterID}"
        return self.signature_fault(self.request.message.Header.Signature, request)


def _value(info: iso2.MeterInfoType) -> tuple[Any, ...]:
    return info.MeterID, info.MeterReading, info.SigMeterReading
