"""ISO 15118-2, AC: charge parameters, contactor, charging status (clauses 8.4.3.9, 8.4.4)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common import sequence
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID, Answer, Later
from chargebyte_fw.modules.v2g.secc.iso2.session import Iso2Dialogue, ac_status
from chargebyte_fw.modules.v2g.timing import CONTACTOR_CLOSE_S


class Iso2Ac(Iso2Dialogue):
    """An AC session of ISO 15118-2."""

    kind = "AC"
    usual_mode = iso2.EnergyTransferModeType.AC_three_phase_core

    @property
    def allowed(self) -> dict[State, tuple[str, ...]]:
        """The table of requests by state."""
        return sequence.ISO2_AC

    def evse_status(self, normal: str) -> Any:
        """Return AC_EVSEStatus."""
        return ac_status(self, rcd=self.facts.error == iso15118.EvseError.Error_RCD)

    def charge_parameter(self, normal: str) -> Any:
        """Return AC_EVSEChargeParameter: nominal values, what the car may draw now is in ChargingStatusRes."""
        return iso2.AC_EVSEChargeParameterType(
            AC_EVSEStatus=self.evse_status(normal),
            EVSENominalVoltage=self.volts(self.facts.ac_nominal_voltage_V),
            EVSEMaxCurrent=self.amperes(self.facts.ac_nominal_current_A),
        )

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by request name; requests of a DC session get a DC status."""
        if name in ("CableCheckReq", "PreChargeReq", "WeldingDetectionReq", "CurrentDemandReq"):
            return self._dc_content(name)
        return super().least_content(name)

    def _dc_content(self, name: str) -> dict[str, Any]:
        notification, delay_s = self.notification
        status = iso2.DC_EVSEStatusType(
            NotificationMaxDelay=delay_s,
            EVSENotification=notification,
            EVSEIsolationStatus=iso2.isolationLevelType.Invalid,
            EVSEStatusCode=iso2.DC_EVSEStatusCodeType.EVSE_NotReady,
        )
        if name == "CableCheckReq":
            return {"DC_EVSEStatus": status, "EVSEProcessing": iso2.EVSEProcessingType.Finished}
        content = {"DC_EVSEStatus": status, "EVSEPresentVoltage": self.volts(0)}
        if name != "CurrentDemandReq":
            return content
        return {
            **content,
            "EVSEPresentCurrent": self.amperes(0),
            "EVSECurrentLimitAchieved": False,
            "EVSEVoltageLimitAchieved": False,
            "EVSEPowerLimitAchieved": False,
            "EVSEID": self.evse_id(),
            "SAScheduleTupleID": SCHEDULE_ID,
        }

    def on_ChargeParameterDiscoveryReq(  # noqa: N802 (the wire's name)
        self, request: iso2.ChargeParameterDiscoveryReq, now: float
    ) -> Answer:
        """Take the car's needs, give it our current, voltage and a schedule."""
        name, wanted = "ChargeParameterDiscoveryReq", request.RequestedEnergyTransferMode
        if wanted not in self.modes():
            return self.failed(name, "FAILED_WrongEnergyTransferMode", str(wanted))
        parameters = request.EVChargeParameter
        if not isinstance(parameters, iso2.AC_EVChargeParameterType) or not wanted.startswith("AC"):
            return self.failed(name, "FAILED_WrongChargeParameter", f"{type(parameters).__name__} for {wanted}")
        mode = iso15118.EnergyTransferMode(str(wanted))
        self.publish("requested_energy_transfer_mode", mode)
        departure = self.take_departure(parameters.DepartureTime)
        needs = iso15118.ACChargingParameters(
            energy_amount=number(parameters.EAmount),
            ev_min_current=number(parameters.EVMinCurrent),
            ev_max_current=number(parameters.EVMaxCurrent),
            ev_max_voltage=number(parameters.EVMaxVoltage),
        )
        self.publish("ac_eamount", _within(needs.energy_amount, 200_000))
        self.publish("ac_ev_max_voltage", _within(needs.ev_max_voltage, 1_000))
        self.publish("ac_ev_max_current", _within(needs.ev_max_current, 400))
        self.publish("ac_ev_min_current", _within(needs.ev_min_current, 400))
        self.extension(
            "charging_needs",
            iso15118.ChargingNeeds(
                requested_energy_transfer=mode, ac_charging_parameters=needs, departure_time=departure
            ),
        )
        facts = self.facts
        phases = 3 if wanted is iso2.EnergyTransferModeType.AC_three_phase_core else 1
        self.state = State.POWER_DELIVERY
        return Answer(
            iso2.ChargeParameterDiscoveryRes(
                ResponseCode=self.ok(),
                EVSEProcessing=iso2.EVSEProcessingType.Finished,
                SASchedules=self.schedules(facts.ac_nominal_current_A * facts.ac_nominal_voltage_V * phases),
                EVSEChargeParameter=self.charge_parameter("EVSE_Ready"),
            )
        )

    def start_power(self, now: float) -> Answer | Later | None:
        """Have the contactor closed and wait for it."""
        if self.facts.stop_requested:
            return self._not_started("FAILED_PowerDeliveryNotApplied", "the charger wants to stop")
        if self.facts.error == iso15118.EvseError.Error_Contactor:
            return self._not_started("FAILED_ContactorError", "the contactor has a fault")
        if self.wait_since is None:
            self.wait_since = now
            self.energised = True
            self.publish("v2g_setup_finished")
            self.publish("ac_close_contactor")
            self.note("closing the contactor")
        if not self.facts.contactor_closed:
            limit = self.wait_since + CONTACTOR_CLOSE_S
            if now < limit:
                return Later(limit)
            return self._not_started("FAILED_ContactorError", f"not closed within {CONTACTOR_CLOSE_S:g} s")
        self.wait_since = None
        self.state = State.CHARGING_FIRST
        return None

    def _not_started(self, code: str, why: str) -> Answer:
        self.wait_since = None
        self.power_off("ac_open_contactor")
        return self.failed("PowerDeliveryReq", code, why)

    def stop_power(self) -> None:
        """Have the contactor opened."""
        self.stopping = True
        self.note("the car takes the power off")
        self.power_off("ac_open_contactor")
        self.state = State.STOPPED

    def connection_ends(self) -> None:
        """Open the contactor when the connection ends, whatever the state."""
        self.power_off("ac_open_contactor")

    def on_ChargingStatusReq(self, request: iso2.ChargingStatusReq, now: float) -> Answer:  # noqa: N802
        """Tell the car the current it may draw and what the meter says."""
        self.state = State.CHARGING
        return Answer(
            iso2.ChargingStatusRes(
                ResponseCode=self.ok(),
                EVSEID=self.evse_id(),
                SAScheduleTupleID=SCHEDULE_ID,
                EVSEMaxCurrent=self.amperes(self.facts.ac_max_current_A),
                MeterInfo=self.meter_info(),
                ReceiptRequired=False,
                AC_EVSEStatus=self.evse_status("EVSE_Ready"),
            )
        )


def _within(value: float, high: float) -> float:
    return min(high, max(0.0, value))
