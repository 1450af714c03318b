"""OCPP-version-neutral, modelled on OCPP 2.0.1 names in snake_case. EVerest type file `ocpp`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import text_message


class TransactionEvent(StrEnum):
    """EVerest enumeration `TransactionEvent`."""

    Started = "Started"
    Updated = "Updated"
    Ended = "Ended"


class DataTransferStatus(StrEnum):
    """EVerest enumeration `DataTransferStatus`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownMessageId = "UnknownMessageId"
    UnknownVendorId = "UnknownVendorId"
    Offline = "Offline"


class ConfigurationStatus(StrEnum):
    """EVerest enumeration `ConfigurationStatus`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    RebootRequired = "RebootRequired"
    NotSupported = "NotSupported"


class SecurityEventEnum(StrEnum):
    """EVerest enumeration `SecurityEventEnum`."""

    FirmwareUpdated = "FirmwareUpdated"
    FailedToAuthenticateAtCsms = "FailedToAuthenticateAtCsms"
    CsmsFailedToAuthenticate = "CsmsFailedToAuthenticate"
    SettingSystemTime = "SettingSystemTime"
    StartupOfTheDevice = "StartupOfTheDevice"
    ResetOrReboot = "ResetOrReboot"
    SecurityLogWasCleared = "SecurityLogWasCleared"
    ReconfigurationOfSecurityParameters = "ReconfigurationOfSecurityParameters"
    MemoryExhaustion = "MemoryExhaustion"
    InvalidMessages = "InvalidMessages"
    AttemptedReplayAttacks = "AttemptedReplayAttacks"
    TamperDetectionActivated = "TamperDetectionActivated"
    InvalidFirmwareSignature = "InvalidFirmwareSignature"
    InvalidFirmwareSigningCertificate = "InvalidFirmwareSigningCertificate"
    InvalidCsmsCertificate = "InvalidCsmsCertificate"
    InvalidChargingStationCertificate = "InvalidChargingStationCertificate"
    InvalidTLSVersion = "InvalidTLSVersion"
    InvalidTLSCipherSuite = "InvalidTLSCipherSuite"
    MaintenanceLoginAccepted = "MaintenanceLoginAccepted"
    MaintenanceLoginFailed = "MaintenanceLoginFailed"


class AttributeEnum(StrEnum):
    """EVerest enumeration `AttributeEnum`."""

    Actual = "Actual"
    Target = "Target"
    MinSet = "MinSet"
    MaxSet = "MaxSet"


class GetVariableStatusEnumType(StrEnum):
    """EVerest enumeration `GetVariableStatusEnumType`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownComponent = "UnknownComponent"
    UnknownVariable = "UnknownVariable"
    NotSupportedAttributeType = "NotSupportedAttributeType"


class SetVariableStatusEnumType(StrEnum):
    """EVerest enumeration `SetVariableStatusEnumType`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownComponent = "UnknownComponent"
    UnknownVariable = "UnknownVariable"
    NotSupportedAttributeType = "NotSupportedAttributeType"
    RebootRequired = "RebootRequired"


class EventTriggerEnum(StrEnum):
    """EVerest enumeration `EventTriggerEnum`."""

    Alerting = "Alerting"
    Delta = "Delta"
    Periodic = "Periodic"


class EventNotificationType(StrEnum):
    """EVerest enumeration `EventNotificationType`."""

    HardWiredNotification = "HardWiredNotification"
    HardWiredMonitor = "HardWiredMonitor"
    PreconfiguredMonitor = "PreconfiguredMonitor"
    CustomMonitor = "CustomMonitor"


class OperationalStatusEnumType(StrEnum):
    """EVerest enumeration `OperationalStatusEnumType`."""

    Inoperative = "Inoperative"
    Operative = "Operative"


class ChangeAvailabilityStatusEnumType(StrEnum):
    """EVerest enumeration `ChangeAvailabilityStatusEnumType`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    Scheduled = "Scheduled"


class RegistrationStatus(StrEnum):
    """EVerest enumeration `RegistrationStatus`."""

    Accepted = "Accepted"
    Pending = "Pending"
    Rejected = "Rejected"


class MessageDirection(StrEnum):
    """EVerest enumeration `MessageDirection`."""

    CSMSToChargingStation = "CSMSToChargingStation"
    ChargingStationToCSMS = "ChargingStationToCSMS"


