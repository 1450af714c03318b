"""A car's session of ISO 15118-2, DC and AC, with authorization by external means."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.evcc.common.session import V2gCarSession
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.iso2.ac import AcCarService
from chargebyte_fw.modules.v2g.evcc.iso2.dc import Iso2DcCarService
from chargebyte_fw.modules.v2g.evcc.protocol import Failed, Timers
from chargebyte_fw.modules.v2g.messages import iso2


def mode_of(energy_transfer_mode: str) -> iso2.EnergyTransferModeType:
    """Return the mode of ISO 15118-2 that a car with this mode asks for: a newer one charges as its kind does."""
    if energy_transfer_mode in tuple(iso2.EnergyTransferModeType):
        return iso2.EnergyTransferModeType(energy_transfer_mode)
    kind = iso2.EnergyTransferModeType
    return kind.AC_three_phase_core if energy_transfer_mode.startswith("AC") else kind.DC_extended


class Iso2CarSession(V2gCarSession):
    """A session of ISO 15118-2."""

    messages = iso2
    before_power = (
        *("ServiceDiscovery", "PaymentServiceSelection", "Authorization"),
        *("ChargeParameterDiscovery", "CableCheck", "PreCharge"),
    )

    def __init__(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        super().__init__(settings, facts, timers)
        self.service_id = 1
        self.mode = mode_of(settings.energy_transfer_mode)
        self.charged = False
        """Whether there was an energy transfer: only then there is a pause."""
        self._energy = AcCarService(self) if self.mode.startswith("AC") else Iso2DcCarService(self)

    @property
    def energy(self) -> AcCarService | Iso2DcCarService:
        """The energy service: that of the car's energy transfer mode."""
        return self._energy

    @property
    def may_renegotiate(self) -> bool:
        """Whether car or charger want to renegotiate."""
        return self.facts.renegotiate or self.facts.charger.notification == "ReNegotiation"

    # -- set-up

    def build_SessionSetup(self, now: float) -> iso2.SessionSetupReq:
        """Introduce the car; the header carries the id of a paused session."""
        return iso2.SessionSetupReq(EVCCID=self.settings.evcc_id)

    def take_SessionSetup(self, body: iso2.SessionSetupRes, now: float) -> float:
        """Begin, or go on where the pause began."""
        self.facts.charger.evse_id = body.EVSEID
        joined = body.ResponseCode is iso2.responseCodeType.OK_OldSessionJoined
        self.report(Step.SESSION, f"{body.EVSEID}{', the paused session' if joined else ''}")
        self.stage = "ServiceDiscovery"
        return 0.0

    def build_ServiceDiscovery(self, now: float) -> iso2.ServiceDiscoveryReq:
        """Ask for the services."""
        return iso2.ServiceDiscoveryReq()

    def take_ServiceDiscovery(self, body: iso2.ServiceDiscoveryRes, now: float) -> float:
        """Take the charge service in the best mode of our kind, to be paid by external means."""
        if iso2.paymentOptionType.ExternalPayment not in body.PaymentOptionList.PaymentOption:
            raise Failed("the charger takes no external payment")
        offered = body.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode
        if self.mode not in offered:
            of_our_kind = [mode for mode in offered if mode[:2] == self.mode[:2]]
            if not of_our_kind:
                raise Failed(f"the charger offers {', '.join(offered)}")
            self.mode = of_our_kind[0]
        self.service_id = body.ChargeService.ServiceID
        self.stage = "PaymentServiceSelection"
        return 0.0

    def build_PaymentServiceSelection(self, now: float) -> iso2.PaymentServiceSelectionReq:
        """Choose the charge service and external payment."""
        chosen = iso2.SelectedServiceListType(SelectedService=[iso2.SelectedServiceType(ServiceID=self.service_id)])
        return iso2.PaymentServiceSelectionReq(
            SelectedPaymentOption=iso2.paymentOptionType.ExternalPayment, SelectedServiceList=chosen
        )

    def take_PaymentServiceSelection(self, body: iso2.PaymentServiceSelectionRes, now: float) -> float:
        """Go on to the authorization."""
        self.report(Step.AUTHORIZING)
        self.stage = "Authorization"
        return 0.0

    def build_Authorization(self, now: float) -> iso2.AuthorizationReq:
        """Ask for the authorization."""
        return iso2.AuthorizationReq()

    # -- power

    def profile(self) -> Any:
        """Return the charging profile: as much as the schedule and the car allow."""
        if self.schedule_W is None:
            return None
        most_W = self.schedule_W if self.settings.max_power_W is None else self.settings.max_power_W
        entry = iso2.ProfileEntryType(
            ChargingProfileEntryStart=0,
            ChargingProfileEntryMaxPower=self.quantity(min(self.schedule_W, most_W), "W"),
        )
        return iso2.ChargingProfileType(ProfileEntry=[entry])

    def build_PowerOn(self, now: float) -> iso2.PowerDeliveryReq:
        """Ask for the power."""
        self.energy.before_power_on()
        return iso2.PowerDeliveryReq(
            ChargeProgress=iso2.chargeProgressType.Start,
            SAScheduleTupleID=self.schedule_id,
            ChargingProfile=self.profile(),
            EVPowerDeliveryParameter=self.energy.power_parameter(),
        )

    def build_PowerOff(self, now: float) -> iso2.PowerDeliveryReq:
        """Take the power off."""
        return self._power(iso2.chargeProgressType.Stop)

    def build_Renegotiate(self, now: float) -> iso2.PowerDeliveryReq:
        """Ask for other parameters."""
        self.facts.renegotiate = False
        self.power(False)
        self.report(Step.RENEGOTIATING)
        return self._power(iso2.chargeProgressType.Renegotiate)

    def _power(self, progress: iso2.chargeProgressType) -> iso2.PowerDeliveryReq:
        return iso2.PowerDeliveryReq(
            ChargeProgress=progress,
            SAScheduleTupleID=self.schedule_id,
            EVPowerDeliveryParameter=self.energy.power_parameter(),
        )

    def take_Renegotiate(self, body: iso2.PowerDeliveryRes, now: float) -> float:
        """Go back to the charge parameters."""
        self.take_status(body.EVSEStatus)
        # That is done; the next status has the next notification.
        self.facts.charger.notification = "None"
        self.stage = "ChargeParameterDiscovery"
        return 0.0

    def build_SessionStop(self, now: float) -> iso2.SessionStopReq:
        """End or pause the session."""
        pause = self.facts.pause and self.charged
        self.outcome = "paused" if pause else "terminated"
        kind = iso2.chargingSessionType.Pause if pause else iso2.chargingSessionType.Terminate
        return iso2.SessionStopReq(ChargingSession=kind)
