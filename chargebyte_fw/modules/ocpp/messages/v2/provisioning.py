"""Provisioning (OCPP 2.x part 2, block B): boot, variables, reports, network profiles, reset."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Items, Range, Required, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericDeviceModelStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import ComponentType, ComponentVariableType, VariableType


class APNAuthenticationEnumType(StrEnum):
    CHAP = "CHAP"
    NONE = "NONE"
    PAP = "PAP"
    AUTO = "AUTO"


class AttributeEnumType(StrEnum):
    Actual = "Actual"
    Target = "Target"
    MinSet = "MinSet"
    MaxSet = "MaxSet"


class BootReasonEnumType(StrEnum):
    ApplicationReset = "ApplicationReset"
    FirmwareUpdate = "FirmwareUpdate"
    LocalReset = "LocalReset"
    PowerUp = "PowerUp"
    RemoteReset = "RemoteReset"
    ScheduledReset = "ScheduledReset"
    Triggered = "Triggered"
    Unknown = "Unknown"
    Watchdog = "Watchdog"


class ComponentCriterionEnumType(StrEnum):
    Active = "Active"
    Available = "Available"
    Enabled = "Enabled"
    Problem = "Problem"


class DataEnumType(StrEnum):
    string = "string"
    decimal = "decimal"
    integer = "integer"
    dateTime = "dateTime"
    boolean = "boolean"
    OptionList = "OptionList"
    SequenceList = "SequenceList"
    MemberList = "MemberList"


class GetVariableStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownComponent = "UnknownComponent"
    UnknownVariable = "UnknownVariable"
    NotSupportedAttributeType = "NotSupportedAttributeType"


class MutabilityEnumType(StrEnum):
    ReadOnly = "ReadOnly"
    WriteOnly = "WriteOnly"
    ReadWrite = "ReadWrite"


class OCPPInterfaceEnumType(Values):
    Wired0 = "Wired0"
    Wired1 = "Wired1"
    Wired2 = "Wired2"
    Wired3 = "Wired3"
    Wireless0 = "Wireless0"
    Wireless1 = "Wireless1"
    Wireless2 = "Wireless2"
    Wireless3 = "Wireless3"
    Any = "Any", SINCE_21


class OCPPTransportEnumType(StrEnum):
    JSON = "JSON"
    SOAP = "SOAP"


class OCPPVersionEnumType(Values):
    OCPP12 = "OCPP12"
    OCPP15 = "OCPP15"
    OCPP16 = "OCPP16"
    OCPP20 = "OCPP20"
    OCPP201 = "OCPP201", SINCE_21
    OCPP21 = "OCPP21", SINCE_21


class RegistrationStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Pending = "Pending"
    Rejected = "Rejected"


class ReportBaseEnumType(StrEnum):
    ConfigurationInventory = "ConfigurationInventory"
    FullInventory = "FullInventory"
    SummaryInventory = "SummaryInventory"


class ResetEnumType(Values):
    Immediate = "Immediate"
    OnIdle = "OnIdle"
    ImmediateAndResume = "ImmediateAndResume", SINCE_21


class ResetStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Scheduled = "Scheduled"


class SetNetworkProfileStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Failed = "Failed"


class SetVariableStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    UnknownComponent = "UnknownComponent"
    UnknownVariable = "UnknownVariable"
    NotSupportedAttributeType = "NotSupportedAttributeType"
    RebootRequired = "RebootRequired"


class VPNEnumType(StrEnum):
    IKEv2 = "IKEv2"
    IPSec = "IPSec"
    L2TP = "L2TP"
    PPTP = "PPTP"


class APNType(V2Type, kw_only=True):
    apn: Annotated[str, Text(2000), In201(Text(512))]
    apn_authentication: APNAuthenticationEnumType = field(name="apnAuthentication")
    apn_user_name: Annotated[str | None, Text(50), In201(Text(20))] = field(name="apnUserName", default=None)
    apn_password: Annotated[str | None, Text(64), In201(Text(20))] = field(name="apnPassword", default=None)
    sim_pin: int | None = field(name="simPin", default=None)
    preferred_network: Annotated[str | None, Text(6)] = field(name="preferredNetwork", default=None)
    use_only_preferred_network: bool = field(name="useOnlyPreferredNetwork", default=False)


class ModemType(V2Type, kw_only=True):
    iccid: Annotated[str | None, Text(20, folded=True)] = None
    imsi: Annotated[str | None, Text(20, folded=True)] = None


class ChargingStationType(V2Type, kw_only=True):
    model: Annotated[str, Text(20)]
    vendor_name: Annotated[str, Text(50)] = field(name="vendorName")
    serial_number: Annotated[str | None, Text(25)] = field(name="serialNumber", default=None)
    modem: ModemType | None = None
    firmware_version: Annotated[str | None, Text(50)] = field(name="firmwareVersion", default=None)


class GetVariableDataType(V2Type, kw_only=True):
    component: ComponentType
    variable: VariableType
    attribute_type: AttributeEnumType | None = field(name="attributeType", default=None)


class GetVariableResultType(V2Type, kw_only=True):
    attribute_status: GetVariableStatusEnumType = field(name="attributeStatus")
    component: ComponentType
    variable: VariableType
    attribute_status_info: StatusInfoType | None = field(name="attributeStatusInfo", default=None)
    attribute_type: AttributeEnumType | None = field(name="attributeType", default=None)
    attribute_value: Annotated[str | None, Text(2500)] = field(name="attributeValue", default=None)


class VPNType(V2Type, kw_only=True):
    server: Annotated[str, Text(2000), In201(Text(512))]
    user: Annotated[str, Text(50), In201(Text(20))]
    password: Annotated[str, Text(64), In201(Text(20))]
    key: Annotated[str, Text(255)]
    type: VPNEnumType
    group: Annotated[str | None, Text(50), In201(Text(20))] = None


class NetworkConnectionProfileType(V2Type, kw_only=True):
    ocpp_transport: OCPPTransportEnumType = field(name="ocppTransport")
    ocpp_csms_url: Annotated[str, Text(2000), In201(Text(512))] = field(name="ocppCsmsUrl")
    message_timeout_s: int = field(name="messageTimeout")
    security_profile: Annotated[int, In21(Range(0))] = field(name="securityProfile")
    ocpp_interface: OCPPInterfaceEnumType = field(name="ocppInterface")
    apn: APNType | None = None
    ocpp_version: Annotated[OCPPVersionEnumType | None, In201(Required())] = field(name="ocppVersion", default=None)
    vpn: VPNType | None = None
    identity: Annotated[str | None, Text(48), SINCE_21] = None
    basic_auth_password: Annotated[str | None, Text(64), SINCE_21] = field(name="basicAuthPassword", default=None)


class VariableAttributeType(V2Type, kw_only=True):
    type: AttributeEnumType | None = None
    value: Annotated[str | None, Text(2500)] = None
    mutability: MutabilityEnumType | None = None
    persistent: bool = False
    constant: bool = False


class VariableCharacteristicsType(V2Type, kw_only=True):
    data_type: DataEnumType = field(name="dataType")
    supports_monitoring: bool = field(name="supportsMonitoring")
    unit: Annotated[str | None, Text(16)] = None
    min_limit: float | None = field(name="minLimit", default=None)
    max_limit: float | None = field(name="maxLimit", default=None)
    values_list: Annotated[str | None, Text(1000)] = field(name="valuesList", default=None)
    max_elements: Annotated[int | None, Range(1), SINCE_21] = field(name="maxElements", default=None)


class ReportDataType(V2Type, kw_only=True):
    component: ComponentType
    variable: VariableType
    variable_attribute: Annotated[list[VariableAttributeType], Items(1, 4)] = field(name="variableAttribute")
    variable_characteristics: VariableCharacteristicsType | None = field(name="variableCharacteristics", default=None)


class SetVariableDataType(V2Type, kw_only=True):
    attribute_value: Annotated[str, Text(2500), In201(Text(1000))] = field(name="attributeValue")
    component: ComponentType
    variable: VariableType
    attribute_type: AttributeEnumType | None = field(name="attributeType", default=None)


class SetVariableResultType(V2Type, kw_only=True):
    attribute_status: SetVariableStatusEnumType = field(name="attributeStatus")
    component: ComponentType
    variable: VariableType
    attribute_type: AttributeEnumType | None = field(name="attributeType", default=None)
    attribute_status_info: StatusInfoType | None = field(name="attributeStatusInfo", default=None)


class BootNotificationRequest(V2Request, kw_only=True):
    charging_station: ChargingStationType = field(name="chargingStation")
    reason: BootReasonEnumType


class BootNotificationResponse(V2Response, kw_only=True):
    current_time: datetime = field(name="currentTime")
    interval_s: int = field(name="interval")
    status: RegistrationStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetBaseReportRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    report_base: ReportBaseEnumType = field(name="reportBase")


class GetBaseReportResponse(V2Response, kw_only=True):
    status: GenericDeviceModelStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetReportRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    component_variable: Annotated[list[ComponentVariableType] | None, Items(1)] = field(
        name="componentVariable", default=None
    )
    component_criteria: Annotated[list[ComponentCriterionEnumType] | None, Items(1, 4)] = field(
        name="componentCriteria", default=None
    )


class GetReportResponse(V2Response, kw_only=True):
    status: GenericDeviceModelStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyReportRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    generated_at: datetime = field(name="generatedAt")
    seq_no: Annotated[int, In21(Range(0))] = field(name="seqNo")
    report_data: Annotated[list[ReportDataType] | None, Items(1)] = field(name="reportData", default=None)
    tbc: bool = False


class NotifyReportResponse(V2Response, kw_only=True):
    pass


class SetVariablesRequest(V2Request, kw_only=True):
    set_variable_data: Annotated[list[SetVariableDataType], Items(1)] = field(name="setVariableData")


class SetVariablesResponse(V2Response, kw_only=True):
    set_variable_result: Annotated[list[SetVariableResultType], Items(1)] = field(name="setVariableResult")


class GetVariablesRequest(V2Request, kw_only=True):
    get_variable_data: Annotated[list[GetVariableDataType], Items(1)] = field(name="getVariableData")


class GetVariablesResponse(V2Response, kw_only=True):
    get_variable_result: Annotated[list[GetVariableResultType], Items(1)] = field(name="getVariableResult")


class SetNetworkProfileRequest(V2Request, kw_only=True):
    configuration_slot: int = field(name="configurationSlot")
    connection_data: NetworkConnectionProfileType = field(name="connectionData")


class SetNetworkProfileResponse(V2Response, kw_only=True):
    status: SetNetworkProfileStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ResetRequest(V2Request, kw_only=True):
    type: ResetEnumType
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)


class ResetResponse(V2Response, kw_only=True):
    status: ResetStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
