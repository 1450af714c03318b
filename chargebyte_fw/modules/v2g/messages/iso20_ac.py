"""ISO 15118-20 messages of AC charging (clause 8.3.4.4): `AC_ChargeLoopReq(Header=..., ...)`.

The modes `BPT_...` are those of bidirectional power transfer.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from chargebyte_fw.modules.v2g.messages import iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    ChargeLoopReqType,
    ChargeLoopResType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    Dynamic_CLReqControlModeType,
    Dynamic_CLResControlModeType,
    RationalNumberType,
    Scheduled_CLReqControlModeType,
    Scheduled_CLResControlModeType,
)
from chargebyte_fw.modules.v2g.messages.model import Group, Schema, Type

NAMESPACE = "urn:iso:std:iso:15118:-20:AC"


class _Message(Type):
    namespace = NAMESPACE


class AC_CPDReqEnergyTransferModeType(_Message, kw_only=True):
    EVMaximumChargePower: RationalNumberType
    EVMaximumChargePower_L2: RationalNumberType | None = None
    EVMaximumChargePower_L3: RationalNumberType | None = None
    EVMinimumChargePower: RationalNumberType
    EVMinimumChargePower_L2: RationalNumberType | None = None
    EVMinimumChargePower_L3: RationalNumberType | None = None


class BPT_AC_CPDReqEnergyTransferModeType(AC_CPDReqEnergyTransferModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None


AnyAC_CPDReqEnergyTransferMode = Annotated[
    AC_CPDReqEnergyTransferModeType | BPT_AC_CPDReqEnergyTransferModeType,
    Group(
        "AC_CPDReqEnergyTransferMode",
        AC_CPDReqEnergyTransferMode=AC_CPDReqEnergyTransferModeType,
        BPT_AC_CPDReqEnergyTransferMode=BPT_AC_CPDReqEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryReq(_Message, ChargeParameterDiscoveryReqType, kw_only=True):
    AC_CPDReqEnergyTransferMode: AnyAC_CPDReqEnergyTransferMode


class AC_CPDResEnergyTransferModeType(_Message, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType
    EVSEMaximumChargePower_L2: RationalNumberType | None = None
    EVSEMaximumChargePower_L3: RationalNumberType | None = None
    EVSEMinimumChargePower: RationalNumberType
    EVSEMinimumChargePower_L2: RationalNumberType | None = None
    EVSEMinimumChargePower_L3: RationalNumberType | None = None
    EVSENominalFrequency: RationalNumberType
    MaximumPowerAsymmetry: RationalNumberType | None = None
    EVSEPowerRampLimitation: RationalNumberType | None = None
    EVSEPresentActivePower: RationalNumberType | None = None
    EVSEPresentActivePower_L2: RationalNumberType | None = None
    EVSEPresentActivePower_L3: RationalNumberType | None = None


class BPT_AC_CPDResEnergyTransferModeType(AC_CPDResEnergyTransferModeType, kw_only=True):
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMaximumDischargePower_L2: RationalNumberType | None = None
    EVSEMaximumDischargePower_L3: RationalNumberType | None = None
    EVSEMinimumDischargePower: RationalNumberType
    EVSEMinimumDischargePower_L2: RationalNumberType | None = None
    EVSEMinimumDischargePower_L3: RationalNumberType | None = None


AnyAC_CPDResEnergyTransferMode = Annotated[
    AC_CPDResEnergyTransferModeType | BPT_AC_CPDResEnergyTransferModeType,
    Group(
        "AC_CPDResEnergyTransferMode",
        AC_CPDResEnergyTransferMode=AC_CPDResEnergyTransferModeType,
        BPT_AC_CPDResEnergyTransferMode=BPT_AC_CPDResEnergyTransferModeType,
    ),
]


class AC_ChargeParameterDiscoveryRes(_Message, ChargeParameterDiscoveryResType, kw_only=True):
    AC_CPDResEnergyTransferMode: AnyAC_CPDResEnergyTransferMode


class Scheduled_AC_CLReqControlModeType(_Message, Scheduled_CLReqControlModeType, kw_only=True):
    EVMaximumChargePower: RationalNumberType | None = None
    EVMaximumChargePower_L2: RationalNumberType | None = None
    EVMaximumChargePower_L3: RationalNumberType | None = None
    EVMinimumChargePower: RationalNumberType | None = None
    EVMinimumChargePower_L2: RationalNumberType | None = None
    EVMinimumChargePower_L3: RationalNumberType | None = None
    EVPresentActivePower: RationalNumberType
    EVPresentActivePower_L2: RationalNumberType | None = None
    EVPresentActivePower_L3: RationalNumberType | None = None
    EVPresentReactivePower: RationalNumberType | None = None
    EVPresentReactivePower_L2: RationalNumberType | None = None
    EVPresentReactivePower_L3: RationalNumberType | None = None


class BPT_Scheduled_AC_CLReqControlModeType(Scheduled_AC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType | None = None
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType | None = None
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None


class Dynamic_AC_CLReqControlModeType(_Message, Dynamic_CLReqControlModeType, kw_only=True):
    EVMaximumChargePower: RationalNumberType
    EVMaximumChargePower_L2: RationalNumberType | None = None
    EVMaximumChargePower_L3: RationalNumberType | None = None
    EVMinimumChargePower: RationalNumberType
    EVMinimumChargePower_L2: RationalNumberType | None = None
    EVMinimumChargePower_L3: RationalNumberType | None = None
    EVPresentActivePower: RationalNumberType
    EVPresentActivePower_L2: RationalNumberType | None = None
    EVPresentActivePower_L3: RationalNumberType | None = None
    EVPresentReactivePower: RationalNumberType
    EVPresentReactivePower_L2: RationalNumberType | None = None
    EVPresentReactivePower_L3: RationalNumberType | None = None


class BPT_Dynamic_AC_CLReqControlModeType(Dynamic_AC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMaximumDischargePower_L2: RationalNumberType | None = None
    EVMaximumDischargePower_L3: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType
    EVMinimumDischargePower_L2: RationalNumberType | None = None
    EVMinimumDischargePower_L3: RationalNumberType | None = None
    EVMaximumV2XEnergyRequest: RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: RationalNumberType | None = None


AnyCLReqControlMode = Annotated[
    BPT_Dynamic_AC_CLReqControlModeType
    | BPT_Scheduled_AC_CLReqControlModeType
    | Dynamic_AC_CLReqControlModeType
    | Scheduled_AC_CLReqControlModeType,
    Group(
        "CLReqControlMode",
        BPT_Dynamic_AC_CLReqControlMode=BPT_Dynamic_AC_CLReqControlModeType,
        BPT_Scheduled_AC_CLReqControlMode=BPT_Scheduled_AC_CLReqControlModeType,
        Dynamic_AC_CLReqControlMode=Dynamic_AC_CLReqControlModeType,
        Scheduled_AC_CLReqControlMode=Scheduled_AC_CLReqControlModeType,
    ),
]


class AC_ChargeLoopReq(_Message, ChargeLoopReqType, kw_only=True):
    CLReqControlMode: AnyCLReqControlMode


class Scheduled_AC_CLResControlModeType(_Message, Scheduled_CLResControlModeType, kw_only=True):
    EVSETargetActivePower: RationalNumberType | None = None
    EVSETargetActivePower_L2: RationalNumberType | None = None
    EVSETargetActivePower_L3: RationalNumberType | None = None
    EVSETargetReactivePower: RationalNumberType | None = None
    EVSETargetReactivePower_L2: RationalNumberType | None = None
    EVSETargetReactivePower_L3: RationalNumberType | None = None
    EVSEPresentActivePower: RationalNumberType | None = None
    EVSEPresentActivePower_L2: RationalNumberType | None = None
    EVSEPresentActivePower_L3: RationalNumberType | None = None


class BPT_Scheduled_AC_CLResControlModeType(Scheduled_AC_CLResControlModeType):
    pass


class Dynamic_AC_CLResControlModeType(_Message, Dynamic_CLResControlModeType, kw_only=True):
    EVSETargetActivePower: RationalNumberType
    EVSETargetActivePower_L2: RationalNumberType | None = None
    EVSETargetActivePower_L3: RationalNumberType | None = None
    EVSETargetReactivePower: RationalNumberType | None = None
    EVSETargetReactivePower_L2: RationalNumberType | None = None
    EVSETargetReactivePower_L3: RationalNumberType | None = None
    EVSEPresentActivePower: RationalNumberType | None = None
    EVSEPresentActivePower_L2: RationalNumberType | None = None
    EVSEPresentActivePower_L3: RationalNumberType | None = None


class BPT_Dynamic_AC_CLResControlModeType(Dynamic_AC_CLResControlModeType):
    pass


AnyCLResControlMode = Annotated[
    BPT_Dynamic_AC_CLResControlModeType
    | BPT_Scheduled_AC_CLResControlModeType
    | Dynamic_AC_CLResControlModeType
    | Scheduled_AC_CLResControlModeType,
    Group(
        "CLResControlMode",
        BPT_Dynamic_AC_CLResControlMode=BPT_Dynamic_AC_CLResControlModeType,
        BPT_Scheduled_AC_CLResControlMode=BPT_Scheduled_AC_CLResControlModeType,
        Dynamic_AC_CLResControlMode=Dynamic_AC_CLResControlModeType,
        Scheduled_AC_CLResControlMode=Scheduled_AC_CLResControlModeType,
    ),
]


class AC_ChargeLoopRes(_Message, ChargeLoopResType, kw_only=True):
    EVSETargetFrequency: RationalNumberType | None = None
    CLResControlMode: AnyCLResControlMode


MESSAGES = (
    AC_ChargeLoopReq,
    AC_ChargeLoopRes,
    AC_ChargeParameterDiscoveryReq,
    AC_ChargeParameterDiscoveryRes,
)

SCHEMA = Schema(
    "iso20_ac",
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
)
