"""ISO 15118-20 amendment 1: AC charging as a distributed energy resource under SAE J3072.

The set repeats the types of `iso20_ac` in its own namespace; they are declared there.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

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
from chargebyte_fw.modules.v2g.messages.iso20_der_sae_types import (
    NAMESPACE,
    DERControlCLResType,
    DERControlCPDResType,
    DerSaeType,
    EVApparentPowerLimitsType,
    EVApparentPowerType,
    EVExcitationLimitsType,
    EVExcitationType,
    EVInverterDetailsType,
    EVReactivePowerLimitsType,
    EVReactivePowerType,
    EVSEReactivePowerLimitsType,
    FrequencyDroopType,
    GridLimitsType,
    derConnectionStatusType,
    derOperationalStateType,
    gridConnectionModeType,
    ieee1547AbnormalCategoryType,
    ieee1547NormalCategoryType,
    requiredDEROperatingModeType,
)
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    ChargeLoopReqType,
    ChargeLoopResType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    EVSEStatusType,
    RationalNumberType,
    processingType,
)
from chargebyte_fw.modules.v2g.messages.model import Group, Schema, xs_boolean, xs_unsignedInt, xs_unsignedLong


class DER_Dynamic_AC_CLReqControlModeType(DerSaeType, Dynamic_AC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVPresentVoltage: RationalNumberType
    EVPresentFrequency: RationalNumberType
    EVSessionTotalDischargeEnergyAvailable: RationalNumberType | None = None
    EVApparentPower: EVApparentPowerType | None = None
    EVReactivePower: EVReactivePowerType | None = None
    EVExcitation: EVExcitationType | None = None
    EVMaximumV2XEnergyRequest: RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: RationalNumberType | None = None
    DEROperationalState: derOperationalStateType
    DERConnectionStatus: derConnectionStatusType
    EVUpdateTime: xs_unsignedLong
    EVMinimumChargingDuration: xs_unsignedInt
    EVDurationMaximumChargeRate: xs_unsignedInt
    EVDurationMaximumDischargeRate: xs_unsignedInt
    DERAlarmStatus: xs_unsignedInt
    EnabledModes: xs_unsignedInt


class DER_Scheduled_AC_CLReqControlModeType(DerSaeType, Scheduled_AC_CLReqControlModeType, kw_only=True):
    EVPresentVoltage: RationalNumberType
    EVPresentFrequency: RationalNumberType
    EVMaximumDischargePower: RationalNumberType | None = None
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType | None = None
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    DEROperationalState: derOperationalStateType
    DERConnectionStatus: derConnectionStatusType
    EVApparentPower: EVApparentPowerType | None = None
    EVReactivePower: EVReactivePowerType | None = None
    EVExcitation: EVExcitationType | None = None
    EVUpdateTime: xs_unsignedLong
    EVMinimumChargingDuration: xs_unsignedInt | None = None
    EVDurationMaximumChargeRate: xs_unsignedInt | None = None
    EVDurationMaximumDischargeRate: xs_unsignedInt | None = None
    DERAlarmStatus: xs_unsignedInt
    EnabledModes: xs_unsignedInt


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


class AC_ChargeLoopReq(DerSaeType, ChargeLoopReqType, kw_only=True):
    CLReqControlMode: AnyCLReqControlMode


class DER_Dynamic_AC_CLResControlModeType(DerSaeType, Dynamic_AC_CLResControlModeType, kw_only=True):
    DERControlCLRes: DERControlCLResType
    EVSEMaximumChargePower: RationalNumberType | None = None
    EVSEMaximumChargePower_L2: RationalNumberType | None = None
    EVSEMaximumChargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None


class DER_Scheduled_AC_CLResControlModeType(DerSaeType, Scheduled_AC_CLResControlModeType, kw_only=True):
    DERControlCLRes: DERControlCLResType
    EVSEMaximumChargePower: RationalNumberType | None = None
    EVSEMaximumChargePower_L2: RationalNumberType | None = None
    EVSEMaximumChargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType | None = None
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    RequiredDEROperatingMode: requiredDEROperatingModeType | None = None
    GridConnectionMode: gridConnectionModeType | None = None


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


class AC_ChargeLoopRes(DerSaeType, ChargeLoopResType, kw_only=True):
    EVSETargetFrequency: RationalNumberType | None = None
    CLResControlMode: AnyCLResControlMode


class DER_AC_CPDReqEnergyTransferModeType(DerSaeType, AC_CPDReqEnergyTransferModeType, kw_only=True):
    EVProcessing: processingType
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType | None = None
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVSessionTotalDischargeEnergyAvailable: RationalNumberType | None = None
    EVApparentPowerLimits: EVApparentPowerLimitsType
    EVReactivePowerLimits: EVReactivePowerLimitsType
    EVExcitationLimits: EVExcitationLimitsType
    EVInverterDetails: EVInverterDetailsType
    IEEE1547NormalCategory: ieee1547NormalCategoryType
    IEEE1547AbnormalCategory: ieee1547AbnormalCategoryType
    EVNominalVoltage: RationalNumberType
    EVMaximumVoltage: RationalNumberType
    EVMinimumVoltage: RationalNumberType
    EVNominalVoltageOffset: RationalNumberType
    J3072Certified: xs_boolean
    J3072CertificationDate: xs_unsignedLong
    EVUseableWattHours: xs_unsignedInt
    EVUpdateTime: xs_unsignedLong
    SupportedModes: xs_unsignedInt
    EnabledModes: xs_unsignedInt


AnyAC_CPDReqEnergyTransferMode = Annotated[
    AC_CPDReqEnergyTransferModeType | BPT_AC_CPDReqEnergyTransferModeType | DER_AC_CPDReqEnergyTransferModeType,
    Group(
        "AC_CPDReqEnergyTransferMode",
        AC_CPDReqEnergyTransferMode=AC_CPDReqEnergyTransferModeType,
        BPT_AC_CPDReqEnergyTransferMode=BPT_AC_CPDReqEnergyTransferModeType,
        DER_AC_CPDReqEnergyTransferMode=DER_AC_CPDReqEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryReq(DerSaeType, ChargeParameterDiscoveryReqType, kw_only=True):
    AC_CPDReqEnergyTransferMode: AnyAC_CPDReqEnergyTransferMode


class DER_AC_CPDResEnergyTransferModeType(DerSaeType, AC_CPDResEnergyTransferModeType, kw_only=True):
    EVSEProcessing: processingType
    EVSEStatus: EVSEStatusType | None = None
    DERControlCPDRes: DERControlCPDResType
    EVSENominalChargePower: RationalNumberType | None = None
    EVSENominalChargePower_L2: RationalNumberType | None = None
    EVSENominalChargePower_L3: RationalNumberType | None = None
    EVSENominalDischargePower: RationalNumberType | None = None
    EVSENominalDischargePower_L2: RationalNumberType | None = None
    EVSENominalDischargePower_L3: RationalNumberType | None = None
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    EVSEReactivePowerLimits: EVSEReactivePowerLimitsType
    GridLimits: GridLimitsType
    RequiredDEROperatingMode: requiredDEROperatingModeType
    GridConnectionMode: gridConnectionModeType
    EVSEUpdateTime: xs_unsignedLong


AnyAC_CPDResEnergyTransferMode = Annotated[
    AC_CPDResEnergyTransferModeType | BPT_AC_CPDResEnergyTransferModeType | DER_AC_CPDResEnergyTransferModeType,
    Group(
        "AC_CPDResEnergyTransferMode",
        AC_CPDResEnergyTransferMode=AC_CPDResEnergyTransferModeType,
        BPT_AC_CPDResEnergyTransferMode=BPT_AC_CPDResEnergyTransferModeType,
        DER_AC_CPDResEnergyTransferMode=DER_AC_CPDResEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryRes(DerSaeType, ChargeParameterDiscoveryResType, kw_only=True):
    AC_CPDResEnergyTransferMode: AnyAC_CPDResEnergyTransferMode


MESSAGES = (
    AC_ChargeLoopReq,
    AC_ChargeLoopRes,
    AC_ChargeParameterDiscoveryReq,
    AC_ChargeParameterDiscoveryRes,
)

SCHEMA = Schema(
    "iso20_ac_der_sae",
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
            "FrequencyDroop": FrequencyDroopType,
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
