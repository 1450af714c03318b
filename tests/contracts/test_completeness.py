"""Every interface, type and error of EVerest 2026.10 and of chargebyte's add-on is declared, with every detail.

`everest.json` names them: errors by namespace, commands with arguments and results, variables, enumerations in order,
fields with their types, which are required, and whether there may be further ones. A type is text: `integer [1..3]`,
`array of iso15118.PaymentOption`.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from chargebyte_fw.contracts.errors import ERRORS
from chargebyte_fw.contracts.lookup import contract_of, interface_names
from chargebyte_fw.contracts.types.energy import SetpointType as Setpoint
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.manager.manifest import definition_of
from chargebyte_fw.manager.schema import schema_of, types_in
from chargebyte_fw.manager.wire import envelope

TABLE = json.loads((Path(__file__).parent / "everest.json").read_text("utf-8"))
OWN_ERRORS = {"evse_security": ("generic/VendorWarning",)}
"""Errors that this product adds to an interface: an expiring certificate is a warning of EvseSecurity."""
OWN_INTERFACES = ("cb_iso15118_schedules",)
"""Interfaces of this product alone, each with a file of types of its name: optional, beside EVerest's."""
TYPES = [f"{file}.{name}" for file, names in TABLE["types"].items() for name in names]

OBJECTS = [f"{file}.{name}" for file, kinds in TABLE["types"].items() for name in kinds if "fields" in kinds[name]]


def text_of(schema: dict[str, Any]) -> str:
    """A schema in the notation of the table."""
    if "$ref" in schema:
        file, _, name = schema["$ref"].lstrip("/").partition("#/")
        # The type beside a reference counts: a C++ module compares it with the one it was built with.
        assert schema["type"] == ("string" if "enum" in TABLE["types"][file][name] else "object")
        return f"{file}.{name}"
    kind = schema["type"]
    if isinstance(kind, list):
        return "|".join(kind)
    if "enum" in schema:
        return f"{kind} {{{', '.join(schema['enum'])}}}"
    if kind == "array":
        return f"array of {text_of(schema['items'])}{bounds(schema, 'minItems', 'maxItems', 'items ')}"
    if "pattern" in schema:
        return f"{kind} [pattern {schema['pattern']}]"
    if kind == "string":
        return kind + bounds(schema, "minLength", "maxLength", "length ")
    return str(kind) + bounds(schema, "minimum", "maximum", "")


def bounds(schema: dict[str, Any], least: str, most: str, noun: str) -> str:
    # A length cannot be below 0: writing that down or not is the same.
    # 0 and 0.0 are one bound: `Annotated` has one object for both, that of the first use.
    low, high = (
        f"{schema[key]:.15g}" if schema.get(key) or (key in schema and not noun) else "" for key in (least, most)
    )
    return f" [{noun}{low}..{high}]" if low or high else ""


def declared(interface: str) -> dict[str, Any]:
    contract = contract_of(interface)
    assert contract is not None, f"no contract of {interface}"
    definition = definition_of(contract)
    commands = {
        name: {
            "arguments": {argument: text_of(schema) for argument, schema in command["arguments"].items()},
            "result": text_of(command["result"]),
        }
        for name, command in definition["cmds"].items()
    }
    variables = {name: text_of(schema) for name, schema in definition["vars"].items()}
    errors = [error for error in contract.error_references if error not in OWN_ERRORS.get(interface, ())]
    return {"errors": errors, "commands": commands, "variables": variables}


@pytest.mark.parametrize("interface", list(TABLE["interfaces"]))
def test_an_interface_is_declared_as_everest_has_it(interface: str) -> None:
    assert declared(interface) == TABLE["interfaces"][interface]


def shape_of(name: str) -> dict[str, Any]:
    file, _, own = name.partition(".")
    module = importlib.import_module(f"chargebyte_fw.contracts.types.{file}")
    schema = schema_of(types_in(module)[own], inline=True)
    if "enum" in schema:
        return {"enum": schema["enum"]}
    fields = {field: text_of(one) for field, one in schema["properties"].items()}
    closed = schema.get("additionalProperties") is False
    return {"closed": closed, "required": sorted(schema.get("required", [])), "fields": fields}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_declared_as_everest_has_it(name: str) -> None:
    file, _, own = name.partition(".")
    expected = dict(TABLE["types"][file][own])
    if "required" in expected:
        expected["required"] = sorted(expected["required"])
    assert shape_of(name) == expected


def test_the_errors_are_everests() -> None:
    assert {namespace: list(errors) for namespace, errors in ERRORS.items()} == TABLE["errors"]


def test_nothing_is_declared_that_the_table_does_not_name() -> None:
    assert interface_names() == sorted([*(name.lower() for name in TABLE["interfaces"]), *OWN_INTERFACES])
    types = importlib.import_module("chargebyte_fw.contracts.types")
    files = {path.stem for path in Path(types.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == {*TABLE["types"], *OWN_INTERFACES}
    for file in TABLE["types"]:
        assert set(types_in(importlib.import_module(f"{types.__name__}.{file}"))) == set(TABLE["types"][file])


@pytest.mark.parametrize("name", ["nobody", "os.path", "Kvs", "iso15118_charger", ""])
def test_another_name_is_no_interface(name: str) -> None:
    assert contract_of(name) is None


def test_a_contract_is_found_without_importing_another() -> None:
    """Memory: what no module of the configuration uses is not loaded."""
    program = (
        "import sys; from chargebyte_fw.contracts.lookup import contract_of; contract_of('kvs');"
        "print(*(name for name in sys.modules if name.startswith('chargebyte_fw.contracts.')))"
    )
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(name.removeprefix("chargebyte_fw.contracts.") for name in names) == [
        "interfaces",
        "interfaces.kvs",
        "lookup",
    ]


def test_every_contract_can_be_provided() -> None:
    for interface in TABLE["interfaces"]:
        contract = contract_of(interface)
        assert contract is not None and issubclass(contract, Contract) and contract.interface == interface


def least(kind: Any) -> Any:
    """A value of the type with nothing but what is required."""
    if get_origin(kind) is Annotated:
        return least(get_args(kind)[0])
    if get_origin(kind) is list or kind is list:
        return []
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = [field for field in msgspec.structs.fields(kind) if field.required]
        return kind(**{field.name: least(field.type) for field in fields})
    return {int: 1, float: 1.5, str: "", bool: True}[kind]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_optional_field_is_left_out_and_never_null(name: str) -> None:
    """A C++ module ends on a null there."""
    file, _, own = name.partition(".")
    kind = types_in(importlib.import_module(f"chargebyte_fw.contracts.types.{file}"))[own]
    written = json.loads(envelope.variable(least(kind)))["data"]["data"]
    assert sorted(written) == sorted(TABLE["types"][file][own]["required"])


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_not_written(number: float) -> None:
    for value in (number, {"a": [number]}, Setpoint(priority=1, source="", ac_current_A=number)):
        with pytest.raises(ValueError, match="not finite"):
            envelope.variable(value)
    assert envelope.variable(None) == b'{"msg_type":"Var","data":{"data":null}}'
    assert envelope.variable({"text": "null"}).endswith(b'"null"}}}')
