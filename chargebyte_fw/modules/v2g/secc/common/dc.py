"""The DC energy service of DIN SPEC 70121 and ISO 15118-2, from the parameters to the welding detection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g.messages import common
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.energy import EnergyService
from chargebyte_fw.modules.v2g.secc.common.sequence import EARLY_STOP, State
from chargebyte_fw.modules.v2g.secc.common.session import V2gSession
from chargebyte_fw.modules.v2g.secc.protocol import Answer
from chargebyte_fw.modules.v2g.timing import READY_TO_CHARGE_S

_STATUS_OF_ERROR = {
    iso15118.EvseError.Error_EmergencyShutdown: "EVSE_EmergencyShutdown",
    iso15118.EvseError.Error_UtilityInterruptEvent: "EVSE_UtilityInterruptEvent",
    iso15118.EvseError.Error_Malfunction: "EVSE_Malfunction",
    iso15118.EvseError.Error_Contactor: "EVSE_Malfunction",
    iso15118.EvseError.Error_RCD: "EVSE_Malfunction",
}


class DcService(EnergyService):
    """Direct current. Each protocol has a subclass with what is its own."""

    early_stop = EARLY_STOP
    open_contactor = Iso15118Charger.dc_open_contactor

    def __init__(self, session: V2gSession) -> None:
        super().__init__(session)
        self.limits = iso15118.DcEvMaximumLimits()
        """The car's limits, as far as they are known."""
        self.cable_check_started = False
        self._under_voltage_since: float | None = None
        """Since when the car prepares for the charge loop, from its first cable check on."""

    # -- for subclasses to change

    def isolation(self) -> str:
        """Return the isolation status as the protocol has it."""
        return self.facts.session.isolation

    def cable_check_passed(self) -> bool:
        """Return whether the cable check may be reported as finished."""
        return bool(self.facts.session.cable_check)

    def current_demand_extras(self) -> dict[str, Any]:
        """Return what the protocol adds to CurrentDemandRes."""
        return {}

    def metering(self) -> dict[str, Any]:
        """Return what CurrentDemandRes has of the meter; not part of a refusal."""
        return {}

    @property
    def bidirectional(self) -> bool:
        """Whether the car has chosen to give energy back: its currents and powers are negative then."""
        return False

    def status_code(self, normal: str) -> str:
        """Return the EVSE status code to report where `normal` would be: errors and a wanted stop win."""
        error = _STATUS_OF_ERROR.get(self.facts.error)  # type: ignore[call-overload]
        if error:
            return str(error)
        if self.facts.stop_requested or self.session.refuse_all:
            return "EVSE_Shutdown"
        if self.stopping and normal in ("EVSE_Ready", "EVSE_NotReady"):
            return "EVSE_Shutdown"
        return normal

    # -- pieces of messages

    def evse_status(self, normal: str) -> Any:
        """Return DC_EVSEStatus with the status code `normal`, errors and wishes to stop considered."""
        m = self.messages
        notification, delay_s = self.session.notification
        return m.DC_EVSEStatusType(
            NotificationMaxDelay=delay_s,
            EVSENotification=notification,
            EVSEIsolationStatus=m.isolationLevelType(self.isolation()),
            EVSEStatusCode=m.DC_EVSEStatusCodeType(self.status_code(normal)),
        )

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        status = self.evse_status("EVSE_NotReady")
        match name:
            case "CableCheckReq":
                return {"DC_EVSEStatus": status, "EVSEProcessing": self.messages.EVSEProcessingType.Finished}
            case "PreChargeReq" | "WeldingDetectionReq":
                return {"DC_EVSEStatus": status, "EVSEPresentVoltage": self._present_voltage()}
            case "PowerDeliveryReq":
                return {"EVSEStatus": status}
            case "CurrentDemandReq":
                return {
                    "DC_EVSEStatus": status,
                    "EVSEPresentVoltage": self._present_voltage(),
                    "EVSEPresentCurrent": self.session.amperes(self.facts.present_current_A),
                    "EVSECurrentLimitAchieved": False,
                    "EVSEVoltageLimitAchieved": False,
                    "EVSEPowerLimitAchieved": False,
                    **self.current_demand_extras(),
                }
        return {}

    def _present_voltage(self) -> Any:
        return self.session.volts(self.facts.present_voltage_V)

    def take_ev_status(self, status: common.DC_EVStatusType) -> None:
        """Publish DC_EVStatus."""
        value = iso15118.DcEvStatus(
            dc_ev_ready=status.EVReady,
            dc_ev_error_code=iso15118.DcEvErrorCode(str(status.EVErrorCode)),
            dc_ev_ress_soc=float(status.EVRESSSOC),
        )
        value.dc_ev_cabin_conditioning = getattr(status, "EVCabinConditioning", None)
        value.dc_ev_ress_conditioning = getattr(status, "EVRESSConditioning", None)
        self.session.publish_change(Iso15118Charger.dc_ev_status, value)

    # -- charge parameters

    def limits_do_not_fit(self, parameters: common.DC_EVChargeParameterType) -> str:
        """Return why the car's DC limits leave nothing to charge with ([V2G2-477], [V2G-DC-398]), or nothing."""
        facts = self.facts
        current, voltage = number(parameters.EVMaximumCurrentLimit), number(parameters.EVMaximumVoltageLimit)
        negative = min(current, voltage, number(parameters.EVMaximumPowerLimit)) < 0
        if negative and facts.bidirectional_mode != iso15118.SaeJ2847BidiMode.V2H:
            return "a negative limit"
        if abs(current) <= facts.dc_min_current_A:
            return f"the car takes at most {current:g} A, the charger gives at least {facts.dc_min_current_A:g} A"
        if voltage <= facts.dc_min_voltage_V:
            return f"the car takes at most {voltage:g} V, the charger gives at least {facts.dc_min_voltage_V:g} V"
        return ""

    def take_parameters(self, parameters: common.DC_EVChargeParameterType) -> None:
        """Publish the car's DC charge parameters."""
        publish = self.session.publish
        if parameters.EVEnergyCapacity is not None:
            publish(Iso15118Charger.dc_ev_energy_capacity, _energy_Wh(parameters.EVEnergyCapacity))
        if parameters.EVEnergyRequest is not None:
            publish(Iso15118Charger.dc_ev_energy_request, _energy_Wh(parameters.EVEnergyRequest))
        if parameters.FullSOC is not None:
            publish(Iso15118Charger.dc_full_soc, float(parameters.FullSOC))
        if parameters.BulkSOC is not None:
            publish(Iso15118Charger.dc_bulk_soc, float(parameters.BulkSOC))
        self._take_limits(parameters)
        self.take_ev_status(parameters.DC_EVStatus)

    def _take_limits(self, request: common.DC_EVChargeParameterType | common.CurrentDemandReq) -> None:
        # A limit that a request leaves out still holds.
        known = self.limits
        current = self._published(request.EVMaximumCurrentLimit, 10_000)
        power = self._published(request.EVMaximumPowerLimit, 350_000)
        voltage = self._published(request.EVMaximumVoltageLimit, 1_500)
        self.limits = iso15118.DcEvMaximumLimits(
            dc_ev_maximum_current_limit=known.dc_ev_maximum_current_limit if current is None else current,
            dc_ev_maximum_power_limit=known.dc_ev_maximum_power_limit if power is None else power,
            dc_ev_maximum_voltage_limit=known.dc_ev_maximum_voltage_limit if voltage is None else voltage,
        )
        self.session.publish_change(Iso15118Charger.dc_ev_maximum_limits, self.limits)

    def _published(self, value: common.PhysicalValueType | None, high: float) -> float | None:
        """Return a physical value within what EVerest's types allow (-2 is EVerest's own lower end).

        Of a car that gives energy back it is the magnitude: the direction is the energy management's.
        """
        if value is None:
            return None
        signed = number(value)
        return min(high, abs(signed) if self.bidirectional else max(-2.0, signed))

    def needs(self, parameters: common.DC_EVChargeParameterType) -> iso15118.DCChargingParameters:
        """Return the car's needs as OCPP has them."""
        power, capacity, request = (
            None if value is None else number(value)
            for value in (parameters.EVMaximumPowerLimit, parameters.EVEnergyCapacity, parameters.EVEnergyRequest)
        )
        return iso15118.DCChargingParameters(
            ev_max_current=number(parameters.EVMaximumCurrentLimit),
            ev_max_voltage=number(parameters.EVMaximumVoltageLimit),
            ev_max_power=power,
            ev_energy_capacity=capacity,
            energy_amount=request,
            state_of_charge=parameters.DC_EVStatus.EVRESSSOC,
            full_soc=parameters.FullSOC,
            bulk_soc=parameters.BulkSOC,
        )

    def charge_parameter(self, normal: str) -> Any:
        """Return DC_EVSEChargeParameter with the charger's limits and the status code `normal`."""
        facts, session = self.facts, self.session
        tolerance, energy = facts.current_regulation_tolerance_A, facts.energy_to_be_delivered_Wh
        m = self.messages
        return m.DC_EVSEChargeParameterType(
            DC_EVSEStatus=self.evse_status(normal),
            EVSEMaximumCurrentLimit=session.amperes(facts.dc_max_current_A),
            EVSEMaximumPowerLimit=session.watts(facts.power_limit_W),
            EVSEMaximumVoltageLimit=session.volts(facts.dc_max_voltage_V),
            # A car refuses a least value above the greatest one; where nothing is allowed at this moment, both are 0.
            EVSEMinimumCurrentLimit=session.amperes(min(facts.dc_min_current_A, facts.dc_max_current_A)),
            EVSEMinimumVoltageLimit=session.volts(min(facts.dc_min_voltage_V, facts.dc_max_voltage_V)),
            EVSECurrentRegulationTolerance=None if tolerance is None else session.amperes(tolerance),
            EVSEPeakCurrentRipple=session.amperes(facts.peak_current_ripple_A),
            EVSEEnergyToBeDelivered=None if energy is None else session.quantity(energy, "Wh"),
        )

    # -- cable check and pre-charge

    def on_CableCheckReq(self, request: common.CableCheckReq, now: float) -> Answer:
        """Start the cable check once, answer Ongoing until its result is there."""
        self.take_ev_status(request.DC_EVStatus)
        m, facts, session = self.messages, self.facts.session, self.session
        if facts.cable_check_aborted and not self.facts.stop_requested:
            # The charger has taken its wish to stop back while the car still waits: the check begins anew.
            self.cable_check_started = False
        if not self.cable_check_started:
            self.cable_check_started = True
            facts.cable_check = None
            facts.cable_check_aborted = False
            self.energised = True
            session.publish(Iso15118Charger.start_cable_check, None)
            session.log("cable check")
        if facts.cable_check is False:
            return session.failed("CableCheckReq", "FAILED", "the cable check failed")
        if self._takes_too_long(now):
            return self._not_ready("CableCheckReq")
        if not self.cable_check_passed():
            processing, status = m.EVSEProcessingType.Ongoing, self.evse_status("EVSE_IsolationMonitoringActive")
        else:
            processing, status = m.EVSEProcessingType.Finished, self.evse_status("EVSE_Ready")
            self.cable_check_started = False
            session.enter(State.PRECHARGE_FIRST)
        return Answer(m.CableCheckRes(ResponseCode=session.ok(), DC_EVSEStatus=status, EVSEProcessing=processing))

    def _take_targets(self, request: common.PreChargeReq | common.CurrentDemandReq) -> None:
        self.session.publish_change(
            Iso15118Charger.dc_ev_target_voltage_current,
            iso15118.DcEvTargetValues(
                dc_ev_target_voltage=self._published(request.EVTargetVoltage, 1_500) or 0.0,
                dc_ev_target_current=self._published(request.EVTargetCurrent, 10_000) or 0.0,
            ),
        )

    def on_PreChargeReq(self, request: common.PreChargeReq, now: float) -> Answer:
        """Answer with the present voltage; the car decides when it is close enough."""
        self.take_ev_status(request.DC_EVStatus)
        session = self.session
        if self._takes_too_long(now):
            return self._not_ready("PreChargeReq")
        if session.state is State.PRECHARGE_FIRST:
            session.enter(State.PRECHARGE)
            session.publish(Iso15118Charger.start_pre_charge, None)
            session.log(f"pre-charge to {number(request.EVTargetVoltage):g} V")
        self._take_targets(request)
        return Answer(
            self.messages.PreChargeRes(
                ResponseCode=session.ok(),
                DC_EVSEStatus=self.evse_status("EVSE_Ready"),
                EVSEPresentVoltage=self._present_voltage(),
            )
        )

    def _takes_too_long(self, now: float) -> bool:
        """Return whether the car is on its way to the charge loop for too long."""
        if self._under_voltage_since is None:
            self._under_voltage_since = now
        return now - self._under_voltage_since >= READY_TO_CHARGE_S

    def _not_ready(self, name: str) -> Answer:
        self.interrupt()
        return self.session.failed(name, "FAILED", f"not ready to charge within {READY_TO_CHARGE_S:g} s")

    # -- energy transfer

    def take_power_delivery_parameter(self, parameter: common.DC_EVPowerDeliveryParameterType | None) -> None:
        """Publish DC_EVPowerDeliveryParameter, which may be None."""
        if parameter is None:
            return
        self.take_ev_status(parameter.DC_EVStatus)
        self.session.publish_change(Iso15118Charger.dc_charging_complete, parameter.ChargingComplete)
        if parameter.BulkChargingComplete is not None:
            self.session.publish_change(Iso15118Charger.dc_bulk_charging_complete, parameter.BulkChargingComplete)

    def begin(self) -> str:
        """Begin the charge loop; return why not, or nothing."""
        if self.facts.session.without_energy:
            self.power_off()
            return "there is no energy now"
        code = self.status_code("EVSE_Ready")
        if code != "EVSE_Ready":
            return code
        self._under_voltage_since = None
        self.session.publish(Iso15118Charger.v2g_setup_finished, None)
        self.session.enter(State.CHARGING_FIRST)
        return ""

    def stop_power(self) -> None:
        """End the charge loop: the current stops, the contactor opens."""
        self.stopping = True
        self.session.log("the car takes the power off")
        self.power_off()
        self.session.enter(State.STOPPED)

    def on_CurrentDemandReq(self, request: common.CurrentDemandReq, now: float) -> Answer:
        """Publish the car's wish and answer at once with the latest measured values."""
        session = self.session
        if session.state is State.CHARGING_FIRST:
            session.enter(State.CHARGING)
            self.charging = True
            session.publish(Iso15118Charger.current_demand_started, None)
            session.log(f"charging, the car wants {number(request.EVTargetCurrent):g} A")
        self.take_ev_status(request.DC_EVStatus)
        if request.BulkChargingComplete is not None:
            session.publish_change(Iso15118Charger.dc_bulk_charging_complete, request.BulkChargingComplete)
        session.publish_change(Iso15118Charger.dc_charging_complete, request.ChargingComplete)
        self._take_targets(request)
        self._take_limits(request)
        self._take_remaining_time(request)
        facts, power_W = self.facts, self.facts.power_limit_W
        # Limits and wishes of a car that gives energy back are negative (SAE J2847/2).
        volts, amperes = number(request.EVTargetVoltage), abs(number(request.EVTargetCurrent))
        return Answer(
            self.messages.CurrentDemandRes(
                ResponseCode=session.ok(),
                DC_EVSEStatus=self.evse_status("EVSE_Ready"),
                EVSEPresentVoltage=self._present_voltage(),
                EVSEPresentCurrent=session.amperes(facts.present_current_A),
                EVSECurrentLimitAchieved=amperes >= abs(facts.dc_max_current_A),
                EVSEVoltageLimitAchieved=volts >= facts.dc_max_voltage_V,
                EVSEPowerLimitAchieved=volts * amperes >= abs(power_W),
                EVSEMaximumVoltageLimit=session.volts(facts.dc_max_voltage_V),
                EVSEMaximumCurrentLimit=session.amperes(facts.dc_max_current_A),
                EVSEMaximumPowerLimit=session.watts(power_W),
                **self.current_demand_extras(),
                **self.metering(),
            )
        )

    def _take_remaining_time(self, request: common.CurrentDemandReq) -> None:
        full, bulk = request.RemainingTimeToFullSoC, request.RemainingTimeToBulkSoC
        # The times are compared, not the published moments, which move on with the clock.
        if (full is None and bulk is None) or not self.session.changed("remaining times", (full, bulk)):
            return
        self.session.publish(
            Iso15118Charger.dc_ev_remaining_time,
            iso15118.DcEvRemainingTime(
                ev_remaining_time_to_full_soc=self._from_now(full),
                ev_remaining_time_to_full_bulk_soc=self._from_now(bulk),
            ),
        )

    def _from_now(self, value: common.PhysicalValueType | None) -> str | None:
        if value is None:
            return None
        return rfc3339(self.session.environment.utc_now() + timedelta(seconds=max(0.0, number(value))))

    def on_WeldingDetectionReq(self, request: common.WeldingDetectionReq, now: float) -> Answer:
        """Answer with the present voltage."""
        self.take_ev_status(request.DC_EVStatus)
        self.session.enter(State.WELDING)
        return Answer(
            self.messages.WeldingDetectionRes(
                ResponseCode=self.session.ok(),
                DC_EVSEStatus=self.evse_status("EVSE_NotReady"),
                EVSEPresentVoltage=self._present_voltage(),
            )
        )


def _energy_Wh(value: common.PhysicalValueType) -> float:
    return min(200_000.0, max(0.0, number(value)))
