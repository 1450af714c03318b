"""EVerest type file `evse_manager`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import authorization, powermeter, units_signed


class StopTransactionReason(StrEnum):
    """EVerest enumeration `StopTransactionReason`."""

    EmergencyStop = "EmergencyStop"
    EVDisconnected = "EVDisconnected"
    HardReset = "HardReset"
    Local = "Local"
    Other = "Other"
    PowerLoss = "PowerLoss"
    Reboot = "Reboot"
    Remote = "Remote"
    SoftReset = "SoftReset"
    UnlockCommand = "UnlockCommand"
    DeAuthorized = "DeAuthorized"
    EnergyLimitReached = "EnergyLimitReached"
    GroundFault = "GroundFault"
    LocalOutOfCredit = "LocalOutOfCredit"
    MasterPass = "MasterPass"
    OvercurrentFault = "OvercurrentFault"
    PowerQuality = "PowerQuality"
    SOCLimitReached = "SOCLimitReached"
    StoppedByEV = "StoppedByEV"
    TimeLimitReached = "TimeLimitReached"
    Timeout = "Timeout"
    ReqEnergyTransferRejected = "ReqEnergyTransferRejected"
    EVSEDisabled = "EVSEDisabled"


class StartSessionReason(StrEnum):
    """EVerest enumeration `StartSessionReason`."""

    EVConnected = "EVConnected"
    Authorized = "Authorized"


class PauseChargingEVSEReasonEnum(StrEnum):
    """UserPause = pause_charging command; Error = blocked by an error; NoEnergy = no allocation from energy
    management.
    """

    UserPause = "UserPause"
    Error = "Error"
    NoEnergy = "NoEnergy"


class HlcSessionFailedReasonEnum(StrEnum):
    """Protocol-neutral cause of an HLC abort; UnexpectedSessionEnd is the catch-all."""

    ProtocolNegotiationFailed = "ProtocolNegotiationFailed"
    AuthorizationFailed = "AuthorizationFailed"
    ChargingParametersNotAccepted = "ChargingParametersNotAccepted"
    EnergyTransferSetupFailed = "EnergyTransferSetupFailed"
    ChargingInterrupted = "ChargingInterrupted"
    FailedTLSHandshake = "FailedTLSHandshake"
    UnexpectedSessionEnd = "UnexpectedSessionEnd"


class SwitchThreePhasesWhileChargingResult(StrEnum):
    """EVerest enumeration `SwitchThreePhasesWhileChargingResult`."""

    Success = "Success"
    Error_NotSupported = "Error_NotSupported"
    Error_NotCharging = "Error_NotCharging"
    Error_Hardware = "Error_Hardware"


class SessionEventEnum(StrEnum):
    """Typical order of a session: SessionStarted, AuthRequired, Authorized, TransactionStarted, PrepareCharging,
    ChargingStarted, (ChargingPausedEV/EVSE …), StoppingCharging, ChargingFinished, TransactionFinished,
    SessionFinished; SessionResumed = recovered after power loss; PluginTimeout = plugged but never authorized.
    """

    Authorized = "Authorized"
    Deauthorized = "Deauthorized"
    Enabled = "Enabled"
    Disabled = "Disabled"
    SessionStarted = "SessionStarted"
    AuthRequired = "AuthRequired"
    TransactionStarted = "TransactionStarted"
    PrepareCharging = "PrepareCharging"
    ChargingStarted = "ChargingStarted"
    ChargingPausedEV = "ChargingPausedEV"
    ChargingPausedEVSE = "ChargingPausedEVSE"
    StoppingCharging = "StoppingCharging"
    ChargingFinished = "ChargingFinished"
    TransactionFinished = "TransactionFinished"
    SessionFinished = "SessionFinished"
    ReservationStart = "ReservationStart"
    ReservationEnd = "ReservationEnd"
    PluginTimeout = "PluginTimeout"
    SwitchingPhases = "SwitchingPhases"
    SessionResumed = "SessionResumed"


class CarManufacturer(StrEnum):
    """EVerest enumeration `CarManufacturer`."""

    VolkswagenGroup = "VolkswagenGroup"
    Tesla = "Tesla"
    Unknown = "Unknown"


class ConnectorTypeEnum(StrEnum):
    """C… = captive cable, s… = socket, w… = wireless."""

    cCCS1 = "cCCS1"
    cCCS2 = "cCCS2"
    cG105 = "cG105"
    cMCS = "cMCS"
    cTesla = "cTesla"
    cType1 = "cType1"
    cType2 = "cType2"
    s309_1P_16A = "s309_1P_16A"
    s309_1P_32A = "s309_1P_32A"
    s309_3P_16A = "s309_3P_16A"
    s309_3P_32A = "s309_3P_32A"
    sBS1361 = "sBS1361"
    sCEE_7_7 = "sCEE_7_7"
    sType2 = "sType2"
    sType3 = "sType3"
    Other1PhMax16A = "Other1PhMax16A"
    Other1PhOver16A = "Other1PhOver16A"
    Other3Ph = "Other3Ph"
    Pan = "Pan"
    wInductive = "wInductive"
    wResonant = "wResonant"
    Undetermined = "Undetermined"
    Unknown = "Unknown"


class UpdateAllowedEnergyTransferModesResult(StrEnum):
    """EVerest enumeration `UpdateAllowedEnergyTransferModesResult`."""

    Accepted = "Accepted"
    IncompatibleEnergyTransfer = "IncompatibleEnergyTransfer"
    ServiceRenegotiationFailed = "ServiceRenegotiationFailed"
    NoHlc = "NoHlc"


class SetDerAvailableResult(StrEnum):
    """EVerest enumeration `SetDerAvailableResult`."""

    Accepted = "Accepted"
    NoHlc = "NoHlc"


class StopTransactionRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.StopTransactionRequest`."""

    reason: StopTransactionReason
    id_tag: authorization.ProvidedIdToken | None = None
    """Only for a local stop by token."""


