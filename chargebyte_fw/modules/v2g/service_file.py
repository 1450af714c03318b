"""The file with value-added services of `StaticISO15118VASProvider`: read, checked, and as EVerest's types."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from chargebyte_fw.contracts.types.iso15118_vas import OfferedService, Parameter, ParameterSet, ParameterValue
from chargebyte_fw.kernel.decoding import decode_yaml
from chargebyte_fw.kernel.errors import ConfigError, Finding

OWN_SERVICES = {1: "charging", 2: "contract certificates"}
"""Service ids that a charger offers by itself (ISO 15118-2 table 105)."""
MOST_SETS = 5
"""Parameter sets of which a car is given a description."""
MOST_PARAMETERS = 15
_RANGES = {"int8": (-(2**7), 2**7 - 1), "int16": (-(2**15), 2**15 - 1), "int32": (-(2**31), 2**31 - 1)}
_FIELDS = {"bool": "bool_value", "int8": "byte_value", "int16": "short_value", "int32": "int_value"}
_FIELDS |= {"string": "finite_string", "rational": "rational_number"}


class _Parameter(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    type: Literal["bool", "int8", "int16", "int32", "string", "rational"]
    value: bool | int | float | str


class _ParameterSet(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    parameters: list[_Parameter] = []


class _Service(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    name: str | None = None
    scope: str | None = None
    free_service: bool | None = None
    parameter_sets: list[_ParameterSet] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    services: list[_Service]


class StaticService(msgspec.Struct, frozen=True):
    """A service of the file."""

    offer: OfferedService
    sets: tuple[ParameterSet, ...]


def read_services(data: bytes, file: str) -> dict[int, StaticService]:
    """Return the services of the file by id, in its order; raises ConfigError with every finding."""
    try:
        content = msgspec.convert(decode_yaml(data), _File)
    except (ValueError, msgspec.ValidationError) as error:
        raise ConfigError(
            [Finding(file, str(error), "services: [{id: 77, parameter_sets: [...]}]", number="C210")]
        ) from None
    findings = [Finding(f"{file}: {where}", what, number="C210") for where, what in _faults(content)]
    if findings:
        raise ConfigError(findings)
    return {service.id: _static(service) for service in content.services}


def _static(service: _Service) -> StaticService:
    offer = OfferedService(
        service_id=service.id,
        service_name=service.name,
        service_scope=service.scope,
        free_service=service.free_service,
    )
    sets = [
        ParameterSet(
            set_id=one.id,
            parameters=[Parameter(name=each.name, value=_value(each)) for each in one.parameters],
        )
        for one in service.parameter_sets
    ]
    return StaticService(offer, tuple(sets))


def _value(parameter: _Parameter) -> ParameterValue:
    return ParameterValue(**{_FIELDS[parameter.type]: parameter.value})  # type: ignore[arg-type]


# -- what is wrong


def _faults(content: _File) -> list[tuple[str, str]]:
    found = _twice("services", [service.id for service in content.services])
    for at, service in enumerate(content.services):
        where = f"services[{at}]"
        if service.id in OWN_SERVICES:
            found.append((where, f"the id {service.id} is the charger's own service, {OWN_SERVICES[service.id]}"))
        elif not 0 < service.id < 2**16:
            found.append((where, f"the id {service.id} is not between 3 and 65535"))
        for name, text, most in (("name", service.name, 32), ("scope", service.scope, 64)):
            if text is not None and not 1 <= len(text) <= most:
                found.append((f"{where}.{name}", f"{len(text)} characters, 1 to {most} are allowed"))
        found += _faults_of_sets(f"{where}.parameter_sets", service.parameter_sets)
    return found


def _faults_of_sets(where: str, sets: list[_ParameterSet]) -> list[tuple[str, str]]:
    found = _twice(where, [one.id for one in sets])
    if len(sets) > MOST_SETS:
        found.append((where, f"{len(sets)} parameter sets, a car is told of {MOST_SETS}"))
    for at, one in enumerate(sets):
        inner = f"{where}[{at}]"
        low, high = _RANGES["int16"]
        if not low <= one.id <= high:
            found.append((inner, f"the id {one.id} is not between {low} and {high}"))
        if not 1 <= len(one.parameters) <= MOST_PARAMETERS:
            found.append(
                (f"{inner}.parameters", f"{len(one.parameters)} parameters, 1 to {MOST_PARAMETERS} are possible")
            )
        found += _twice(f"{inner}.parameters", [each.name for each in one.parameters])
        found += [
            (f"{inner}.parameters[{number}]", what)
            for number, each in enumerate(one.parameters)
            if (what := _fault_of_parameter(each))
        ]
    return found


def _fault_of_parameter(parameter: _Parameter) -> str:
    kind, value = parameter.type, parameter.value
    if not 1 <= len(parameter.name) <= 80:
        return f"a name of {len(parameter.name)} characters, 1 to 80 are allowed"
    if kind == "bool":
        return "" if isinstance(value, bool) else f"{value!r} is not true or false"
    if kind == "string":
        if not isinstance(value, str):
            return f"{value!r} is no text; put it in quotation marks"
        return "" if len(value) <= 80 else f"a text of {len(value)} characters, 80 are allowed"
    if isinstance(value, bool | str):
        return f"{value!r} is no number"
    if kind == "rational":
        return ""
    low, high = _RANGES[kind]
    if not isinstance(value, int):
        return f"{value!r} is no whole number"
    return "" if low <= value <= high else f"{value} is not between {low} and {high}, as {kind} is"


def _twice(where: str, names: list[Any]) -> list[tuple[str, str]]:
    seen: set[Any] = set()
    found = []
    for name in names:
        if name in seen:
            found.append((where, f"{name!r} is there twice"))
        seen.add(name)
    return found
