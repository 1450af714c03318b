"""ISO 15118-2 as the car speaks it, DC and AC, with authorization by external means."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.common.dc import DcCar
from chargebyte_fw.modules.v2g.evcc.common.session import CarDialogue, Failed
from chargebyte_fw.modules.v2g.evcc.types import CarFacts, CarSettings, SetPilot, Step
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number

_LONGEST_PROFILE_S = 86_400


class Iso2Car(CarDialogue):
    """What AC and DC sessions share."""

    m = iso2
    schema_set = "iso2"
    before_power = (
        *("ServiceDiscovery", "PaymentServiceSelection", "Authorization"),
        *("ChargeParameterDiscovery", "CableCheck", "PreCharge"),
    )

    def __init__(self, settings: CarSettings, facts: CarFacts) -> None:
        super().__init__(settings, facts)
        self.service_id = 1
        self.mode = iso2.EnergyTransferModeType(settings.energy_transfer_mode)

    # -- set-up

    def build_SessionSetup(self, now: float) -> Any:  # noqa: N802 (the stage's name)
        """Introduce the car; the header carries the id of a paused session."""
        return iso2.SessionSetupReq(EVCCID=self.settings.evcc_id)

    def take_SessionSetup(self, body: iso2.SessionSetupRes, now: float) -> float:  # noqa: N802
        """Begin, or go on where the pause began."""
        self.facts.charger.evse_id = body.EVSEID
        joined = body.ResponseCode is iso2.responseCodeType.OK_OldSessionJoined
        self.report(Step.SESSION, f"{body.EVSEID}{', the paused session' if joined else ''}")
        self.stage = "ServiceDiscovery"
        return 0.0

    def build_ServiceDiscovery(self, now: float) -> Any:  # noqa: N802
        """Ask for the services."""
        return iso2.ServiceDiscoveryReq()

    def take_ServiceDiscovery(self, body: iso2.ServiceDiscoveryRes, now: float) -> float:  # noqa: N802
        """Take the charge service in the best mode of our kind, to be paid from outside."""
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

    def build_PaymentServiceSelection(self, now: float) -> Any:  # noqa: N802
        """Choose the charge service and external payment."""
        chosen = iso2.SelectedServiceListType(SelectedService=[iso2.SelectedServiceType(ServiceID=self.service_id)])
        return iso2.PaymentServiceSelectionReq(
            SelectedPaymentOption=iso2.paymentOptionType.ExternalPayment, SelectedServiceList=chosen
        )

    def take_PaymentServiceSelection(self, body: Any, now: float) -> float:  # noqa: N802
        """Go on to the authorization."""
        self.report(Step.AUTHORIZING)
        self.stage = "Authorization"
        return 0.0

    def build_Authorization(self, now: float) -> Any:  # noqa: N802
        """Ask whether somebody has authorized."""
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

    def power_parameter(self) -> Any:
        """Return what PowerDeliveryReq says of the battery: nothing in AC."""
        return None

    def build_PowerOn(self, now: float) -> Any:  # noqa: N802
        """Ask for the power."""
        return iso2.PowerDeliveryReq(
            ChargeProgress=iso2.chargeProgressType.Start,
            SAScheduleTupleID=self.schedule_id,
            ChargingProfile=self.profile(),
            EVPowerDeliveryParameter=self.power_parameter(),
        )

    def build_PowerOff(self, now: float) -> Any:  # noqa: N802
        """Take the power off."""
        return self._power(iso2.chargeProgressType.Stop)

    def build_Renegotiate(self, now: float) -> Any:  # noqa: N802
        """Ask for other parameters."""
        self.facts.renegotiate = False
        self.power(False)
        self.report(Step.RENEGOTIATING)
        return self._power(iso2.chargeProgressType.Renegotiate)

    def _power(self, progress: iso2.chargeProgressType) -> iso2.PowerDeliveryReq:
        return iso2.PowerDeliveryReq(
            ChargeProgress=progress,
            SAScheduleTupleID=self.schedule_id,
            EVPowerDeliveryParameter=self.power_parameter(),
        )

    def take_Renegotiate(self, body: Any, now: float) -> float:  # noqa: N802
        """Go back to the charge parameters."""
        self.take_status(body.EVSEStatus)
        # The wish is fulfilled; the next status says whether there is another.
        self.facts.charger.notification = "None"
        self.stage = "ChargeParameterDiscovery"
        return 0.0

    def wants_other_parameters(self) -> bool:
        """Tell whether car or charger want to renegotiate."""
        return self.facts.renegotiate or self.facts.charger.notification == "ReNegotiation"

    def build_SessionStop(self, now: float) -> Any:  # noqa: N802
        """End or pause the session."""
        pause = self.facts.pause and self.charged
        self.outcome = "paused" if pause else "terminated"
        kind = iso2.chargingSessionType.Pause if pause else iso2.chargingSessionType.Terminate
        return iso2.SessionStopReq(ChargingSession=kind)

    charged = False
    """Whether there was an energy transfer: only then there is a pause."""


class Iso2DcCar(Iso2Car, DcCar):
    """A DC session of ISO 15118-2."""

    def may_renegotiate(self) -> bool:
        """Tell whether somebody wants to renegotiate."""
        return self.wants_other_parameters()

    def power_parameter(self) -> Any:
        """Return DC_EVPowerDeliveryParameter."""
        return DcCar.power_parameter(self)

    def build_ChargeParameterDiscovery(self, now: float) -> Any:  # noqa: N802
        """Tell what the battery can take."""
        return iso2.ChargeParameterDiscoveryReq(
            RequestedEnergyTransferMode=self.mode,
            EVChargeParameter=iso2.DC_EVChargeParameterType(
                DepartureTime=self.settings.departure_time_s, **self.dc_parameters()
            ),
        )

    def take_ChargeParameterDiscovery(self, body: Any, now: float) -> float:  # noqa: N802
        """Take what the charger can give."""
        return self.take_dc_parameters(body, now)

    def take_PowerOn(self, body: Any, now: float) -> float:  # noqa: N802
        """Begin the charge loop."""
        self.charged = True
        return super().take_PowerOn(body, now)


class Iso2AcCar(Iso2Car):
    """An AC session of ISO 15118-2."""

    def next(self, now: float) -> Any:
        """Return the next request's body, wishes considered."""
        if self.wants_to_end:
            if self.stage == "ChargingStatus":
                self.report(Step.STOPPING, self.why())
                self.power(False)
                self.stage = "PowerOff"
            elif self.stage == "PowerOn":
                self.wind_down("SessionStop")
        elif self.stage == "ChargingStatus" and self.wants_other_parameters():
            self.stage = "Renegotiate"
        return super().next(now)

    def build_ChargeParameterDiscovery(self, now: float) -> Any:  # noqa: N802
        """Tell what the on-board charger can take."""
        settings = self.settings
        return iso2.ChargeParameterDiscoveryReq(
            RequestedEnergyTransferMode=self.mode,
            EVChargeParameter=iso2.AC_EVChargeParameterType(
                DepartureTime=settings.departure_time_s,
                EAmount=self.quantity(settings.energy_request_Wh or settings.energy_capacity_Wh or 0.0, "Wh"),
                EVMaxVoltage=self.quantity(settings.max_voltage_V, "V"),
                EVMaxCurrent=self.quantity(settings.max_current_A, "A"),
                EVMinCurrent=self.quantity(settings.min_current_A, "A"),
            ),
        )

    def take_ChargeParameterDiscovery(self, body: Any, now: float) -> float:  # noqa: N802
        """Take what the charger can give."""
        parameters = body.EVSEChargeParameter
        if not isinstance(parameters, iso2.AC_EVSEChargeParameterType):
            raise Failed(f"the charger answers with {type(parameters).__name__}")
        self.take_status(parameters.AC_EVSEStatus)
        self.facts.charger.ac_nominal_voltage_V = number(parameters.EVSENominalVoltage)
        self.facts.charger.ac_max_current_A = number(parameters.EVSEMaxCurrent)
        if self.ongoing(body, "charge parameters", timing.V2G_EVCC_ONGOING_S, now):
            return self.settings.ongoing_pause_s
        self.take_schedule(body.SASchedules)
        self.report(Step.PARAMETERS)
        self.stage = "PowerOn"
        return 0.0

    def build_PowerOn(self, now: float) -> Any:  # noqa: N802
        """Ask for the power; the control pilot goes to state C with it."""
        self.effects.append(SetPilot("C"))
        return super().build_PowerOn(now)

    def take_PowerOn(self, body: Any, now: float) -> float:  # noqa: N802
        """Begin to draw."""
        self.take_status(body.EVSEStatus)
        self.charged = True
        self.power(True)
        self.stage = "ChargingStatus"
        self.report(Step.CHARGING)
        return 0.0

    def build_ChargingStatus(self, now: float) -> Any:  # noqa: N802
        """Ask how it is."""
        return iso2.ChargingStatusReq()

    def take_ChargingStatus(self, body: iso2.ChargingStatusRes, now: float) -> float:  # noqa: N802
        """Note the current that may be drawn and the meter."""
        self.take_status(body.AC_EVSEStatus)
        charger = self.facts.charger
        if body.EVSEMaxCurrent is not None:
            charger.ac_max_current_A = number(body.EVSEMaxCurrent)
        if body.MeterInfo is not None and body.MeterInfo.MeterReading is not None:
            charger.meter_Wh = float(body.MeterInfo.MeterReading)
        if body.AC_EVSEStatus.RCD:
            raise Failed("the charger's residual current device has tripped")
        return self.settings.status_pause_s

    def take_PowerOff(self, body: Any, now: float) -> float:  # noqa: N802
        """Go to state B."""
        self.take_status(body.EVSEStatus)
        self.effects.append(SetPilot("B"))
        self.stage = "SessionStop"
        return 0.0
