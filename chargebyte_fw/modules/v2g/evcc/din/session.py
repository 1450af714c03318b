"""A car's session of DIN SPEC 70121."""

from __future__ import annotations

from chargebyte_fw.modules.v2g.evcc.common.dc import DcCarService
from chargebyte_fw.modules.v2g.evcc.common.session import V2gCarSession
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.protocol import Failed, Timers
from chargebyte_fw.modules.v2g.messages import din

READY_TO_CHARGE_S = 150.0
"""From the session's setup to PowerDeliveryRes (V2G_EVCC_ReadyToCharge_Timer)."""


class DinCarSession(V2gCarSession):
    """A session of DIN SPEC 70121."""

    messages = din
    before_power = (
        *("ServiceDiscovery", "ServicePaymentSelection", "ContractAuthentication"),
        *("ChargeParameterDiscovery", "CableCheck", "PreCharge"),
    )

    def __init__(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        super().__init__(settings, facts, timers)
        self.session_id = bytes(8)
        self.service_id = 1
        self.transfer = settings.energy_transfer_mode
        self.dc = DcCarService(self)

    @property
    def energy(self) -> DcCarService:
        """The energy service: there is no other one."""
        return self.dc

    def build_SessionSetup(self, now: float) -> din.SessionSetupReq:
        """Introduce the car."""
        return din.SessionSetupReq(EVCCID=self.settings.evcc_id)

    def take_SessionSetup(self, body: din.SessionSetupRes, now: float) -> float:
        """Begin; the charger has its time until the power flows."""
        self.facts.charger.evse_id = body.EVSEID.hex().upper()
        self.timers.start("ready to charge", now + READY_TO_CHARGE_S)
        self.report(Step.SESSION, self.facts.charger.evse_id)
        self.stage = "ServiceDiscovery"
        return 0.0

    def build_ServiceDiscovery(self, now: float) -> din.ServiceDiscoveryReq:
        """Ask for the charge service."""
        return din.ServiceDiscoveryReq(ServiceCategory=din.serviceCategoryType.EVCharging)

    def take_ServiceDiscovery(self, body: din.ServiceDiscoveryRes, now: float) -> float:
        """Take the charge service, if it is DC and may be paid from outside."""
        offered = str(body.ChargeService.EnergyTransferType)
        if offered not in ("DC_core", "DC_extended"):
            raise Failed(f"the charger offers {offered}")
        if din.paymentOptionType.ExternalPayment not in body.PaymentOptions.PaymentOption:
            raise Failed("the charger takes no external payment")
        self.transfer = offered
        self.service_id = body.ChargeService.ServiceTag.ServiceID
        self.stage = "ServicePaymentSelection"
        return 0.0

    def build_ServicePaymentSelection(self, now: float) -> din.ServicePaymentSelectionReq:
        """Choose the charge service and external payment."""
        chosen = din.SelectedServiceListType(SelectedService=[din.SelectedServiceType(ServiceID=self.service_id)])
        return din.ServicePaymentSelectionReq(
            SelectedPaymentOption=din.paymentOptionType.ExternalPayment, SelectedServiceList=chosen
        )

    def take_ServicePaymentSelection(self, body: din.ServicePaymentSelectionRes, now: float) -> float:
        """Go on to the authorization."""
        self.report(Step.AUTHORIZING)
        self.stage = "ContractAuthentication"
        return 0.0

    def build_ContractAuthentication(self, now: float) -> din.ContractAuthenticationReq:
        """Ask for the authorization."""
        return din.ContractAuthenticationReq()

    take_ContractAuthentication = V2gCarSession.take_Authorization

    def build_ChargeParameterDiscovery(self, now: float) -> din.ChargeParameterDiscoveryReq:
        """Send what the battery can take."""
        return din.ChargeParameterDiscoveryReq(
            EVRequestedEnergyTransferType=din.EVRequestedEnergyTransferType(self.transfer),
            EVChargeParameter=din.DC_EVChargeParameterType(**self.dc.parameters()),
        )

    def take_ChargeParameterDiscovery(self, body: din.ChargeParameterDiscoveryRes, now: float) -> float:
        """Take what the charger can give."""
        return self.dc.take_parameters(body, now)

    def build_PowerOn(self, now: float) -> din.PowerDeliveryReq:
        """Ask for the power."""
        return din.PowerDeliveryReq(ReadyToChargeState=True, EVPowerDeliveryParameter=self.dc.power_parameter())

    def build_PowerOff(self, now: float) -> din.PowerDeliveryReq:
        """Take the power off."""
        return din.PowerDeliveryReq(ReadyToChargeState=False, EVPowerDeliveryParameter=self.dc.power_parameter())

    def build_SessionStop(self, now: float) -> din.SessionStopReq:
        """End the session: DIN knows no pause."""
        return din.SessionStopReq()
