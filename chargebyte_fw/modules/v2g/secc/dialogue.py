"""What DIN 70121 and ISO 15118-2 have in common: states, the checks before every answer, the DC messages.

The DC exchanges (CableCheck, PreCharge, CurrentDemand, WeldingDetection) are alike in both; `din.py` and `iso2.py` add
what is theirs. A dialogue answers one request at a time; an answer of None means: not yet, a fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g.physical import number, physical
from chargebyte_fw.modules.v2g.secc.effects import Publish
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts


class State(Enum):
    """Which request the session waits for (ISO 15118-2 clause 8.8.4)."""

    SESSION_SETUP = auto()
    SERVICE_DISCOVERY = auto()
    SERVICE_SELECTION = auto()
    PAYMENT_DETAILS = auto()
    AUTHORIZATION = auto()
    CHARGE_PARAMETERS = auto()
    CABLE_CHECK = auto()
    PRECHARGE_FIRST = auto()
    PRECHARGE = auto()
    POWER_DELIVERY = auto()
    CHARGING_FIRST = auto()
    CHARGING = auto()
    RECEIPT = auto()
    STOPPED = auto()
    ENDED = auto()


@dataclass
class Settings:
    """Configuration of EvseV2G that the dialogues honour."""

    auth_timeout_eim_s: float = 300.0
    terminate_connection_on_failed_response: bool = False
    publish_telemetry_only_on_change: bool = True
    protocols: tuple[str, ...] = ("DIN70121", "ISO15118D2")


@dataclass
class Answer:
    """A response body, its code as text, and whether the session is over after it (`terminate`, `pause`, `error`)."""

    body: Any
    end: str = ""
    log: str = ""
    effects: list[Any] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The response code."""
        return str(self.body.ResponseCode)


