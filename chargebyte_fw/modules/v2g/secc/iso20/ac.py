"""The AC energy services of ISO 15118-20: AC and AC_BPT (clause 8.3.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_ac
from chargebyte_fw.modules.v2g.rational import not_negative, number, number_or_none, rational
from chargebyte_fw.modules.v2g.secc.back_end import Limit
from chargebyte_fw.modules.v2g.secc.iso20 import sequence as sequences
from chargebyte_fw.modules.v2g.secc.iso20.ac_limits import AcLimits, ac_limits, of_car, of_connector
from chargebyte_fw.modules.v2g.secc.iso20.energy import Iso20EnergyService, Selection
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.timing import ACK_MAX_DELAY_S, CONTACTOR_CLOSE_S
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session


class AcService(Iso20EnergyService):
    """Alternating current."""

    sequence = sequences.AC
    open_contactor = Iso15118Charger.ac_open_contactor
    messages: Any = iso20_ac

    def __init__(self, session: Iso20Session, selection: Selection) -> None:
        super().__init__(session, selection)
        self.connector = selection.parameters["Connector"]
        self.car = iso15118.AcEvPowerLimits()
        """The car's limits; power from the car as magnitudes."""
        self.offered: AcLimits | None = None
        """The limits of the charge parameters: a target in the loop never exceeds them."""
        self._closing_since: float | None = None
        """Since when PowerDelivery waits for the contactor."""

    @property
    def kind(self) -> str:
        """The beginning of the names of the types that the selected service uses."""
        return "BPT_" if self.selection.bidirectional else ""

    # -- charge parameters

    def on_AC_ChargeParameterDiscoveryReq(self, request: Any, now: float) -> Answer:
        """Take the car's limits, answer with ours."""
        name, mode, session = "AC_ChargeParameterDiscoveryReq", request.AC_CPDReqEnergyTransferMode, self.session
        expected = f"{self.kind}AC_CPDReqEnergyTransferModeType"
        if type(mode).__name__ != expected:
            why = f"{type(mode).__name__} for {self.selection.service.name}"
            return session.failed(name, "FAILED_WrongChargeParameter", why)
        self._take_limits(mode)
        most = self.car.max_charge_power
        if most is not None and most.total < 0:
            return session.failed(name, "FAILED_WrongChargeParameter", "a negative limit")
        self.offered = ac_limits(self.facts, self.connector)
        session.enter(State.SCHEDULE)
        fields = self.parameters(self.offered)
        answer = getattr(self.messages, f"{self.kind}AC_CPDResEnergyTransferModeType")(**fields)
        return session.ok(self.messages.AC_ChargeParameterDiscoveryRes, AC_CPDResEnergyTransferMode=answer)

    def parameters(self, limits: AcLimits) -> dict[str, Any]:
        """Return the fields of the charge parameters."""
        sign = -1 if self.session.options.negative_discharge_limits else 1
        return limits.parameters() | (limits.discharge(sign) if self.selection.bidirectional else {})

    def _take_limits(self, mode: Any) -> None:
        def given(name: str, known: Any, *, magnitude: bool = False) -> Any:
            # A limit that a request leaves out still holds.
            return of_car(mode, name, self.connector, magnitude=magnitude) or known

        car = self.car
        self.car = iso15118.AcEvPowerLimits(
            max_charge_power=given("EVMaximumChargePower", car.max_charge_power),
            min_charge_power=given("EVMinimumChargePower", car.min_charge_power),
            max_discharge_power=given("EVMaximumDischargePower", car.max_discharge_power, magnitude=True),
            min_discharge_power=given("EVMinimumDischargePower", car.min_discharge_power, magnitude=True),
        )
        self.session.publish_change(Iso15118Charger.ac_ev_power_limits, self.car)

    def charging_needs(self, mode: Any) -> dict[str, Any]:
        """Return the car's needs as OCPP has them."""
        phases = 1 if self.connector == 1 else 3
        volts = self.facts.ac_nominal_voltage_V or 230.0
        most, least = self.car.max_charge_power, self.car.min_charge_power
        target_Wh = number_or_none(mode.EVTargetEnergyRequest)
        return {
            "ac_charging_parameters": iso15118.ACChargingParameters(
                energy_amount=max(0.0, target_Wh or 0.0),
                ev_min_current=0.0 if least is None else round(least.total / volts / phases, 1),
                ev_max_current=0.0 if most is None else round(most.total / volts / phases, 1),
                ev_max_voltage=volts,
            ),
            "v2x_charging_parameters": self._v2x(mode, target_Wh),
        }

    def _v2x(self, mode: Any, target_Wh: float | None) -> iso15118.V2XChargingParameters:
        car = self.car
        fields: dict[str, Any] = {}
        for name in ("min_charge_power", "max_charge_power", "min_discharge_power", "max_discharge_power"):
            power = getattr(car, name)
            if power is not None:
                fields[name] = power.total if power.L2 is None and power.L3 is None else power.L1
                fields |= {f"{name}_l2": power.L2, f"{name}_l3": power.L3}
        return iso15118.V2XChargingParameters(
            **fields,
            ev_target_energy_request=target_Wh,
            ev_min_energy_request=number_or_none(mode.EVMinimumEnergyRequest),
            ev_max_energy_request=number_or_none(mode.EVMaximumEnergyRequest),
            ev_min_v2xenergy_request=number_or_none(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
            ev_max_v2xenergy_request=number_or_none(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
        )

    def _limits(self) -> AcLimits:
        return self.offered or ac_limits(self.facts, self.connector)

    def schedule_power_W(self) -> float:
        """Return the power of the schedule: what both sides can do."""
        most = self.car.max_charge_power
        return self._limits().max_power_W if most is None else min(self._limits().max_power_W, most.total)

    def limited_W(self, limit: Limit) -> float | None:
        """Return the power of a limit of the back end on the phases of the car."""
        volts = (self.facts.ac_nominal_voltage_V or 230.0) * (1 if self.connector == 1 else 3)
        of_current_W = None if limit.current_A is None else limit.current_A * volts
        return min([one for one in (limit.power_W, of_current_W) if one is not None], default=None)

    def schedule_discharge_power_W(self) -> float:
        """Return the greatest power from the car."""
        return self._limits().max_discharge_power_W if self.selection.bidirectional else 0.0

    def power_now_W(self) -> float:
        """Return the power that may flow to the car now."""
        return max(0.0, self.target_W())

    def target_W(self) -> float:
        """Return the power that the car should draw now, negative for power from the car."""
        return 0.0 if self.standing_by else self._wanted_W()

    def energy_is_wanted_back(self) -> bool:
        """Return whether the energy management wants power from the car."""
        return self.selection.dynamic and self._wanted_W() < 0.0

    def _wanted_W(self) -> float:
        limits, target = self._limits(), self.facts.iso20.ac_target
        if target is not None:
            wanted_W = of_connector(target.target_active_power, self.connector, self.facts)
        else:
            phases = 1 if self.connector == 1 else 3
            wanted_W = self.facts.ac_max_current_A * self.facts.ac_nominal_voltage_V * phases
        least_W = -limits.max_discharge_power_W if self.selection.bidirectional else 0.0
        return min(limits.max_power_W, max(least_W, wanted_W))

    def after_schedule(self) -> None:
        """Go on with power delivery."""
        self.session.enter(State.POWER_DELIVERY)

    # -- energy transfer

    def start_power(self, now: float) -> Answer | Deferred | None:
        """Have the contactor closed and wait for it."""
        session = self.session
        if self._closing_since is None:
            self._closing_since = now
            self.energised = True
            session.publish(Iso15118Charger.ac_close_contactor, None)
            session.log("closing the contactor")
        limit = self._closing_since + CONTACTOR_CLOSE_S
        if not self.facts.contactor_closed and now < limit:
            return Deferred(limit)
        self._closing_since = None
        if not self.facts.contactor_closed:
            why = f"not closed within {CONTACTOR_CLOSE_S:g} s"
            return session.failed("PowerDeliveryReq", "FAILED_ContactorError", why)
        return None

    def power_off(self) -> None:
        """Have the contactor opened; closed it is when it is reported again."""
        if self.energised:
            self.facts.contactor_closed = False
        super().power_off()

    def on_AC_ChargeLoopReq(self, request: Any, now: float) -> Answer:
        """Publish what the car draws and needs, answer with the power that it should draw."""
        session, mode = self.session, request.CLReqControlMode
        expected = f"{self.kind}{self.selection.mode}_AC_CLReqControlModeType"
        if type(mode).__name__ != expected:
            return session.failed("AC_ChargeLoopReq", "FAILED", f"{type(mode).__name__} where {expected} was selected")
        self.begin_loop("charging")
        session.take_display(request.DisplayParameters)
        self._take_limits(mode)
        self._take_present(mode)
        if self.selection.dynamic:
            self._take_dynamic(mode)
        elif mode.EVTargetEnergyRequest is not None:
            wanted_Wh = max(0.0, number(mode.EVTargetEnergyRequest))
            session.publish_change(Iso15118Charger.ac_eamount, wanted_Wh)
        target = self.facts.iso20.ac_target
        frequency_Hz = None if target is None else target.target_frequency
        answer = getattr(self.messages, f"{self.kind}{self.selection.mode}_AC_CLResControlModeType")(**self.in_loop())
        present = of_car(mode, "EVPresentActivePower", self.connector)
        return session.ok(
            self.messages.AC_ChargeLoopRes,
            self.loop_code(0.0 if present is None else present.total, now),
            **session.status_and_meter(now, requested=request.MeterInfoRequested),
            EVSETargetFrequency=None if frequency_Hz is None else rational(frequency_Hz),
            CLResControlMode=answer,
        )

    def _take_present(self, mode: Any) -> None:
        present = of_car(mode, "EVPresentActivePower", self.connector)
        if present is not None:
            self.session.publish_change(
                Iso15118Charger.ac_ev_present_powers,
                iso15118.AcEvPresentPowerValues(
                    present_active_power=present,
                    present_reactive_power=of_car(mode, "EVPresentReactivePower", self.connector),
                ),
            )

    def _take_dynamic(self, mode: Any) -> None:
        session = self.session
        session.take_needs(mode)
        target_Wh = max(0.0, number(mode.EVTargetEnergyRequest))
        session.publish_change(Iso15118Charger.ac_eamount, target_Wh)
        session.publish_change(
            Iso15118Charger.ac_ev_dynamic_control_mode,
            iso15118.AcEvDynamicModeValues(
                target_energy_request=target_Wh,
                max_energy_request=max(0.0, number(mode.EVMaximumEnergyRequest)),
                min_energy_request=max(0.0, number(mode.EVMinimumEnergyRequest)),
                departure_time=mode.DepartureTime,
                max_v2x_energy_request=not_negative(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
                min_v2x_energy_request=not_negative(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
            ),
        )

    def in_loop(self) -> dict[str, Any]:
        """Return the control mode's fields of a response of the charge loop."""
        target, present = self.facts.iso20.ac_target, self.facts.iso20.ac_present
        reactive = None if target is None else target.target_reactive_power
        fields: dict[str, Any] = {
            "EVSETargetActivePower": rational(self.target_W()),
            "EVSETargetReactivePower": None if reactive is None else rational(reactive.total),
        }
        if present is not None:
            fields["EVSEPresentActivePower"] = rational(of_connector(present, self.connector, self.facts))
        if self.selection.dynamic:
            needs = self.session.mobility_needs()
            fields |= {**needs, "AckMaxDelay": ACK_MAX_DELAY_S if needs else None}
        return fields
