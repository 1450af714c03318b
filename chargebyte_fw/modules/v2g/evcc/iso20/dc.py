"""Direct current in ISO 15118-20, also megawatt charging (MCS) and both directions (clause 8.3.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.effects import SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.iso20.energy import Finished, Iso20EnergyService, Ongoing
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import iso20_dc as dc
from chargebyte_fw.modules.v2g.rational import maximum, minimum, number, rational

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession

_CABLE_CHECK, _PRECHARGE = "cable check", "pre-charge"
_NO_CURRENT_A = 5.0
"""Less than this may be cut off by the car's contactors (IEC 61851-23: 5 A)."""


class Iso20DcCarService(Iso20EnergyService):
    """Direct current: the stages that only a DC session has."""

    first_stage = "DC_ChargeParameterDiscovery"
    loop_stage = "DC_ChargeLoop"

    def __init__(self, session: Iso20CarSession) -> None:
        super().__init__(session)
        self.ramp_until: float | None = None
        """Until when the car asks for no current; None: it does not."""
        self._ready = False
        """Pre-charge: the voltages are close, which the next request reports."""
        self._welding_until: float | None = None
        self._opened = False

    def begin_anew(self) -> None:
        """Forget the power: the services are selected again."""
        super().begin_anew()
        self.ramp_until, self._ready, self._welding_until, self._opened = None, False, None, False

    @property
    def most_W(self) -> float:
        """The most that the battery takes."""
        settings = self.settings
        return settings.max_power_W or settings.max_current_A * settings.max_voltage_V

    # -- charge parameters

    def build_DC_ChargeParameterDiscovery(self, now: float) -> dc.DC_ChargeParameterDiscoveryReq:
        """Send what the battery can take, and give."""
        settings = self.settings
        fields: dict[str, Any] = {
            "EVMaximumChargePower": maximum(self.most_W),
            "EVMinimumChargePower": minimum(settings.min_power_W),
            "EVMaximumChargeCurrent": maximum(settings.max_current_A),
            "EVMinimumChargeCurrent": minimum(0.0),
            "EVMaximumVoltage": maximum(settings.max_voltage_V),
            "EVMinimumVoltage": minimum(settings.min_voltage_V),
            "TargetSOC": settings.target_soc_percent,
        }
        mode: Any = dc.DC_CPDReqEnergyTransferModeType(**fields)
        if self.session.service.bidirectional:
            mode = dc.BPT_DC_CPDReqEnergyTransferModeType(
                **fields,
                EVMaximumDischargePower=maximum(settings.max_discharge_power_W),
                EVMinimumDischargePower=minimum(settings.min_discharge_power_W),
                EVMaximumDischargeCurrent=maximum(settings.max_discharge_current_A),
                EVMinimumDischargeCurrent=minimum(0.0),
            )
        return dc.DC_ChargeParameterDiscoveryReq(Header=self.session.header(), DC_CPDReqEnergyTransferMode=mode)

    def take_DC_ChargeParameterDiscovery(self, body: dc.DC_ChargeParameterDiscoveryRes, now: float) -> float:
        """Take what the charger can deliver, and take back."""
        mode = body.DC_CPDResEnergyTransferMode
        charger = self.facts.charger
        charger.max_power_W = number(mode.EVSEMaximumChargePower)
        charger.max_current_A = number(mode.EVSEMaximumChargeCurrent)
        charger.max_voltage_V = number(mode.EVSEMaximumVoltage)
        if isinstance(mode, dc.BPT_DC_CPDResEnergyTransferModeType):
            # Some chargers have these below zero: the magnitude is meant.
            charger.max_discharge_power_W = abs(number(mode.EVSEMaximumDischargePower))
            charger.max_discharge_current_A = abs(number(mode.EVSEMaximumDischargeCurrent))
        elif self.session.service.bidirectional:
            raise Failed("the charger's parameters are of one direction where both were selected")
        if number(mode.EVSEMinimumVoltage) > self.settings.max_voltage_V:
            raise Failed("the charger's lowest voltage is too high for this battery")
        self.session.stage = "ScheduleExchange"
        return 0.0

    def after_schedule(self) -> str:
        """Return the stage after ScheduleExchange: a renegotiation keeps the voltage."""
        return "PowerOn" if self._charged else "DC_CableCheck"

    # -- cable check and pre-charge

    def build_DC_CableCheck(self, now: float) -> dc.DC_CableCheckReq:
        """Ask for the cable check; the control pilot must be in state C before."""
        if self.session.limit(_CABLE_CHECK, timing.V2G_EVCC_CABLE_CHECK_S, now):
            self.session.effect(SetPilot("C"))
            self.session.report(Step.CABLE_CHECK)
        return dc.DC_CableCheckReq(Header=self.session.header())

    def take_DC_CableCheck(self, body: dc.DC_CableCheckRes, now: float) -> float:
        """Wait for the end of the check."""
        if body.EVSEProcessing is not Finished:
            return self.settings.ongoing_pause_s
        self.session.unlimit(_CABLE_CHECK)
        self.session.stage = "DC_PreCharge"
        return 0.0

    @property
    def _inlet_V(self) -> float:
        measured = self.facts.inlet_voltage_V
        return self.facts.charger.present_voltage_V if measured is None else measured

    def build_DC_PreCharge(self, now: float) -> dc.DC_PreChargeReq:
        """Ask for the battery's voltage; the last request reports that it is reached."""
        if self.session.limit(_PRECHARGE, timing.V2G20_EVCC_PRECHARGE_S, now):
            self.session.report(Step.PRECHARGE, f"{self.facts.battery_voltage_V:.0f} V")
        return dc.DC_PreChargeReq(
            Header=self.session.header(),
            EVProcessing=Finished if self._ready else Ongoing,
            EVPresentVoltage=rational(round(self._inlet_V, 1)),
            EVTargetVoltage=rational(round(self.facts.battery_voltage_V, 1)),
        )

    def take_DC_PreCharge(self, body: dc.DC_PreChargeRes, now: float) -> float:
        """Close the contactors when the voltages are close and the charger knows it."""
        facts, session = self.facts, self.session
        facts.charger.present_voltage_V = number(body.EVSEPresentVoltage)
        if self._ready:
            session.unlimit(_PRECHARGE)
            session.power(True)
            session.stage = "PowerOn"
            return 0.0
        self._ready = abs(self._inlet_V - facts.battery_voltage_V) <= self.settings.precharge_tolerance_V
        return 0.0 if self._ready else self.settings.demand_pause_s

    # -- charge loop

    def may_leave(self, now: float) -> bool:
        """Return whether the current is low; from now on the car asks for none."""
        if self.ramp_until is None:
            self.ramp_until = now + self.settings.ramp_down_limit_s
            self.session.report(Step.STOPPING, self.session.why())
        return abs(self.facts.charger.present_current_A) < _NO_CURRENT_A or now >= self.ramp_until

    def take_PowerOn(self, body: Any, now: float) -> float:
        """Begin the charge loop."""
        self.ramp_until = None
        return super().take_PowerOn(body, now)

    @property
    def _current_A(self) -> float:
        """What the battery wants, or gives, within the limits of both sides."""
        settings, charger = self.settings, self.facts.charger
        if self.ramp_until is not None or self.standing_by:
            return 0.0
        wanted_A = min(self.facts.target_current_A, settings.max_current_A)
        if wanted_A >= 0 or not self.session.service.bidirectional:
            return max(0.0, wanted_A)
        least = charger.max_discharge_current_A
        return -min(abs(wanted_A), settings.max_discharge_current_A, *(() if least is None else (least,)))

    def build_DC_ChargeLoop(self, now: float) -> dc.DC_ChargeLoopReq:
        """Ask for current (Scheduled), or renew the limits in which the charger commands it (Dynamic)."""
        voltage_V = self.facts.charger.present_voltage_V
        return dc.DC_ChargeLoopReq(
            **self.loop_fields(), EVPresentVoltage=rational(round(voltage_V, 1)), CLReqControlMode=self._mode()
        )

    def _mode(self) -> Any:
        settings, service = self.settings, self.session.service
        none = self.ramp_until is not None or self.standing_by
        fields: dict[str, Any] = {
            "EVMaximumChargePower": maximum(0.0 if none else self.most_W),
            "EVMinimumChargePower": minimum(0.0 if none else settings.min_power_W),
            "EVMaximumChargeCurrent": maximum(0.0 if none else settings.max_current_A),
            "EVMaximumVoltage": maximum(settings.max_voltage_V),
            "EVMinimumVoltage": minimum(settings.min_voltage_V),
            **self.energy_requests(),
        }
        if service.bidirectional:
            fields["EVMaximumDischargePower"] = maximum(0.0 if none else settings.max_discharge_power_W)
            fields["EVMinimumDischargePower"] = minimum(0.0 if none else settings.min_discharge_power_W)
            fields["EVMaximumDischargeCurrent"] = maximum(0.0 if none else settings.max_discharge_current_A)
        if service.dynamic:
            fields["DepartureTime"] = self.session.schedule.departure_s
            if not service.bidirectional:
                return dc.Dynamic_DC_CLReqControlModeType(**fields)
            return dc.BPT_Dynamic_DC_CLReqControlModeType(**fields, **self.v2x_requests())
        fields["EVTargetCurrent"] = rational(round(self._current_A, 1))
        fields["EVTargetVoltage"] = rational(round(min(self.facts.target_voltage_V, settings.max_voltage_V), 1))
        kind = (
            dc.BPT_Scheduled_DC_CLReqControlModeType if service.bidirectional else dc.Scheduled_DC_CLReqControlModeType
        )
        return kind(**fields)

    def take_DC_ChargeLoop(self, body: dc.DC_ChargeLoopRes, now: float) -> float:
        """Note what the charger delivers."""
        self.loop_taken(body)
        charger, mode = self.facts.charger, body.CLResControlMode
        if self.session.service.dynamic:
            self.take_needs(mode)
        charger.present_voltage_V = number(body.EVSEPresentVoltage)
        charger.present_current_A = number(body.EVSEPresentCurrent)
        charger.current_limit_achieved = body.EVSECurrentLimitAchieved
        charger.voltage_limit_achieved = body.EVSEVoltageLimitAchieved
        charger.power_limit_achieved = body.EVSEPowerLimitAchieved
        for field, fact in _LIMITS.items():
            value = getattr(mode, field, None)
            if value is not None:
                setattr(charger, fact, abs(number(value)))
        return self.settings.demand_pause_s

    # -- the way out

    def after_power_off(self) -> str:
        """Return the stage after PowerDelivery Stop: a pause needs no welding detection ([V2G20-1499])."""
        pause = self.facts.pause or self.session.notification == "Pause"
        if not self.settings.welding_detection or pause:
            return "SessionStop"
        self.session.report(Step.WELDING_DETECTION)
        return "DC_WeldingDetection"

    def build_DC_WeldingDetection(self, now: float) -> dc.DC_WeldingDetectionReq:
        """Ask for the voltage before the contactors."""
        if self._welding_until is None:
            self._welding_until = now + self.settings.welding_limit_s
        return dc.DC_WeldingDetectionReq(
            Header=self.session.header(), EVProcessing=Finished if self._opened else Ongoing
        )

    def take_DC_WeldingDetection(self, body: dc.DC_WeldingDetectionRes, now: float) -> float:
        """Ask again until the voltage is gone or the time is up; the last request reports that."""
        voltage_V = self.facts.charger.present_voltage_V = number(body.EVSEPresentVoltage)
        self.facts.charger.present_current_A = 0.0
        if self._opened:
            self.session.stage = "SessionStop"
            return 0.0
        self._opened = voltage_V < self.settings.welding_below_V or now >= (self._welding_until or 0.0)
        return 0.0 if self._opened else self.settings.ongoing_pause_s


_LIMITS = {
    "EVSEMaximumChargePower": "max_power_W",
    "EVSEMaximumChargeCurrent": "max_current_A",
    "EVSEMaximumVoltage": "max_voltage_V",
    "EVSEMaximumDischargePower": "max_discharge_power_W",
    "EVSEMaximumDischargeCurrent": "max_discharge_current_A",
}
"""Limits that change in the loop, and the facts they are."""
