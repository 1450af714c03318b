"""ISO 15118-20: meter readings in the charge loop, and their confirmation by the car (clause 8.3.4.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    DetailedCostType,
    DisplayParametersType,
    MeterInfoType,
    ReceiptType,
)
from chargebyte_fw.modules.v2g.rational import rational
from chargebyte_fw.modules.v2g.secc.iso20.contract import ContractAuthorization
from chargebyte_fw.modules.v2g.secc.iso20.display import display_parameters
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import ABSOLUTE
from chargebyte_fw.modules.v2g.secc.iso20.power_delivery import PowerDelivery
from chargebyte_fw.modules.v2g.secc.price_keys import key_of_issuer
from chargebyte_fw.modules.v2g.secc.prices import price_at
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

_LONGEST_METER_ID = 32
CONFIRM_AFTER_S = 60.0
"""Confirmations are asked for no more often than this."""


class Metering(PowerDelivery, ContractAuthorization):
    """What every charge loop has: the meter, and what the car shows its driver."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.sent_meter: MeterInfoType | None = None
        """The last reading that the car was given."""
        self.sent_receipt: ReceiptType | None = None
        """The costs that were beside it, None where prices are not in money."""
        self._cost = 0.0
        self._counted_Wh: float | None = None
        """The reading up to which costs are counted."""
        self._confirm_from = 0.0
        """When the car may be asked again to confirm a reading."""

    def price_key(self) -> Any:
        """Return the key of the contract's issuer, None where it is not known."""
        return key_of_issuer(self.contract, self.settings.price_keys)

    def take_display(self, display: DisplayParametersType | None) -> None:
        """Publish DisplayParameters."""
        if display is not None:
            self.publish_change(Iso15118Charger.display_parameters, display_parameters(display))

    def status_and_meter(self, now: float, *, requested: bool) -> dict[str, Any]:
        """Return EVSEStatus and MeterInfo of a response of the loop."""
        cost = self._count_costs()
        meter = self._meter_info(now, requested=requested)
        if meter is not None:
            self.sent_receipt = cost
        return {"EVSEStatus": self.evse_status(), "MeterInfo": meter, "Receipt": None if meter is None else cost}

    def _count_costs(self) -> ReceiptType | None:
        """Add what was charged since the last time at the price that holds; return what the session has cost.

        Only for a car that has selected prices in money. What fees and taxes are in a price is not known, nor what the
        energy that the car gives back is worth.
        """
        now_s, meter_Wh = int(self.environment.utc_now().timestamp()), self.facts.meter_Wh
        if self.energy is None or self.energy.selection.parameters["Pricing"] != ABSOLUTE or meter_Wh is None:
            return None
        price = price_at(self.facts.prices, now_s)
        if price is None:
            return None
        if self._counted_Wh is not None:
            self._cost += max(0.0, meter_Wh - self._counted_Wh) / 1000.0 * price.per_kWh
        self._counted_Wh = meter_Wh
        costs = DetailedCostType(Amount=rational(round(self._cost, 3)), CostPerUnit=rational(price.per_kWh))
        return ReceiptType(TimeAnchor=now_s, EnergyCosts=costs)

    def _meter_info(self, now: float, *, requested: bool) -> MeterInfoType | None:
        """Return MeterInfo: in the first response of the loop and where the car asks ([V2G20-1081], [V2G20-1082])."""
        first, self.in_loop = not self.in_loop, True
        confirm = self._confirmation_is_due(now)
        if requested:
            self.publish(Iso15118Charger.meter_info_requested, None)
        facts = self.facts
        if facts.meter_Wh is None or not (requested or first or confirm):
            return None
        # A reading beside the subject of the session: a stack in the field does not understand it.
        export_Wh = facts.iso20.meter_export_Wh if self._discharges() else None
        self.sent_meter = MeterInfoType(
            MeterID=facts.meter_id[:_LONGEST_METER_ID],
            ChargedEnergyReadingWh=max(0, round(facts.meter_Wh)),
            BPT_DischargedEnergyReadingWh=None if export_Wh is None else max(0, round(export_Wh)),
            MeterSignature=facts.meter_signature if self.contract is not None and facts.meter_signature else None,
            MeterTimestamp=_seconds(facts.iso20.meter_at),
        )
        facts.meter_is_new = False
        if confirm:
            self.confirm_meter, self._confirm_from = True, now + CONFIRM_AFTER_S
        return self.sent_meter

    def _discharges(self) -> bool:
        return self.energy is not None and self.energy.selection.bidirectional

    def _confirmation_is_due(self, now: float) -> bool:
        """Return whether the car shall confirm the reading that is sent now: only one with a contract can."""
        wanted = self.contract is not None and self.facts.receipt_required
        return wanted and not self.confirm_meter and self.facts.meter_is_new and now >= self._confirm_from

    def on_MeteringConfirmationReq(self, request: m.MeteringConfirmationReq, now: float) -> Answer:
        """Take the car's confirmation of the last reading."""
        confirmed, name = request.SignedMeteringData, "MeteringConfirmationReq"
        self.confirm_meter = False
        why = self._confirmation_fault(confirmed)
        if why and self.settings.reject_invalid_receipts:
            return self.failed(name, "FAILED_MeteringSignatureNotValid", why)
        answer = self.ok(m.MeteringConfirmationRes)
        if why:
            answer.log = f"{name}: the confirmation is not valid: {why}"
        else:
            self.log(f"the car confirms {confirmed.MeterInfo.ChargedEnergyReadingWh} Wh")
        return answer

    def _confirmation_fault(self, confirmed: m.SignedMeteringDataType) -> str:
        """Return why it is no confirmation of the reading that was sent, or nothing."""
        sent, got = self.sent_meter, confirmed.MeterInfo
        if self.contract is None or sent is None:
            return "no confirmation was asked for"
        if confirmed.SessionID != self.session_id:
            return "it is of another session"
        if (got.MeterID, got.ChargedEnergyReadingWh) != (sent.MeterID, sent.ChargedEnergyReadingWh):
            ours = f"{sent.ChargedEnergyReadingWh} Wh of {sent.MeterID}"
            return f"{got.ChargedEnergyReadingWh} Wh of {got.MeterID} instead of {ours}"
        if confirmed.Receipt is not None and confirmed.Receipt != self.sent_receipt:
            return "it is of other costs"
        signature = self.request.message.Header.Signature
        return signatures.verify("iso20_common", signature, self.contract.public_key, {"SignedMeteringData": confirmed})


def _seconds(time: str) -> int | None:
    try:
        return max(0, int(datetime.fromisoformat(time).timestamp()))
    except ValueError:
        return None  # no time, or one that the meter writes in its own way
