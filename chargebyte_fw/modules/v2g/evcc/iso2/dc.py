"""What the DC energy service of a car has of its own in ISO 15118-2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargebyte_fw.modules.v2g.evcc.common.dc import DcCarService
from chargebyte_fw.modules.v2g.messages import common, iso2

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso2.session import Iso2CarSession


class Iso2DcCarService(DcCarService):
    """Direct current in ISO 15118-2."""

    session: Iso2CarSession

    def before_power_on(self) -> None:
        """Nothing: the control pilot is in state C since the cable check."""

    def build_ChargeParameterDiscovery(self, now: float) -> iso2.ChargeParameterDiscoveryReq:
        """Send what the battery can take."""
        return iso2.ChargeParameterDiscoveryReq(
            RequestedEnergyTransferMode=self.session.mode,
            EVChargeParameter=iso2.DC_EVChargeParameterType(
                DepartureTime=self.settings.departure_time_s, **self.parameters()
            ),
        )

    def take_ChargeParameterDiscovery(self, body: iso2.ChargeParameterDiscoveryRes, now: float) -> float:
        """Take what the charger can deliver."""
        return self.take_parameters(body, now)

    def take_CurrentDemand(self, body: common.CurrentDemandRes, now: float) -> float:
        """Note what the charger delivers, and sign a receipt where it wants one."""
        pause_s = super().take_CurrentDemand(body, now)
        if isinstance(body, iso2.CurrentDemandRes):
            self.session.payment.receipt_due(body.MeterInfo, body.ReceiptRequired)
        return pause_s

    def take_PowerOn(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Begin the charge loop."""
        self.session.charged = True
        return super().take_PowerOn(body, now)
