"""Control of distributed energy resources (OCPP 2.1 part 2, block R)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType


class DERControlStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotSupported = "NotSupported"
    NotFound = "NotFound"


class DERUnitEnumType(StrEnum):
    Not_Applicable = "Not_Applicable"
    PctMaxW = "PctMaxW"
    PctMaxVar = "PctMaxVar"
    PctWAvail = "PctWAvail"
    PctVarAvail = "PctVarAvail"
    PctEffectiveV = "PctEffectiveV"


class GridEventFaultEnumType(StrEnum):
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


class PowerDuringCessationEnumType(StrEnum):
    Active = "Active"
    Reactive = "Reactive"


class DERCurvePointsType(V2Type, kw_only=True):
    x: float
    y: float


class HysteresisType(V2Type, kw_only=True):
    hysteresis_high: float | None = field(name="hysteresisHigh", default=None)
    hysteresis_low: float | None = field(name="hysteresisLow", default=None)
    hysteresis_delay_s: float | None = field(name="hysteresisDelay", default=None)
    hysteresis_gradient: float | None = field(name="hysteresisGradient", default=None)


class ReactivePowerParamsType(V2Type, kw_only=True):
    vref_percent: float | None = field(name="vRef", default=None)
    autonomous_vref_enable: bool | None = field(name="autonomousVRefEnable", default=None)
    autonomous_vref_time_constant_s: float | None = field(name="autonomousVRefTimeConstant", default=None)


class VoltageParamsType(V2Type, kw_only=True):
    hv10_min_mean_value: float | None = field(name="hv10MinMeanValue", default=None)
    hv10_min_mean_trip_delay_s: float | None = field(name="hv10MinMeanTripDelay", default=None)
    power_during_cessation: PowerDuringCessationEnumType | None = field(name="powerDuringCessation", default=None)


class DERCurveType(V2Type, kw_only=True):
    curve_data: Annotated[list[DERCurvePointsType], Items(1, 10)] = field(name="curveData")
    priority: Annotated[int, Range(0)]
    y_unit: DERUnitEnumType = field(name="yUnit")
    hysteresis: HysteresisType | None = None
    reactive_power_params: ReactivePowerParamsType | None = field(name="reactivePowerParams", default=None)
    voltage_params: VoltageParamsType | None = field(name="voltageParams", default=None)
    response_time_s: float | None = field(name="responseTime", default=None)
    start_time: datetime | None = field(name="startTime", default=None)
    duration_s: float | None = field(name="duration", default=None)


class DERCurveGetType(V2Type, kw_only=True):
    curve: DERCurveType
    id: Annotated[str, Text(36)]
    curve_type: DERControlEnumType = field(name="curveType")
    is_default: bool = field(name="isDefault")
    is_superseded: bool = field(name="isSuperseded")


class EnterServiceType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    high_voltage: float = field(name="highVoltage")
    low_voltage: float = field(name="lowVoltage")
    high_freq_Hz: float = field(name="highFreq")
    low_freq_Hz: float = field(name="lowFreq")
    delay_s: float | None = field(name="delay", default=None)
    random_delay_s: float | None = field(name="randomDelay", default=None)
    ramp_rate_s: float | None = field(name="rampRate", default=None)


class EnterServiceGetType(V2Type, kw_only=True):
    enter_service: EnterServiceType = field(name="enterService")
    id: Annotated[str, Text(36)]


class FixedPFType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    displacement: float
    excitation: bool
    start_time: datetime | None = field(name="startTime", default=None)
    duration_s: float | None = field(name="duration", default=None)


class FixedPFGetType(V2Type, kw_only=True):
    fixed_pf: FixedPFType = field(name="fixedPF")
    id: Annotated[str, Text(36)]
    is_default: bool = field(name="isDefault")
    is_superseded: bool = field(name="isSuperseded")


class FixedVarType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    setpoint: float
    unit: DERUnitEnumType
    start_time: datetime | None = field(name="startTime", default=None)
    duration_s: float | None = field(name="duration", default=None)


class FixedVarGetType(V2Type, kw_only=True):
    fixed_var: FixedVarType = field(name="fixedVar")
    id: Annotated[str, Text(36)]
    is_default: bool = field(name="isDefault")
    is_superseded: bool = field(name="isSuperseded")


class FreqDroopType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    over_freq_Hz: float = field(name="overFreq")
    under_freq_Hz: float = field(name="underFreq")
    over_droop: float = field(name="overDroop")
    under_droop: float = field(name="underDroop")
    response_time_s: float = field(name="responseTime")
    start_time: datetime | None = field(name="startTime", default=None)
    duration_s: float | None = field(name="duration", default=None)


class FreqDroopGetType(V2Type, kw_only=True):
    freq_droop: FreqDroopType = field(name="freqDroop")
    id: Annotated[str, Text(36)]
    is_default: bool = field(name="isDefault")
    is_superseded: bool = field(name="isSuperseded")


class GradientType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    gradient_s: float = field(name="gradient")
    soft_gradient_s: float = field(name="softGradient")


class GradientGetType(V2Type, kw_only=True):
    gradient: GradientType
    id: Annotated[str, Text(36)]


class LimitMaxDischargeType(V2Type, kw_only=True):
    priority: Annotated[int, Range(0)]
    pct_max_discharge_power: float | None = field(name="pctMaxDischargePower", default=None)
    power_monitoring_must_trip: DERCurveType | None = field(name="powerMonitoringMustTrip", default=None)
    start_time: datetime | None = field(name="startTime", default=None)
    duration_s: float | None = field(name="duration", default=None)


class LimitMaxDischargeGetType(V2Type, kw_only=True):
    id: Annotated[str, Text(36)]
    is_default: bool = field(name="isDefault")
    is_superseded: bool = field(name="isSuperseded")
    limit_max_discharge: LimitMaxDischargeType = field(name="limitMaxDischarge")


class SetDERControlRequest(V2Request, kw_only=True):
    is_default: bool = field(name="isDefault")
    control_id: Annotated[str, Text(36, folded=True)] = field(name="controlId")
    control_type: DERControlEnumType = field(name="controlType")
    curve: DERCurveType | None = None
    enter_service: EnterServiceType | None = field(name="enterService", default=None)
    fixed_pf_absorb: FixedPFType | None = field(name="fixedPFAbsorb", default=None)
    fixed_pf_inject: FixedPFType | None = field(name="fixedPFInject", default=None)
    fixed_var: FixedVarType | None = field(name="fixedVar", default=None)
    freq_droop: FreqDroopType | None = field(name="freqDroop", default=None)
    gradient: GradientType | None = None
    limit_max_discharge: LimitMaxDischargeType | None = field(name="limitMaxDischarge", default=None)


class SetDERControlResponse(V2Response, kw_only=True):
    status: DERControlStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    superseded_ids: Annotated[list[Annotated[str, Text(36)]] | None, Items(1, 24)] = field(
        name="supersededIds", default=None
    )


class GetDERControlRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    is_default: bool | None = field(name="isDefault", default=None)
    control_type: DERControlEnumType | None = field(name="controlType", default=None)
    control_id: Annotated[str | None, Text(36, folded=True)] = field(name="controlId", default=None)


class GetDERControlResponse(V2Response, kw_only=True):
    status: DERControlStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ReportDERControlRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    curve: Annotated[list[DERCurveGetType] | None, Items(1, 24)] = None
    enter_service: Annotated[list[EnterServiceGetType] | None, Items(1, 24)] = field(name="enterService", default=None)
    fixed_pf_absorb: Annotated[list[FixedPFGetType] | None, Items(1, 24)] = field(name="fixedPFAbsorb", default=None)
    fixed_pf_inject: Annotated[list[FixedPFGetType] | None, Items(1, 24)] = field(name="fixedPFInject", default=None)
    fixed_var: Annotated[list[FixedVarGetType] | None, Items(1, 24)] = field(name="fixedVar", default=None)
    freq_droop: Annotated[list[FreqDroopGetType] | None, Items(1, 24)] = field(name="freqDroop", default=None)
    gradient: Annotated[list[GradientGetType] | None, Items(1, 24)] = None
    limit_max_discharge: Annotated[list[LimitMaxDischargeGetType] | None, Items(1, 24)] = field(
        name="limitMaxDischarge", default=None
    )
    tbc: bool | None = None


class ReportDERControlResponse(V2Response, kw_only=True):
    pass


class ClearDERControlRequest(V2Request, kw_only=True):
    is_default: bool = field(name="isDefault")
    control_type: DERControlEnumType | None = field(name="controlType", default=None)
    control_id: Annotated[str | None, Text(36, folded=True)] = field(name="controlId", default=None)


class ClearDERControlResponse(V2Response, kw_only=True):
    status: DERControlStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyDERAlarmRequest(V2Request, kw_only=True):
    control_type: DERControlEnumType = field(name="controlType")
    timestamp: datetime
    grid_event_fault: GridEventFaultEnumType | None = field(name="gridEventFault", default=None)
    alarm_ended: bool | None = field(name="alarmEnded", default=None)
    extra_info: Annotated[str | None, Text(200)] = field(name="extraInfo", default=None)


class NotifyDERAlarmResponse(V2Response, kw_only=True):
    pass


class NotifyDERStartStopRequest(V2Request, kw_only=True):
    control_id: Annotated[str, Text(36, folded=True)] = field(name="controlId")
    started: bool
    timestamp: datetime
    superseded_ids: Annotated[list[Annotated[str, Text(36)]] | None, Items(1, 24)] = field(
        name="supersededIds", default=None
    )


class NotifyDERStartStopResponse(V2Response, kw_only=True):
    pass
