"""Shared by SECC modules, EV modules, EvseManager and OCPP. EVerest type file `iso15118`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import grid_support, units


class PaymentOption(StrEnum):
    """EVerest enumeration `PaymentOption`."""

    Contract = "Contract"
    ExternalPayment = "ExternalPayment"


class EnergyTransferMode(StrEnum):
    """First seven (AC_single_phase_core … DC_unique) are DIN 70121 / ISO 15118-2 values, the rest ISO 15118-20."""

    AC_single_phase_core = "AC_single_phase_core"
    AC_two_phase = "AC_two_phase"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"
    DC = "DC"
    AC_BPT = "AC_BPT"
    AC_BPT_DER = "AC_BPT_DER"
    AC_DER_IEC = "AC_DER_IEC"
    AC_DER_SAE = "AC_DER_SAE"
    DC_BPT = "DC_BPT"
    DC_ACDP = "DC_ACDP"
    DC_ACDP_BPT = "DC_ACDP_BPT"
    WPT = "WPT"
    MCS = "MCS"
    MCS_BPT = "MCS_BPT"

    @classmethod
    def _missing_(cls, value: object) -> EnergyTransferMode | None:
        """Return the mode that an older name of EVerest's stands for."""
        return cls.AC_DER_IEC if value == "AC_DER" else None


class IsolationStatus(StrEnum):
    """EVerest enumeration `IsolationStatus`."""

    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"
    No_IMD = "No_IMD"


class DcEvErrorCode(StrEnum):
    """EVerest enumeration `DcEvErrorCode`."""

    NO_ERROR = "NO_ERROR"
    FAILED_RESSTemperatureInhibit = "FAILED_RESSTemperatureInhibit"
    FAILED_EVShiftPosition = "FAILED_EVShiftPosition"
    FAILED_ChargerConnectorLockFault = "FAILED_ChargerConnectorLockFault"
    FAILED_EVRESSMalfunction = "FAILED_EVRESSMalfunction"
    FAILED_ChargingCurrentdifferential = "FAILED_ChargingCurrentdifferential"
    FAILED_ChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange"
    Reserved_A = "Reserved_A"
    Reserved_B = "Reserved_B"
    Reserved_C = "Reserved_C"
    FAILED_ChargingSystemIncompatibility = "FAILED_ChargingSystemIncompatibility"
    NoData = "NoData"


class EvseError(StrEnum):
    """EVerest enumeration `EvseError`."""

    Error_Contactor = "Error_Contactor"
    Error_RCD = "Error_RCD"
    Error_UtilityInterruptEvent = "Error_UtilityInterruptEvent"
    Error_Malfunction = "Error_Malfunction"
    Error_EmergencyShutdown = "Error_EmergencyShutdown"