class CustomData(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.CustomData`."""

    vendor_id: str
    data: str


class V2XFreqWattPointType(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.V2XFreqWattPointType`."""

    frequency: float
    power: float


class V2XSignalWattPointCurve(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.V2XSignalWattPointCurve`."""

    signal: int
    power: float


class ChargingSchedulePeriodOperationMode(FieldEnum):
    """Values of `ChargingSchedulePeriod.operation_mode`."""

    Idle = "Idle"
    ChargingOnly = "ChargingOnly"
    CentralSetpoint = "CentralSetpoint"
    ExternalSetpoint = "ExternalSetpoint"
    ExternalLimits = "ExternalLimits"
    CentralFrequency = "CentralFrequency"
    LocalFrequency = "LocalFrequency"
    LocalLoadBalancing = "LocalLoadBalancing"


class ChargingSchedulePeriod(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ChargingSchedulePeriod`."""

    start_period: int
    """S from schedule start."""
    limit: float
    """In charging_rate_unit."""
    limit_L2: float | None = None
    limit_L3: float | None = None
    number_phases: int | None = None
    stack_level: int | None = None
    phase_to_use: int | None = None
    discharge_limit: float | None = None
    """≤ 0."""
    discharge_limit_L2: float | None = None
    discharge_limit_L3: float | None = None
    setpoint: float | None = None
    """Negative = discharge."""
    setpoint_L2: float | None = None
    setpoint_L3: float | None = None
    setpoint_reactive: float | None = None
    setpoint_reactive_L2: float | None = None
    setpoint_reactive_L3: float | None = None
    preconditioning_request: float | None = None
    evse_sleep: bool | None = None
    """Absent = false."""
    v2x_baseline: float | None = None
    operation_mode: ChargingSchedulePeriodOperationMode | None = None
    v2x_freq_watt_curve: list[V2XFreqWattPointType] | None = None
    v2x_signal_watt_curve: list[V2XSignalWattPointCurve] | None = None


class ChargingSchedule(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ChargingSchedule`."""

    evse: Annotated[int, Meta(ge=0)]
    """0 = whole station."""
    charging_rate_unit: str
    """'A' or 'W'."""
    charging_schedule_period: list[ChargingSchedulePeriod]
    duration: int | None = None
    """S."""
    start_schedule: str | None = None
    """RFC 3339."""
    min_charging_rate: float | None = None


class ChargingSchedules(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ChargingSchedules`."""

    schedules: list[ChargingSchedule]


class EVSE(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.EVSE`."""

    id: Annotated[int, Meta(ge=1)]
    connector_id: Annotated[int, Meta(ge=1)] | None = None


class OcppTransactionEvent(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.OcppTransactionEvent`."""

    transaction_event: TransactionEvent
    session_id: str
    """EvseManager session uuid."""
    evse: EVSE | None = None
    transaction_id: str | None = None
    """String in every OCPP version."""


class OcppTransactionEventResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.OcppTransactionEventResponse`."""

    original_transaction_event: OcppTransactionEvent
    total_cost: float | None = None
    charging_priority: int | None = None
    """-9..9."""
    personal_message: text_message.MessageContent | None = None


class DataTransferRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.DataTransferRequest`."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None
    custom_data: CustomData | None = None


class DataTransferResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.DataTransferResponse`."""

    status: DataTransferStatus
    data: str | None = None
    custom_data: CustomData | None = None


class KeyValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.KeyValue`."""

    key: Annotated[str, Meta(max_length=50)]
    read_only: bool
    value: Annotated[str, Meta(max_length=5000)] | None = None


class GetConfigurationResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.GetConfigurationResponse`."""

    configuration_keys: list[KeyValue]
    unknown_keys: list[Annotated[str, Meta(max_length=50)]]


class SecurityEvent(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.SecurityEvent`."""

    type: str
    info: str | None = None
    critical: bool | None = None
    """Overrides the default criticality."""
    timestamp: str | None = None
    """Absent = now."""


class Variable(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.Variable`."""

    name: Annotated[str, Meta(max_length=50)]
    instance: Annotated[str, Meta(max_length=50)] | None = None


class Component(OpenType, kw_only=True, omit_defaults=True):
    """Empty name marks the deprecated OCPP 1.6 key addressing."""

    name: Annotated[str, Meta(max_length=50)]
    instance: Annotated[str, Meta(max_length=50)] | None = None
    evse: EVSE | None = None


class ComponentVariable(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ComponentVariable`."""

    component: Component
    variable: Variable


class GetVariableRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.GetVariableRequest`."""

    component_variable: ComponentVariable
    attribute_type: AttributeEnum | None = None
    """Absent = Actual."""


class GetVariableResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.GetVariableResult`."""

    status: GetVariableStatusEnumType
    component_variable: ComponentVariable
    attribute_type: AttributeEnum | None = None
    value: Annotated[str, Meta(max_length=2500)] | None = None


class SetVariableRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.SetVariableRequest`."""

    component_variable: ComponentVariable
    value: Annotated[str, Meta(max_length=1000)]
    attribute_type: AttributeEnum | None = None
    """Absent = Actual."""


class SetVariableResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.SetVariableResult`."""

    status: SetVariableStatusEnumType
    component_variable: ComponentVariable
    attribute_type: AttributeEnum | None = None


class EventData(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.EventData`."""

    component_variable: ComponentVariable
    event_id: int
    timestamp: str
    trigger: EventTriggerEnum
    actual_value: Annotated[str, Meta(max_length=2500)]
    event_notification_type: EventNotificationType
    cause: int | None = None
    tech_code: Annotated[str, Meta(max_length=50)] | None = None
    tech_info: Annotated[str, Meta(max_length=500)] | None = None
    cleared: bool | None = None
    transaction_id: Annotated[str, Meta(max_length=36)] | None = None
    variable_monitoring_id: int | None = None


class ChangeAvailabilityRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ChangeAvailabilityRequest`."""

    operational_status: OperationalStatusEnumType
    evse: EVSE | None = None


class StatusInfoType(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.StatusInfoType`."""

    reason_code: str
    additional_info: str | None = None


class ChangeAvailabilityResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.ChangeAvailabilityResponse`."""

    status: ChangeAvailabilityStatusEnumType
    status_info: StatusInfoType | None = None


class BootNotificationResponse(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.BootNotificationResponse`."""

    status: RegistrationStatus
    current_time: str
    interval: int
    """S."""
    status_info: StatusInfoType | None = None


class Message(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `ocpp.Message`."""

    message: str
    direction: MessageDirection
    version: str | None = None


class ConnectionStatus(msgspec.Struct, kw_only=True, omit_defaults=True):
    """While disconnected the details describe the connection that was lost."""

    connected: bool
    csms_url: str | None = None
    identity: str | None = None
    security_profile: int | None = None
    configuration_slot: int | None = None
    ocpp_interface: str | None = None
    ocpp_transport: str | None = None
    ocpp_version: str | None = None
