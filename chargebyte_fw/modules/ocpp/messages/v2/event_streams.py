"""Periodic event streams (OCPP 2.1 part 2, use cases N11 to N15)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.device_model import PeriodicEventStreamParamsType


class ConstantStreamDataType(V2Type, kw_only=True):
    id: Annotated[int, Range(0)]
    params: PeriodicEventStreamParamsType
    variable_monitoring_id: Annotated[int, Range(0)] = field(name="variableMonitoringId")


class StreamDataElementType(V2Type, kw_only=True):
    t_s: float = field(name="t")
    v: Annotated[str, Text(2500)]


class OpenPeriodicEventStreamRequest(V2Request, kw_only=True):
    constant_stream_data: ConstantStreamDataType = field(name="constantStreamData")


class OpenPeriodicEventStreamResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ClosePeriodicEventStreamRequest(V2Request, kw_only=True):
    id: Annotated[int, Range(0)]


class ClosePeriodicEventStreamResponse(V2Response, kw_only=True):
    pass


class GetPeriodicEventStreamRequest(V2Request, kw_only=True):
    pass


class GetPeriodicEventStreamResponse(V2Response, kw_only=True):
    constant_stream_data: Annotated[list[ConstantStreamDataType] | None, Items(1)] = field(
        name="constantStreamData", default=None
    )


class AdjustPeriodicEventStreamRequest(V2Request, kw_only=True):
    id: Annotated[int, Range(0)]
    params: PeriodicEventStreamParamsType


class AdjustPeriodicEventStreamResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyPeriodicEventStream(V2Request, kw_only=True):
    data: Annotated[list[StreamDataElementType], Items(1)]
    id: Annotated[int, Range(0)]
    pending: Annotated[int, Range(0)]
    basetime: datetime