class V2gMessageId(StrEnum):
    """EVerest enumeration `V2gMessageId`."""

    SupportedAppProtocolReq = "SupportedAppProtocolReq"
    SupportedAppProtocolRes = "SupportedAppProtocolRes"
    SessionSetupReq = "SessionSetupReq"
    SessionSetupRes = "SessionSetupRes"
    ServiceDiscoveryReq = "ServiceDiscoveryReq"
    ServiceDiscoveryRes = "ServiceDiscoveryRes"
    ServiceDetailReq = "ServiceDetailReq"
    ServiceDetailRes = "ServiceDetailRes"
    PaymentServiceSelectionReq = "PaymentServiceSelectionReq"
    PaymentServiceSelectionRes = "PaymentServiceSelectionRes"
    ServicePaymentSelectionReq = "ServicePaymentSelectionReq"
    ServicePaymentSelectionRes = "ServicePaymentSelectionRes"
    PaymentDetailsReq = "PaymentDetailsReq"
    PaymentDetailsRes = "PaymentDetailsRes"
    AuthorizationReq = "AuthorizationReq"
    AuthorizationRes = "AuthorizationRes"
    ContractAuthenticationReq = "ContractAuthenticationReq"
    ContractAuthenticationRes = "ContractAuthenticationRes"
    ChargeParameterDiscoveryReq = "ChargeParameterDiscoveryReq"
    ChargeParameterDiscoveryRes = "ChargeParameterDiscoveryRes"
    ChargingStatusReq = "ChargingStatusReq"
    ChargingStatusRes = "ChargingStatusRes"
    MeteringReceiptReq = "MeteringReceiptReq"
    MeteringReceiptRes = "MeteringReceiptRes"
    PowerDeliveryReq = "PowerDeliveryReq"
    PowerDeliveryRes = "PowerDeliveryRes"
    CableCheckReq = "CableCheckReq"
    CableCheckRes = "CableCheckRes"
    PreChargeReq = "PreChargeReq"
    PreChargeRes = "PreChargeRes"
    CurrentDemandReq = "CurrentDemandReq"
    CurrentDemandRes = "CurrentDemandRes"
    WeldingDetectionReq = "WeldingDetectionReq"
    WeldingDetectionRes = "WeldingDetectionRes"
    SessionStopReq = "SessionStopReq"
    SessionStopRes = "SessionStopRes"
    CertificateInstallationReq = "CertificateInstallationReq"
    CertificateInstallationRes = "CertificateInstallationRes"
    CertificateUpdateReq = "CertificateUpdateReq"
    CertificateUpdateRes = "CertificateUpdateRes"
    AuthorizationSetupReq = "AuthorizationSetupReq"
    AuthorizationSetupRes = "AuthorizationSetupRes"
    ScheduleExchangeReq = "ScheduleExchangeReq"
    ScheduleExchangeRes = "ScheduleExchangeRes"
    ServiceSelectionReq = "ServiceSelectionReq"
    ServiceSelectionRes = "ServiceSelectionRes"
    AcChargeLoopReq = "AcChargeLoopReq"
    AcChargeLoopRes = "AcChargeLoopRes"
    AcChargeParameterDiscoveryReq = "AcChargeParameterDiscoveryReq"
    AcChargeParameterDiscoveryRes = "AcChargeParameterDiscoveryRes"
    AcDerChargeParameterDiscoveryReq = "AcDerChargeParameterDiscoveryReq"
    AcDerChargeParameterDiscoveryRes = "AcDerChargeParameterDiscoveryRes"
    AcDerChargeLoopReq = "AcDerChargeLoopReq"
    AcDerChargeLoopRes = "AcDerChargeLoopRes"
    AcDerSaeChargeParameterDiscoveryReq = "AcDerSaeChargeParameterDiscoveryReq"
    AcDerSaeChargeParameterDiscoveryRes = "AcDerSaeChargeParameterDiscoveryRes"
    AcDerSaeChargeLoopReq = "AcDerSaeChargeLoopReq"
    AcDerSaeChargeLoopRes = "AcDerSaeChargeLoopRes"
    DcCableCheckReq = "DcCableCheckReq"
    DcCableCheckRes = "DcCableCheckRes"
    DcChargeLoopReq = "DcChargeLoopReq"
    DcChargeLoopRes = "DcChargeLoopRes"
    DcChargeParameterDiscoveryReq = "DcChargeParameterDiscoveryReq"
    DcChargeParameterDiscoveryRes = "DcChargeParameterDiscoveryRes"
    DcPreChargeReq = "DcPreChargeReq"
    DcPreChargeRes = "DcPreChargeRes"
    DcWeldingDetectionReq = "DcWeldingDetectionReq"
    DcWeldingDetectionRes = "DcWeldingDetectionRes"
    UnknownMessage = "UnknownMessage"


class SaeJ2847BidiMode(StrEnum):
    """EVerest enumeration `SaeJ2847BidiMode`."""

    None_ = "None"
    V2G = "V2G"
    V2H = "V2H"


class CertificateActionEnum(StrEnum):
    """EVerest enumeration `CertificateActionEnum`."""

    Install = "Install"
    Update = "Update"


