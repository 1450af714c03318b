"""The limits of a DC session of ISO 15118-20: the charger's and the car's, to the car and from it."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_dc as m
from chargebyte_fw.modules.v2g.rational import maximum, minimum, number, number_or_none
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts


class ChargerLimits(msgspec.Struct, frozen=True):
    """What the charger can do, in SI units; discharge limits are magnitudes."""

    max_power_W: float
    min_power_W: float
    max_current_A: float
    min_current_A: float
    max_voltage_V: float
    min_voltage_V: float
    max_discharge_power_W: float = 0.0
    min_discharge_power_W: float = 0.0
    max_discharge_current_A: float = 0.0
    min_discharge_current_A: float = 0.0

    def without_power(self) -> ChargerLimits:
        """Return these limits while no power may flow."""
        voltages = {"max_voltage_V": self.max_voltage_V, "min_voltage_V": self.min_voltage_V}
        return ChargerLimits(max_power_W=0.0, min_power_W=0.0, max_current_A=0.0, min_current_A=0.0, **voltages)

    def within(self, offered: ChargerLimits) -> ChargerLimits:
        """Return these limits, none beyond what was offered; a least value is never above the greatest one."""
        values = {}
        for name in self.__struct_fields__:
            if name.startswith("max_"):
                least = name.replace("max_", "min_")
                values[name] = min(getattr(self, name), getattr(offered, name))
                values[least] = min(max(getattr(self, least), getattr(offered, least)), values[name])
        return ChargerLimits(**values)

    def parameters(self, *, bidirectional: bool, sign: int) -> dict[str, Any]:
        """Return the fields of the charge parameters; `sign` is that of discharge limits on the wire."""
        fields = {
            "EVSEMaximumChargePower": maximum(self.max_power_W),
            "EVSEMinimumChargePower": minimum(self.min_power_W),
            "EVSEMaximumChargeCurrent": maximum(self.max_current_A),
            "EVSEMinimumChargeCurrent": minimum(self.min_current_A),
            "EVSEMaximumVoltage": maximum(self.max_voltage_V),
            "EVSEMinimumVoltage": minimum(self.min_voltage_V),
        }
        if bidirectional:
            fields |= {
                "EVSEMaximumDischargePower": _signed_most(self.max_discharge_power_W, sign),
                "EVSEMinimumDischargePower": _signed_least(self.min_discharge_power_W, sign),
                "EVSEMaximumDischargeCurrent": _signed_most(self.max_discharge_current_A, sign),
                "EVSEMinimumDischargeCurrent": _signed_least(self.min_discharge_current_A, sign),
            }
        return fields

    def discharge_in_loop(self, sign: int) -> dict[str, Any]:
        """Return the fields that bidirectional responses of the charge loop add."""
        return {
            "EVSEMaximumDischargePower": _signed_most(self.max_discharge_power_W, sign),
            "EVSEMinimumDischargePower": _signed_least(self.min_discharge_power_W, sign),
            "EVSEMaximumDischargeCurrent": _signed_most(self.max_discharge_current_A, sign),
            "EVSEMinimumVoltage": minimum(self.min_voltage_V),
        }


def _signed_most(value: float, sign: int) -> Any:
    return maximum(value) if sign > 0 else minimum(-value)


def _signed_least(value: float, sign: int) -> Any:
    return minimum(value) if sign > 0 else maximum(-value)


def charger_limits(facts: ChargerFacts, *, now: bool = False) -> ChargerLimits:
    """Return the charger's limits: what the power supply is made for, or (`now`) what is allowed at this moment."""
    more, supply = facts.iso20, facts.iso20.dc_supply
    power_W, current_A, voltage_V = facts.power_limit_W, facts.dc_max_current_A, facts.dc_max_voltage_V
    back_W, back_A = more.dc_max_discharge_power_W, more.dc_max_discharge_current_A
    if supply is not None:
        import_W = (supply.max_import_power_W or 0.0) if supply.bidirectional else 0.0
        import_A = (supply.max_import_current_A or 0.0) if supply.bidirectional else 0.0
        if not now:
            power_W = max(power_W, supply.max_export_power_W)
            current_A = max(current_A, supply.max_export_current_A)
            voltage_V = max(voltage_V, supply.max_export_voltage_V)
        back_W = import_W if back_W is None or not now else back_W
        back_A = import_A if back_A is None or not now else back_A
    # A car refuses a least value above the greatest one; where nothing is allowed at this moment, both are 0.
    return ChargerLimits(
        max_power_W=max(0.0, power_W),
        min_power_W=max(0.0, min(more.dc_min_power_W, power_W)),
        max_current_A=max(0.0, current_A),
        min_current_A=max(0.0, min(facts.dc_min_current_A, current_A)),
        max_voltage_V=voltage_V,
        min_voltage_V=min(facts.dc_min_voltage_V, voltage_V),
        max_discharge_power_W=back_W or 0.0,
        min_discharge_power_W=min(more.dc_min_discharge_power_W, back_W or 0.0),
        max_discharge_current_A=back_A or 0.0,
        min_discharge_current_A=min(more.dc_min_discharge_current_A, back_A or 0.0),
    )


_Loop = m.Scheduled_DC_CLReqControlModeType | m.Dynamic_DC_CLReqControlModeType


