"""ISO 15118-20 amendment 1, SAE J3072: grid functions, curves and inverter data (data types of `iso20_ac_der_sae`)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages.iso20_types import RationalNumberType
from chargebyte_fw.modules.v2g.messages.model import Coding, Occurs, Type, xs_boolean, xs_unsignedInt, xs_unsignedShort

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-SAE"


class DerSaeType(Type):
    """Base of what the namespace declares."""

    namespace = NAMESPACE


class derConnectionStatusType(StrEnum):
    Disconnected = "Disconnected"
    Connected = "Connected"


class derOperationalStateType(StrEnum):
    On = "On"
    Off = "Off"


class derUnitType(StrEnum):
    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"
    PercentageEVMaximumConfiguredActivePower = "PercentageEVMaximumConfiguredActivePower"
    PercentageEVMaximumConfiguredReactivePower = "PercentageEVMaximumConfiguredReactivePower"
    PercentageEVMaximumConfiguredApparentPower = "PercentageEVMaximumConfiguredApparentPower"
    PercentageEVMaximumAvailableActivePower = "PercentageEVMaximumAvailableActivePower"
    PercentageEVMaximumAvailableReactivePower = "PercentageEVMaximumAvailableReactivePower"
    PercentageV = "PercentageV"


class gridConnectionModeType(StrEnum):
    GridConnected = "GridConnected"
    GridIslanded = "GridIslanded"


class ieee1547AbnormalCategoryType(StrEnum):
    CategoryI = "CategoryI"
    CategoryII = "CategoryII"
    CategoryIII = "CategoryIII"


class ieee1547NormalCategoryType(StrEnum):
    CategoryA = "CategoryA"
    CategoryB = "CategoryB"


class powerFactorExcitationType(StrEnum):
    OverExcited = "OverExcited"
    UnderExcited = "UnderExcited"


class powerReferenceType(StrEnum):
    MaximumActivePower = "MaximumActivePower"
    MomentaryPower = "MomentaryPower"


class requiredDEROperatingModeType(StrEnum):
    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


evInverterHwVersionType = Annotated[str, Coding("string", longest=32)]
evInverterManufacturerType = Annotated[str, Coding("string", longest=32)]
evInverterModelType = Annotated[str, Coding("string", longest=32)]
evInverterSerialNumberType = Annotated[str, Coding("string", longest=32)]
evInverterSwVersionType = Annotated[str, Coding("string", longest=32)]


class EVApparentPowerType(DerSaeType, kw_only=True):
    EVMaximumApparentPowerDuringChargingAndVarAbsorption: RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: RationalNumberType | None = None


class EVReactivePowerType(DerSaeType, kw_only=True):
    EVMaximumVarAbsorptionDuringCharging: RationalNumberType
    EVMaximumVarAbsorptionDuringCharging_L2: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging: RationalNumberType
    EVMaximumVarInjectionDuringCharging_L2: RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging_L3: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L2: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L3: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging: RationalNumberType
    EVMaximumVarAbsorptionDuringDischarging_L2: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging: RationalNumberType
    EVMaximumVarInjectionDuringDischarging_L2: RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging_L3: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L2: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L3: RationalNumberType | None = None


class EVExcitationType(DerSaeType, kw_only=True):
    EVSpecifiedOverExcitedPowerFactor: RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L2: RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower: RationalNumberType
    EVSpecifiedOverExcitedDischargePower_L2: RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower_L3: RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor: RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L2: RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower: RationalNumberType
    EVSpecifiedUnderExcitedDischargePower_L2: RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: RationalNumberType | None = None


class DataTupleType(DerSaeType, kw_only=True):
    xValue: RationalNumberType
    yValue: RationalNumberType


class CurveDataPointsListType(DerSaeType, kw_only=True):
    CurveDataPoint: Annotated[list[DataTupleType], Occurs(2, 10)]


class DERCurveType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None


class VoltageTripType(DerSaeType, kw_only=True):
    OverVoltageMustTripCurve: DERCurveType
    UnderVoltageMustTripCurve: DERCurveType
    OverVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    UnderVoltageMomentaryCessationTripCurve: DERCurveType | None = None
    OverVoltageMayTripCurve: DERCurveType | None = None
    UnderVoltageMayTripCurve: DERCurveType | None = None


class FrequencyTripType(DerSaeType, kw_only=True):
    OverFrequencyMustTripCurve: DERCurveType
    UnderFrequencyMustTripCurve: DERCurveType
    OverFrequencyMayTripCurve: DERCurveType | None = None
    UnderFrequencyMayTripCurve: DERCurveType | None = None


class EnterServiceCLResType(DerSaeType, kw_only=True):
    PermitService: xs_boolean
    EnterServiceVoltageHigh: RationalNumberType | None = None
    EnterServiceVoltageLow: RationalNumberType | None = None
    EnterServiceFrequencyHigh: RationalNumberType | None = None
    EnterServiceFrequencyLow: RationalNumberType | None = None
    EnterServiceDelay: RationalNumberType | None = None
    EnterServiceRandomizedDelay: RationalNumberType | None = None
    EnterServiceRampTime: RationalNumberType | None = None


class ConstantPowerFactorType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    PowerFactorValue: RationalNumberType
    PowerFactorValue_L2: RationalNumberType | None = None
    PowerFactorValue_L3: RationalNumberType | None = None
    PowerFactorExcitation: powerFactorExcitationType
    PowerFactorExcitation_L2: powerFactorExcitationType | None = None
    PowerFactorExcitation_L3: powerFactorExcitationType | None = None


class VoltVarType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: RationalNumberType
    TimeConstantPT1: xs_unsignedInt | None = None
    ReferenceVoltage: RationalNumberType
    AutonomousReferenceVoltageAdjustmentEnable: xs_boolean
    ReferenceVoltageAdjustmentTimeConstant: xs_unsignedInt


class WattVarType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: RationalNumberType | None = None
    TimeConstantPT1: xs_unsignedInt | None = None


class ConstantVarType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    VarSetpoint: RationalNumberType
    VarSetpoint_L2: RationalNumberType | None = None
    VarSetpoint_L3: RationalNumberType | None = None
    Unit: derUnitType


class ReactivePowerSupportCLResType(DerSaeType, kw_only=True):
    ConstantPowerFactor: ConstantPowerFactorType | None = None
    VoltVar: VoltVarType | None = None
    WattVar: WattVarType | None = None
    ConstantVar: ConstantVarType | None = None


class FrequencyDroopSettingsType(DerSaeType, kw_only=True):
    db: RationalNumberType
    DroopFactor: RationalNumberType
    DroopFactor_L2: RationalNumberType | None = None
    DroopFactor_L3: RationalNumberType | None = None
    PowerReference: powerReferenceType
    PowerReference_L2: powerReferenceType | None = None
    PowerReference_L3: powerReferenceType | None = None
    OpenLoopResponseTime: RationalNumberType


class FrequencyDroopType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    OverFrequencyDroop: FrequencyDroopSettingsType | None = None
    UnderFrequencyDroop: FrequencyDroopSettingsType | None = None


class VoltWattType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    xUnit: derUnitType
    yUnit: derUnitType
    CurveDataPoints: CurveDataPointsListType
    CurveDataPoints_L2: CurveDataPointsListType | None = None
    CurveDataPoints_L3: CurveDataPointsListType | None = None
    OpenLoopResponseTime: RationalNumberType
    TimeConstantPT1: xs_unsignedInt | None = None


class ConstantWattType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    WattSetpoint: RationalNumberType
    WattSetpoint_L2: RationalNumberType | None = None
    WattSetpoint_L3: RationalNumberType | None = None
    Unit: derUnitType


class LimitMaxDischargePowerType(DerSaeType, kw_only=True):
    Enable: xs_boolean
    Priority: xs_unsignedShort | None = None
    PercentageValue: xs_unsignedShort
    PercentageValue_L2: xs_unsignedShort | None = None
    PercentageValue_L3: xs_unsignedShort | None = None
    OpenLoopResponseTime: RationalNumberType | None = None


class ActivePowerSupportCLResType(DerSaeType, kw_only=True):
    FrequencyDroop: FrequencyDroopType | None = None
    VoltWatt: VoltWattType | None = None
    ConstantWatt: ConstantWattType | None = None
    LimitMaxDischargePower: LimitMaxDischargePowerType | None = None


class DERControlCLResType(DerSaeType, kw_only=True):
    VoltageTrip: VoltageTripType | None = None
    FrequencyTrip: FrequencyTripType | None = None
    EnterServiceCLRes: EnterServiceCLResType
    ReactivePowerSupportCLRes: ReactivePowerSupportCLResType | None = None
    ActivePowerSupportCLRes: ActivePowerSupportCLResType | None = None


class EVApparentPowerLimitsType(DerSaeType, kw_only=True):
    EVMaximumApparentPowerDuringChargingAndVarAbsorption: RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarAbsorption_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection: RationalNumberType
    EVMaximumApparentPowerDuringChargingAndVarInjection_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringChargingAndVarInjection_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption: RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarAbsorption_L3: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection: RationalNumberType
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L2: RationalNumberType | None = None
    EVMaximumApparentPowerDuringDischargingAndVarInjection_L3: RationalNumberType | None = None


class EVReactivePowerLimitsType(DerSaeType, kw_only=True):
    EVMaximumVarAbsorptionDuringCharging: RationalNumberType
    EVMaximumVarAbsorptionDuringCharging_L2: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringCharging_L3: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L2: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringCharging_L3: RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging: RationalNumberType
    EVMaximumVarInjectionDuringCharging_L2: RationalNumberType | None = None
    EVMaximumVarInjectionDuringCharging_L3: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L2: RationalNumberType | None = None
    EVMinimumVarInjectionDuringCharging_L3: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging: RationalNumberType
    EVMaximumVarAbsorptionDuringDischarging_L2: RationalNumberType | None = None
    EVMaximumVarAbsorptionDuringDischarging_L3: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L2: RationalNumberType | None = None
    EVMinimumVarAbsorptionDuringDischarging_L3: RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging: RationalNumberType
    EVMaximumVarInjectionDuringDischarging_L2: RationalNumberType | None = None
    EVMaximumVarInjectionDuringDischarging_L3: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L2: RationalNumberType | None = None
    EVMinimumVarInjectionDuringDischarging_L3: RationalNumberType | None = None
    EVReactiveSusceptance: RationalNumberType
    EVReactiveSusceptance_L2: RationalNumberType | None = None
    EVReactiveSusceptance_L3: RationalNumberType | None = None


class EVExcitationLimitsType(DerSaeType, kw_only=True):
    EVSpecifiedOverExcitedPowerFactor: RationalNumberType
    EVSpecifiedOverExcitedPowerFactor_L2: RationalNumberType | None = None
    EVSpecifiedOverExcitedPowerFactor_L3: RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower: RationalNumberType
    EVSpecifiedOverExcitedDischargePower_L2: RationalNumberType | None = None
    EVSpecifiedOverExcitedDischargePower_L3: RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor: RationalNumberType
    EVSpecifiedUnderExcitedPowerFactor_L2: RationalNumberType | None = None
    EVSpecifiedUnderExcitedPowerFactor_L3: RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower: RationalNumberType
    EVSpecifiedUnderExcitedDischargePower_L2: RationalNumberType | None = None
    EVSpecifiedUnderExcitedDischargePower_L3: RationalNumberType | None = None


class EVInverterDetailsType(DerSaeType, kw_only=True):
    EVInverterSwVersion: evInverterSwVersionType
    EVInverterHwVersion: evInverterHwVersionType | None = None
    EVInverterManufacturer: evInverterManufacturerType
    EVInverterModel: evInverterModelType
    EVInverterSerialNumber: evInverterSerialNumberType


class EnterServiceCPDResType(DerSaeType, kw_only=True):
    PermitService: xs_boolean
    EnterServiceVoltageHigh: RationalNumberType
    EnterServiceVoltageLow: RationalNumberType
    EnterServiceFrequencyHigh: RationalNumberType
    EnterServiceFrequencyLow: RationalNumberType
    EnterServiceDelay: RationalNumberType | None = None
    EnterServiceRandomizedDelay: RationalNumberType | None = None
    EnterServiceRampTime: RationalNumberType | None = None


class ReactivePowerSupportCPDResType(DerSaeType, kw_only=True):
    ConstantPowerFactor: ConstantPowerFactorType
    VoltVar: VoltVarType
    WattVar: WattVarType
    ConstantVar: ConstantVarType


class ActivePowerSupportCPDResType(DerSaeType, kw_only=True):
    FrequencyDroop: FrequencyDroopType
    VoltWatt: VoltWattType
    ConstantWatt: ConstantWattType
    LimitMaxDischargePower: LimitMaxDischargePowerType


class DERControlCPDResType(DerSaeType, kw_only=True):
    VoltageTrip: VoltageTripType
    FrequencyTrip: FrequencyTripType
    EnterServiceCPDRes: EnterServiceCPDResType
    ReactivePowerSupportCPDRes: ReactivePowerSupportCPDResType
    ActivePowerSupportCPDRes: ActivePowerSupportCPDResType


class EVSEReactivePowerLimitsType(DerSaeType, kw_only=True):
    EVSEMaximumVarAbsorptionDuringCharging: RationalNumberType
    EVSEMaximumVarAbsorptionDuringCharging_L2: RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringCharging_L3: RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringCharging: RationalNumberType
    EVSEMaximumVarInjectionDuringCharging_L2: RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringCharging_L3: RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringDischarging: RationalNumberType
    EVSEMaximumVarAbsorptionDuringDischarging_L2: RationalNumberType | None = None
    EVSEMaximumVarAbsorptionDuringDischarging_L3: RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringDischarging: RationalNumberType
    EVSEMaximumVarInjectionDuringDischarging_L2: RationalNumberType | None = None
    EVSEMaximumVarInjectionDuringDischarging_L3: RationalNumberType | None = None


class GridLimitsType(DerSaeType, kw_only=True):
    GridNominalFrequency: RationalNumberType
    GridNominalVoltage: RationalNumberType
    GridNominalVoltageOffset: RationalNumberType
    GridMinFrequency: RationalNumberType | None = None
    GridMaxFrequency: RationalNumberType | None = None
    GridMaximumVoltage: RationalNumberType
    GridMinimumVoltage: RationalNumberType
