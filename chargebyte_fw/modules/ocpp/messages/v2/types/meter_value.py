"""Meter values (OCPP 2.x part 2, block J)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In201, Items, Required, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type


class LocationEnumType(Values):
    Body = "Body"
    Cable = "Cable"
    EV = "EV"
    Inlet = "Inlet"
    Outlet = "Outlet"
    Upstream = "Upstream", SINCE_21


class MeasurandEnumType(Values):
    Current_Export = "Current.Export"
    Current_Import = "Current.Import"
    Current_Offered = "Current.Offered"
    Energy_Active_Export_Register = "Energy.Active.Export.Register"
    Energy_Active_Import_Register = "Energy.Active.Import.Register"
    Energy_Reactive_Export_Register = "Energy.Reactive.Export.Register"
    Energy_Reactive_Import_Register = "Energy.Reactive.Import.Register"
    Energy_Active_Export_Interval = "Energy.Active.Export.Interval"
    Energy_Active_Import_Interval = "Energy.Active.Import.Interval"
    Energy_Active_Net = "Energy.Active.Net"
    Energy_Reactive_Export_Interval = "Energy.Reactive.Export.Interval"
    Energy_Reactive_Import_Interval = "Energy.Reactive.Import.Interval"
    Energy_Reactive_Net = "Energy.Reactive.Net"
    Energy_Apparent_Net = "Energy.Apparent.Net"
    Energy_Apparent_Import = "Energy.Apparent.Import"
    Energy_Apparent_Export = "Energy.Apparent.Export"
    Frequency = "Frequency"
    Power_Active_Export = "Power.Active.Export"
    Power_Active_Import = "Power.Active.Import"
    Power_Factor = "Power.Factor"
    Power_Offered = "Power.Offered"
    Power_Reactive_Export = "Power.Reactive.Export"
    Power_Reactive_Import = "Power.Reactive.Import"
    SoC = "SoC"
    Voltage = "Voltage"
    Current_Export_Offered = "Current.Export.Offered", SINCE_21
    Current_Export_Minimum = "Current.Export.Minimum", SINCE_21
    Current_Import_Offered = "Current.Import.Offered", SINCE_21
    Current_Import_Minimum = "Current.Import.Minimum", SINCE_21
    Display_PresentSOC = "Display.PresentSOC", SINCE_21
    Display_MinimumSOC = "Display.MinimumSOC", SINCE_21
    Display_TargetSOC = "Display.TargetSOC", SINCE_21
    Display_MaximumSOC = "Display.MaximumSOC", SINCE_21
    Display_RemainingTimeToMinimumSOC = "Display.RemainingTimeToMinimumSOC", SINCE_21
    Display_RemainingTimeToTargetSOC = "Display.RemainingTimeToTargetSOC", SINCE_21
    Display_RemainingTimeToMaximumSOC = "Display.RemainingTimeToMaximumSOC", SINCE_21
    Display_ChargingComplete = "Display.ChargingComplete", SINCE_21
    Display_BatteryEnergyCapacity = "Display.BatteryEnergyCapacity", SINCE_21
    Display_InletHot = "Display.InletHot", SINCE_21
    Energy_Active_Import_CableLoss = "Energy.Active.Import.CableLoss", SINCE_21
    Energy_Active_Import_LocalGeneration_Register = "Energy.Active.Import.LocalGeneration.Register", SINCE_21
    Energy_Active_Setpoint_Interval = "Energy.Active.Setpoint.Interval", SINCE_21
    EnergyRequest_Target = "EnergyRequest.Target", SINCE_21
    EnergyRequest_Minimum = "EnergyRequest.Minimum", SINCE_21
    EnergyRequest_Maximum = "EnergyRequest.Maximum", SINCE_21
    EnergyRequest_Minimum_V2X = "EnergyRequest.Minimum.V2X", SINCE_21
    EnergyRequest_Maximum_V2X = "EnergyRequest.Maximum.V2X", SINCE_21
    EnergyRequest_Bulk = "EnergyRequest.Bulk", SINCE_21
    Power_Active_Setpoint = "Power.Active.Setpoint", SINCE_21
    Power_Active_Residual = "Power.Active.Residual", SINCE_21
    Power_Export_Minimum = "Power.Export.Minimum", SINCE_21
    Power_Export_Offered = "Power.Export.Offered", SINCE_21
    Power_Import_Offered = "Power.Import.Offered", SINCE_21
    Power_Import_Minimum = "Power.Import.Minimum", SINCE_21
    Voltage_Minimum = "Voltage.Minimum", SINCE_21
    Voltage_Maximum = "Voltage.Maximum", SINCE_21


class PhaseEnumType(StrEnum):
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    N = "N"
    L1_N = "L1-N"
    L2_N = "L2-N"
    L3_N = "L3-N"
    L1_L2 = "L1-L2"
    L2_L3 = "L2-L3"
    L3_L1 = "L3-L1"


class ReadingContextEnumType(StrEnum):
    Interruption_Begin = "Interruption.Begin"
    Interruption_End = "Interruption.End"
    Other = "Other"
    Sample_Clock = "Sample.Clock"
    Sample_Periodic = "Sample.Periodic"
    Transaction_Begin = "Transaction.Begin"
    Transaction_End = "Transaction.End"
    Trigger = "Trigger"


class SignedMeterValueType(V2Type, kw_only=True):
    signed_meter_data: Annotated[str, Text(32768), In201(Text(2500))] = field(name="signedMeterData")
    encoding_method: Annotated[str, Text(50)] = field(name="encodingMethod")
    signing_method: Annotated[str | None, Text(50), In201(Required())] = field(name="signingMethod", default=None)
    public_key: Annotated[str | None, Text(2500), In201(Required())] = field(name="publicKey", default=None)


class UnitOfMeasureType(V2Type, kw_only=True):
    unit: Annotated[str | None, Text(20)] = None
    multiplier: int | None = None


class SampledValueType(V2Type, kw_only=True):
    value: float
    context: ReadingContextEnumType | None = None
    measurand: MeasurandEnumType | None = None
    phase: PhaseEnumType | None = None
    location: LocationEnumType | None = None
    signed_meter_value: SignedMeterValueType | None = field(name="signedMeterValue", default=None)
    unit_of_measure: UnitOfMeasureType | None = field(name="unitOfMeasure", default=None)


class MeterValueType(V2Type, kw_only=True):
    sampled_value: Annotated[list[SampledValueType], Items(1)] = field(name="sampledValue")
    timestamp: datetime
