"""ISO 15118-20 messages of wireless power transfer (clause 8.3.4.6)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages import iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    ChargeLoopReqType,
    ChargeLoopResType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    RationalNumberType,
    V2GRequestType,
    V2GResponseType,
    identifierType,
    numericIDType,
    processingType,
)
from chargebyte_fw.modules.v2g.messages.model import (
    Coding,
    Occurs,
    Schema,
    Type,
    choice,
    seq,
    xs_boolean,
    xs_short,
    xs_unsignedByte,
    xs_unsignedShort,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:WPT"


class _Message(Type):
    namespace = NAMESPACE


class WPT_AlignmentCheckMethodType(StrEnum):
    PowerCheck = "PowerCheck"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_EVPCChargeDiagnosticsType(StrEnum):
    EVPCNoIssue = "EVPCNoIssue"
    EVPCTempOverheatDetected = "EVPCTempOverheatDetected"
    EVPCPowerTransferAnomalyDetected = "EVPCPowerTransferAnomalyDetected"
    EVPCAnomalyDetected = "EVPCAnomalyDetected"


class WPT_EVResultType(StrEnum):
    EVResultUnknown = "EVResultUnknown"
    EVResultSuccess = "EVResultSuccess"
    EVResultFailed = "EVResultFailed"


class WPT_FinePositioningMethodType(StrEnum):
    Manual = "Manual"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    LPE = "LPE"
    Proprietary = "Proprietary"


class WPT_PairingMethodType(StrEnum):
    External_confirmation = "External confirmation"
    LPE = "LPE"
    LF_TxEV = "LF_TxEV"
    LF_TxPrimaryDevice = "LF_TxPrimaryDevice"
    Optical = "Optical"
    Proprietary = "Proprietary"


class WPT_PowerClassType(StrEnum):
    MF_WPT1 = "MF-WPT1"
    MF_WPT2 = "MF-WPT2"
    MF_WPT3 = "MF-WPT3"
    MF_WPT4 = "MF-WPT4"


class WPT_SPCChargeDiagnosticsType(StrEnum):
    SPCNoIssue = "SPCNoIssue"
    SPCFODDetected = "SPCFODDetected"
    SPCLOPDetected = "SPCLOPDetected"
    SPCTempOverheatDetected = "SPCTempOverheatDetected"
    SPCPowerTransferAnomalyDetected = "SPCPowerTransferAnomalyDetected"
    SPCAnomalyDetected = "SPCAnomalyDetected"


bssidType = Annotated[str, Coding("string", longest=12)]
ipaddressType = Annotated[str, Coding("string", longest=39)]
WPT_DataContainerType = Annotated[bytes, Coding("bin", longest=256)]


class WPT_FinePositioningMethodListType(_Message, kw_only=True):
    WPT_FinePositioningMethod: Annotated[list[WPT_FinePositioningMethodType], Occurs(1, 8)]


class WPT_PairingMethodListType(_Message, kw_only=True):
    WPT_PairingMethod: Annotated[list[WPT_PairingMethodType], Occurs(1, 8)]


class WPT_AlignmentCheckMethodListType(_Message, kw_only=True):
    WPT_AlignmentCheckMethod: Annotated[list[WPT_AlignmentCheckMethodType], Occurs(1, 8)]


class WPT_CoordinateXYZType(_Message, kw_only=True):
    Coord_X: xs_short
    Coord_Y: xs_short
    Coord_Z: xs_short


class WPT_TxRxSpecDataType(_Message, kw_only=True):
    TxRxIdentifier: numericIDType
    TxRxPosition: WPT_CoordinateXYZType
    TxRxOrientation: WPT_CoordinateXYZType


class WPT_TxRxPulseOrderType(_Message, kw_only=True):
    IndexNumber: xs_unsignedShort
    TxRxIdentifier: numericIDType


class WPT_TxRxPackageSpecDataType(_Message, kw_only=True):
    PulseSequenceOrder: Annotated[list[WPT_TxRxPulseOrderType], Occurs(2, 255)]
    PulseSeparationTime: xs_unsignedShort
    PulseDuration: xs_unsignedShort
    PackageSeparationTime: xs_unsignedShort


class WPT_LF_TransmitterDataType(_Message, kw_only=True):
    NumberOfTransmitters: xs_unsignedByte
    SignalFrequency: RationalNumberType
    TxSpecData: Annotated[list[WPT_TxRxSpecDataType], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecDataType | None = None


class WPT_LF_ReceiverDataType(_Message, kw_only=True):
    NumberOfReceivers: xs_unsignedByte
    RxSpecData: Annotated[list[WPT_TxRxSpecDataType], Occurs(2, 255)]


class WPT_LF_SystemSetupDataType(_Message, kw_only=True):
    LF_TransmitterSetupData: WPT_LF_TransmitterDataType | None = None
    LF_ReceiverSetupData: WPT_LF_ReceiverDataType | None = None

    model = choice("LF_TransmitterSetupData", "LF_ReceiverSetupData")


class WPT_FinePositioningSetupReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    EVDevicePairingMethodList: WPT_PairingMethodListType
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: xs_unsignedShort
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_FinePositioningSetupRes(_Message, V2GResponseType, kw_only=True):
    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodListType
    PrimaryDevicePairingMethodList: WPT_PairingMethodListType
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodListType
    NaturalOffset: xs_unsignedShort
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupDataType | None = None


class WPT_LF_TxDataType(_Message, kw_only=True):
    TxIdentifier: numericIDType
    EIRP: RationalNumberType


class WPT_LF_TxDataListType(_Message, kw_only=True):
    WPT_LF_TxDataList: WPT_LF_TxDataType


class WPT_LF_RxRSSIType(_Message, kw_only=True):
    TxIdentifier: numericIDType
    RSSI: RationalNumberType


class WPT_LF_RxRSSIListType(_Message, kw_only=True):
    RSSIDataList: WPT_LF_RxRSSIType


class WPT_LF_RxDataType(_Message, kw_only=True):
    RxIdentifier: numericIDType
    RSSIData: WPT_LF_RxRSSIListType


class WPT_LF_RxDataListType(_Message, kw_only=True):
    WPT_LF_RxDataList: WPT_LF_RxDataType


class WPT_LF_DataPackageType(_Message, kw_only=True):
    PackageIndex: xs_unsignedByte
    LF_TxData: WPT_LF_TxDataListType | None = None
    LF_RxData: WPT_LF_RxDataListType | None = None

    model = seq("PackageIndex", choice("LF_TxData", "LF_RxData"))


class WPT_LF_DataPackageListType(_Message, kw_only=True):
    NumPackages: xs_unsignedByte
    WPT_LF_DataPackage: WPT_LF_DataPackageType


class WPT_FinePositioningReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_FinePositioningRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageListType | None = None


class WPT_PairingReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    ObservedIDCode: numericIDType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class AlternativeSECCType(_Message, kw_only=True):
    SSID: identifierType | None = None
    BSSID: bssidType | None = None
    IPAddress: ipaddressType | None = None
    Port: xs_unsignedShort | None = None


class AlternativeSECCListType(_Message, kw_only=True):
    AlternativeSECC: Annotated[list[AlternativeSECCType], Occurs(1, 8)]


class WPT_PairingRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    ObservedIDCode: numericIDType | None = None
    AlternativeSECCList: AlternativeSECCListType | None = None
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_AlignmentCheckReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    TargetCoilCurrent: RationalNumberType | None = None
    EVResultCode: WPT_EVResultType
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_AlignmentCheckRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    PowerTransmitted: RationalNumberType | None = None
    SupplyDeviceCurrent: RationalNumberType | None = None
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_ChargeParameterDiscoveryReq(_Message, ChargeParameterDiscoveryReqType, kw_only=True):
    EVPCMaxReceivablePower: RationalNumberType
    SDMaxGroundClearence: xs_unsignedShort
    SDMinGroundClearence: xs_unsignedShort
    EVPCNaturalFrequency: RationalNumberType
    EVPCDeviceLocalControl: xs_boolean
    VendorSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_ChargeParameterDiscoveryRes(_Message, ChargeParameterDiscoveryResType, kw_only=True):
    PDInputPowerClass: WPT_PowerClassType
    SDMinOutputPower: RationalNumberType
    SDMaxOutputPower: RationalNumberType
    SDMaxGroundClearanceSupport: xs_unsignedShort
    SDMinGroundClearanceSupport: xs_unsignedShort
    PDMinCoilCurrent: RationalNumberType
    PDMaxCoilCurrent: RationalNumberType
    SDManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_EVPCPowerControlParameterType(_Message, kw_only=True):
    EVPCCoilCurrentRequest: RationalNumberType
    EVPCCoilCurrentInformation: RationalNumberType
    EVPCCurrentOutputInformation: RationalNumberType
    EVPCVoltageOutputInformation: RationalNumberType


class WPT_ChargeLoopReq(_Message, ChargeLoopReqType, kw_only=True):
    EVPCPowerRequest: RationalNumberType
    EVPCPowerOutput: RationalNumberType
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnosticsType
    EVPCOperatingFrequency: RationalNumberType | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


class WPT_SPCPowerControlParameterType(_Message, kw_only=True):
    SPCPrimaryDeviceCoilCurrentInformation: RationalNumberType


class WPT_ChargeLoopRes(_Message, ChargeLoopResType, kw_only=True):
    EVPCPowerRequest: RationalNumberType
    SDPowerInput: RationalNumberType | None = None
    SPCMaxOutputPowerLimit: RationalNumberType
    SPCMinOutputPowerLimit: RationalNumberType
    SPCChargeDiagnostics: WPT_SPCChargeDiagnosticsType
    SPCOperatingFrequency: RationalNumberType | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameterType | None = None
    ManufacturerSpecificDataContainer: Annotated[list[WPT_DataContainerType], Occurs(0, 16)] = []


MESSAGES = (
    WPT_AlignmentCheckReq,
    WPT_AlignmentCheckRes,
    WPT_ChargeLoopReq,
    WPT_ChargeLoopRes,
    WPT_ChargeParameterDiscoveryReq,
    WPT_ChargeParameterDiscoveryRes,
    WPT_FinePositioningReq,
    WPT_FinePositioningRes,
    WPT_FinePositioningSetupReq,
    WPT_FinePositioningSetupRes,
    WPT_PairingReq,
    WPT_PairingRes,
)

SCHEMA = Schema(
    "iso20_wpt",
    {
        NAMESPACE: {cls.__name__: cls for cls in MESSAGES},
        iso20_types.NAMESPACE: iso20_types.ELEMENTS,
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    tuple(cls.__name__ for cls in MESSAGES),
    iso20_types.TYPES,
)
