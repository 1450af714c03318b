"""Meter values without transaction (OCPP 2.x part 2, block J)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import In21, Items, Range
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import MeterValueType


class MeterValuesRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    meter_value: Annotated[list[MeterValueType], Items(1)] = field(name="meterValue")


class MeterValuesResponse(V2Response, kw_only=True):
    pass
