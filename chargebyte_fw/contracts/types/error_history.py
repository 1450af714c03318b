"""EVerest type file `error_history`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType


class State(StrEnum):
    """EVerest enumeration `State`."""

    Active = "Active"
    ClearedByModule = "ClearedByModule"
    ClearedByReboot = "ClearedByReboot"


class SeverityFilter(StrEnum):
    """*_GE = severity greater or equal."""

    HIGH_GE = "HIGH_GE"
    MEDIUM_GE = "MEDIUM_GE"
    LOW_GE = "LOW_GE"


class Severity(StrEnum):
    """EVerest enumeration `Severity`."""

    High = "High"
    Medium = "Medium"
    Low = "Low"


class ImplementationIdentifier(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `error_history.ImplementationIdentifier`."""

    module_id: Annotated[str, Meta(min_length=2)]
    implementation_id: Annotated[str, Meta(min_length=2)]


class TimeperiodFilter(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `error_history.TimeperiodFilter`."""

    timestamp_from: str
    timestamp_to: str


class FilterArguments(OpenType, kw_only=True, omit_defaults=True):
    """All optional; combined with AND."""

    state_filter: State | None = None
    origin_filter: ImplementationIdentifier | None = None
    type_filter: str | None = None
    severity_filter: SeverityFilter | None = None
    timeperiod_filter: TimeperiodFilter | None = None
    handle_filter: str | None = None
    """Error uuid."""


class ErrorObject(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `error_history.ErrorObject`."""

    type: Annotated[str, Meta(min_length=2)]
    description: Annotated[str, Meta(min_length=2)]
    message: Annotated[str, Meta(min_length=2)]
    severity: Severity
    origin: ImplementationIdentifier
    timestamp: str
    uuid: Annotated[str, Meta(min_length=2)]
    state: State
    sub_type: str | None = None
