"""EVerest type file `iso15118_vas`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType


class ParameterValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Set exactly one field."""

    finite_string: Annotated[str, Meta(max_length=80)] | None = None
    rational_number: float | None = None
    byte_value: int | None = None
    short_value: int | None = None
    int_value: int | None = None
    bool_value: bool | None = None


class Parameter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118_vas.Parameter`."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    value: ParameterValue


class ParameterSet(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118_vas.ParameterSet`."""

    set_id: int
    parameters: list[Parameter]


class SelectedService(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118_vas.SelectedService`."""

    service_id: int
    parameter_set_id: int


class OfferedService(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118_vas.OfferedService`."""

    service_id: int
    service_name: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    service_scope: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    free_service: bool | None = None


class OfferedServices(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `iso15118_vas.OfferedServices`."""

    services: list[OfferedService]
