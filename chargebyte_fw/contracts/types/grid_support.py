"""DER directives (ISO 15118-20 AMD1 / OCPP 2.1). EVerest type file `grid_support`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class DirectiveType(StrEnum):
    """EVerest enumeration `DirectiveType`."""

    EnterService = "EnterService"
    FreqDroop = "FreqDroop"
    FreqWatt = "FreqWatt"
    FixedPFAbsorb = "FixedPFAbsorb"
    FixedPFInject = "FixedPFInject"
    FixedVar = "FixedVar"
    Gradients = "Gradients"
    HFMustTrip = "HFMustTrip"
    HFMayTrip = "HFMayTrip"
    HVMustTrip = "HVMustTrip"
    HVMomCess = "HVMomCess"
    HVMayTrip = "HVMayTrip"
    LimitMaxDischarge = "LimitMaxDischarge"
    LFMustTrip = "LFMustTrip"
    LVMustTrip = "LVMustTrip"
    LVMomCess = "LVMomCess"
    LVMayTrip = "LVMayTrip"
    PowerMonitoringMustTrip = "PowerMonitoringMustTrip"
    VoltVar = "VoltVar"
    VoltWatt = "VoltWatt"
    WattPF = "WattPF"
    WattVar = "WattVar"
    ZeroCurrent = "ZeroCurrent"
    OvervoltageFaultRideThrough = "OvervoltageFaultRideThrough"
    UndervoltageFaultRideThrough = "UndervoltageFaultRideThrough"
    DSOQSetpoint = "DSOQSetpoint"
    DSOCosPhiSetpoint = "DSOCosPhiSetpoint"
    MaximumLevelDCInjection = "MaximumLevelDCInjection"


class DERUnit(StrEnum):
    """EVerest enumeration `DERUnit`."""

    Not_Applicable = "Not_Applicable"
    PctMaxW = "PctMaxW"
    PctMaxVar = "PctMaxVar"
    PctWAvail = "PctWAvail"
    PctVarAvail = "PctVarAvail"
    PctEffectiveV = "PctEffectiveV"


class PowerDuringCessation(StrEnum):
    """EVerest enumeration `PowerDuringCessation`."""

    Active = "Active"
    Reactive = "Reactive"


class GridEventFault(StrEnum):
    """EVerest enumeration `GridEventFault`."""

    CurrentImbalance = "CurrentImbalance"
    LocalEmergency = "LocalEmergency"
    LowInputPower = "LowInputPower"
    OverCurrent = "OverCurrent"
    OverFrequency = "OverFrequency"
    OverVoltage = "OverVoltage"
    PhaseRotation = "PhaseRotation"
    RemoteEmergency = "RemoteEmergency"
    UnderFrequency = "UnderFrequency"
    UnderVoltage = "UnderVoltage"
    VoltageImbalance = "VoltageImbalance"


class DERCurvePoint(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.DERCurvePoint`."""

    x: float
    y: float