class NoEnergyPauseMode(StrEnum):
    """PauseAfterPrecharge: cable check and pre-charge still run; PauseBeforeCableCheck: stop earlier;
    AllowEvToIgnorePause: tolerate an EV that continues (not IEC 61851-23 conformant).
    """

    PauseAfterPrecharge = "PauseAfterPrecharge"
    PauseBeforeCableCheck = "PauseBeforeCableCheck"
    AllowEvToIgnorePause = "AllowEvToIgnorePause"


class SupportedAppProtocol(StrEnum):
    """EVerest enumeration `SupportedAppProtocol`."""

    DIN70121 = "DIN70121"
    ISO15118D2 = "ISO15118D2"
    ISO15118D20 = "ISO15118D20"


class ServiceCategory(StrEnum):
    """EVerest enumeration `ServiceCategory`."""

    AC = "AC"
    DC = "DC"
    WPT = "WPT"
    DC_ACDP = "DC_ACDP"
    AC_BPT = "AC_BPT"
    DC_BPT = "DC_BPT"
    DC_ACDP_BPT = "DC_ACDP_BPT"
    MCS = "MCS"
    MCS_BPT = "MCS_BPT"
    AC_DER_IEC = "AC_DER_IEC"
    AC_DER_SAE = "AC_DER_SAE"
    Internet = "Internet"
    ParkingStatus = "ParkingStatus"


class Connector(StrEnum):
    """EVerest enumeration `Connector`."""

    SinglePhase = "SinglePhase"
    ThreePhase = "ThreePhase"
    Core = "Core"
    Extended = "Extended"
    Dual2 = "Dual2"
    Dual4 = "Dual4"
    Mcs = "Mcs"
    Chaoji = "Chaoji"
    UltraChaoji = "UltraChaoji"
    rMcs = "rMcs"
    xMcs = "xMcs"
    Aviation = "Aviation"
    Marine = "Marine"


class ControlMode(StrEnum):
    """Absent elsewhere = ScheduledControl."""

    ScheduledControl = "ScheduledControl"
    DynamicControl = "DynamicControl"


class IslandingDetection(StrEnum):
    """EVerest enumeration `IslandingDetection`."""

    NoAntiIslandingSupport = "NoAntiIslandingSupport"
    RoCoF = "RoCoF"
    UVP_OVP = "UVP_OVP"
    UFP_OFP = "UFP_OFP"
    VoltageVectorShift = "VoltageVectorShift"
    ZeroCrossingDetection = "ZeroCrossingDetection"
    OtherPassive = "OtherPassive"
    ImpedanceMeasurement = "ImpedanceMeasurement"
    ImpedanceAtFrequency = "ImpedanceAtFrequency"
    SlipModeFrequencyShift = "SlipModeFrequencyShift"
    SandiaFrequencyShift = "SandiaFrequencyShift"
    SandiaVoltageShift = "SandiaVoltageShift"
    FrequencyJump = "FrequencyJump"
    RCLQFactor = "RCLQFactor"
    OtherActive = "OtherActive"


class MobilityNeedsMode(StrEnum):
    """EVCC: EV fixes SoC/departure; EVCC_SECC: station may adjust them."""

    EVCC = "EVCC"
    EVCC_SECC = "EVCC_SECC"


class Pricing(StrEnum):
    """EVerest enumeration `Pricing`."""

    NoPricing = "NoPricing"
    AbsolutePricing = "AbsolutePricing"
    PriceLevels = "PriceLevels"


class BptChannel(StrEnum):
    """EVerest enumeration `BptChannel`."""

    Unified = "Unified"
    Separated = "Separated"


class GeneratorMode(StrEnum):
    """EVerest enumeration `GeneratorMode`."""

    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


class GridCodeIslandingDetectionMethod(StrEnum):
    """EVerest enumeration `GridCodeIslandingDetectionMethod`."""

    Active = "Active"
    Passive = "Passive"


