"""Components and variables of the device model (OCPP 2.x part 2, blocks B and N)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType


class ComponentType(V2Type, kw_only=True):
    name: Annotated[str, Text(50, folded=True)]
    evse: EVSEType | None = None
    instance: Annotated[str | None, Text(50, folded=True)] = None


class VariableType(V2Type, kw_only=True):
    name: Annotated[str, Text(50, folded=True)]
    instance: Annotated[str | None, Text(50, folded=True)] = None


class ComponentVariableType(V2Type, kw_only=True):
    component: ComponentType
    variable: VariableType | None = None


class PeriodicEventStreamParamsType(V2Type, kw_only=True):
    interval_s: Annotated[int | None, Range(0)] = field(name="interval", default=None)
    values: Annotated[int | None, Range(0)] = None