class Hysteresis(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.Hysteresis`."""

    hysteresis_high: float | None = None
    hysteresis_low: float | None = None
    hysteresis_delay: float | None = None
    hysteresis_gradient: float | None = None


class ReactivePowerParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.ReactivePowerParams`."""

    v_ref: float | None = None
    autonomous_v_ref_enable: bool | None = None
    autonomous_v_ref_time_constant: float | None = None


class VoltageParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.VoltageParams`."""

    hv_10min_mean_value: float | None = None
    hv_10min_mean_trip_delay: float | None = None
    power_during_cessation: PowerDuringCessation | None = None


class DERCurve(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.DERCurve`."""

    curve_data: list[DERCurvePoint]
    y_unit: DERUnit
    hysteresis: Hysteresis | None = None
    reactive_power_params: ReactivePowerParams | None = None
    voltage_params: VoltageParams | None = None
    response_time: float | None = None
    """S."""


class EnterServiceParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.EnterServiceParams`."""

    high_voltage: float
    """V."""
    low_voltage: float
    """V."""
    high_freq: float
    """Hz."""
    low_freq: float
    """Hz."""
    delay: float | None = None
    """S."""
    random_delay: float | None = None
    """S."""
    ramp_rate: float | None = None
    """%/s of nameplate power."""


class FixedPFParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.FixedPFParams`."""

    displacement: float
    """Cos φ 0..1."""
    excitation: bool
    """True = over-excited."""


class FixedVarParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.FixedVarParams`."""

    setpoint: float
    unit: DERUnit


class FreqDroopParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.FreqDroopParams`."""

    over_freq: float
    """Hz."""
    under_freq: float
    """Hz."""
    over_droop: float
    """%."""
    under_droop: float
    """%."""
    response_time: float
    """S."""


class GradientParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.GradientParams`."""

    gradient: float
    """S."""
    soft_gradient: float
    """S."""


class LimitMaxDischargeParams(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.LimitMaxDischargeParams`."""

    pct_max_discharge_power: float | None = None
    """% of nameplate."""
    power_monitoring_must_trip: DERCurve | None = None


class Directive(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Exactly one payload field by directive_type: EnterService→enter_service; FreqDroop→freq_droop;
    FixedPFAbsorb/FixedPFInject→fixed_pf; FixedVar→fixed_var; Gradients→gradient;
    LimitMaxDischarge→limit_max_discharge; FreqWatt, VoltWatt, VoltVar, WattPF, WattVar, *MustTrip, *MayTrip,
    *MomCess→curve; ZeroCurrent, the two FaultRideThrough kinds, DSOQSetpoint, DSOCosPhiSetpoint,
    MaximumLevelDCInjection→no payload.
    """

    id: str
    directive_type: DirectiveType
    priority: int
    """Lower wins."""
    is_default: bool
    source: str
    """Producing protocol."""
    received_at: str
    start_time: str | None = None
    duration_s: int | None = None
    """S."""
    randomize_start_s: int | None = None
    """S."""
    curve: DERCurve | None = None
    enter_service: EnterServiceParams | None = None
    freq_droop: FreqDroopParams | None = None
    fixed_pf: FixedPFParams | None = None
    fixed_var: FixedVarParams | None = None
    gradient: GradientParams | None = None
    limit_max_discharge: LimitMaxDischargeParams | None = None


class ActiveDirectiveSet(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.ActiveDirectiveSet`."""

    evse_id: Annotated[int, Meta(ge=0)]
    directives: list[Directive]
    """Complete replacement; [] clears."""


class SetDirectivesResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.SetDirectivesResponse`."""

    accepted: bool
    reason: str | None = None


class NameplateRating(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.NameplateRating`."""

    max_w_W: float
    """W."""
    max_va_VA: float
    """VA."""
    v_nom_V: float
    """V."""
    max_var_over_excited_var: float | None = None
    max_var_under_excited_var: float | None = None
    max_charge_w_W: float | None = None
    max_discharge_w_W: float | None = None
    max_a_A: float | None = None
    max_wh_Wh: float | None = None
    max_ah_Ah: float | None = None
    min_pf_over_excited: float | None = None
    min_pf_under_excited: float | None = None


class ACCapability(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.ACCapability`."""

    phase_count: Annotated[int, Meta(ge=1, le=3)]
    grid_frequency_Hz: float | None = None


class DeviceInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.DeviceInfo`."""

    manufacturer: str | None = None
    model: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    serial: str | None = None


class DCCapability(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.DCCapability`."""

    device_info: DeviceInfo | None = None
    over_excited_pf: float | None = None
    under_excited_pf: float | None = None
    over_excited_w: float | None = None
    under_excited_w: float | None = None
    reactive_susceptance: float | None = None


class DERCapability(msgspec.Struct, kw_only=True, omit_defaults=True):
    """At least one of ac / dc present."""

    supported_types: list[DirectiveType]
    nameplate: NameplateRating
    ac: ACCapability | None = None
    dc: DCCapability | None = None


class EVSECapability(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.EVSECapability`."""

    evse_id: Annotated[int, Meta(ge=0)]
    capability: DERCapability


class GridAlarm(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `grid_support.GridAlarm`."""

    fault: GridEventFault
    alarm_ended: bool
    """True clears the alarm with same (directive_type, fault)."""
    timestamp: str
    directive_type: DirectiveType | None = None
    extra_info: str | None = None
