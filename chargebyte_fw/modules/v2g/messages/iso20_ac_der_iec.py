"""ISO 15118-20 amendment 1: AC charging as a distributed energy resource under IEC grid codes.

The set repeats the types of `iso20_ac` in its own namespace; they are declared there.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages import iso20_ac, iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_ac import (
    AC_CPDReqEnergyTransferModeType,
    AC_CPDResEnergyTransferModeType,
    BPT_AC_CPDReqEnergyTransferModeType,
    BPT_AC_CPDResEnergyTransferModeType,
    BPT_Dynamic_AC_CLReqControlModeType,
    BPT_Dynamic_AC_CLResControlModeType,
    BPT_Scheduled_AC_CLReqControlModeType,
    BPT_Scheduled_AC_CLResControlModeType,
    Dynamic_AC_CLReqControlModeType,
    Dynamic_AC_CLResControlModeType,
    Scheduled_AC_CLReqControlModeType,
    Scheduled_AC_CLResControlModeType,
)
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    ChargeLoopReqType,
    ChargeLoopResType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    RationalNumberType,
    processingType,
)
from chargebyte_fw.modules.v2g.messages.model import (
    Group,
    Occurs,
    Schema,
    Type,
    choice,
    seq,
    xs_boolean,
    xs_unsignedByte,
    xs_unsignedInt,
    xs_unsignedShort,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:AC-DER-IEC"


class _Message(Type):
    namespace = NAMESPACE


class curveDataPointsUnitType(StrEnum):
    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"


class evOperatingModeType(StrEnum):
    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


class gridConnectionModeType(StrEnum):
    GridConnected = "GridConnected"
    GridIslanded = "GridIslanded"


class lockValueUnitType(StrEnum):
    V = "V"
    Hz = "Hz"
    W = "W"
    s = "s"
    var = "var"


class powerFactorExcitationType(StrEnum):
    OverExcited = "OverExcited"
    UnderExcited = "UnderExcited"


class powerReferenceType(StrEnum):
    MaximumDischargePower = "MaximumDischargePower"
    MomentaryPower = "MomentaryPower"


class DER_Dynamic_AC_CLReqControlModeType(_Message, Dynamic_AC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVMaximumChargeReactivePower: RationalNumberType | None = None
    EVMaximumChargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: RationalNumberType | None = None
    EVMaximumDischargeReactivePower: RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumberType | None = None
    GridEventCondition: xs_unsignedByte
    EVMaximumV2XEnergyRequest: RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumberType | None = None


class DER_Scheduled_AC_CLReqControlModeType(_Message, Scheduled_AC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVMaximumChargeReactivePower: RationalNumberType | None = None
    EVMaximumChargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: RationalNumberType | None = None
    EVMaximumDischargeReactivePower: RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumberType | None = None
    GridEventCondition: xs_unsignedByte


AnyCLReqControlMode = Annotated[
    BPT_Dynamic_AC_CLReqControlModeType
    | BPT_Scheduled_AC_CLReqControlModeType
    | DER_Dynamic_AC_CLReqControlModeType
    | DER_Scheduled_AC_CLReqControlModeType
    | Dynamic_AC_CLReqControlModeType
    | Scheduled_AC_CLReqControlModeType,
    Group(
        "CLReqControlMode",
        BPT_Dynamic_AC_CLReqControlMode=BPT_Dynamic_AC_CLReqControlModeType,
        BPT_Scheduled_AC_CLReqControlMode=BPT_Scheduled_AC_CLReqControlModeType,
        DER_Dynamic_AC_CLReqControlMode=DER_Dynamic_AC_CLReqControlModeType,
        DER_Scheduled_AC_CLReqControlMode=DER_Scheduled_AC_CLReqControlModeType,
        Dynamic_AC_CLReqControlMode=Dynamic_AC_CLReqControlModeType,
        Scheduled_AC_CLReqControlMode=Scheduled_AC_CLReqControlModeType,
    ),
]


class AC_ChargeLoopReq(_Message, ChargeLoopReqType, kw_only=True):
    CLReqControlMode: AnyCLReqControlMode


class DSOQSetpointType(_Message, kw_only=True):
    DSOQSetpointValue: RationalNumberType
    DSOQSetpointValue_L2: RationalNumberType | None = None
    DSOQSetpointValue_L3: RationalNumberType | None = None
    PT1ResponseReactivePower: xs_boolean
    StepResponseTimeConstantReactivePower: RationalNumberType


class DSOCosPhiSetpointType(_Message, kw_only=True):
    DSOCosPhiSetpointValue: RationalNumberType
    DSOCosPhiSetpointValue_L2: RationalNumberType | None = None
    DSOCosPhiSetpointValue_L3: RationalNumberType | None = None
    Excitation: powerFactorExcitationType
    PT1ResponseReactivePower: xs_boolean
    StepResponseTimeConstantReactivePower: RationalNumberType


class DER_Dynamic_AC_CLResControlModeType(_Message, Dynamic_AC_CLResControlModeType, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType
    EVSEMaximumChargePower_L2: RationalNumberType | None = None
    EVSEMaximumChargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    DSOMaximumDischargePower: RationalNumberType | None = None
    DSOMaximumDischargePower_L2: RationalNumberType | None = None
    DSOMaximumDischargePower_L3: RationalNumberType | None = None
    DSOQSetpoint: DSOQSetpointType | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpointType | None = None


class DER_Scheduled_AC_CLResControlModeType(_Message, Scheduled_AC_CLResControlModeType, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType
    EVSEMaximumChargePower_L2: RationalNumberType | None = None
    EVSEMaximumChargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    DSOMaximumDischargePower: RationalNumberType | None = None
    DSOMaximumDischargePower_L2: RationalNumberType | None = None
    DSOMaximumDischargePower_L3: RationalNumberType | None = None
    DSOQSetpoint: DSOQSetpointType | None = None
    DSOCosPhiSetpoint: DSOCosPhiSetpointType | None = None


AnyCLResControlMode = Annotated[
    BPT_Dynamic_AC_CLResControlModeType
    | BPT_Scheduled_AC_CLResControlModeType
    | DER_Dynamic_AC_CLResControlModeType
    | DER_Scheduled_AC_CLResControlModeType
    | Dynamic_AC_CLResControlModeType
    | Scheduled_AC_CLResControlModeType,
    Group(
        "CLResControlMode",
        BPT_Dynamic_AC_CLResControlMode=BPT_Dynamic_AC_CLResControlModeType,
        BPT_Scheduled_AC_CLResControlMode=BPT_Scheduled_AC_CLResControlModeType,
        DER_Dynamic_AC_CLResControlMode=DER_Dynamic_AC_CLResControlModeType,
        DER_Scheduled_AC_CLResControlMode=DER_Scheduled_AC_CLResControlModeType,
        Dynamic_AC_CLResControlMode=Dynamic_AC_CLResControlModeType,
        Scheduled_AC_CLResControlMode=Scheduled_AC_CLResControlModeType,
    ),
]


class AC_ChargeLoopRes(_Message, ChargeLoopResType, kw_only=True):
    EVSETargetFrequency: RationalNumberType | None = None
    CLResControlMode: AnyCLResControlMode


class EVReactivePowerLimitsType(_Message, kw_only=True):
    EVMaximumChargeReactivePower: RationalNumberType
    EVMaximumChargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumChargeReactivePower_L3: RationalNumberType | None = None
    EVMinimumChargeReactivePower: RationalNumberType | None = None
    EVMinimumChargeReactivePower_L2: RationalNumberType | None = None
    EVMinimumChargeReactivePower_L3: RationalNumberType | None = None
    EVMaximumDischargeReactivePower: RationalNumberType
    EVMaximumDischargeReactivePower_L2: RationalNumberType | None = None
    EVMaximumDischargeReactivePower_L3: RationalNumberType | None = None
    EVMinimumDischargeReactivePower: RationalNumberType | None = None
    EVMinimumDischargeReactivePower_L2: RationalNumberType | None = None
    EVMinimumDischargeReactivePower_L3: RationalNumberType | None = None


class DER_AC_CPDReqEnergyTransferModeType(_Message, AC_CPDReqEnergyTransferModeType, kw_only=True):
    EVProcessing: processingType
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumberType | None = None
    EVReactivePowerLimits: EVReactivePowerLimitsType | None = None


AnyAC_CPDReqEnergyTransferMode = Annotated[
    AC_CPDReqEnergyTransferModeType | BPT_AC_CPDReqEnergyTransferModeType | DER_AC_CPDReqEnergyTransferModeType,
    Group(
        "AC_CPDReqEnergyTransferMode",
        AC_CPDReqEnergyTransferMode=AC_CPDReqEnergyTransferModeType,
        BPT_AC_CPDReqEnergyTransferMode=BPT_AC_CPDReqEnergyTransferModeType,
        DER_AC_CPDReqEnergyTransferMode=DER_AC_CPDReqEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryReq(_Message, ChargeParameterDiscoveryReqType, kw_only=True):
    AC_CPDReqEnergyTransferMode: AnyAC_CPDReqEnergyTransferMode


class FaultRideThroughType(_Message, kw_only=True):
    VoltageLimitStartFRT: RationalNumberType
    VoltageLimitStopFRT: RationalNumberType | None = None
    VoltageRecoveryLimit: RationalNumberType | None = None
    VoltageRideThroughPositiveCurveKFactor: RationalNumberType | None = None
    VoltageRideThroughNegativeCurveKFactor: RationalNumberType | None = None
    PT1ResponseActivePower: xs_boolean
    StepResponseTimeConstantActivePower: RationalNumberType
    PT1ResponseReactivePower: xs_boolean
    StepResponseTimeConstantReactivePower: RationalNumberType


class ZeroCurrentType(_Message, kw_only=True):
    OverVoltageLimit: RationalNumberType | None = None
    UnderVoltageLimit: RationalNumberType | None = None
    OverVoltageRecoveryLimit: RationalNumberType | None = None
    UnderVoltageRecoveryLimit: RationalNumberType | None = None
    PT1ResponseActivePower: xs_boolean
    StepResponseTimeConstantActivePower: RationalNumberType
    PT1ResponseReactivePower: xs_boolean
    StepResponseTimeConstantReactivePower: RationalNumberType


class SetpointExcitationType(_Message, kw_only=True):
    SetpointValue: RationalNumberType
    Excitation: powerFactorExcitationType | None = None


class DataTupleType(_Message, kw_only=True):
    xValue: RationalNumberType
    yValue: SetpointExcitationType


class CurveDataPointsListType(_Message, kw_only=True):
    CurveDataPoint: Annotated[list[DataTupleType], Occurs(2, 10)]


class DERCurveType(_Message, kw_only=True):
    xUnit: curveDataPointsUnitType
    yUnit: curveDataPointsUnitType
    CurveDataPoints: CurveDataPointsListType
    MinCosPhi: RationalNumberType | None = None
    LockValueUnit: lockValueUnitType | None = None
    LockInValue: RationalNumberType | None = None
    LockOutValue: RationalNumberType | None = None
    PT1ResponseReactivePower: xs_boolean
    StepResponseTimeConstantReactivePower: RationalNumberType
    IntentionalDelay: RationalNumberType | None = None


class ReactivePowerSupportType(_Message, kw_only=True):
    VoltVar: DERCurveType | None = None
    WattVar: DERCurveType | None = None
    WattCosPhi: DERCurveType | None = None

    model = seq(choice("VoltVar", "WattVar", "WattCosPhi"))


class FrequencyWattType(_Message, kw_only=True):
    Fstart: RationalNumberType
    Fstop: RationalNumberType
    IntentionalDelayFstop: xs_unsignedShort | None = None
    Slope: RationalNumberType
    DeactivationTime: xs_unsignedShort | None = None
    IntentionalDelayPowerControl: xs_unsignedShort | None = None
    PowerReference: powerReferenceType
    HysteresisControl: xs_boolean
    PowerUpRamp: xs_unsignedShort | None = None
    PT1ResponseActivePower: xs_boolean
    StepResponseTimeConstantActivePower: RationalNumberType


class VoltWattType(_Message, kw_only=True):
    PowerReference: powerReferenceType
    UStart: RationalNumberType
    UStop: RationalNumberType
    PT1ResponseActivePower: xs_boolean
    StepResponseTimeConstantActivePower: RationalNumberType
    IntentionalDelayPowerControl: xs_unsignedInt | None = None


class ActivePowerSupportType(_Message, kw_only=True):
    UnderFrequencyWatt: FrequencyWattType | None = None
    OverFrequencyWatt: FrequencyWattType | None = None
    VoltWatt: VoltWattType | None = None


class DERControlType(_Message, kw_only=True):
    OvervoltageFaultRideThrough: FaultRideThroughType | None = None
    UndervoltageFaultRideThrough: FaultRideThroughType | None = None
    ZeroCurrent: ZeroCurrentType | None = None
    ReactivePowerSupport: ReactivePowerSupportType | None = None
    ActivePowerSupport: ActivePowerSupportType | None = None
    MaximumLevelDCInjection: RationalNumberType | None = None


class DER_AC_CPDResEnergyTransferModeType(_Message, AC_CPDResEnergyTransferModeType, kw_only=True):
    EVSENominalChargePower: RationalNumberType
    EVSENominalChargePower_L2: RationalNumberType | None = None
    EVSENominalChargePower_L3: RationalNumberType | None = None
    EVSENominalDischargePower: RationalNumberType
    EVSENominalDischargePower_L2: RationalNumberType | None = None
    EVSENominalDischargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    EVOperatingMode: evOperatingModeType
    GridConnectionMode: gridConnectionModeType
    DERControl: DERControlType


AnyAC_CPDResEnergyTransferMode = Annotated[
    AC_CPDResEnergyTransferModeType | BPT_AC_CPDResEnergyTransferModeType | DER_AC_CPDResEnergyTransferModeType,
    Group(
        "AC_CPDResEnergyTransferMode",
        AC_CPDResEnergyTransferMode=AC_CPDResEnergyTransferModeType,
        BPT_AC_CPDResEnergyTransferMode=BPT_AC_CPDResEnergyTransferModeType,
        DER_AC_CPDResEnergyTransferMode=DER_AC_CPDResEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryRes(_Message, ChargeParameterDiscoveryResType, kw_only=True):
    AC_CPDResEnergyTransferMode: AnyAC_CPDResEnergyTransferMode


MESSAGES = (
    AC_ChargeLoopReq,
    AC_ChargeLoopRes,
    AC_ChargeParameterDiscoveryReq,
    AC_ChargeParameterDiscoveryRes,
)

SCHEMA = Schema(
    "iso20_ac_der_iec",
    {
        NAMESPACE: {
            **{cls.__name__: cls for cls in MESSAGES},
            "AC_CPDReqEnergyTransferMode": AC_CPDReqEnergyTransferModeType,
            "AC_CPDResEnergyTransferMode": AC_CPDResEnergyTransferModeType,
            "BPT_AC_CPDReqEnergyTransferMode": BPT_AC_CPDReqEnergyTransferModeType,
            "BPT_AC_CPDResEnergyTransferMode": BPT_AC_CPDResEnergyTransferModeType,
            "BPT_Dynamic_AC_CLReqControlMode": BPT_Dynamic_AC_CLReqControlModeType,
            "BPT_Dynamic_AC_CLResControlMode": BPT_Dynamic_AC_CLResControlModeType,
            "BPT_Scheduled_AC_CLReqControlMode": BPT_Scheduled_AC_CLReqControlModeType,
            "BPT_Scheduled_AC_CLResControlMode": BPT_Scheduled_AC_CLResControlModeType,
            "DER_AC_CPDReqEnergyTransferMode": DER_AC_CPDReqEnergyTransferModeType,
            "DER_AC_CPDResEnergyTransferMode": DER_AC_CPDResEnergyTransferModeType,
            "DER_Dynamic_AC_CLReqControlMode": DER_Dynamic_AC_CLReqControlModeType,
            "DER_Dynamic_AC_CLResControlMode": DER_Dynamic_AC_CLResControlModeType,
            "DER_Scheduled_AC_CLReqControlMode": DER_Scheduled_AC_CLReqControlModeType,
            "DER_Scheduled_AC_CLResControlMode": DER_Scheduled_AC_CLResControlModeType,
            "Dynamic_AC_CLReqControlMode": Dynamic_AC_CLReqControlModeType,
            "Dynamic_AC_CLResControlMode": Dynamic_AC_CLResControlModeType,
            "Scheduled_AC_CLReqControlMode": Scheduled_AC_CLReqControlModeType,
            "Scheduled_AC_CLResControlMode": Scheduled_AC_CLResControlModeType,
        },
        iso20_types.NAMESPACE: iso20_types.ELEMENTS,
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    tuple(cls.__name__ for cls in MESSAGES),
    iso20_types.TYPES,
    {iso20_ac.NAMESPACE: NAMESPACE},
)
