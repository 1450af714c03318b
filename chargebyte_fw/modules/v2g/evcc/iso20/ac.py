"""Alternating current in ISO 15118-20, also in both directions (clause 8.3.4.4)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.evcc.effects import SetPilot, Step
from chargebyte_fw.modules.v2g.evcc.iso20.energy import Iso20EnergyService
from chargebyte_fw.modules.v2g.evcc.protocol import Failed
from chargebyte_fw.modules.v2g.messages import iso20_ac as ac
from chargebyte_fw.modules.v2g.rational import maximum, minimum, number, rational

NOMINAL_V = 230.0


class Iso20AcCarService(Iso20EnergyService):
    """Alternating current: powers are the sums of all phases, in the fields of the first."""

    first_stage = "AC_ChargeParameterDiscovery"
    loop_stage = "AC_ChargeLoop"
    messages: Any = ac
    _stopping = False

    @property
    def kind(self) -> str:
        """The beginning of the names of the types that the selected service uses."""
        return "BPT_" if self.session.service.bidirectional else ""

    @property
    def phases(self) -> int:
        """The phases of the selected connector, no more than the car has."""
        return min(self.settings.phases, self.session.service.value("Connector", 1))

    @property
    def nominal_V(self) -> float:
        """The charger's nominal voltage."""
        return float(self.session.service.value("EVSENominalVoltage")) or NOMINAL_V

    @property
    def most_W(self) -> float:
        """The most that the on-board charger draws."""
        most_W = self.settings.max_current_A * self.nominal_V * self.phases
        return most_W if self.settings.max_power_W is None else min(most_W, self.settings.max_power_W)

    @property
    def least_W(self) -> float:
        """The least that it can work with."""
        return max(self.settings.min_power_W, self.settings.min_current_A * self.nominal_V * self.phases)

    def begin_anew(self) -> None:
        """Forget the power: the services are selected again."""
        super().begin_anew()
        self._stopping = False

    # -- charge parameters

    def build_AC_ChargeParameterDiscovery(self, now: float) -> Any:
        """Send what the on-board charger can draw, and feed back."""
        mode = getattr(self.messages, f"{self.kind}AC_CPDReqEnergyTransferModeType")(**self.parameters())
        kind: Any = self.messages.AC_ChargeParameterDiscoveryReq
        return kind(Header=self.session.header(), AC_CPDReqEnergyTransferMode=mode)

    def parameters(self) -> dict[str, Any]:
        """Return the fields of the charge parameters."""
        settings = self.settings
        fields = {"EVMaximumChargePower": maximum(self.most_W), "EVMinimumChargePower": minimum(self.least_W)}
        if self.session.service.bidirectional:
            fields["EVMaximumDischargePower"] = maximum(settings.max_discharge_power_W)
            fields["EVMinimumDischargePower"] = minimum(settings.min_discharge_power_W)
        return fields

    def take_AC_ChargeParameterDiscovery(self, body: Any, now: float) -> float:
        """Take what the charger can deliver, and take back."""
        mode, charger = body.AC_CPDResEnergyTransferMode, self.facts.charger
        charger.max_power_W = _sum(mode, "EVSEMaximumChargePower")
        charger.ac_nominal_voltage_V = self.nominal_V
        if type(mode).__name__ != f"{self.kind}AC_CPDResEnergyTransferModeType":
            raise Failed(
                f"the charger's parameters are {type(mode).__name__}, not those of {self.session.service.name}"
            )
        if self.session.service.bidirectional:
            # Some chargers have this below zero: the magnitude is meant.
            charger.max_discharge_power_W = abs(_sum(mode, "EVSEMaximumDischargePower"))
        self._allow(charger.max_power_W)
        self.session.stage = "ScheduleExchange"
        return 0.0

    def after_schedule(self) -> str:
        """Return the stage after ScheduleExchange."""
        return "PowerOn"

    def before_power_on(self) -> None:
        """Set the control pilot to state C."""
        if not self._charged:
            self.session.effect(SetPilot("C"))

    # -- charge loop

    def may_leave(self, now: float) -> bool:
        """Draw nothing more; the power may be taken off at once."""
        if not self._stopping:
            self._stopping = True
            self.session.report(Step.STOPPING, self.session.why())
            self.session.power(False)
        return True

    def allowed(self, power_W: float) -> float:
        """Return as much of a commanded power as other rules than the schedule's leave."""
        return power_W

    def _allow(self, power_W: float) -> None:
        """Note how much current the on-board charger may draw; below zero: is to feed back."""
        schedule_W = self.session.schedule.power_W
        limits = [self.allowed(power_W), *(() if schedule_W is None else (schedule_W,))]
        self.facts.charger.ac_max_current_A = min(limits) / (self.nominal_V * self.phases)

    def in_loop(self) -> dict[str, Any]:
        """Return the control mode's fields of a request of the charge loop."""
        settings, service = self.settings, self.session.service
        none = self._stopping or self.standing_by
        fields: dict[str, Any] = {
            "EVMaximumChargePower": maximum(0.0 if none else self.most_W),
            "EVMinimumChargePower": minimum(0.0 if none else self.least_W),
            "EVPresentActivePower": rational(round(self.facts.present_power_W)),
            **self.energy_requests(),
        }
        if service.bidirectional:
            fields["EVMaximumDischargePower"] = maximum(0.0 if none else settings.max_discharge_power_W)
            fields["EVMinimumDischargePower"] = minimum(0.0 if none else settings.min_discharge_power_W)
        if service.dynamic:
            fields["DepartureTime"] = self.session.schedule.departure_s
            fields["EVPresentReactivePower"] = rational(0)
            fields |= self.v2x_requests()
        return fields

    def build_AC_ChargeLoop(self, now: float) -> Any:
        """Report what is drawn, and what could be."""
        control = "Dynamic" if self.session.service.dynamic else "Scheduled"
        mode = getattr(self.messages, f"{self.kind}{control}_AC_CLReqControlModeType")(**self.in_loop())
        kind: Any = self.messages.AC_ChargeLoopReq
        return kind(**self.loop_fields(), CLReqControlMode=mode)

    def take_AC_ChargeLoop(self, body: Any, now: float) -> float:
        """Draw what the charger commands, or feed it back."""
        self.loop_taken(body)
        mode, charger = body.CLResControlMode, self.facts.charger
        if self.session.service.dynamic:
            self.take_needs(mode)
        target = getattr(mode, "EVSETargetActivePower", None)
        if target is not None:
            self._allow(_sum(mode, "EVSETargetActivePower"))
        elif charger.max_power_W is not None:
            wanted_W = charger.max_power_W
            if self.session.service.bidirectional and self.discharges:
                wanted_W = -min(charger.max_discharge_power_W or 0.0, self.settings.max_discharge_power_W)
            self._allow(wanted_W)
        return self.settings.loop_pause_s


def _sum(mode: Any, field: str) -> float:
    """Return a power over all phases: the main field is the sum, or with fields for the others, the first phase's."""
    return sum(number(getattr(mode, field + phase, None)) for phase in ("", "_L2", "_L3"))
