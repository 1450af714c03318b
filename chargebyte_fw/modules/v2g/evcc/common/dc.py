"""The DC energy service of a car in DIN SPEC 70121 and ISO 15118-2, from the parameters to the welding detection."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.evcc.common.energy import CarEnergyService
from chargebyte_fw.modules.v2g.evcc.common.session import GRAVE
from chargebyte_fw.modules.v2g.evcc.effects import SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import common
from chargebyte_fw.modules.v2g.physical import number

_PRECHARGE_A = 1.0
_NO_CURRENT_A = 5.0
"""Less than this may be cut off by the car's contactors (IEC 61851-23: 5 A)."""
_UNSAFE = ("Fault", "Invalid")
_CABLE_CHECK, _PRECHARGE = "cable check", "pre-charge"
"""What takes a limited time."""


class DcCarService(CarEnergyService):
    """Direct current: the stages that only a DC session has."""

    ramp_until: float | None = None
    """Until when the car asks for 0 A; None: it does not."""
    welding_until: float | None = None

    def stop_wanted(self, now: float) -> None:
        """Take the power off where it may flow."""
        session = self.session
        if session.stage == "PowerOn" or (session.stage == "PreCharge" and session.limited == _PRECHARGE):
            session.wind_down("PowerOff")
        elif session.stage == "CurrentDemand":
            self._ramp_down(now, "PowerOff")

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop without current."""
        if self.session.stage == "CurrentDemand":
            self._ramp_down(now, "Renegotiate")

    def _ramp_down(self, now: float, then: str) -> None:
        """Ask for 0 A until the car's contactors may open, then go on to the stage `then`."""
        charger, session = self.facts.charger, self.session
        if self.ramp_until is None:
            self.ramp_until = now + self.settings.ramp_down_limit_s
            if then == "PowerOff":
                session.report(Step.STOPPING, session.why())
        low = abs(charger.present_current_A) < _NO_CURRENT_A
        if charger.status_code in GRAVE or low or now >= self.ramp_until:
            if charger.status_code in GRAVE:
                session.power(False)
            session.stage = then

    def ev_status(self) -> Any:
        """Return DC_EVStatus."""
        facts = self.facts
        return self.messages.DC_EVStatusType(
            EVReady=facts.ready,
            EVErrorCode=self.messages.DC_EVErrorCodeType(facts.error_code),
            EVRESSSOC=max(0, min(100, int(facts.soc_percent))),
        )

    def parameters(self) -> dict[str, Any]:
        """Return the fields of DC_EVChargeParameter that both protocols have."""
        settings = self.settings
        return {
            "DC_EVStatus": self.ev_status(),
            "EVMaximumCurrentLimit": self.session.quantity(settings.max_current_A, "A"),
            "EVMaximumPowerLimit": self.session.optional(settings.max_power_W, "W"),
            "EVMaximumVoltageLimit": self.session.quantity(settings.max_voltage_V, "V"),
            "EVEnergyCapacity": self.session.optional(settings.energy_capacity_Wh, "Wh"),
            "EVEnergyRequest": self.session.optional(settings.energy_request_Wh, "Wh"),
            "FullSOC": settings.full_soc_percent,
            "BulkSOC": settings.bulk_soc_percent,
        }

    def take_parameters(self, body: common.ChargeParameterDiscoveryRes, now: float) -> float:
        """Take the charger's parameters once they are finished."""
        parameters = body.EVSEChargeParameter
        if not isinstance(parameters, self.messages.DC_EVSEChargeParameterType):
            raise Failed(f"the charger answers with {type(parameters).__name__}")
        self.session.take_status(parameters.DC_EVSEStatus)
        self.take_limits(parameters)
        if self.session.ongoing(body, "charge parameters", now):
            return self.settings.ongoing_pause_s
        self.session.take_schedule(body.SASchedules)
        self.session.report(Step.PARAMETERS)
        if number(parameters.EVSEMinimumVoltageLimit) > self.settings.max_voltage_V:
            raise Failed("the charger's lowest voltage is too high for this battery")
        self.session.stage = "CableCheck"
        return 0.0

    def take_limits(self, parameters: common.DC_EVSEChargeParameterType | common.CurrentDemandRes) -> None:
        """Note the charger's DC limits."""
        charger = self.facts.charger
        for name, unit in (("Voltage", "V"), ("Current", "A"), ("Power", "W")):
            value = getattr(parameters, f"EVSEMaximum{name}Limit")
            if value is not None:
                setattr(charger, f"max_{name.lower()}_{unit}", number(value))

    # -- cable check and pre-charge

    def build_CableCheck(self, now: float) -> Any:
        """Ask for the cable check; the control pilot must be in state C before."""
        if self.session.limit(_CABLE_CHECK, timing.V2G_EVCC_CABLE_CHECK_S, now):
            self.session.effect(SetPilot("C"))
            self.session.report(Step.CABLE_CHECK)
        return self.messages.CableCheckReq(DC_EVStatus=self.ev_status())

    def take_CableCheck(self, body: common.CableCheckRes, now: float) -> float:
        """Wait for the end of the check."""
        self.session.take_status(body.DC_EVSEStatus)
        if str(body.EVSEProcessing) != "Finished":
            return self.settings.ongoing_pause_s
        self.session.unlimit(_CABLE_CHECK)
        if self.facts.charger.isolation in _UNSAFE:
            raise Failed(f"the cable check finished with isolation {self.facts.charger.isolation}")
        self.session.stage = "PreCharge"
        return 0.0

    def build_PreCharge(self, now: float) -> Any:
        """Ask for the battery's voltage, almost without current."""
        if self.session.limit(_PRECHARGE, timing.V2G_EVCC_PRECHARGE_S, now):
            self.session.report(Step.PRECHARGE, f"{self.facts.battery_voltage_V:.0f} V")
        return self.messages.PreChargeReq(
            DC_EVStatus=self.ev_status(),
            EVTargetVoltage=self.session.quantity(self.facts.battery_voltage_V, "V"),
            EVTargetCurrent=self.session.quantity(_PRECHARGE_A, "A"),
        )

    def take_PreCharge(self, body: common.PreChargeRes, now: float) -> float:
        """Close the contactors when the voltages are close."""
        self.session.take_status(body.DC_EVSEStatus)
        facts = self.facts
        facts.charger.present_voltage_V = number(body.EVSEPresentVoltage)
        inlet_V = facts.charger.present_voltage_V if facts.inlet_voltage_V is None else facts.inlet_voltage_V
        if abs(inlet_V - facts.battery_voltage_V) > self.settings.precharge_tolerance_V:
            return self.settings.demand_pause_s
        self.session.unlimit(_PRECHARGE)
        self.session.power(True)
        self.session.stage = "PowerOn"
        return 0.0

    # -- charge loop

    def power_parameter(self) -> Any:
        """Return DC_EVPowerDeliveryParameter."""
        return self.messages.DC_EVPowerDeliveryParameterType(
            DC_EVStatus=self.ev_status(),
            BulkChargingComplete=self.facts.bulk_charging_complete,
            ChargingComplete=self.facts.charging_complete,
        )

    def take_PowerOn(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Begin the charge loop."""
        self.session.take_status(body.EVSEStatus)
        self.session.timers.stop("ready to charge")
        self.ramp_until = None
        self.session.stage = "CurrentDemand"
        self.session.report(Step.CHARGING)
        return 0.0

    def build_CurrentDemand(self, now: float) -> Any:
        """Ask for what the battery wants; for nothing where the session is to end."""
        facts, settings = self.facts, self.settings
        current_A = 0.0 if self.ramp_until is not None else min(facts.target_current_A, settings.max_current_A)
        return self.messages.CurrentDemandReq(
            DC_EVStatus=self.ev_status(),
            EVTargetCurrent=self.session.quantity(current_A, "A"),
            EVMaximumVoltageLimit=self.session.quantity(settings.max_voltage_V, "V"),
            EVMaximumCurrentLimit=self.session.quantity(settings.max_current_A, "A"),
            EVMaximumPowerLimit=self.session.optional(settings.max_power_W, "W"),
            BulkChargingComplete=facts.bulk_charging_complete,
            ChargingComplete=facts.charging_complete,
            RemainingTimeToFullSoC=self.session.optional(facts.remaining_time_full_s, "s"),
            RemainingTimeToBulkSoC=self.session.optional(facts.remaining_time_bulk_s, "s"),
            EVTargetVoltage=self.session.quantity(min(facts.target_voltage_V, settings.max_voltage_V), "V"),
        )

    def take_CurrentDemand(self, body: common.CurrentDemandRes, now: float) -> float:
        """Note what the charger delivers."""
        self.session.take_status(body.DC_EVSEStatus)
        self.take_limits(body)
        charger = self.facts.charger
        charger.present_voltage_V = number(body.EVSEPresentVoltage)
        charger.present_current_A = number(body.EVSEPresentCurrent)
        charger.current_limit_achieved = body.EVSECurrentLimitAchieved
        charger.voltage_limit_achieved = body.EVSEVoltageLimitAchieved
        charger.power_limit_achieved = body.EVSEPowerLimitAchieved
        meter = getattr(body, "MeterInfo", None)
        if meter is not None and meter.MeterReading is not None:
            charger.meter_Wh = float(meter.MeterReading)
        return 0.0 if charger.status_code in GRAVE else self.settings.demand_pause_s

    # -- the way out

    def take_PowerOff(self, body: common.PowerDeliveryRes, now: float) -> float:
        """Open the contactors, go to state B, check whether they are open."""
        self.session.take_status(body.EVSEStatus)
        self.session.power(False)
        self.session.effect(SetPilot("B"))
        self.session.stage = "WeldingDetection" if self.settings.welding_detection else "SessionStop"
        self.welding_until = now + self.settings.welding_limit_s
        if self.settings.welding_detection:
            self.session.report(Step.WELDING_DETECTION)
        return 0.0

    def build_WeldingDetection(self, now: float) -> Any:
        """Ask for the voltage before the contactors."""
        return self.messages.WeldingDetectionReq(DC_EVStatus=self.ev_status())

    def take_WeldingDetection(self, body: common.WeldingDetectionRes, now: float) -> float:
        """Ask again until the voltage is gone or the time is up."""
        self.session.take_status(body.DC_EVSEStatus)
        voltage_V = self.facts.charger.present_voltage_V = number(body.EVSEPresentVoltage)
        self.facts.charger.present_current_A = 0.0
        if voltage_V >= self.settings.welding_below_V and now < (self.welding_until or 0.0):
            return self.settings.ongoing_pause_s
        self.session.stage = "SessionStop"
        return 0.0
