"""DER controls as directives of EVerest's `grid_support`, and as the reports of OCPP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chargebyte_fw.contracts.types import grid_support as grid
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.der.controls import FIELDS, Control
from chargebyte_fw.modules.ocpp.messages.v2 import der_control as wire

SOURCE = "OCPP2.1"


def to_directive(control: Control) -> grid.Directive:
    """Return a control as a directive."""
    request, start = control.request, control.starts_at
    duration_s = getattr(control.content, "duration_s", None)
    return grid.Directive(
        id=request.control_id,
        directive_type=grid.DirectiveType(request.control_type.value),
        priority=control.priority,
        is_default=request.is_default,
        source=SOURCE,
        received_at=rfc3339(control.received_at),
        start_time=None if start is None else rfc3339(start),
        duration_s=None if duration_s is None else round(duration_s),
        **_payload(request),
    )


def _payload(request: wire.SetDERControlRequest) -> dict[str, Any]:
    if request.curve is not None:
        return {"curve": _curve(request.curve)}
    if request.enter_service is not None:
        one = request.enter_service
        return {
            "enter_service": grid.EnterServiceParams(
                high_voltage=one.high_voltage,
                low_voltage=one.low_voltage,
                high_freq=one.high_freq_Hz,
                low_freq=one.low_freq_Hz,
                delay=one.delay_s,
                random_delay=one.random_delay_s,
                ramp_rate=one.ramp_rate_s,
            )
        }
    fixed_pf = request.fixed_pf_absorb or request.fixed_pf_inject
    if fixed_pf is not None:
        return {"fixed_pf": grid.FixedPFParams(displacement=fixed_pf.displacement, excitation=fixed_pf.excitation)}
    if request.fixed_var is not None:
        unit = grid.DERUnit(request.fixed_var.unit.value)
        return {"fixed_var": grid.FixedVarParams(setpoint=request.fixed_var.setpoint, unit=unit)}
    if request.freq_droop is not None:
        droop = request.freq_droop
        return {
            "freq_droop": grid.FreqDroopParams(
                over_freq=droop.over_freq_Hz,
                under_freq=droop.under_freq_Hz,
                over_droop=droop.over_droop,
                under_droop=droop.under_droop,
                response_time=droop.response_time_s,
            )
        }
    if request.gradient is not None:
        gradient = request.gradient
        return {"gradient": grid.GradientParams(gradient=gradient.gradient_s, soft_gradient=gradient.soft_gradient_s)}
    assert request.limit_max_discharge is not None
    limit = request.limit_max_discharge
    trip = limit.power_monitoring_must_trip
    return {
        "limit_max_discharge": grid.LimitMaxDischargeParams(
            pct_max_discharge_power=limit.pct_max_discharge_power,
            power_monitoring_must_trip=None if trip is None else _curve(trip),
        )
    }


def _curve(curve: wire.DERCurveType) -> grid.DERCurve:
    hysteresis, reactive, voltage = curve.hysteresis, curve.reactive_power_params, curve.voltage_params
    cessation = None if voltage is None else voltage.power_during_cessation
    return grid.DERCurve(
        curve_data=[grid.DERCurvePoint(x=point.x, y=point.y) for point in curve.curve_data],
        y_unit=grid.DERUnit(curve.y_unit.value),
        hysteresis=None
        if hysteresis is None
        else grid.Hysteresis(
            hysteresis_high=hysteresis.hysteresis_high,
            hysteresis_low=hysteresis.hysteresis_low,
            hysteresis_delay=hysteresis.hysteresis_delay_s,
            hysteresis_gradient=hysteresis.hysteresis_gradient,
        ),
        reactive_power_params=None
        if reactive is None
        else grid.ReactivePowerParams(
            v_ref=reactive.vref_percent,
            autonomous_v_ref_enable=reactive.autonomous_vref_enable,
            autonomous_v_ref_time_constant=reactive.autonomous_vref_time_constant_s,
        ),
        voltage_params=None
        if voltage is None
        else grid.VoltageParams(
            hv_10min_mean_value=voltage.hv10_min_mean_value,
            hv_10min_mean_trip_delay=voltage.hv10_min_mean_trip_delay_s,
            power_during_cessation=None if cessation is None else grid.PowerDuringCessation(cessation.value),
        ),
        response_time=curve.response_time_s,
    )


def to_report(request_id: int, controls: Iterable[Control], *, tbc: bool) -> wire.ReportDERControlRequest:
    """Return one ReportDERControl of controls."""
    found: dict[str, Any] = {}
    for control in controls:
        request = control.request
        name = next(one for one in FIELDS if getattr(request, one) is not None)
        state: dict[str, Any] = {"is_default": request.is_default, "is_superseded": control.superseded}
        item: Any
        if name == "curve":
            item = wire.DERCurveGetType(curve=control.content, id=control.id, curve_type=request.control_type, **state)
        elif name == "enter_service":
            item = wire.EnterServiceGetType(enter_service=control.content, id=control.id)
        elif name in ("fixed_pf_absorb", "fixed_pf_inject"):
            item = wire.FixedPFGetType(fixed_pf=control.content, id=control.id, **state)
        elif name == "fixed_var":
            item = wire.FixedVarGetType(fixed_var=control.content, id=control.id, **state)
        elif name == "freq_droop":
            item = wire.FreqDroopGetType(freq_droop=control.content, id=control.id, **state)
        elif name == "gradient":
            item = wire.GradientGetType(gradient=control.content, id=control.id)
        else:
            item = wire.LimitMaxDischargeGetType(limit_max_discharge=control.content, id=control.id, **state)
        found.setdefault(name, []).append(item)
    return wire.ReportDERControlRequest(request_id=request_id, tbc=tbc or None, **found)
