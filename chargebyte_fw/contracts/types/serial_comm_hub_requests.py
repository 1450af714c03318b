"""EVerest type file `serial_comm_hub_requests`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType


class StatusCodeEnum(StrEnum):
    """EVerest enumeration `StatusCodeEnum`."""

    Success = "Success"
    Error = "Error"
    Timeout = "Timeout"


class Result(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `serial_comm_hub_requests.Result`."""

    status_code: StatusCodeEnum
    value: list[Annotated[int, Meta(ge=0, le=65535)]] | None = None


class ResultBool(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `serial_comm_hub_requests.ResultBool`."""

    status_code: StatusCodeEnum
    value: list[bool] | None = None


class VectorUint16(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `serial_comm_hub_requests.VectorUint16`."""

    data: list[Annotated[int, Meta(ge=0, le=65535)]]
