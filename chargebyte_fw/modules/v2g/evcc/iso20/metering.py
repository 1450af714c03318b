"""Meter readings of ISO 15118-20: noted from the charge loop, and confirmed where the charger asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.protocol import Failed, MultiplexedRequest
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.modules.v2g.rational import number

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession


class Metering:
    """The last reading, and its confirmation beside the charge loop (payload type 0x8102)."""

    def __init__(self, session: Iso20CarSession) -> None:
        self.session = session
        self.reading: types.MeterInfoType | None = None
        self.receipt: types.ReceiptType | None = None
        self._confirmed = False
        """The charger asked for a confirmation and got it; it still asks."""

    def take(self, reading: types.MeterInfoType | None, receipt: types.ReceiptType | None) -> None:
        """Note what a response of the charge loop has of it."""
        charger = self.session.facts.charger
        if reading is not None:
            self.reading = reading
            charger.meter_Wh = float(reading.ChargedEnergyReadingWh)
            if reading.BPT_DischargedEnergyReadingWh is not None:
                charger.discharged_Wh = float(reading.BPT_DischargedEnergyReadingWh)
        if receipt is not None:
            self.receipt = receipt
            if receipt.EnergyCosts is not None:
                charger.energy_cost = number(receipt.EnergyCosts.Amount)

    def next_multiplexed(self, now: float) -> MultiplexedRequest | None:
        """Return the confirmation of the last reading, once each time that the charger asks for it."""
        session, reading = self.session, self.reading
        if session.notification != "MeteringConfirmation":
            self._confirmed = False
        if session.notification != "MeteringConfirmation" or reading is None or self._confirmed:
            return None
        self._confirmed = True
        data = common.SignedMeteringDataType(
            Id="id1", SessionID=session.session_id, MeterInfo=reading, Receipt=self.receipt
        )
        chosen = session.schedule.chosen
        if chosen is None:
            data.Dynamic_SMDTControlMode = common.Dynamic_SMDTControlModeType()
        else:
            data.Scheduled_SMDTControlMode = common.Scheduled_SMDTControlModeType(SelectedScheduleTupleID=chosen.id)
        contract = session.authorization.keys.contract
        if contract is not None and session.authorization.contract_used:
            spoiled = session.misbehaves("signature", "MeteringConfirmationReq") is not None
            try:
                session.signature = plug_and_charge.signed(
                    "iso20_common", contract, {"SignedMeteringData": data}, spoiled=spoiled
                )
            except ValueError as error:
                raise Failed(f"the car cannot sign its meter reading: {error}") from error
        request = common.MeteringConfirmationReq(Header=session.header(), SignedMeteringData=data)
        return MultiplexedRequest("metering", request, "MeteringConfirmationRes")
