"""Monitoring of variables, and events (OCPP 2.x part 2, block N)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, Items, Range, Required, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import (
    GenericDeviceModelStatusEnumType,
    GenericStatusEnumType,
    StatusInfoType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import (
    ComponentType,
    ComponentVariableType,
    PeriodicEventStreamParamsType,
    VariableType,
)


class ClearMonitoringStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotFound = "NotFound"


class EventNotificationEnumType(StrEnum):
    HardWiredNotification = "HardWiredNotification"
    HardWiredMonitor = "HardWiredMonitor"
    PreconfiguredMonitor = "PreconfiguredMonitor"
    CustomMonitor = "CustomMonitor"


class EventTriggerEnumType(StrEnum):
    Alerting = "Alerting"
    Delta = "Delta"
    Periodic = "Periodic"


class MonitorEnumType(Values):
    UpperThreshold = "UpperThreshold"
    LowerThreshold = "LowerThreshold"
    Delta = "Delta"
    Periodic = "Periodic"
    PeriodicClockAligned = "PeriodicClockAligned"
    TargetDelta = "TargetDelta", SINCE_21
    TargetDeltaRelative = "TargetDeltaRelative", SINCE_21


class MonitoringBaseEnumType(StrEnum):
    All = "All"
    FactoryDefault = "FactoryDefault"
    HardWiredOnly = "HardWiredOnly"


class MonitoringCriterionEnumType(StrEnum):
    ThresholdMonitoring = "ThresholdMonitoring"
    DeltaMonitoring = "DeltaMonitoring"
    PeriodicMonitoring = "PeriodicMonitoring"


class SetMonitoringStatusEnumType(StrEnum):
    Accepted = "Accepted"
    UnknownComponent = "UnknownComponent"
    UnknownVariable = "UnknownVariable"
    UnsupportedMonitorType = "UnsupportedMonitorType"
    Rejected = "Rejected"
    Duplicate = "Duplicate"


class ClearMonitoringResultType(V2Type, kw_only=True):
    status: ClearMonitoringStatusEnumType
    id: Annotated[int, In21(Range(0))]
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class EventDataType(V2Type, kw_only=True):
    event_id: Annotated[int, In21(Range(0))] = field(name="eventId")
    timestamp: datetime
    trigger: EventTriggerEnumType
    actual_value: Annotated[str, Text(2500)] = field(name="actualValue")
    component: ComponentType
    event_notification_type: EventNotificationEnumType = field(name="eventNotificationType")
    variable: VariableType
    cause: Annotated[int | None, In21(Range(0))] = None
    tech_code: Annotated[str | None, Text(50)] = field(name="techCode", default=None)
    tech_info: Annotated[str | None, Text(500)] = field(name="techInfo", default=None)
    cleared: bool | None = None
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)
    variable_monitoring_id: Annotated[int | None, In21(Range(0))] = field(name="variableMonitoringId", default=None)
    severity: Annotated[int | None, Range(0), SINCE_21] = None


class VariableMonitoringType(V2Type, kw_only=True):
    id: Annotated[int, In21(Range(0))]
    transaction: bool
    value: float
    type: MonitorEnumType
    severity: Annotated[int, In21(Range(0))]
    event_notification_type: Annotated[EventNotificationEnumType | None, In21(Required()), SINCE_21] = field(
        name="eventNotificationType", default=None
    )


class MonitoringDataType(V2Type, kw_only=True):
    component: ComponentType
    variable: VariableType
    variable_monitoring: Annotated[list[VariableMonitoringType], Items(1)] = field(name="variableMonitoring")


class SetMonitoringDataType(V2Type, kw_only=True):
    value: float
    type: MonitorEnumType
    severity: Annotated[int, In21(Range(0))]
    component: ComponentType
    variable: VariableType
    id: Annotated[int | None, In21(Range(0))] = None
    transaction: bool = False
    periodic_event_stream: Annotated[PeriodicEventStreamParamsType | None, SINCE_21] = field(
        name="periodicEventStream", default=None
    )


class SetMonitoringResultType(V2Type, kw_only=True):
    status: SetMonitoringStatusEnumType
    type: MonitorEnumType
    component: ComponentType
    variable: VariableType
    severity: Annotated[int, In21(Range(0))]
    id: Annotated[int | None, In21(Range(0))] = None
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyEventRequest(V2Request, kw_only=True):
    generated_at: datetime = field(name="generatedAt")
    seq_no: Annotated[int, In21(Range(0))] = field(name="seqNo")
    event_data: Annotated[list[EventDataType], Items(1)] = field(name="eventData")
    tbc: bool = False


class NotifyEventResponse(V2Response, kw_only=True):
    pass


class SetMonitoringBaseRequest(V2Request, kw_only=True):
    monitoring_base: MonitoringBaseEnumType = field(name="monitoringBase")


class SetMonitoringBaseResponse(V2Response, kw_only=True):
    status: GenericDeviceModelStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class SetMonitoringLevelRequest(V2Request, kw_only=True):
    severity: Annotated[int, In21(Range(0))]


class SetMonitoringLevelResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class SetVariableMonitoringRequest(V2Request, kw_only=True):
    set_monitoring_data: Annotated[list[SetMonitoringDataType], Items(1)] = field(name="setMonitoringData")


class SetVariableMonitoringResponse(V2Response, kw_only=True):
    set_monitoring_result: Annotated[list[SetMonitoringResultType], Items(1)] = field(name="setMonitoringResult")


class ClearVariableMonitoringRequest(V2Request, kw_only=True):
    id: Annotated[list[Annotated[int, In21(Range(0))]], Items(1)]


class ClearVariableMonitoringResponse(V2Response, kw_only=True):
    clear_monitoring_result: Annotated[list[ClearMonitoringResultType], Items(1)] = field(name="clearMonitoringResult")


class GetMonitoringReportRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    component_variable: Annotated[list[ComponentVariableType] | None, Items(1)] = field(
        name="componentVariable", default=None
    )
    monitoring_criteria: Annotated[list[MonitoringCriterionEnumType] | None, Items(1, 3)] = field(
        name="monitoringCriteria", default=None
    )


class GetMonitoringReportResponse(V2Response, kw_only=True):
    status: GenericDeviceModelStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyMonitoringReportRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    seq_no: Annotated[int, In21(Range(0))] = field(name="seqNo")
    generated_at: datetime = field(name="generatedAt")
    monitor: Annotated[list[MonitoringDataType] | None, Items(1)] = None
    tbc: bool = False


class NotifyMonitoringReportResponse(V2Response, kw_only=True):
    pass