class CarLimits(msgspec.Struct, frozen=True):
    """What the car can do, in SI units; None where it did not state it. Discharge limits are magnitudes."""

    max_power_W: float | None = None
    min_power_W: float = 0.0
    max_current_A: float | None = None
    min_current_A: float = 0.0
    max_voltage_V: float | None = None
    min_voltage_V: float = 0.0
    max_discharge_power_W: float | None = None
    min_discharge_power_W: float | None = None
    max_discharge_current_A: float | None = None
    negative_discharge: bool = False
    """Its discharge limits came with a negative sign."""
    target_soc_percent: int | None = None

    @classmethod
    def of_parameters(cls, mode: m.DC_CPDReqEnergyTransferModeType) -> CarLimits:
        """Return the limits of the charge parameters."""
        back_W, back_A = _discharge(mode)
        least_W = number_or_none(getattr(mode, "EVMinimumDischargePower", None))
        return cls(
            max_power_W=number(mode.EVMaximumChargePower),
            min_power_W=max(0.0, number(mode.EVMinimumChargePower)),
            max_current_A=number(mode.EVMaximumChargeCurrent),
            min_current_A=max(0.0, number(mode.EVMinimumChargeCurrent)),
            max_voltage_V=number(mode.EVMaximumVoltage),
            min_voltage_V=max(0.0, number(mode.EVMinimumVoltage)),
            max_discharge_power_W=_magnitude(back_W),
            min_discharge_power_W=_magnitude(least_W),
            max_discharge_current_A=_magnitude(back_A),
            negative_discharge=(back_W or 0.0) < 0 or (back_A or 0.0) < 0,
            target_soc_percent=mode.TargetSOC,
        )

    def updated(self, mode: _Loop) -> CarLimits:
        """Return the limits with those of a request of the loop; what it leaves out still holds."""
        back_W, back_A = _discharge(mode)
        given = {
            "max_power_W": number_or_none(mode.EVMaximumChargePower),
            "min_power_W": number_or_none(mode.EVMinimumChargePower),
            "max_current_A": number_or_none(mode.EVMaximumChargeCurrent),
            "max_voltage_V": number_or_none(mode.EVMaximumVoltage),
            "min_voltage_V": number_or_none(mode.EVMinimumVoltage),
            "max_discharge_power_W": _magnitude(back_W),
            "max_discharge_current_A": _magnitude(back_A),
        }
        known = {name: max(0.0, value) for name, value in given.items() if value is not None}
        return msgspec.structs.replace(self, **known)

    def does_not_fit(self, limits: ChargerLimits) -> str:
        """Return why the car's limits leave nothing to charge with, or nothing."""
        power, current, voltage = self.max_power_W or 0.0, self.max_current_A or 0.0, self.max_voltage_V or 0.0
        if min(power, current, voltage) < 0:
            return "a negative limit"
        if current < limits.min_current_A:
            return f"the car takes at most {current:g} A, the charger gives at least {limits.min_current_A:g} A"
        if voltage <= limits.min_voltage_V:
            return f"the car takes at most {voltage:g} V, the charger gives at least {limits.min_voltage_V:g} V"
        if limits.max_voltage_V and self.min_voltage_V > limits.max_voltage_V:
            most = f"the charger gives at most {limits.max_voltage_V:g} V"
            return f"the car needs at least {self.min_voltage_V:g} V, {most}"
        return ""

    def needs(self, mode: Any) -> dict[str, Any]:
        """Return the car's needs as OCPP has them; `mode` is that of ScheduleExchangeReq.

        The V2X parameters of OCPP 2.1 are those of ISO 15118-20, whether energy may flow back or not.
        """
        target_Wh = number_or_none(mode.EVTargetEnergyRequest)
        return {
            "dc_charging_parameters": iso15118.DCChargingParameters(
                ev_max_current=self.max_current_A or 0.0,
                ev_max_voltage=self.max_voltage_V or 0.0,
                ev_max_power=self.max_power_W,
                energy_amount=None if target_Wh is None else max(0.0, target_Wh),
                full_soc=self.target_soc_percent,
            ),
            "v2x_charging_parameters": iso15118.V2XChargingParameters(
                min_charge_power=self.min_power_W,
                max_charge_power=self.max_power_W,
                min_discharge_power=self.min_discharge_power_W,
                max_discharge_power=self.max_discharge_power_W,
                min_charge_current=self.min_current_A,
                max_charge_current=self.max_current_A,
                max_discharge_current=self.max_discharge_current_A,
                min_voltage=self.min_voltage_V,
                max_voltage=self.max_voltage_V,
                ev_target_energy_request=target_Wh,
                ev_min_energy_request=number_or_none(mode.EVMinimumEnergyRequest),
                ev_max_energy_request=number_or_none(mode.EVMaximumEnergyRequest),
                ev_min_v2xenergy_request=number_or_none(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
                ev_max_v2xenergy_request=number_or_none(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
                target_soc=self.target_soc_percent,
            ),
        }


def _discharge(mode: Any) -> tuple[float | None, float | None]:
    power, current = getattr(mode, "EVMaximumDischargePower", None), getattr(mode, "EVMaximumDischargeCurrent", None)
    return number_or_none(power), number_or_none(current)


def _magnitude(value: float | None) -> float | None:
    return None if value is None else abs(value)
