"""The power of an AC session of ISO 15118-20, for the connector that the car has selected."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g.rational import maximum, minimum, number_or_none, rational
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts

SINGLE_PHASE = 1
_USUAL_FREQUENCY_HZ = 50.0


def of_connector(power: units.Power, connector: int, facts: ChargerFacts) -> float:
    """Return a power of the charger as a car at this connector has it: the sum of its phases."""
    if connector != SINGLE_PHASE:
        return power.total
    if power.L1 is not None:
        return power.L1
    return power.total / 3 if is_three_phase(facts) else power.total


def is_three_phase(facts: ChargerFacts) -> bool:
    """Return whether the charger has three phases."""
    parameters = facts.iso20.ac_parameters
    if parameters is not None:
        return iso15118.Connector.ThreePhase in parameters.connectors
    return "AC_three_phase_core" in facts.energy_transfer_modes


class AcLimits(msgspec.Struct, frozen=True):
    """What the charger can do at the selected connector, in W; power from the car as magnitudes."""

    max_power_W: float
    min_power_W: float
    max_discharge_power_W: float = 0.0
    min_discharge_power_W: float = 0.0
    frequency_Hz: float = _USUAL_FREQUENCY_HZ
    max_asymmetry_W: float | None = None
    ramp_W_per_s: float | None = None
    present_W: float | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the fields of the charge parameters that every AC service has."""
        return {
            "EVSEMaximumChargePower": maximum(self.max_power_W),
            "EVSEMinimumChargePower": minimum(self.min_power_W),
            "EVSENominalFrequency": rational(self.frequency_Hz),
            "MaximumPowerAsymmetry": None if self.max_asymmetry_W is None else maximum(self.max_asymmetry_W),
            "EVSEPowerRampLimitation": None if self.ramp_W_per_s is None else maximum(self.ramp_W_per_s),
            "EVSEPresentActivePower": None if self.present_W is None else rational(self.present_W),
        }

    def discharge(self, sign: int) -> dict[str, Any]:
        """Return what bidirectional charge parameters add; `sign` is that of discharge limits on the wire."""
        most, least = self.max_discharge_power_W, self.min_discharge_power_W
        return {
            "EVSEMaximumDischargePower": maximum(most) if sign > 0 else minimum(-most),
            "EVSEMinimumDischargePower": minimum(least) if sign > 0 else maximum(-least),
        }


def ac_limits(facts: ChargerFacts, connector: int) -> AcLimits:
    """Return the limits of the charger at a connector."""
    more, parameters = facts.iso20, facts.iso20.ac_parameters

    def at(power: units.Power | None, otherwise: float) -> float:
        return max(0.0, of_connector(power, connector, facts)) if power is not None else otherwise

    phases = 1 if connector == SINGLE_PHASE else 3
    nominal_W = facts.ac_nominal_current_A * facts.ac_nominal_voltage_V * phases
    most, least = more.ac_maximum, more.ac_minimum
    max_W = at(most.charge_power if most else None, nominal_W)
    back_W = at(most.discharge_power if most else None, 0.0)
    present = more.ac_present
    return AcLimits(
        max_power_W=max_W,
        min_power_W=min(max_W, at(least.charge_power if least else None, 0.0)),
        max_discharge_power_W=back_W,
        min_discharge_power_W=min(back_W, at(least.discharge_power if least else None, 0.0)),
        frequency_Hz=parameters.nominal_frequency if parameters else _USUAL_FREQUENCY_HZ,
        max_asymmetry_W=parameters.max_power_asymmetry if parameters else None,
        ramp_W_per_s=parameters.power_ramp_limitation if parameters else None,
        present_W=None if present is None else of_connector(present, connector, facts),
    )


def of_car(message: Any, name: str, connector: int, *, magnitude: bool = False) -> units.Power | None:
    """Return a power of the car, None where it did not state it.

    Without values of the phases the main one is the sum; with them, or at a single phase, it is that of L1.
    """
    main = number_or_none(getattr(message, name, None))
    if main is None:
        return None
    others = [number_or_none(getattr(message, f"{name}_{phase}", None)) for phase in ("L2", "L3")]
    l2, l3 = others
    if magnitude:
        main, l2, l3 = abs(main), *(None if one is None else abs(one) for one in others)
    if l2 is None and l3 is None:
        return units.Power(total=main, L1=main if connector == SINGLE_PHASE else None)
    return units.Power(total=main + (l2 or 0.0) + (l3 or 0.0), L1=main, L2=l2, L3=l3)