class ChargingPausedEVSEReasons(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Several reasons may hold at once."""

    reasons: Annotated[list[PauseChargingEVSEReasonEnum], Meta(min_length=1, max_length=3)]


class SessionStarted(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.SessionStarted`."""

    reason: StartSessionReason
    meter_value: powermeter.Powermeter
    """Meter at start."""
    id_tag: authorization.ProvidedIdToken | None = None
    signed_meter_value: units_signed.SignedMeterValue | None = None
    reservation_id: int | None = None
    """If session used a reservation."""
    logging_path: str | None = None
    """Directory of session log files."""


class SessionFinished(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.SessionFinished`."""

    meter_value: powermeter.Powermeter


class TransactionStarted(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.TransactionStarted`."""

    id_tag: authorization.ProvidedIdToken
    meter_value: powermeter.Powermeter
    signed_meter_value: units_signed.SignedMeterValue | None = None
    reservation_id: int | None = None


class TransactionFinished(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.TransactionFinished`."""

    meter_value: powermeter.Powermeter
    start_signed_meter_value: units_signed.SignedMeterValue | None = None
    """Only if not contained in signed_meter_value."""
    signed_meter_value: units_signed.SignedMeterValue | None = None
    reason: StopTransactionReason | None = None
    id_tag: authorization.ProvidedIdToken | None = None
    """Only when stopped by a local token."""


class ChargingStateChangedEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.ChargingStateChangedEvent`."""

    meter_value: powermeter.Powermeter


class AuthorizationEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.AuthorizationEvent`."""

    meter_value: powermeter.Powermeter


class EnableDisableSourceEnableSource(FieldEnum):
    """Values of `EnableDisableSource.enable_source`."""

    Unspecified = "Unspecified"
    LocalAPI = "LocalAPI"
    LocalKeyLock = "LocalKeyLock"
    ServiceTechnician = "ServiceTechnician"
    RemoteKeyLock = "RemoteKeyLock"
    MobileApp = "MobileApp"
    FirmwareUpdate = "FirmwareUpdate"
    CSMS = "CSMS"


class EnableDisableSourceEnableState(FieldEnum):
    """Values of `EnableDisableSource.enable_state`."""

    Unassigned = "Unassigned"
    Disable = "Disable"
    Enable = "Enable"


class EnableDisableSource(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.EnableDisableSource`."""

    enable_source: EnableDisableSourceEnableSource
    enable_state: EnableDisableSourceEnableState
    enable_priority: Annotated[int, Meta(ge=0, le=10000)]
    """0 = highest."""


class SessionEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.SessionEvent`."""

    uuid: str
    """Session id made by the EVSE."""
    timestamp: str
    """RFC 3339."""
    event: SessionEventEnum
    connector_id: int | None = None
    """Absent = 1."""
    session_started: SessionStarted | None = None
    """With event SessionStarted."""
    session_finished: SessionFinished | None = None
    """With event SessionFinished."""
    transaction_started: TransactionStarted | None = None
    """With event TransactionStarted."""
    transaction_finished: TransactionFinished | None = None
    """With event TransactionFinished."""
    charging_paused_evse: ChargingPausedEVSEReasons | None = None
    """With ChargingPausedEVSE."""
    charging_state_changed_event: ChargingStateChangedEvent | None = None
    """With ChargingStarted / ChargingPausedEV and similar."""
    authorization_event: AuthorizationEvent | None = None
    """With Authorized / Deauthorized."""
    source: EnableDisableSource | None = None
    """With Enabled / Disabled."""


class HlcSessionFailedEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.HlcSessionFailedEvent`."""

    uuid: str
    """Same id as session_event; may repeat per retry."""
    reason: HlcSessionFailedReasonEnum


class Limits(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.Limits`."""

    max_current: float
    """A available to car."""
    nr_of_phases_available: Annotated[int, Meta(ge=1, le=3)]
    """Phases available to car."""
    uuid: str | None = None


class EVInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.EVInfo`."""

    soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    present_voltage: float | None = None
    """V."""
    present_current: float | None = None
    """A."""
    target_voltage: float | None = None
    """V."""
    target_current: float | None = None
    """A."""
    maximum_current_limit: float | None = None
    """A."""
    minimum_current_limit: float | None = None
    """A."""
    maximum_voltage_limit: float | None = None
    """V."""
    maximum_power_limit: float | None = None
    """W."""
    estimated_time_full: str | None = None
    """RFC 3339."""
    departure_time: str | None = None
    """RFC 3339."""
    estimated_time_bulk: str | None = None
    """RFC 3339."""
    evcc_id: Annotated[str, Meta(pattern=r"^[A-Fa-f0-9]{2}(:[A-Fa-f0-9]{2}){5}$")] | None = None
    """Usually EV MAC."""
    remaining_energy_needed: float | None = None
    """Wh."""
    battery_capacity: float | None = None
    """Wh."""
    battery_full_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    battery_bulk_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    target_energy_request: float | None = None
    """Wh."""
    max_energy_request: float | None = None
    """Wh."""
    min_energy_request: float | None = None
    """Wh."""
    ac_max_charge_power: float | None = None
    """W."""
    ac_min_charge_power: float | None = None
    """W."""
    ac_max_discharge_power: float | None = None
    """W."""
    ac_min_discharge_power: float | None = None
    """W."""
    ac_present_active_power: float | None = None
    """W."""
    ac_present_reactive_power: float | None = None
    """Var."""


class Connector(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.Connector`."""

    id: Annotated[int, Meta(ge=1)]
    """Numbered from 1."""
    type: ConnectorTypeEnum | None = None


class Evse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_manager.Evse`."""

    id: Annotated[int, Meta(ge=1, le=128)]
    connectors: Annotated[list[Connector], Meta(min_length=1, max_length=128)]


class PlugAndChargeConfiguration(OpenType, kw_only=True, omit_defaults=True):
    """Absent field = leave unchanged."""

    pnc_enabled: bool | None = None
    """Offer Contract payment."""
    central_contract_validation_allowed: bool | None = None
    """CSMS may validate contracts."""
    contract_certificate_installation_enabled: bool | None = None
    """Allow contract certificate install/update."""
