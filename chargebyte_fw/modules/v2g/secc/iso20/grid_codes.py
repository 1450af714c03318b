"""The grid's directives as AC_DER_IEC has them (ISO 15118-20 amendment 1): functions, curves and set points."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag
from typing import Any

from chargebyte_fw.contracts.types.grid_support import DERCurve, DERUnit, Directive, DirectiveType
from chargebyte_fw.modules.v2g.messages import iso20_ac_der_iec as m
from chargebyte_fw.modules.v2g.rational import maximum, rational
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts

_Type, _Unit = DirectiveType, m.curveDataPointsUnitType
_FEWEST_POINTS, _MOST_POINTS = 2, 10


class Function(IntFlag):
    """Bits of the parameter DERControlFunctions."""

    OverFrequencyWatt = 1 << 0
    UnderFrequencyWatt = 1 << 1
    VoltWatt = 1 << 2
    VoltVar = 1 << 3
    WattVar = 1 << 4
    WattCosPhi = 1 << 5
    DSOQSetpoint = 1 << 6
    DSOCosPhiSetpoint = 1 << 7
    DCInjectionRestriction = 1 << 8
    ZeroCurrent = 1 << 9
    OvervoltageFaultRideThrough = 1 << 10
    UndervoltageFaultRideThrough = 1 << 11


_CURVES = {
    _Type.VoltVar: (Function.VoltVar, "VoltVar", _Unit.V),
    _Type.WattVar: (Function.WattVar, "WattVar", _Unit.W),
    _Type.WattPF: (Function.WattCosPhi, "WattCosPhi", _Unit.W),
}
"""Function, element and unit of x. The schema has one of them at a time: that of the first priority holds."""
SUPPORTED = (*_CURVES, _Type.FixedVar, _Type.FixedPFInject, _Type.LimitMaxDischarge)


_NEGOTIATED = {function: kind for kind, (function, _, _) in _CURVES.items()} | {
    Function.DSOQSetpoint: _Type.FixedVar,
    Function.DSOCosPhiSetpoint: _Type.FixedPFInject,
}
"""The directive of each function; the limit of power from the car is of each session."""


def supported_by_car(negotiated: int) -> list[DirectiveType]:
    """Return the directives that a car obeys by the functions that it has negotiated."""
    return [kind for function, kind in _NEGOTIATED.items() if negotiated & function] + [_Type.LimitMaxDischarge]


def fault_of(directive: Directive) -> str:
    """Return why a directive cannot be obeyed, or nothing."""
    kind = directive.directive_type
    if kind not in SUPPORTED:
        return f"{kind} is not supported"
    if kind not in _CURVES:
        payload = {_Type.FixedVar: directive.fixed_var, _Type.FixedPFInject: directive.fixed_pf}
        return "" if payload.get(kind, directive.limit_max_discharge) is not None else f"{kind} has no content"
    points = 0 if directive.curve is None else len(directive.curve.curve_data)
    if not _FEWEST_POINTS <= points <= _MOST_POINTS:
        return f"a curve of {kind} has {points} points where {_FEWEST_POINTS} to {_MOST_POINTS} are possible"
    return ""


def _first(directives: Iterable[Directive], *kinds: DirectiveType) -> Directive | None:
    """Return the directive of these kinds whose priority wins."""
    found = [one for one in directives if one.directive_type in kinds]
    return min(found, key=lambda one: one.priority, default=None)


def functions(facts: ChargerFacts) -> int:
    """Return the functions that a session may use: set points always, and the curve that is in force."""
    curve = _first(facts.iso20.directives, *_CURVES)
    bits = Function.DSOQSetpoint | Function.DSOCosPhiSetpoint
    return int(bits if curve is None else bits | _CURVES[curve.directive_type][0])


def control(facts: ChargerFacts, negotiated: int) -> m.DERControlType:
    """Return the controls of the charge parameters: the curve in force, where its function was negotiated."""
    directive = _first(facts.iso20.directives, *_CURVES)
    if directive is None or directive.curve is None:
        return m.DERControlType()
    function, element, unit = _CURVES[directive.directive_type]
    if not negotiated & function:
        return m.DERControlType()
    written = _curve(directive.curve, unit, facts, power_factor=function is Function.WattCosPhi)
    support = m.ReactivePowerSupportType(**{element: written})
    return m.DERControlType(ReactivePowerSupport=support)


def _curve(curve: DERCurve, unit: m.curveDataPointsUnitType, facts: ChargerFacts, *, power_factor: bool) -> Any:
    """Return a curve in SI units: x is in percent of the nominal value, y in the unit that it names."""
    nominal = facts.ac_nominal_voltage_V if unit is _Unit.V else nominal_W(facts)
    points = [
        m.DataTupleType(
            xValue=rational(point.x / 100.0 * nominal),
            yValue=_y_value(point.y if power_factor else var(point.y, curve.y_unit, facts), power_factor=power_factor),
        )
        for point in curve.curve_data
    ]
    return m.DERCurveType(
        xUnit=unit,
        yUnit=_Unit.var,
        CurveDataPoints=m.CurveDataPointsListType(CurveDataPoint=points),
        PT1ResponseReactivePower=curve.response_time is not None,
        StepResponseTimeConstantReactivePower=rational(curve.response_time or 0.0),
    )


def _y_value(value: float, *, power_factor: bool) -> m.SetpointExcitationType:
    kinds = m.powerFactorExcitationType
    excitation = (kinds.OverExcited if value >= 0 else kinds.UnderExcited) if power_factor else None
    return m.SetpointExcitationType(
        SetpointValue=rational(abs(value) if power_factor else value), Excitation=excitation
    )


def nominal_W(facts: ChargerFacts) -> float:
    """Return the greatest power from the car that the charger is made for."""
    most = facts.iso20.ac_maximum
    return 0.0 if most is None or most.discharge_power is None else most.discharge_power.total


def var(value: float, unit: DERUnit, facts: ChargerFacts) -> float:
    """Return a reactive power in var: percent of the greatest reactive or active power."""
    parameters = facts.iso20.ac_parameters
    most_var = (parameters.evse_max_reactive_power if parameters else None) or nominal_W(facts)
    of_power = unit in (DERUnit.PctMaxW, DERUnit.PctWAvail)
    return value / 100.0 * (nominal_W(facts) if of_power else most_var)


def set_points(facts: ChargerFacts, negotiated: int) -> dict[str, Any]:
    """Return the set points of a response of the charge loop: those of functions that were negotiated."""
    directives, fields = facts.iso20.directives, dict[str, Any]()
    limit = _first(directives, _Type.LimitMaxDischarge)
    if limit is not None and limit.limit_max_discharge is not None:
        percent = limit.limit_max_discharge.pct_max_discharge_power
        if percent is not None:
            fields["DSOMaximumDischargePower"] = maximum(percent / 100.0 * nominal_W(facts))
    fixed_var = _first(directives, _Type.FixedVar)
    target = facts.iso20.ac_target
    reactive_var = None
    if fixed_var is not None and fixed_var.fixed_var is not None:
        reactive_var = var(fixed_var.fixed_var.setpoint, fixed_var.fixed_var.unit, facts)
    elif target is not None and target.target_reactive_power is not None:
        reactive_var = target.target_reactive_power.total
    if reactive_var is not None and negotiated & Function.DSOQSetpoint:
        fields["DSOQSetpoint"] = m.DSOQSetpointType(
            DSOQSetpointValue=rational(reactive_var),
            PT1ResponseReactivePower=False,
            StepResponseTimeConstantReactivePower=rational(0),
        )
    factor = _first(directives, _Type.FixedPFInject)
    if factor is not None and factor.fixed_pf is not None and negotiated & Function.DSOCosPhiSetpoint:
        kinds = m.powerFactorExcitationType
        fields["DSOCosPhiSetpoint"] = m.DSOCosPhiSetpointType(
            DSOCosPhiSetpointValue=rational(factor.fixed_pf.displacement),
            Excitation=kinds.OverExcited if factor.fixed_pf.excitation else kinds.UnderExcited,
            PT1ResponseReactivePower=False,
            StepResponseTimeConstantReactivePower=rational(0),
        )
    return fields
