"""Profile Core of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Request, Response, Text, Type
from chargebyte_fw.modules.ocpp.messages.v16.types import ChargingProfile, IdTagInfo


class AuthorizeRequest(Request, kw_only=True):
    id_tag: Annotated[str, Text(20, folded=True)] = field(name="idTag")


class AuthorizeResponse(Response, kw_only=True):
    id_tag_info: IdTagInfo = field(name="idTagInfo")


class BootNotificationRequest(Request, kw_only=True):
    charge_point_vendor: Annotated[str, Text(20, folded=True)] = field(name="chargePointVendor")
    charge_point_model: Annotated[str, Text(20, folded=True)] = field(name="chargePointModel")
    charge_point_serial_number: Annotated[str | None, Text(25, folded=True)] = field(
        name="chargePointSerialNumber", default=None
    )
    charge_box_serial_number: Annotated[str | None, Text(25, folded=True)] = field(
        name="chargeBoxSerialNumber", default=None
    )
    firmware_version: Annotated[str | None, Text(50, folded=True)] = field(name="firmwareVersion", default=None)
    iccid: Annotated[str | None, Text(20, folded=True)] = None
    imsi: Annotated[str | None, Text(20, folded=True)] = None
    meter_type: Annotated[str | None, Text(25, folded=True)] = field(name="meterType", default=None)
    meter_serial_number: Annotated[str | None, Text(25, folded=True)] = field(name="meterSerialNumber", default=None)


class RegistrationStatus(StrEnum):
    Accepted = "Accepted"
    Pending = "Pending"
    Rejected = "Rejected"


class BootNotificationResponse(Response, kw_only=True):
    status: RegistrationStatus
    current_time: datetime = field(name="currentTime")
    interval_s: int = field(name="interval")


class AvailabilityType(StrEnum):
    Inoperative = "Inoperative"
    Operative = "Operative"


class ChangeAvailabilityRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    type: AvailabilityType


class AvailabilityStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Scheduled = "Scheduled"


class ChangeAvailabilityResponse(Response, kw_only=True):
    status: AvailabilityStatus


class ChangeConfigurationRequest(Request, kw_only=True):
    key: Annotated[str, Text(50, folded=True)]
    value: Annotated[str, Text(500, folded=True)]


class ConfigurationStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    RebootRequired = "RebootRequired"
    NotSupported = "NotSupported"


class ChangeConfigurationResponse(Response, kw_only=True):
    status: ConfigurationStatus


class ClearCacheRequest(Request, kw_only=True):
    pass


class ClearCacheStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class ClearCacheResponse(Response, kw_only=True):
    status: ClearCacheStatus


class DataTransferRequest(Request, kw_only=True):
    vendor_id: Annotated[str, Text(255, folded=True)] = field(name="vendorId")
    message_id: Annotated[str | None, Text(50, folded=True)] = field(name="messageId", default=None)
    data: str | None = None


class DataTransferStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownMessageId = "UnknownMessageId"
    UnknownVendorId = "UnknownVendorId"


class DataTransferResponse(Response, kw_only=True):
    status: DataTransferStatus
    data: str | None = None


class GetConfigurationRequest(Request, kw_only=True):
    key: list[Annotated[str, Text(50, folded=True)]] | None = None


class KeyValue(Type, kw_only=True):
    key: Annotated[str, Text(50, folded=True)]
    readonly: bool
    value: Annotated[str | None, Text(500, folded=True)] = None


class GetConfigurationResponse(Response, kw_only=True):
    configuration_key: list[KeyValue] | None = field(name="configurationKey", default=None)
    unknown_key: list[Annotated[str, Text(50, folded=True)]] | None = field(name="unknownKey", default=None)


class HeartbeatRequest(Request, kw_only=True):
    pass


class HeartbeatResponse(Response, kw_only=True):
    current_time: datetime = field(name="currentTime")


class ReadingContext(StrEnum):
    Interruption_Begin = "Interruption.Begin"
    Interruption_End = "Interruption.End"
    Sample_Clock = "Sample.Clock"
    Sample_Periodic = "Sample.Periodic"
    Transaction_Begin = "Transaction.Begin"
    Transaction_End = "Transaction.End"
    Trigger = "Trigger"
    Other = "Other"


class ValueFormat(StrEnum):
    Raw = "Raw"
    SignedData = "SignedData"


class Measurand(StrEnum):
    Energy_Active_Export_Register = "Energy.Active.Export.Register"
    Energy_Active_Import_Register = "Energy.Active.Import.Register"
    Energy_Reactive_Export_Register = "Energy.Reactive.Export.Register"
    Energy_Reactive_Import_Register = "Energy.Reactive.Import.Register"
    Energy_Active_Export_Interval = "Energy.Active.Export.Interval"
    Energy_Active_Import_Interval = "Energy.Active.Import.Interval"
    Energy_Reactive_Export_Interval = "Energy.Reactive.Export.Interval"
    Energy_Reactive_Import_Interval = "Energy.Reactive.Import.Interval"
    Power_Active_Export = "Power.Active.Export"
    Power_Active_Import = "Power.Active.Import"
    Power_Offered = "Power.Offered"
    Power_Reactive_Export = "Power.Reactive.Export"
    Power_Reactive_Import = "Power.Reactive.Import"
    Power_Factor = "Power.Factor"
    Current_Import = "Current.Import"
    Current_Export = "Current.Export"
    Current_Offered = "Current.Offered"
    Voltage = "Voltage"
    Frequency = "Frequency"
    Temperature = "Temperature"
    SoC = "SoC"
    RPM = "RPM"


class Phase(StrEnum):
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


class Location(StrEnum):
    Cable = "Cable"
    EV = "EV"
    Inlet = "Inlet"
    Outlet = "Outlet"
    Body = "Body"


class UnitOfMeasure(StrEnum):
    Wh = "Wh"
    kWh = "kWh"
    varh = "varh"
    kvarh = "kvarh"
    W = "W"
    kW = "kW"
    VA = "VA"
    kVA = "kVA"
    var = "var"
    kvar = "kvar"
    A = "A"
    V = "V"
    K = "K"
    Celsius = "Celsius"
    Fahrenheit = "Fahrenheit"
    Percent = "Percent"


class SampledValue(Type, kw_only=True):
    value: str
    context: ReadingContext | None = None
    format: ValueFormat | None = None
    measurand: Measurand | None = None
    phase: Phase | None = None
    location: Location | None = None
    unit: UnitOfMeasure | None = None


class MeterValue(Type, kw_only=True):
    timestamp: datetime
    sampled_value: Annotated[list[SampledValue], Items(1)] = field(name="sampledValue")


class MeterValuesRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    meter_value: Annotated[list[MeterValue], Items(1)] = field(name="meterValue")
    transaction_id: int | None = field(name="transactionId", default=None)


class MeterValuesResponse(Response, kw_only=True):
    pass


class RemoteStartTransactionRequest(Request, kw_only=True):
    id_tag: Annotated[str, Text(20, folded=True)] = field(name="idTag")
    connector_id: int | None = field(name="connectorId", default=None)
    charging_profile: ChargingProfile | None = field(name="chargingProfile", default=None)


class RemoteStartStopStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class RemoteStartTransactionResponse(Response, kw_only=True):
    status: RemoteStartStopStatus


class RemoteStopTransactionRequest(Request, kw_only=True):
    transaction_id: int = field(name="transactionId")


class RemoteStopTransactionResponse(Response, kw_only=True):
    status: RemoteStartStopStatus


class ResetType(StrEnum):
    Hard = "Hard"
    Soft = "Soft"


class ResetRequest(Request, kw_only=True):
    type: ResetType


class ResetStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class ResetResponse(Response, kw_only=True):
    status: ResetStatus


class StartTransactionRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    id_tag: Annotated[str, Text(20, folded=True)] = field(name="idTag")
    meter_start_Wh: int = field(name="meterStart")
    timestamp: datetime
    reservation_id: int | None = field(name="reservationId", default=None)


class StartTransactionResponse(Response, kw_only=True):
    id_tag_info: IdTagInfo = field(name="idTagInfo")
    transaction_id: int = field(name="transactionId")


class ChargePointErrorCode(StrEnum):
    ConnectorLockFailure = "ConnectorLockFailure"
    EVCommunicationError = "EVCommunicationError"
    GroundFailure = "GroundFailure"
    HighTemperature = "HighTemperature"
    InternalError = "InternalError"
    LocalListConflict = "LocalListConflict"
    NoError = "NoError"
    OtherError = "OtherError"
    OverCurrentFailure = "OverCurrentFailure"
    PowerMeterFailure = "PowerMeterFailure"
    PowerSwitchFailure = "PowerSwitchFailure"
    ReaderFailure = "ReaderFailure"
    ResetFailure = "ResetFailure"
    UnderVoltage = "UnderVoltage"
    OverVoltage = "OverVoltage"
    WeakSignal = "WeakSignal"


class ChargePointStatus(StrEnum):
    Available = "Available"
    Preparing = "Preparing"
    Charging = "Charging"
    SuspendedEVSE = "SuspendedEVSE"
    SuspendedEV = "SuspendedEV"
    Finishing = "Finishing"
    Reserved = "Reserved"
    Unavailable = "Unavailable"
    Faulted = "Faulted"


class StatusNotificationRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    error_code: ChargePointErrorCode = field(name="errorCode")
    status: ChargePointStatus
    info: Annotated[str | None, Text(50, folded=True)] = None
    timestamp: datetime | None = None
    vendor_id: Annotated[str | None, Text(255, folded=True)] = field(name="vendorId", default=None)
    vendor_error_code: Annotated[str | None, Text(50, folded=True)] = field(name="vendorErrorCode", default=None)


class StatusNotificationResponse(Response, kw_only=True):
    pass


class Reason(StrEnum):
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


class StopTransactionRequest(Request, kw_only=True):
    meter_stop_Wh: int = field(name="meterStop")
    timestamp: datetime
    transaction_id: int = field(name="transactionId")
    id_tag: Annotated[str | None, Text(20, folded=True)] = field(name="idTag", default=None)
    reason: Reason | None = None
    transaction_data: list[MeterValue] | None = field(name="transactionData", default=None)


class StopTransactionResponse(Response, kw_only=True):
    id_tag_info: IdTagInfo | None = field(name="idTagInfo", default=None)


class UnlockConnectorRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")


class UnlockStatus(StrEnum):
    Unlocked = "Unlocked"
    UnlockFailed = "UnlockFailed"
    NotSupported = "NotSupported"


class UnlockConnectorResponse(Response, kw_only=True):
    status: UnlockStatus
