"""The DC energy services of ISO 15118-20: DC, MCS, and both with power from the car (clause 8.3.4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_dc as m
from chargebyte_fw.modules.v2g.messages.iso20_types import processingType
from chargebyte_fw.modules.v2g.rational import maximum, minimum, not_negative, number, rational
from chargebyte_fw.modules.v2g.secc.iso20 import sequence as sequences
from chargebyte_fw.modules.v2g.secc.iso20.dc_limits import CarLimits, ChargerLimits, charger_limits
from chargebyte_fw.modules.v2g.secc.iso20.energy import Iso20EnergyService, Selection
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.timing import ACK_MAX_DELAY_S, ONGOING_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred
from chargebyte_fw.modules.v2g.timing import READY_TO_CHARGE_S

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session

_MOST_V, _MOST_A = 1_500.0, 10_000.0
"""What EVerest's types carry; a RationalNumberType has room for any number."""
_FINISHED, _ONGOING = processingType.Finished, processingType.Ongoing


class DcService(Iso20EnergyService):
    """Direct current."""

    sequence = sequences.DC
    early_stop = sequences.EARLY_STOP
    open_contactor = Iso15118Charger.dc_open_contactor

    def __init__(self, session: Iso20Session, selection: Selection) -> None:
        super().__init__(session, selection)
        self.car = CarLimits()
        self.offered: ChargerLimits | None = None
        """The limits of ChargeParameterDiscoveryRes: those of the charge loop never exceed them."""
        self._checking_since: float | None = None
        """Since when the cable check runs."""
        self._precharging_since: float | None = None

    # -- charge parameters

    def on_DC_ChargeParameterDiscoveryReq(self, request: m.DC_ChargeParameterDiscoveryReq, now: float) -> Answer:
        """Compare the car's limits with ours, answer with ours."""
        name, mode = "DC_ChargeParameterDiscoveryReq", request.DC_CPDReqEnergyTransferMode
        bidirectional = self.selection.bidirectional
        if isinstance(mode, m.BPT_DC_CPDReqEnergyTransferModeType) is not bidirectional:
            why = f"{type(mode).__name__} for {self.selection.service.name}"
            return self.session.failed(name, "FAILED_WrongChargeParameter", why)
        self.car = CarLimits.of_parameters(mode)
        if self.car.negative_discharge and not self.session.options.negative_discharge_limits:
            self.session.log("the car's discharge limits are negative: their magnitude holds")
        limits = charger_limits(self.facts)
        if why := self.car.does_not_fit(limits):
            return self.session.failed(name, "FAILED_WrongChargeParameter", why)
        self._publish_limits()
        if mode.TargetSOC is not None:
            self.session.publish(Iso15118Charger.dc_full_soc, float(mode.TargetSOC))
        self.offered = limits
        self.session.enter(State.SCHEDULE)
        fields = limits.parameters(bidirectional=bidirectional, sign=self._sign)
        kind = m.BPT_DC_CPDResEnergyTransferModeType if bidirectional else m.DC_CPDResEnergyTransferModeType
        return self.session.ok(m.DC_ChargeParameterDiscoveryRes, DC_CPDResEnergyTransferMode=kind(**fields))

    @property
    def _sign(self) -> int:
        return -1 if self.session.options.negative_discharge_limits else 1

    def _publish_limits(self) -> None:
        self.session.publish_change(
            Iso15118Charger.dc_ev_maximum_limits,
            iso15118.DcEvMaximumLimits(
                dc_ev_maximum_current_limit=self.car.max_current_A,
                dc_ev_maximum_power_limit=self.car.max_power_W,
                dc_ev_maximum_voltage_limit=self.car.max_voltage_V,
            ),
        )

    def charging_needs(self, mode: Any) -> dict[str, Any]:
        """Return the car's needs as OCPP has them."""
        return self.car.needs(mode)

    def limits_now(self) -> ChargerLimits:
        """Return what may flow now, within what was offered."""
        if self.standing_by:
            return charger_limits(self.facts, now=True).without_power()
        present = charger_limits(self.facts, now=True)
        return present if self.offered is None else present.within(self.offered)

    def schedule_power_W(self) -> float:
        """Return the power of the schedule: what the power supply can deliver."""
        return min(self.limits_now().max_power_W, self.car.max_power_W or 0.0) or self.limits_now().max_power_W

    def schedule_discharge_power_W(self) -> float:
        """Return the greatest power from the car."""
        # Of the hardware: how much of it may flow at a moment is in the responses of the charge loop.
        limits = self.offered or self.limits_now()
        return limits.max_discharge_power_W if self.selection.bidirectional else 0.0

    def power_now_W(self) -> float:
        """Return the power that may flow to the car now."""
        return min(self.limits_now().max_power_W, self.car.max_power_W or self.limits_now().max_power_W)

    def after_schedule(self) -> None:
        """Go on with the cable check."""
        self.session.enter(State.CABLE_CHECK)

    # -- cable check and pre-charge

    def on_DC_CableCheckReq(self, request: m.DC_CableCheckReq, now: float) -> Answer:
        """Start the cable check once, answer Ongoing until its result is there."""
        session, facts = self.session, self.facts.session
        if facts.cable_check_aborted and not self.facts.stop_requested:
            # The charger has taken its wish to stop back while the car still waits: the check begins anew.
            self._checking_since = None
        if self._checking_since is None:
            self._checking_since = now
            facts.cable_check = None
            facts.cable_check_aborted = False
            self.energised = True
            session.publish(Iso15118Charger.start_cable_check, None)
            session.log("cable check")
        if facts.cable_check is False:
            return session.failed("DC_CableCheckReq", "FAILED", "the cable check failed")
        if facts.cable_check is None:
            if now - self._checking_since >= ONGOING_S:
                return session.failed("DC_CableCheckReq", "FAILED", f"no result of the cable check in {ONGOING_S:g} s")
            return session.ok(m.DC_CableCheckRes, EVSEProcessing=_ONGOING)
        self._checking_since = None
        session.enter(State.PRECHARGE)
        return session.ok(m.DC_CableCheckRes, EVSEProcessing=_FINISHED)

    def on_DC_PreChargeReq(self, request: m.DC_PreChargeReq, now: float) -> Answer:
        """Answer with the present voltage; the car decides when it is close enough."""
        session = self.session
        if self._precharging_since is None:
            self._precharging_since = now
            session.publish(Iso15118Charger.start_pre_charge, None)
            session.log(f"pre-charge to {number(request.EVTargetVoltage):g} V")
        if now - self._precharging_since >= READY_TO_CHARGE_S:
            return session.failed("DC_PreChargeReq", "FAILED", f"not ready to charge within {READY_TO_CHARGE_S:g} s")
        self._publish_targets(number(request.EVTargetVoltage), 0.0)
        session.publish_change(Iso15118Charger.dc_ev_present_voltage, number(request.EVPresentVoltage))
        session.enter(State.POWER_DELIVERY if request.EVProcessing is _FINISHED else State.PRECHARGING)
        return session.ok(m.DC_PreChargeRes, EVSEPresentVoltage=self._present_voltage())

    def _present_voltage(self) -> Any:
        return rational(round(self.facts.present_voltage_V, 1))

    def _publish_targets(self, voltage_V: float, current_A: float) -> None:
        # A car that has not selected to give energy back has no negative current.
        least_A = -_MOST_A if self.selection.bidirectional else 0.0
        if self.standing_by:
            current_A = 0.0
        self.session.publish_change(
            Iso15118Charger.dc_ev_target_voltage_current,
            iso15118.DcEvTargetValues(
                dc_ev_target_voltage=min(_MOST_V, max(0.0, voltage_V)),
                dc_ev_target_current=min(_MOST_A, max(least_A, current_A)),
            ),
        )

    # -- energy transfer

    def start_power(self, now: float) -> Answer | Deferred | None:
        """Begin the charge loop: the contactor is closed since the cable check."""
        self._precharging_since = None
        return None

    def on_DC_ChargeLoopReq(self, request: m.DC_ChargeLoopReq, now: float) -> Answer:
        """Publish the car's wish and answer at once with the latest measured values."""
        session, mode = self.session, request.CLReqControlMode
        expected = f"{'BPT_' if self.selection.bidirectional else ''}{self.selection.mode}_DC_CLReqControlModeType"
        if type(mode).__name__ != expected:
            return session.failed("DC_ChargeLoopReq", "FAILED", f"{type(mode).__name__} where {expected} was selected")
        self.begin_loop(f"charging at {number(request.EVPresentVoltage):g} V")
        session.take_display(request.DisplayParameters)
        session.publish_change(Iso15118Charger.dc_ev_present_voltage, number(request.EVPresentVoltage))
        limits = self.limits_now()
        if isinstance(mode, m.Dynamic_DC_CLReqControlModeType):
            wanted_A, wanted_V, wanted_W = self._take_dynamic(mode)
            answer = self._dynamic(limits)
        else:
            wanted_A, wanted_V, wanted_W = self._take_scheduled(mode)
            answer = self._scheduled(limits)
        facts = self.facts
        return session.ok(
            m.DC_ChargeLoopRes,
            self.loop_code(facts.present_voltage_V * facts.present_current_A, now),
            **session.status_and_meter(now, requested=request.MeterInfoRequested),
            EVSEPresentCurrent=rational(round(facts.present_current_A, 1)),
            EVSEPresentVoltage=self._present_voltage(),
            EVSEPowerLimitAchieved=wanted_W >= limits.max_power_W or -wanted_W > limits.max_discharge_power_W,
            EVSECurrentLimitAchieved=wanted_A >= limits.max_current_A or -wanted_A > limits.max_discharge_current_A,
            EVSEVoltageLimitAchieved=wanted_V >= limits.max_voltage_V,
            CLResControlMode=answer,
        )

    def _take_scheduled(self, mode: m.Scheduled_DC_CLReqControlModeType) -> tuple[float, float, float]:
        self.car = self.car.updated(mode)
        self._publish_limits()
        current_A, voltage_V = number(mode.EVTargetCurrent), number(mode.EVTargetVoltage)
        self._publish_targets(voltage_V, current_A)
        if mode.EVTargetEnergyRequest is not None:
            wanted_Wh = max(0.0, number(mode.EVTargetEnergyRequest))
            self.session.publish_change(Iso15118Charger.dc_ev_energy_request, wanted_Wh)
        return current_A, voltage_V, current_A * voltage_V

    def energy_is_wanted_back(self) -> bool:
        """Return whether the energy management wants power from the car: then none may flow to it."""
        limits = charger_limits(self.facts, now=True)
        return self.selection.bidirectional and limits.max_power_W == 0.0 < limits.max_discharge_power_W

    def _take_dynamic(self, mode: m.Dynamic_DC_CLReqControlModeType) -> tuple[float, float, float]:
        session = self.session
        none = 0.0 if self.standing_by else 1.0
        self.car = self.car.updated(mode)
        self._publish_limits()
        session.take_needs(mode)
        session.publish_change(
            Iso15118Charger.d20_dc_dynamic_charge_mode,
            iso15118.DcChargeDynamicModeValues(
                target_energy_request=_not_negative(mode.EVTargetEnergyRequest),
                max_energy_request=_not_negative(mode.EVMaximumEnergyRequest),
                min_energy_request=_not_negative(mode.EVMinimumEnergyRequest),
                max_charge_power=none * (self.car.max_power_W or 0.0),
                min_charge_power=self.car.min_power_W,
                max_charge_current=none * (self.car.max_current_A or 0.0),
                max_voltage=self.car.max_voltage_V or 0.0,
                min_voltage=self.car.min_voltage_V,
                departure_time=mode.DepartureTime,
                max_discharge_power=_none_or(none, self.car.max_discharge_power_W),
                min_discharge_power=self.car.min_discharge_power_W,
                max_discharge_current=_none_or(none, self.car.max_discharge_current_A),
                max_v2x_energy_request=not_negative(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
                min_v2x_energy_request=not_negative(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
            ),
        )
        return self.car.max_current_A or 0.0, self.facts.present_voltage_V, self.car.max_power_W or 0.0

    def _scheduled(self, limits: ChargerLimits) -> Any:
        fields = {
            "EVSEMaximumChargePower": maximum(limits.max_power_W),
            "EVSEMinimumChargePower": minimum(limits.min_power_W),
            "EVSEMaximumChargeCurrent": maximum(limits.max_current_A),
            "EVSEMaximumVoltage": maximum(limits.max_voltage_V),
        }
        if not self.selection.bidirectional:
            return m.Scheduled_DC_CLResControlModeType(**fields)
        return m.BPT_Scheduled_DC_CLResControlModeType(**fields, **limits.discharge_in_loop(self._sign))

    def _dynamic(self, limits: ChargerLimits) -> Any:
        needs = self.session.mobility_needs()
        fields = {
            **needs,
            "AckMaxDelay": ACK_MAX_DELAY_S if needs else None,
            "EVSEMaximumChargePower": maximum(limits.max_power_W),
            "EVSEMinimumChargePower": minimum(limits.min_power_W),
            "EVSEMaximumChargeCurrent": maximum(limits.max_current_A),
            "EVSEMaximumVoltage": maximum(limits.max_voltage_V),
        }
        if not self.selection.bidirectional:
            return m.Dynamic_DC_CLResControlModeType(**fields)
        return m.BPT_Dynamic_DC_CLResControlModeType(**fields, **limits.discharge_in_loop(self._sign))

    def on_DC_WeldingDetectionReq(self, request: m.DC_WeldingDetectionReq, now: float) -> Answer:
        """Answer with the present voltage."""
        self.session.enter(State.WELDING)
        return self.session.ok(m.DC_WeldingDetectionRes, EVSEPresentVoltage=self._present_voltage())


def _not_negative(value: Any) -> float:
    return max(0.0, number(value))


def _none_or(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value
