"""ISO 15118-20: meter readings in the charge loop, and their confirmation by the car (clause 8.3.4.3)."""

from __future__ import annotations

from datetime import datetime

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages.iso20_types import DisplayParametersType, MeterInfoType
from chargebyte_fw.modules.v2g.secc.iso20.display import display_parameters
from chargebyte_fw.modules.v2g.secc.iso20.power_delivery import PowerDelivery
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

_LONGEST_METER_ID = 32


class Metering(PowerDelivery):
    """What every charge loop has: the meter, and what the car shows its driver."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.sent_meter: MeterInfoType | None = None
        """The last reading that the car was given."""

    def take_display(self, display: DisplayParametersType | None) -> None:
        """Publish DisplayParameters."""
        if display is not None:
            self.publish_change(Iso15118Charger.display_parameters, display_parameters(display))

    def meter_info(self, *, requested: bool) -> MeterInfoType | None:
        """Return MeterInfo: in the first response of the loop and where the car asks ([V2G20-1081], [V2G20-1082])."""
        first, self.in_loop = not self.in_loop, True
        if requested:
            self.publish(Iso15118Charger.meter_info_requested, None)
        facts = self.facts
        if facts.meter_Wh is None or not (requested or first):
            return None
        export_Wh = facts.iso20.meter_export_Wh
        self.sent_meter = MeterInfoType(
            MeterID=facts.meter_id[:_LONGEST_METER_ID],
            ChargedEnergyReadingWh=max(0, round(facts.meter_Wh)),
            BPT_DischargedEnergyReadingWh=None if export_Wh is None else max(0, round(export_Wh)),
            MeterTimestamp=_seconds(facts.iso20.meter_at),
        )
        facts.meter_is_new = False
        return self.sent_meter

    def on_MeteringConfirmationReq(self, request: m.MeteringConfirmationReq, now: float) -> Answer:
        """Take the car's confirmation of the last reading."""
        confirmed = request.SignedMeteringData
        if self.sent_meter is None or confirmed.MeterInfo.MeterID != self.sent_meter.MeterID:
            why = "it confirms a reading that was not sent"
            return self.failed("MeteringConfirmationReq", "FAILED_MeteringSignatureNotValid", why)
        if confirmed.SessionID != self.session_id:
            why = "it confirms a reading of another session"
            return self.failed("MeteringConfirmationReq", "FAILED_MeteringSignatureNotValid", why)
        if why := self.confirmation_fault(request):
            return self.failed("MeteringConfirmationReq", "FAILED_MeteringSignatureNotValid", why)
        self.confirm_meter = False
        self.log(f"the car confirms {confirmed.MeterInfo.ChargedEnergyReadingWh} Wh")
        return self.ok(m.MeteringConfirmationRes)

    def confirmation_fault(self, request: m.MeteringConfirmationReq) -> str:
        """Return what is wrong with the signature of a confirmation, or nothing."""
        return ""


def _seconds(time: str) -> int | None:
    try:
        return max(0, int(datetime.fromisoformat(time).timestamp()))
    except ValueError:
        return None  # no time, or one that the meter writes in its own way