class EVSEID(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVSEID`."""

    evse_id: str
    """ISO 15118 format."""
    evse_id_din: str | None = None
    """DIN SPEC 91286 format."""


class DcEvsePresentVoltageCurrent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvsePresentVoltageCurrent`."""

    evse_present_voltage: Annotated[float, Meta(ge=0, le=1500)]
    """V."""
    evse_present_current: Annotated[float, Meta(ge=0, le=10000)] | None = None
    """A."""


class DcEvseMaximumLimits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvseMaximumLimits`."""

    evse_maximum_current_limit: Annotated[float, Meta(ge=-10000, le=10000)]
    """A."""
    evse_maximum_power_limit: Annotated[float, Meta(ge=-1000000, le=1000000)]
    """W."""
    evse_maximum_voltage_limit: Annotated[float, Meta(ge=0, le=1500)]
    """V."""
    evse_maximum_discharge_current_limit: Annotated[float, Meta(ge=0, le=10000)] | None = None
    """A."""
    evse_maximum_discharge_power_limit: Annotated[float, Meta(ge=0, le=1000000)] | None = None
    """W."""


class DcEvseMinimumLimits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvseMinimumLimits`."""

    evse_minimum_current_limit: Annotated[float, Meta(ge=0, le=10000)]
    """A."""
    evse_minimum_voltage_limit: Annotated[float, Meta(ge=0, le=1500)]
    """V."""
    evse_minimum_power_limit: Annotated[float, Meta(ge=0, le=1000000)]
    """W."""
    evse_minimum_discharge_current_limit: Annotated[float, Meta(ge=0, le=10000)] | None = None
    """A."""
    evse_minimum_discharge_power_limit: Annotated[float, Meta(ge=0, le=1000000)] | None = None
    """W."""


class SetupPhysicalValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.SetupPhysicalValues`."""

    ac_nominal_voltage: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """V phase–neutral."""
    dc_current_regulation_tolerance: Annotated[float, Meta(ge=0, le=400)] | None = None
    """A."""
    dc_peak_current_ripple: Annotated[float, Meta(ge=0, le=400)] | None = None
    """A peak-to-peak."""
    dc_energy_to_be_delivered: Annotated[float, Meta(ge=0, le=200000)] | None = None
    """Wh."""


class DcEvStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvStatus`."""

    dc_ev_ready: bool
    dc_ev_error_code: DcEvErrorCode
    dc_ev_ress_soc: Annotated[float, Meta(ge=0, le=100)]
    """%."""
    dc_ev_cabin_conditioning: bool | None = None
    """DIN 70121 only."""
    dc_ev_ress_conditioning: bool | None = None
    """DIN 70121 only."""


class DcEvTargetValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvTargetValues`."""

    dc_ev_target_voltage: Annotated[float, Meta(ge=-2, le=1500)]
    """V."""
    dc_ev_target_current: Annotated[float, Meta(ge=-2, le=10000)]
    """A."""


class DcEvMaximumLimits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvMaximumLimits`."""

    dc_ev_maximum_current_limit: Annotated[float, Meta(ge=-2, le=10000)] | None = None
    """A."""
    dc_ev_maximum_power_limit: Annotated[float, Meta(ge=-2, le=350000)] | None = None
    """W."""
    dc_ev_maximum_voltage_limit: Annotated[float, Meta(ge=-2, le=1500)] | None = None
    """V."""


class DcEvRemainingTime(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvRemainingTime`."""

    ev_remaining_time_to_full_soc: str | None = None
    """RFC 3339 UTC time point."""
    ev_remaining_time_to_full_bulk_soc: str | None = None
    """RFC 3339 UTC time point."""


class SupportedAppProtocols(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.SupportedAppProtocols`."""

    app_protocols: Annotated[list[SupportedAppProtocol], Meta(min_length=0, max_length=20)]


class AppProtocol(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AppProtocol`."""

    protocol_namespace: Annotated[str, Meta(min_length=1, max_length=100)]
    """URI."""
    version_number_major: Annotated[int, Meta(ge=0)]
    version_number_minor: Annotated[int, Meta(ge=0)]
    schema_id: Annotated[int, Meta(ge=0, le=255)]
    """Assigned by EV."""
    priority: Annotated[int, Meta(ge=1, le=20)]
    """1 = highest."""


class AppProtocols(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AppProtocols`."""

    Protocols: Annotated[list[AppProtocol], Meta(min_length=1, max_length=20)]


class V2gMessages(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.V2gMessages`."""

    id: V2gMessageId
    xml: str | None = None
    """Decoded as XML."""
    v2g_json: str | None = None
    """Decoded as JSON."""
    exi: str | None = None
    """Hex."""
    exi_base64: str | None = None
    """Base64."""


class ResponseExiStreamStatusStatus(FieldEnum):
    """Values of `ResponseExiStreamStatus.status`."""

    Accepted = "Accepted"
    Failed = "Failed"


class ResponseExiStreamStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.ResponseExiStreamStatus`."""

    status: ResponseExiStreamStatusStatus
    certificate_action: CertificateActionEnum
    exi_response: Annotated[str, Meta(max_length=5600)] | None = None
    """Base64; only when Accepted."""


class RequestExiStreamSchema(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.RequestExiStreamSchema`."""

    exi_request: Annotated[str, Meta(max_length=5600)]
    """Base64 of the install/update request."""
    iso15118_schema_version: Annotated[str, Meta(max_length=50)]
    """Namespace/version string."""
    certificate_action: CertificateActionEnum


class CertificateHashDataInfoHashAlgorithm(FieldEnum):
    """Values of `CertificateHashDataInfo.hashAlgorithm`."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateHashDataInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.CertificateHashDataInfo`."""

    hashAlgorithm: CertificateHashDataInfoHashAlgorithm
    issuerNameHash: Annotated[str, Meta(max_length=128)]
    issuerKeyHash: Annotated[str, Meta(max_length=128)]
    serialNumber: Annotated[str, Meta(max_length=40)]
    responderURL: Annotated[str, Meta(max_length=512)]


class DisplayParameters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DisplayParameters`."""

    present_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    minimum_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    target_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    maximum_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    remaining_time_to_minimum_soc: Annotated[float, Meta(ge=0)] | None = None
    """S."""
    remaining_time_to_target_soc: Annotated[float, Meta(ge=0)] | None = None
    """S."""
    remaining_time_to_maximum_soc: Annotated[float, Meta(ge=0)] | None = None
    """S."""
    charging_complete: bool | None = None
    battery_energy_capacity: Annotated[float, Meta(ge=0)] | None = None
    """Wh."""
    inlet_hot: bool | None = None


class DcChargeDynamicModeValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcChargeDynamicModeValues`."""

    target_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    max_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    min_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    max_charge_power: Annotated[float, Meta(ge=0)]
    """W."""
    min_charge_power: Annotated[float, Meta(ge=0)]
    """W."""
    max_charge_current: Annotated[float, Meta(ge=0)]
    """A."""
    max_voltage: Annotated[float, Meta(ge=0)]
    """V."""
    min_voltage: Annotated[float, Meta(ge=0)]
    """V."""
    departure_time: Annotated[float, Meta(ge=0)] | None = None
    """S."""
    max_discharge_power: Annotated[float, Meta(ge=0)] | None = None
    """W."""
    min_discharge_power: Annotated[float, Meta(ge=0)] | None = None
    """W."""
    max_discharge_current: Annotated[float, Meta(ge=0)] | None = None
    """A."""
    max_v2x_energy_request: Annotated[float, Meta(ge=0)] | None = None
    """Wh."""
    min_v2x_energy_request: Annotated[float, Meta(ge=0)] | None = None
    """Wh."""


class V2XChargingParameters(OpenType, kw_only=True, omit_defaults=True):
    """Minimum values are max(EV, EVSE), maximum values min(EV, EVSE); the unsuffixed power is the sum of phases
    unless l2/l3 are given, then it is L1.
    """

    min_charge_power: float | None = None
    """W."""
    min_charge_power_l2: float | None = None
    """W."""
    min_charge_power_l3: float | None = None
    """W."""
    max_charge_power: float | None = None
    """W."""
    max_charge_power_l2: float | None = None
    """W."""
    max_charge_power_l3: float | None = None
    """W."""
    min_discharge_power: float | None = None
    """W, ≥ 0."""
    min_discharge_power_l2: float | None = None
    """W, ≥ 0."""
    min_discharge_power_l3: float | None = None
    """W, ≥ 0."""
    max_discharge_power: float | None = None
    """W, ≥ 0."""
    max_discharge_power_l2: float | None = None
    """W, ≥ 0."""
    max_discharge_power_l3: float | None = None
    """W, ≥ 0."""
    min_charge_current: float | None = None
    """A."""
    max_charge_current: float | None = None
    """A."""
    min_discharge_current: float | None = None
    """A, ≥ 0."""
    max_discharge_current: float | None = None
    """A, ≥ 0."""
    min_voltage: float | None = None
    """V."""
    max_voltage: float | None = None
    """V."""
    ev_target_energy_request: float | None = None
    """Wh."""
    ev_min_energy_request: float | None = None
    """Wh."""
    ev_max_energy_request: float | None = None
    """Wh."""
    ev_min_v2xenergy_request: float | None = None
    """Wh, may be negative."""
    ev_max_v2xenergy_request: float | None = None
    """Wh, may be negative."""
    target_soc: int | None = None
    """%."""


class EVPriceRule(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVPriceRule`."""

    energy_fee: float
    """Per kWh."""
    power_range_start: float
    """W; negative = discharge."""


class EVPowerScheduleEntry(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVPowerScheduleEntry`."""

    duration: int
    """S."""
    power: float
    """W; negative = discharge."""


class EVPowerSchedule(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVPowerSchedule`."""

    ev_power_schedule_entries: Annotated[list[EVPowerScheduleEntry], Meta(min_length=1, max_length=1024)]
    time_anchor: str


class EVAbsolutePriceScheduleEntry(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVAbsolutePriceScheduleEntry`."""

    duration: int
    """S."""
    ev_price_rule: Annotated[list[EVPriceRule], Meta(min_length=1, max_length=8)]


class EVAbsolutePriceSchedule(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVAbsolutePriceSchedule`."""

    time_anchor: str
    """Start time."""
    currency: str
    """ISO 4217."""
    ev_absolute_price_schedule_entries: Annotated[
        list[EVAbsolutePriceScheduleEntry], Meta(min_length=1, max_length=1024)
    ]
    price_algorithm: str
    """ISO 15118-20 URN."""


class EVEnergyOffer(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EVEnergyOffer`."""

    ev_power_schedule: EVPowerSchedule
    ev_absolute_price_schedule: EVAbsolutePriceSchedule | None = None


class DERChargingParameters(OpenType, kw_only=True, omit_defaults=True):
    """ISO 15118-20 DER data; ev_* come from the EV, the others are what both sides support; powers in W / VA /
    var, DC-injection in A, trip time and durations in s.
    """

    ev_supported_dercontrol: Annotated[list[grid_support.DirectiveType], Meta(min_length=1)] | None = None
    ev_over_excited_max_discharge_power: float | None = None
    ev_over_excited_power_factor: float | None = None
    ev_under_excited_max_discharge_power: float | None = None
    ev_under_excited_power_factor: float | None = None
    max_apparent_power: float | None = None
    max_charge_apparent_power: float | None = None
    max_charge_apparent_power_l2: float | None = None
    max_charge_apparent_power_l3: float | None = None
    max_discharge_apparent_power: float | None = None
    max_discharge_apparent_power_l2: float | None = None
    max_discharge_apparent_power_l3: float | None = None
    max_charge_reactive_power: float | None = None
    max_charge_reactive_power_l2: float | None = None
    max_charge_reactive_power_l3: float | None = None
    min_charge_reactive_power: float | None = None
    min_charge_reactive_power_l2: float | None = None
    min_charge_reactive_power_l3: float | None = None
    max_discharge_reactive_power: float | None = None
    max_discharge_reactive_power_l2: float | None = None
    max_discharge_reactive_power_l3: float | None = None
    min_discharge_reactive_power: float | None = None
    min_discharge_reactive_power_l2: float | None = None
    min_discharge_reactive_power_l3: float | None = None
    nominal_voltage: float | None = None
    """V."""
    nominal_voltage_offset: float | None = None
    max_nominal_voltage: float | None = None
    min_nominal_voltage: float | None = None
    ev_inverter_manufacturer: str | None = None
    ev_inverter_model: str | None = None
    ev_inverter_serial_number: str | None = None
    ev_inverter_sw_version: str | None = None
    ev_inverter_hw_version: str | None = None
    ev_islanding_detection_method: Annotated[list[IslandingDetection], Meta(min_length=1)] | None = None
    ev_islanding_trip_time: float | None = None
    ev_maximum_level1dcinjection: float | None = None
    ev_duration_level1dcinjection: float | None = None
    ev_maximum_level2dcinjection: float | None = None
    ev_duration_level2dcinjection: float | None = None
    ev_reactive_susceptance: float | None = None
    """S."""
    ev_session_total_discharge_energy_available: float | None = None
    """Wh."""


class DCChargingParameters(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DCChargingParameters`."""

    ev_max_current: float
    """A."""
    ev_max_voltage: float
    """V."""
    ev_max_power: float | None = None
    """W."""
    ev_energy_capacity: float | None = None
    """Wh."""
    energy_amount: float | None = None
    """Wh."""
    state_of_charge: int | None = None
    """%."""
    full_soc: int | None = None
    """%."""
    bulk_soc: int | None = None
    """%."""


class ACChargingParameters(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.ACChargingParameters`."""

    energy_amount: float
    """Wh."""
    ev_min_current: float
    """A per phase."""
    ev_max_current: float
    """A per phase."""
    ev_max_voltage: float
    """V."""


class ChargingNeeds(OpenType, kw_only=True, omit_defaults=True):
    """Mirrors OCPP 2.x NotifyEVChargingNeeds."""

    requested_energy_transfer: EnergyTransferMode
    ac_charging_parameters: ACChargingParameters | None = None
    der_charging_parameters: DERChargingParameters | None = None
    ev_energy_offer: EVEnergyOffer | None = None
    dc_charging_parameters: DCChargingParameters | None = None
    v2x_charging_parameters: V2XChargingParameters | None = None
    available_energy_transfer: Annotated[list[EnergyTransferMode], Meta(min_length=1)] | None = None
    control_mode: ControlMode | None = None
    mobility_needs_mode: MobilityNeedsMode | None = None
    departure_time: str | None = None
    """Time string."""


class AcParameters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcParameters`."""

    nominal_frequency: Annotated[float, Meta(ge=0)]
    """Hz."""
    nominal_voltage: Annotated[float, Meta(ge=0)]
    """V."""
    connectors: Annotated[list[Connector], Meta(min_length=1)]
    max_power_asymmetry: Annotated[float, Meta(ge=0)] | None = None
    """W."""
    power_ramp_limitation: Annotated[float, Meta(ge=0)] | None = None
    """%/min."""
    evse_max_reactive_power: Annotated[float, Meta(ge=0)] | None = None
    """Var."""


class AcEvseMaximumPower(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcEvseMaximumPower`."""

    charge_power: units.Power
    discharge_power: units.Power | None = None


class AcEvseMinimumPower(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcEvseMinimumPower`."""

    charge_power: units.Power
    discharge_power: units.Power | None = None


class AcEvPowerLimits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcEvPowerLimits`."""

    max_charge_power: units.Power | None = None
    min_charge_power: units.Power | None = None
    max_discharge_power: units.Power | None = None
    min_discharge_power: units.Power | None = None


class AcEvPresentPowerValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcEvPresentPowerValues`."""

    present_active_power: units.Power
    present_reactive_power: units.Power | None = None


class AcEvDynamicModeValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcEvDynamicModeValues`."""

    target_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    max_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    min_energy_request: Annotated[float, Meta(ge=0)]
    """Wh."""
    departure_time: Annotated[float, Meta(ge=0)] | None = None
    """S."""
    max_v2x_energy_request: Annotated[float, Meta(ge=0)] | None = None
    """Wh."""
    min_v2x_energy_request: Annotated[float, Meta(ge=0)] | None = None
    """Wh."""


class AcTargetValues(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcTargetValues`."""

    target_active_power: units.Power
    target_reactive_power: units.ReactivePower | None = None
    target_frequency: Annotated[float, Meta(ge=0)] | None = None
    """Hz."""


class SelectedServiceParameters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.SelectedServiceParameters`."""

    energy_transfer: ServiceCategory
    connector: Connector
    control_mode: ControlMode
    mobility_needs_mode: MobilityNeedsMode
    pricing: Pricing
    bpt_channel: BptChannel | None = None
    generator_mode: GeneratorMode | None = None


class BptSetup(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.BptSetup`."""

    bpt_channel: BptChannel
    generator_mode: GeneratorMode
    grid_code_detection: GridCodeIslandingDetectionMethod | None = None


class SelectedPaymentOption(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.SelectedPaymentOption`."""

    payment_option: PaymentOption | None = None
    enforce_payment_option: bool | None = None


class DcEvParameters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvParameters`."""

    max_current_limit: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """A."""
    max_power_limit: Annotated[float, Meta(ge=0, le=500000)] | None = None
    """W."""
    max_voltage_limit: Annotated[float, Meta(ge=0, le=1500)] | None = None
    """V."""
    energy_capacity: Annotated[float, Meta(ge=0, le=100000)] | None = None
    """Wh."""
    target_current: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """A."""
    target_voltage: Annotated[float, Meta(ge=0, le=1500)] | None = None
    """V."""


class DcEvBPTParameters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.DcEvBPTParameters`."""

    discharge_max_current_limit: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """A."""
    discharge_max_power_limit: Annotated[float, Meta(ge=0, le=500000)] | None = None
    """W."""
    discharge_target_current: Annotated[float, Meta(ge=0, le=1500)] | None = None
    """A."""
    discharge_minimal_soc: Annotated[float, Meta(ge=0, le=99)] | None = None
    """%."""


class EvInformation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EvInformation`."""

    supported_protocols: AppProtocols
    """As offered by EV, in its order."""
    selected_protocol: AppProtocol
    evcc_id: Annotated[str, Meta(pattern=r"^[A-F0-9]{2}(:[A-F0-9]{2}){5}$")]
    """EV MAC upper-case."""
    tls_leaf_certificate: str | None = None
    tls_sub_ca_1_certificate: str | None = None
    tls_sub_ca_2_certificate: str | None = None
    tls_root_certificate: str | None = None


class AcTargetPower(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.AcTargetPower`."""

    target_active_power: float | None = None
    """W."""
    target_active_power_L2: float | None = None
    """W."""
    target_active_power_L3: float | None = None
    """W."""
    target_reactive_power: float | None = None
    """Var."""
    target_reactive_power_L2: float | None = None
    """Var."""
    target_reactive_power_L3: float | None = None
    """Var."""


class EvTermination(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118.EvTermination`."""

    ev_termination_code: str | None = None
    ev_termination_explanation: str | None = None
