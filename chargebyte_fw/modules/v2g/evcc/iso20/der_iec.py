"""AC_DER_IEC of ISO 15118-20 amendment 1: a car that gives energy back under the grid's rules (IEC countries)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.iso20.ac import Iso20AcCarService
from chargebyte_fw.modules.v2g.evcc.iso20.energy import Finished
from chargebyte_fw.modules.v2g.messages import iso20_ac_der_iec as m
from chargebyte_fw.modules.v2g.rational import maximum, number, number_or_none, rational


class Iso20DerIecCarService(Iso20AcCarService):
    """Alternating current with the grid's rules."""

    messages: Any = m

    @property
    def kind(self) -> str:
        """The beginning of the names of the types that the service uses."""
        return "DER_"

    def parameters(self) -> dict[str, Any]:
        """Return the fields of the charge parameters, with the reactive power that the on-board charger has."""
        most = maximum(self.settings.max_reactive_power_var)
        limits = m.EVReactivePowerLimitsType(EVMaximumChargeReactivePower=most, EVMaximumDischargeReactivePower=most)
        return {**super().parameters(), "EVProcessing": Finished, "EVReactivePowerLimits": limits}

    def take_AC_ChargeParameterDiscovery(self, body: Any, now: float) -> float:
        """Take the charger's limits and the grid's rules."""
        pause_s = super().take_AC_ChargeParameterDiscovery(body, now)
        rules = body.AC_CPDResEnergyTransferMode.DERControl
        support = rules.ReactivePowerSupport
        curves = [name for name in ("VoltVar", "WattVar", "WattCosPhi") if support and getattr(support, name)]
        self.session.report(Step.PARAMETERS, f"under the grid's rules{f', {curves[0]}' if curves else ''}")
        return pause_s

    def in_loop(self) -> dict[str, Any]:
        """Return the fields of a request of the charge loop, with what the car notices of the grid."""
        fields = super().in_loop()
        fields["GridEventCondition"] = self.facts.grid_event
        fields["EVPresentReactivePower"] = rational(round(self.facts.charger.reactive_power_var or 0.0))
        return fields

    def take_AC_ChargeLoop(self, body: Any, now: float) -> float:
        """Take the limits and set points of the grid, then draw what is commanded, or feed it back."""
        mode, charger = body.CLResControlMode, self.facts.charger
        charger.max_power_W = number(mode.EVSEMaximumChargePower)
        limits = [number(mode.EVSEMaximumDischargePower), number_or_none(mode.DSOMaximumDischargePower)]
        charger.max_discharge_power_W = min(abs(one) for one in limits if one is not None)
        reactive, factor = mode.DSOQSetpoint, mode.DSOCosPhiSetpoint
        charger.reactive_power_var = None if reactive is None else number(reactive.DSOQSetpointValue)
        charger.power_factor = None
        if factor is not None:
            under = factor.Excitation is m.powerFactorExcitationType.UnderExcited
            charger.power_factor = number(factor.DSOCosPhiSetpointValue) * (-1 if under else 1)
        return super().take_AC_ChargeLoop(body, now)

    def allowed(self, power_W: float) -> float:
        """Return a commanded power within what the grid takes back."""
        return max(power_W, -(self.facts.charger.max_discharge_power_W or 0.0))