class Dialogue:
    """One session of one protocol. Subclasses set `m` (the message module) and the handlers `on_<Request>`."""

    m: Any
    protocol: str
    allowed: dict[State, tuple[str, ...]]
    phase_of: dict[str, str]

    def __init__(
        self, facts: ChargerFacts, settings: Settings, random_bytes: Callable[[int], bytes], utc_now: Callable[[], datetime]
    ) -> None:
        self.facts = facts
        self.settings = settings
        self.random_bytes = random_bytes
        self.utc_now = utc_now
        self.state = State.SESSION_SETUP
        self.session_id = bytes(8)
        self.charging = False
        """Between current_demand_started (or the AC contactor's closing) and its end."""
        self.out: list[Any] = []
        self._published: dict[str, Any] = {}
        self.wait_since_s: float | None = None
        """Since when an answer waits for a fact."""
        self.auth_since_s: float | None = None
        self.stopping = False
        """The car has sent PowerDelivery stop."""

    # -- publishing

    def publish(self, name: str, value: Any = None) -> None:
        """Publish a variable always."""
        self.out.append(Publish(name, value))

    def publish_change(self, name: str, value: Any) -> None:
        """Publish a variable that comes with every request: on change only, unless configured otherwise."""
        if self.settings.publish_telemetry_only_on_change and self._published.get(name) == value:
            return
        self._published[name] = value
        self.out.append(Publish(name, value))

    # -- checks and dispatch

    def answer(self, name: str, request: Any, session_id: bytes, now: float) -> Answer | None:
        """Answer one request (`name` is its type's name); None while a fact is missing: ask again with `FactsChanged`."""
        handler = getattr(self, f"on_{name}", None)
        refusal = self._refusal(name, session_id, known=handler is not None)
        if handler is None:
            return Answer(self.refuse(name, refusal or "FAILED"), end="error", log=f"{name} is not served here")
        if refusal == "FAILED_SequenceError":
            return Answer(self.refuse(name, refusal), end="error", log=f"{name} in state {self.state.name}")
        if refusal:
            self.after_refusal(name)
            return Answer(self.refuse(name, refusal), log=f"{name} refused: {refusal}")
        result: Answer | None = handler(request, now)
        return result

    def _refusal(self, name: str, session_id: bytes, known: bool) -> str:
        if name not in self.allowed[self.state] or not known:
            return "FAILED_SequenceError"
        wrong_session = name != "SessionSetupReq" and session_id != self.session_id and any(session_id)
        if wrong_session:
            return "FAILED_UnknownSession"
        if self.facts.error == "Error_EmergencyShutdown" and not self._ends(name):
            return "FAILED"
        return ""

    @staticmethod
    def _ends(name: str) -> bool:
        """Requests by which a car winds a session down stay answered after an emergency."""
        return name in ("PowerDeliveryReq", "WeldingDetectionReq", "SessionStopReq", "CurrentDemandReq", "SessionSetupReq")

    def after_refusal(self, name: str) -> None:
        """Move on after a FAILED answer as the standard's state machine does (the car is expected to end)."""

    def refuse(self, name: str, code: str) -> Any:
        """Return the response to `name` with a FAILED code and the least content that the schema allows."""
        response = getattr(self.m, name[:-3] + "Res")
        return response(ResponseCode=self.m.responseCodeType(code), **self.least_content(name))

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by request name."""
        m = self.m
        if name in ("CableCheckReq",):
            return {"DC_EVSEStatus": self.status("EVSE_NotReady"), "EVSEProcessing": m.EVSEProcessingType.Finished}
        if name in ("PreChargeReq", "WeldingDetectionReq"):
            return {"DC_EVSEStatus": self.status("EVSE_NotReady"), "EVSEPresentVoltage": self.volts(0)}
        if name == "PowerDeliveryReq":
            return {"EVSEStatus": self.evse_status("EVSE_NotReady")}
        if name == "CurrentDemandReq":
            return {
                "DC_EVSEStatus": self.status("EVSE_NotReady"),
                "EVSEPresentVoltage": self.volts(0),
                "EVSEPresentCurrent": self.amperes(0),
                "EVSECurrentLimitAchieved": False,
                "EVSEVoltageLimitAchieved": False,
                "EVSEPowerLimitAchieved": False,
                **self.current_demand_extras(),
            }
        return {}

    def current_demand_extras(self) -> dict[str, Any]:
        """Return what the protocol adds to CurrentDemandRes."""
        return {}

    # -- small pieces of messages

    def ok(self) -> Any:
        """Return the response code OK."""
        return self.m.responseCodeType.OK

    def volts(self, value: float) -> Any:
        """Return a voltage."""
        return physical(self.m.PhysicalValueType, round(value, 1), self.m.unitSymbolType.V)

    def amperes(self, value: float) -> Any:
        """Return a current."""
        return physical(self.m.PhysicalValueType, round(value, 1), self.m.unitSymbolType.A)

    def watts(self, value: float) -> Any:
        """Return a power."""
        return physical(self.m.PhysicalValueType, round(value), self.m.unitSymbolType.W)

    def status_code(self, normal: str) -> str:
        """Return the EVSE status code to report where `normal` would be: errors and a wanted stop win."""
        error = {
            "Error_EmergencyShutdown": "EVSE_EmergencyShutdown",
            "Error_UtilityInterruptEvent": "EVSE_UtilityInterruptEvent",
            "Error_Malfunction": "EVSE_Malfunction",
            "Error_Contactor": "EVSE_Malfunction",
            "Error_RCD": "EVSE_Malfunction",
        }.get(self.facts.error)
        if error:
            return error
        if self.facts.stop_requested or (self.stopping and normal == "EVSE_Ready"):
            return "EVSE_Shutdown"
        return normal

    def status(self, normal: str) -> Any:
        """Return DC_EVSEStatus with the status code `normal`, errors and wishes to stop considered."""
        m, facts = self.m, self.facts
        stop = facts.stop_requested or bool(facts.no_energy_pause)
        return m.DC_EVSEStatusType(
            NotificationMaxDelay=300 if facts.no_energy_pause == "PauseAfterPrecharge" else 0,
            EVSENotification=m.EVSENotificationType.StopCharging if stop else m.EVSENotificationType.None_,
            EVSEIsolationStatus=m.isolationLevelType(facts.isolation),
            EVSEStatusCode=m.DC_EVSEStatusCodeType(self.status_code(normal)),
        )

    def evse_status(self, normal: str) -> Any:
        """Return the EVSE status of the session's kind (DC here)."""
        return self.status(normal)

    def take_ev_status(self, status: Any) -> None:
        """Publish what the car says of itself."""
        self.publish_change(
            "dc_ev_status",
            {
                "dc_ev_ready": status.EVReady,
                "dc_ev_error_code": str(status.EVErrorCode),
                "dc_ev_ress_soc": float(status.EVRESSSOC),
            },
        )

    # -- the DC messages

    def limits_do_not_fit(self, parameters: Any) -> bool:
        """Tell whether the car's DC limits leave nothing to charge with."""
        current, voltage = number(parameters.EVMaximumCurrentLimit), number(parameters.EVMaximumVoltageLimit)
        power = number(parameters.EVMaximumPowerLimit)
        negative = current < 0 or voltage < 0 or power < 0
        return negative or current <= self.facts.dc_min_current_A or voltage <= self.facts.dc_min_voltage_V

    def take_dc_parameters(self, parameters: Any) -> None:
        """Publish the car's DC charge parameters."""
        self.take_ev_status(parameters.DC_EVStatus)
        if parameters.EVEnergyCapacity is not None:
            self.publish("dc_ev_energy_capacity", number(parameters.EVEnergyCapacity))
        if parameters.EVEnergyRequest is not None:
            self.publish("dc_ev_energy_request", number(parameters.EVEnergyRequest))
        if parameters.FullSOC is not None:
            self.publish("dc_full_soc", float(parameters.FullSOC))
        if parameters.BulkSOC is not None:
            self.publish("dc_bulk_soc", float(parameters.BulkSOC))
        self._take_limits(parameters)

    def _take_limits(self, request: Any) -> None:
        limits = {
            "dc_ev_maximum_current_limit": request.EVMaximumCurrentLimit,
            "dc_ev_maximum_power_limit": request.EVMaximumPowerLimit,
            "dc_ev_maximum_voltage_limit": request.EVMaximumVoltageLimit,
        }
        known = {name: number(value) for name, value in limits.items() if value is not None}
        if known:
            self.publish_change("dc_ev_maximum_limits", known)

    def dc_evse_parameters(self) -> Any:
        """Return DC_EVSEChargeParameter with the charger's limits."""
        facts = self.facts
        power = facts.dc_max_power_W if facts.dc_max_power_W is not None else facts.dc_supply_max_power_W
        tolerance, energy = facts.current_regulation_tolerance_A, facts.energy_to_be_delivered_Wh
        return self.m.DC_EVSEChargeParameterType(
            DC_EVSEStatus=self.status("EVSE_Ready"),
            EVSEMaximumCurrentLimit=self.amperes(facts.dc_max_current_A),
            EVSEMaximumPowerLimit=self.watts(power),
            EVSEMaximumVoltageLimit=self.volts(facts.dc_max_voltage_V),
            EVSEMinimumCurrentLimit=self.amperes(facts.dc_min_current_A),
            EVSEMinimumVoltageLimit=self.volts(facts.dc_min_voltage_V),
            EVSECurrentRegulationTolerance=None if tolerance is None else self.amperes(tolerance),
            EVSEPeakCurrentRipple=self.amperes(facts.peak_current_ripple_A),
            EVSEEnergyToBeDelivered=None
            if energy is None
            else physical(self.m.PhysicalValueType, round(energy), self.m.unitSymbolType.Wh),
        )

    def on_CableCheckReq(self, request: Any, now: float) -> Answer:  # noqa: N802 (wire name)
        """Start the cable check once, say Ongoing until its result is there."""
        self.take_ev_status(request.DC_EVStatus)
        if self.wait_since_s is None:
            self.wait_since_s = now
            self.facts.cable_check = None
            self.publish("start_cable_check")
        result = self.facts.cable_check
        m = self.m
        if result is False:
            return Answer(self.refuse("CableCheckReq", "FAILED"), log="the cable check failed")
        if result is None:
            processing, status = m.EVSEProcessingType.Ongoing, self.status("EVSE_IsolationMonitoringActive")
        else:
            processing, status = m.EVSEProcessingType.Finished, self.status("EVSE_Ready")
            self.wait_since_s = None
            self.state = State.PRECHARGE_FIRST
        return Answer(m.CableCheckRes(ResponseCode=self.ok(), DC_EVSEStatus=status, EVSEProcessing=processing))

    def _take_targets(self, request: Any) -> None:
        self.take_ev_status(request.DC_EVStatus)
        self.publish_change(
            "dc_ev_target_voltage_current",
            {
                "dc_ev_target_voltage": number(request.EVTargetVoltage),
                "dc_ev_target_current": number(request.EVTargetCurrent),
            },
        )

    def on_PreChargeReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Answer with the present voltage; the car decides when it is close enough."""
        if self.state is State.PRECHARGE_FIRST:
            self.publish("start_pre_charge")
            self.state = State.PRECHARGE
        self._take_targets(request)
        return Answer(
            self.m.PreChargeRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_Ready"),
                EVSEPresentVoltage=self.volts(self.facts.present_voltage_V),
            )
        )

    def on_CurrentDemandReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Pass the car's wish on and answer at once with the latest measured values."""
        if self.state is State.CHARGING_FIRST:
            self.state = State.CHARGING
            self.charging = True
            self.publish("current_demand_started")
        facts, m = self.facts, self.m
        if request.BulkChargingComplete is not None:
            self.publish_change("dc_bulk_charging_complete", request.BulkChargingComplete)
        self.publish_change("dc_charging_complete", request.ChargingComplete)
        self._take_remaining_time(request)
        self._take_targets(request)
        self._take_limits(request)
        volts, amperes = number(request.EVTargetVoltage), number(request.EVTargetCurrent)
        power = facts.dc_max_power_W if facts.dc_max_power_W is not None else facts.dc_supply_max_power_W
        return Answer(
            m.CurrentDemandRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_Ready"),
                EVSEPresentVoltage=self.volts(facts.present_voltage_V),
                EVSEPresentCurrent=self.amperes(facts.present_current_A),
                EVSECurrentLimitAchieved=amperes >= facts.dc_max_current_A,
                EVSEVoltageLimitAchieved=volts >= facts.dc_max_voltage_V,
                EVSEPowerLimitAchieved=volts * amperes >= power,
                EVSEMaximumVoltageLimit=self.volts(facts.dc_max_voltage_V),
                EVSEMaximumCurrentLimit=self.amperes(facts.dc_max_current_A),
                EVSEMaximumPowerLimit=self.watts(power),
                **self.current_demand_extras(),
            )
        )

    def _take_remaining_time(self, request: Any) -> None:
        times = {
            "ev_remaining_time_to_full_soc": request.RemainingTimeToFullSoC,
            "ev_remaining_time_to_full_bulk_soc": request.RemainingTimeToBulkSoC,
        }
        known = {name: number(value) for name, value in times.items() if value is not None}
        if known and self._published.get("remaining") != known:
            self._published["remaining"] = known
            at = self.utc_now()
            self.publish(
                "dc_ev_remaining_time",
                {name: rfc3339(at + timedelta(seconds=seconds)) for name, seconds in known.items()},
            )

    def on_WeldingDetectionReq(self, request: Any, now: float) -> Answer:  # noqa: N802
        """Answer with the present voltage."""
        self.take_ev_status(request.DC_EVStatus)
        return Answer(
            self.m.WeldingDetectionRes(
                ResponseCode=self.ok(),
                DC_EVSEStatus=self.status("EVSE_Ready"),
                EVSEPresentVoltage=self.volts(self.facts.present_voltage_V),
            )
        )

    def take_power_delivery_parameter(self, parameter: Any) -> None:
        """Publish what PowerDelivery says of the battery."""
        if parameter is None:
            return
        self.take_ev_status(parameter.DC_EVStatus)
        self.publish_change("dc_charging_complete", parameter.ChargingComplete)
        if parameter.BulkChargingComplete is not None:
            self.publish_change("dc_bulk_charging_complete", parameter.BulkChargingComplete)

    def start_power_dc(self) -> str:
        """Begin the charge loop; returns a FAILED code, or nothing."""
        if self.status_code("EVSE_Ready") != "EVSE_Ready" or self.facts.no_energy_pause == "PauseBeforeCableCheck":
            return "FAILED_PowerDeliveryNotApplied"
        self.publish("v2g_setup_finished")
        self.state = State.CHARGING_FIRST
        return ""

    def stop_power_dc(self) -> None:
        """End the charge loop: the current stops, the contactor opens."""
        self.stopping = True
        self.end_of_power("dc_open_contactor")
        self.state = State.STOPPED

    def end_of_power(self, contactor: str) -> None:
        """Say once that the energy transfer is over."""
        if self.charging:
            self.charging = False
            self.publish("current_demand_finished")
        self.publish(contactor)

    def eim_answer(self, response: Any, request_name: str, now: float, waiting: Any) -> Answer:
        """Answer an authorization request by external means: ask once, then say whether it was decided."""
        m = self.m
        if self.auth_since_s is None:
            self.auth_since_s = now
            if self.facts.authorized is None:
                self.publish("require_auth_eim")
        if self.facts.authorized is None:
            limit_s = self.settings.auth_timeout_eim_s
            if limit_s and now - self.auth_since_s >= limit_s:
                self.auth_since_s = None
                return Answer(self.refuse(request_name, "FAILED"), log=f"nobody authorized within {limit_s:g} s")
            return Answer(response(ResponseCode=self.ok(), EVSEProcessing=waiting))
        if not self.facts.authorized:
            return Answer(self.refuse(request_name, "FAILED"), log="authorization was refused")
        self.state = State.CHARGE_PARAMETERS
        return Answer(response(ResponseCode=self.ok(), EVSEProcessing=m.EVSEProcessingType.Finished))
