"""The AC energy service of ISO 15118-2: charge parameters, contactor, charging status (clauses 8.4.3.9, 8.4.4)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.back_end import Limit, Span, spans
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as sequences
from chargebyte_fw.modules.v2g.secc.iso2.energy import Iso2EnergyService
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred
from chargebyte_fw.modules.v2g.timing import CONTACTOR_CLOSE_S

LEAST_SHARE, GREATEST_SHARE = 0.99, 1.1
"""A schedule holds while the power that there is remains within these shares of what it grants."""


class AcService(Iso2EnergyService):
    """Alternating current in ISO 15118-2."""

    sequence = sequences.AC
    early_stop = sequences.AC_EARLY_STOP
    open_contactor = Iso15118Charger.ac_open_contactor
    kind = "AC"
    usual_mode = iso2.EnergyTransferModeType.AC_three_phase_core
    parameter_type = iso2.AC_EVChargeParameterType
    after_parameters = State.POWER_DELIVERY
    mode = usual_mode
    _closing_since: float | None = None
    """Since when PowerDelivery waits for the contactor."""

    def evse_status(self, normal: str) -> Any:
        """Return AC_EVSEStatus; it has no status code."""
        return ac_status(self.session.notification, rcd=self.facts.error == iso15118.EvseError.Error_RCD)

    def charge_parameter(self, normal: str) -> Any:
        """Return AC_EVSEChargeParameter: nominal values, what the car may draw now is in ChargingStatusRes.

        Under a contract ChargingStatusRes has no limit: the current is the one of the schedule, unless that is zero, at
        which a car leaves.
        """
        facts = self.facts
        current_A = (self.session.by_contract and facts.ac_max_current_A) or facts.ac_nominal_current_A
        return iso2.AC_EVSEChargeParameterType(
            AC_EVSEStatus=self.evse_status(normal),
            EVSENominalVoltage=self.session.volts(self.facts.ac_nominal_voltage_V),
            EVSEMaxCurrent=self.session.amperes(current_A),
        )

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal: requests of a DC session get a DC status."""
        session = self.session
        notification, delay_s = session.notification
        status = iso2.DC_EVSEStatusType(
            NotificationMaxDelay=delay_s,
            EVSENotification=notification,
            EVSEIsolationStatus=iso2.isolationLevelType.Invalid,
            EVSEStatusCode=iso2.DC_EVSEStatusCodeType.EVSE_NotReady,
        )
        match name:
            case "CableCheckReq":
                return {"DC_EVSEStatus": status, "EVSEProcessing": iso2.EVSEProcessingType.Finished}
            case "PreChargeReq" | "WeldingDetectionReq":
                return {"DC_EVSEStatus": status, "EVSEPresentVoltage": session.volts(0)}
            case "CurrentDemandReq":
                return {
                    "DC_EVSEStatus": status,
                    "EVSEPresentVoltage": session.volts(0),
                    "EVSEPresentCurrent": session.amperes(0),
                    "EVSECurrentLimitAchieved": False,
                    "EVSEVoltageLimitAchieved": False,
                    "EVSEPowerLimitAchieved": False,
                    "EVSEID": session.evse_id(),
                    "SAScheduleTupleID": SCHEDULE_ID,
                }
        return {}

    # -- charge parameters

    def take_parameters(self, parameters: iso2.AC_EVChargeParameterType) -> None:
        """Publish the car's needs."""
        publish = self.session.publish
        publish(Iso15118Charger.ac_eamount, _within(parameters.EAmount, 200_000))
        publish(Iso15118Charger.ac_ev_max_voltage, _within(parameters.EVMaxVoltage, 1_000))
        publish(Iso15118Charger.ac_ev_max_current, _within(parameters.EVMaxCurrent, 400))
        publish(Iso15118Charger.ac_ev_min_current, _within(parameters.EVMinCurrent, 400))

    def charging_needs(self, parameters: iso2.AC_EVChargeParameterType) -> dict[str, Any]:
        """Return the car's needs as OCPP has them."""
        needs = iso15118.ACChargingParameters(
            energy_amount=number(parameters.EAmount),
            ev_min_current=number(parameters.EVMinCurrent),
            ev_max_current=number(parameters.EVMaxCurrent),
            ev_max_voltage=number(parameters.EVMaxVoltage),
        )
        return {"ac_charging_parameters": needs}

    def schedule_power_W(self, mode: iso2.EnergyTransferModeType) -> float:
        """Return the power of the schedule: nominal voltage and current of the phases of `mode`.

        Under a contract it is the current that may be drawn now: ChargingStatusRes has no limit then.
        """
        facts = self.facts
        current_A = facts.ac_max_current_A if self.session.by_contract else facts.ac_nominal_current_A
        return current_A * self._volts(mode)

    def _volts(self, mode: iso2.EnergyTransferModeType) -> float:
        """Return the power of one ampere per phase, in W."""
        phases = 3 if mode is iso2.EnergyTransferModeType.AC_three_phase_core else 1
        return self.facts.ac_nominal_voltage_V * phases

    def limited_W(self, limit: Limit) -> float | None:
        """Return the power of a limit of the back end on the phases of the car."""
        of_current_W = None if limit.current_A is None else limit.current_A * self._volts(self.mode)
        given = [one for one in (limit.power_W, of_current_W) if one is not None]
        return min(given, default=None)

    def spans(self, begin_s: float, duration_s: int) -> tuple[Span, ...]:
        """Return the powers of a schedule; under a contract what may be drawn now bounds its begin alone."""
        facts, by_contract = self.facts, self.session.by_contract
        if not by_contract or len(facts.back_end.limits) < 2:
            return super().spans(begin_s, duration_s)
        most_W = facts.ac_nominal_current_A * self._volts(self.mode)
        first, *rest = spans(facts.back_end.limits, begin_s, duration_s, most_W, self.limited_W)
        now_W = min(first.power_W, self.schedule_power_W(self.mode))
        return (Span(0, now_W), *rest)

    def schedule_is_outdated(self) -> bool:
        """Return whether the back end limits otherwise, or a contract's schedule grants more than there is, or less."""
        if super().schedule_is_outdated():
            return True
        now_s = self.session.environment.utc_now().timestamp()
        granted_W, now_W = self.session.schedule.power_W(now_s), self.spans(now_s, 1)[0].power_W
        return self.session.by_contract and not granted_W * LEAST_SHARE <= now_W <= granted_W * GREATEST_SHARE

    # -- energy transfer

    def start_power(self, now: float) -> Answer | Deferred | None:
        """Have the contactor closed and wait for it."""
        session = self.session
        if self.facts.stop_requested:
            return self._not_started("FAILED_PowerDeliveryNotApplied", "the charger wants to stop")  # [V2G2-480]
        if self.facts.error == iso15118.EvseError.Error_Contactor:
            return self._not_started("FAILED_ContactorError", "the contactor has a fault")
        if self.facts.error:
            return self._not_started("FAILED_PowerDeliveryNotApplied", self.facts.error)
        if self._closing_since is None:
            self._closing_since = now
            self.energised = True
            session.publish(Iso15118Charger.v2g_setup_finished, None)
            session.publish(Iso15118Charger.ac_close_contactor, None)
            session.log("closing the contactor")
        if not self.facts.contactor_closed:
            limit = self._closing_since + CONTACTOR_CLOSE_S
            if now < limit:
                return Deferred(limit)
            return self._not_started("FAILED_ContactorError", f"not closed within {CONTACTOR_CLOSE_S:g} s")
        self._closing_since = None
        session.enter(State.CHARGING_FIRST)
        return None

    def power_off(self) -> None:
        """Have the contactor opened; nothing waits for it to close, and closed it is when it is reported again."""
        if self.energised:
            self.facts.contactor_closed = False
        super().power_off()
        self._closing_since = None

    def _not_started(self, code: str, why: str) -> Answer:
        self.power_off()
        return self.session.failed("PowerDeliveryReq", code, why)

    def stop_power(self) -> None:
        """Have the contactor opened."""
        self.stopping = True
        self.session.log("the car takes the power off")
        self.power_off()
        self.session.enter(State.STOPPED)

    def renegotiate(self) -> None:
        """Forget that a contactor was waited for; it stays closed."""
        self._closing_since = None

    def on_ChargingStatusReq(self, request: iso2.ChargingStatusReq, now: float) -> Answer:
        """Answer with the current that the car may draw and the meter's reading."""
        session = self.session
        session.enter(State.CHARGING)
        return Answer(
            iso2.ChargingStatusRes(
                ResponseCode=session.ok(),
                EVSEID=session.evse_id(),
                SAScheduleTupleID=SCHEDULE_ID,
                # Under a contract the schedule limits the car, and renegotiation changes it.
                EVSEMaxCurrent=None if session.by_contract else session.amperes(self.facts.ac_max_current_A),
                **session.metering(),
                AC_EVSEStatus=self.evse_status("EVSE_Ready"),
            )
        )


def ac_status(notification: tuple[Any, int], *, rcd: bool) -> Any:
    """Return AC_EVSEStatus."""
    kind, delay_s = notification
    return iso2.AC_EVSEStatusType(NotificationMaxDelay=delay_s, EVSENotification=kind, RCD=rcd)


def _within(value: Any, high: float) -> float:
    return min(high, max(0.0, number(value)))
