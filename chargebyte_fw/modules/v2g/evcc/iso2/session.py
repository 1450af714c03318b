"""A car's session of ISO 15118-2, DC and AC, paid by external means or by contract."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.common.session import V2gCarSession
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.iso2.ac import AcCarService
from chargebyte_fw.modules.v2g.evcc.iso2.contract import Payment
from chargebyte_fw.modules.v2g.evcc.iso2.dc import Iso2DcCarService
from chargebyte_fw.modules.v2g.evcc.iso2.schedule import Schedule, best
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
        *("ServiceDiscovery", "ServiceDetail", "PaymentServiceSelection", "CertificateInstallation"),
        *("CertificateUpdate", "PaymentDetails", "Authorization"),
        *("ChargeParameterDiscovery", "CableCheck", "PreCharge"),
    )

    def __init__(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        super().__init__(settings, facts, timers)
        self.service_id = 1
        self.mode = mode_of(settings.energy_transfer_mode)
        self.charged = False
        """Whether there was an energy transfer: only then there is a pause."""
        self.payment = Payment(self)
        self._schedule: Schedule | None = None
        self._schedule_since_s = 0.0
        self._every_since_s: float | None = None
        self._energy = AcCarService(self) if self.mode.startswith("AC") else Iso2DcCarService(self)

    @property
    def energy(self) -> AcCarService | Iso2DcCarService:
        """The energy service: that of the car's energy transfer mode."""
        return self._energy

    @property
    def parts(self) -> tuple[Any, ...]:
        """Energy service and payment: they have stages, too."""
        return (self.energy, self.payment)

    @property
    def may_renegotiate(self) -> bool:
        """Whether car or charger want to renegotiate, or a script that does so again and again."""
        return self.facts.renegotiate or self.facts.charger.notification == "ReNegotiation"

    def next(self, now: float) -> Any:
        """Return the next request's body."""
        every = self.misbehaves("renegotiate")
        if every is not None and self._every_since_s is not None and now - self._every_since_s >= every.seconds:
            self._every_since_s = now
            self.facts.renegotiate = True
        self._note_price(now)
        return super().next(now)

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
        """Take the charge service in the best mode of our kind, and choose how it is paid."""
        offered = body.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode
        if self.mode not in offered:
            of_our_kind = [mode for mode in offered if mode[:2] == self.mode[:2]]
            if not of_our_kind:
                raise Failed(f"the charger offers {', '.join(offered)}")
            self.mode = of_our_kind[0]
        self.service_id = body.ChargeService.ServiceID
        self.payment.choose(body)
        return 0.0

    def build_PaymentServiceSelection(self, now: float) -> iso2.PaymentServiceSelectionReq:
        """Choose the services and the payment."""
        charging = iso2.SelectedServiceType(ServiceID=self.service_id)
        chosen = iso2.SelectedServiceListType(SelectedService=[charging, *self.payment.selected()])
        return iso2.PaymentServiceSelectionReq(SelectedPaymentOption=self.payment.option, SelectedServiceList=chosen)

    def take_PaymentServiceSelection(self, body: iso2.PaymentServiceSelectionRes, now: float) -> float:
        """Go on to the authorization."""
        self.stage = self.payment.after_selection()
        self.report(Step.AUTHORIZING, str(self.payment.option))
        return 0.0

    def take_Authorization(self, body: iso2.AuthorizationRes, now: float) -> float:
        """Wait for the authorization."""
        self.facts.charger.identity = self.payment.identity
        return super().take_Authorization(body, now)

    # -- power

    def take_schedule(self, schedules: iso2.SAScheduleListType | None) -> None:  # type: ignore[override]
        """Take the schedule with the lowest price level."""
        if schedules is None:
            return
        self._check_tariffs(schedules)
        self._schedule = best(schedules)
        self.schedule_id = self._schedule.id
        self._schedule_since_s = self._now
        self._note_price(self._now)

    def _check_tariffs(self, schedules: iso2.SAScheduleListType) -> None:
        """Drop the tariffs of a contract that its issuer has not signed (clause 8.5.2.15)."""
        charger, contract = self.facts.charger, self.payment.contract
        tariffs = [one.SalesTariff for one in schedules.SAScheduleTuple if one.SalesTariff is not None]
        charger.prices_signed = False
        if not tariffs or contract is None:
            return
        elements = [("SalesTariff", one) for one in tariffs]
        why = plug_and_charge.wrong_prices("iso2", contract, self.received_signature, elements)
        charger.prices_signed = not why
        if why:
            self.report(Step.PARAMETERS, f"without the prices: {why}")
            for one in schedules.SAScheduleTuple:
                one.SalesTariff = None

    def _note_price(self, now: float) -> None:
        self._now = now
        if self._schedule is not None:
            self.facts.charger.price_level = self._schedule.level_at(now - self._schedule_since_s)

    _now = 0.0

    def profile(self) -> Any:
        """Return the charging profile: as much as the schedule and the car allow."""
        if self._schedule is None:
            return None
        entries = [
            iso2.ProfileEntryType(
                ChargingProfileEntryStart=at_s, ChargingProfileEntryMaxPower=self.quantity(power_W, "W")
            )
            for at_s, power_W in self._schedule.profile(self.settings.max_power_W)
        ]
        return iso2.ChargingProfileType(ProfileEntry=entries)

    def build_PowerOn(self, now: float) -> iso2.PowerDeliveryReq:
        """Ask for the power."""
        self.energy.before_power_on()
        self._every_since_s = now
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
        self._every_since_s = now
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
