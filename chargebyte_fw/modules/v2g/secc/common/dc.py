"""The DC exchanges of DIN 70121 and ISO 15118-2: parameters, cable check, pre-charge, current demand, welding."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g.physical import number, physical
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import Answer, Dialogue

_STATUS_OF_ERROR = {
    iso15118.EvseError.Error_EmergencyShutdown: "EVSE_EmergencyShutdown",
    iso15118.EvseError.Error_UtilityInterruptEvent: "EVSE_UtilityInterruptEvent",
    iso15118.EvseError.Error_Malfunction: "EVSE_Malfunction",
    iso15118.EvseError.Error_Contactor: "EVSE_Malfunction",
    iso15118.EvseError.Error_RCD: "EVSE_Malfunction",
}


class DcDialogue(Dialogue):
    """The exchanges of a DC session."""

    limits = iso15118.DcEvMaximumLimits()
    """The car's limits, as far as it told them."""

    def status_code(self, normal: str) -> str:
        """Return the EVSE status code to report where `normal` would be: errors and a wanted stop win."""
        error = _STATUS_OF_ERROR.get(self.facts.error)  # type: ignore[call-overload]
        if error:
            return str(error)
        if self.facts.stop_requested or self.refuse_all:
            return "EVSE_Shutdown"
        if self.stopping and normal in ("EVSE_Ready", "EVSE_NotReady"):
            return "EVSE_Shutdown"
        return normal

    def status(self, normal: str) -> Any:
        """Return DC_EVSEStatus with the status code `normal`, errors and wishes to stop considered."""
        m = self.m
        notification, delay_s = self.notification
        return m.DC_EVSEStatusType(
            NotificationMaxDelay=delay_s,
            EVSENotification=notification,
            EVSEIsolationStatus=m.isolationLevelType(self.isolation()),
            EVSEStatusCode=m.DC_EVSEStatusCodeType(self.status_code(normal)),
        )

    def isolation(self) -> str:
        """Return the isolation status in the protocol's words."""
        return self.facts.isolation

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by request name."""
        m = self.m
        match name:
            case "CableCheckReq":
                return {"DC_EVSEStatus": self.status("EVSE_NotReady"), "EVSEProcessing": m.EVSEProcessingType.Finished}
            case "PreChargeReq" | "WeldingDetectionReq":
                return {"DC_EVSEStatus": self.status("EVSE_NotReady"), "EVSEPresentVoltage": self.present_voltage()}
            case "PowerDeliveryReq":
                return {"EVSEStatus": self.status("EVSE_NotReady")}
            case "CurrentDemandReq":
                return {
                    "DC_EVSEStatus": self.status("EVSE_NotReady"),
                    "EVSEPresentVoltage": self.present_voltage(),
                    "EVSEPresentCurrent": self.amperes(self.facts.present_current_A),
                    "EVSECurrentLimitAchieved": False,
                    "EVSEVoltageLimitAchieved": False,
                    "EVSEPowerLimitAchieved": False,
                    **self.current_demand_extras(),
                }
        return {}

    def present_voltage(self) -> Any:
        """Return the measured voltage."""
        return self.volts(self.facts.present_voltage_V)

    def current_demand_extras(self) -> dict[str, Any]:
        """Return what the protocol adds to CurrentDemandRes."""
        return {}

    # -- charge parameters

    def limits_do_not_fit(self, parameters: Any) -> str:
        """Say why the car's DC limits leave nothing to charge with, or nothing."""
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

    def take_dc_parameters(self, parameters: Any) -> None:
        """Publish the car's DC charge parameters."""
        known = {
            "dc_ev_energy_capacity": parameters.EVEnergyCapacity,
            "dc_ev_energy_request": parameters.EVEnergyRequest,
        }
        for name, value in known.items():
            if value is not None:
                self.publish(name, min(200_000.0, max(0.0, number(value))))
        if parameters.FullSOC is not None:
            self.publish("dc_full_soc", float(parameters.FullSOC))
        if parameters.BulkSOC is not None:
            self.publish("dc_bulk_soc", float(parameters.BulkSOC))
        self._take_limits(parameters)
        self.take_ev_status(parameters.DC_EVStatus)

    def _take_limits(self, request: Any) -> None:
        # A limit that a request leaves out still holds.
        known = self.limits
        current, power = _bounded(request.EVMaximumCurrentLimit, 10_000), _bounded(request.EVMaximumPowerLimit, 350_000)
        voltage = _bounded(request.EVMaximumVoltageLimit, 1_500)
        self.limits = iso15118.DcEvMaximumLimits(
            dc_ev_maximum_current_limit=known.dc_ev_maximum_current_limit if current is None else current,
            dc_ev_maximum_power_limit=known.dc_ev_maximum_power_limit if power is None else power,
            dc_ev_maximum_voltage_limit=known.dc_ev_maximum_voltage_limit if voltage is None else voltage,
        )
        self.publish_change("dc_ev_maximum_limits", self.limits)

    def dc_needs(self, parameters: Any) -> iso15118.DCChargingParameters:
        """Return the car's needs as OCPP wants to hear of them."""
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

    def dc_evse_parameters(self, normal: str) -> Any:
        """Return DC_EVSEChargeParameter with the charger's limits and the status code `normal`."""
        facts = self.facts
        tolerance, energy = facts.current_regulation_tolerance_A, facts.energy_to_be_delivered_Wh
        unit_Wh = self.m.unitSymbolType.Wh
        return self.m.DC_EVSEChargeParameterType(
            DC_EVSEStatus=self.status(normal),
            EVSEMaximumCurrentLimit=self.amperes(facts.dc_max_current_A),
            EVSEMaximumPowerLimit=self.watts(facts.power_limit_W),
            EVSEMaximumVoltageLimit=self.volts(facts.dc_max_voltage_V),
            # A car refuses a least value above the greatest one; where nothing is allowed at this moment, both are 0.
            EVSEMinimumCurrentLimit=self.amperes(min(facts.dc_min_current_A, facts.dc_max_current_A)),
            EVSEMinimumVoltageLimit=self.volts(min(facts.dc_min_voltage_V, facts.dc_max_voltage_V)),
            EVSECurrentRegulationTolerance=None if tolerance is None else self.amperes(tolerance),
            EVSEPeakCurrentRipple=self.amperes(facts.peak_current_ripple_A),
            EVSEEnergyToBeDelivered=None if energy is None else physical(self.m.PhysicalValueType, energy, unit_Wh),
        )

    # -- cable check and pre-charge

    def cable_check_passed(self) -> bool:
        """Tell whether the cable check may be reported as finished."""
        return bool(self.facts.cable_check)

    def on_CableCheckReq(self, request: Any, now: float) -> Answer:  # noqa: N802 (the wire's name)
        """Start the cable check once, say Ongoing until its result is there."""
        self.take_ev_status(request.DC_EVStatus)
        m = self.m
        if self.facts.cable_check_aborted and not self.facts.stop_requested:
            # The charger has taken its wish to stop back while the car still waits: the check begins anew.
            self.wait_since = None
        if self.wait_since is None:
            self.wait_since = now
            self.facts.cable_check = None
            self.facts.cable_check_aborted = False
            self.energised = True
            self.publish("start_cable_check")
            self.note("cable check")
        if self.facts.cable_check is False:
            return self.failed("CableCheckReq", "FAILED", "the cable check failed")
        if not self.cable_check_passed():
            processing, status = m.EVSEProcessingType.Ongoing, self.status("EVSE_IsolationMonitoringActive")
        else:
            processing, status = m.EVSEProcessingType.Finished, self.status("EVSE_Ready")
            self.wait_since = None
            self.state = State.PRECHARGE_FIRST
        return Answer(m.CableCheckRes(ResponseCode=self.ok(), DC_EVSEStatus=status, EVSEProcessing=processing))

    def _take_targets(self, request: Any) -> None:
        self.publish_change(
            "dc_ev_target_voltage_current",
            iso15118.DcEvTargetValues(
                dc_ev_target_voltage=_bounded(request.EVTargetVoltage, 1_500) or 0.0,
                dc_ev_target_current=_bounded(request.EVTargetCurrent, 10_000) or 0.0,
            ),
        )

    def on_PreChargeReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Answer with the present voltage; the car decides when it is close enough."""
        self.take_ev_status(request.DC_EVStatus)
        if self.state is State.PRECHARGE_FIRST:
            self.state = State.PRECHARGE
            self.publish("start_pre_charge")
            self.note(f"pre-charge to {number(request.EVTargetVoltage):g} V")
        self._take_targets(request)
        return Answer(
            self.m.PreChargeRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_Ready"),
                EVSEPresentVoltage=self.present_voltage(),
            )
        )

    # -- power

    def take_power_delivery_parameter(self, parameter: Any) -> None:
        """Publish what PowerDelivery says of the battery."""
        if parameter is None:
            return
        self.take_ev_status(parameter.DC_EVStatus)
        self.publish_change("dc_charging_complete", parameter.ChargingComplete)
        if parameter.BulkChargingComplete is not None:
            self.publish_change("dc_bulk_charging_complete", parameter.BulkChargingComplete)

    def start_power_dc(self) -> str:
        """Begin the charge loop; returns why not, or nothing."""
        if self.facts.without_energy:
            self.power_off("dc_open_contactor")
            return "there is no energy now"
        code = self.status_code("EVSE_Ready")
        if code != "EVSE_Ready":
            return code
        self.publish("v2g_setup_finished")
        self.state = State.CHARGING_FIRST
        return ""

    def stop_power_dc(self) -> None:
        """End the charge loop: the current stops, the contactor opens."""
        self.stopping = True
        self.note("the car takes the power off")
        self.power_off("dc_open_contactor")
        self.state = State.STOPPED

    def on_CurrentDemandReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Pass the car's wish on and answer at once with the latest measured values."""
        if self.state is State.CHARGING_FIRST:
            self.state = State.CHARGING
            self.charging = True
            self.publish("current_demand_started")
            self.note(f"charging, the car wants {number(request.EVTargetCurrent):g} A")
        self.take_ev_status(request.DC_EVStatus)
        if request.BulkChargingComplete is not None:
            self.publish_change("dc_bulk_charging_complete", request.BulkChargingComplete)
        self.publish_change("dc_charging_complete", request.ChargingComplete)
        self._take_targets(request)
        self._take_limits(request)
        self._take_remaining_time(request)
        facts, power_W = self.facts, self.facts.power_limit_W
        volts, amperes = number(request.EVTargetVoltage), number(request.EVTargetCurrent)
        return Answer(
            self.m.CurrentDemandRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_Ready"),
                EVSEPresentVoltage=self.present_voltage(),
                EVSEPresentCurrent=self.amperes(facts.present_current_A),
                EVSECurrentLimitAchieved=amperes >= facts.dc_max_current_A,
                EVSEVoltageLimitAchieved=volts >= facts.dc_max_voltage_V,
                EVSEPowerLimitAchieved=volts * amperes >= power_W,
                EVSEMaximumVoltageLimit=self.volts(facts.dc_max_voltage_V),
                EVSEMaximumCurrentLimit=self.amperes(facts.dc_max_current_A),
                EVSEMaximumPowerLimit=self.watts(power_W),
                **self.current_demand_extras(),
            )
        )

    def _take_remaining_time(self, request: Any) -> None:
        full, bulk = request.RemainingTimeToFullSoC, request.RemainingTimeToBulkSoC
        if full is None and bulk is None:
            return
        told, key = self.outside.told, (full, bulk)
        if self.settings.publish_telemetry_only_on_change and told.get("remaining times") == key:
            return
        told["remaining times"] = key
        self.publish(
            "dc_ev_remaining_time",
            iso15118.DcEvRemainingTime(
                ev_remaining_time_to_full_soc=self._from_now(full),
                ev_remaining_time_to_full_bulk_soc=self._from_now(bulk),
            ),
        )

    def _from_now(self, value: Any) -> str | None:
        if value is None:
            return None
        return rfc3339(self.outside.utc_now() + timedelta(seconds=max(0.0, number(value))))

    def on_WeldingDetectionReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Answer with the present voltage."""
        self.take_ev_status(request.DC_EVStatus)
        self.state = State.WELDING
        return Answer(
            self.m.WeldingDetectionRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_NotReady"),
                EVSEPresentVoltage=self.present_voltage(),
            )
        )


def _bounded(value: Any, high: float) -> float | None:
    """Return a physical value within what EVerest's types allow (-2 is EVerest's own lower end)."""
    return None if value is None else min(high, max(-2.0, number(value)))
