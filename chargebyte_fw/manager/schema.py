"""JSON schemas in EVerest's dialect from the types: named types become references `/file#/Name`."""

from __future__ import annotations

from enum import Enum
from types import ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.open_type import OpenType

_ANY = ("null", "string", "number", "integer", "boolean", "array", "object")
"""Any JSON value, in the order of EVerest's files: a C++ module compares the list with its own place by place."""
TYPES_PACKAGE = "chargebyte_fw.contracts.types."
_BOUNDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
_SCALARS: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def schema_of(kind: Any, *, inline: bool = False) -> dict[str, Any]:
    """Return the schema of a type; a named type is a reference unless `inline`."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        schema = schema_of(inner, inline=inline)
        for note in notes:
            if isinstance(note, msgspec.Meta):
                schema.update(_noted(note, schema.get("type")))
        return schema
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union([part for part in parts if part is not type(None)], inline)
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(parts[0])} if parts else {"type": "array"}
    if origin is dict:
        if parts[1] is Any:
            return {"type": "object"}
        return {"type": "object", "additionalProperties": schema_of(parts[1])}
    if kind in (list, dict):
        return {"type": "array" if kind is list else "object"}
    if isinstance(kind, type) and (issubclass(kind, Enum) or issubclass(kind, msgspec.Struct)):
        return _named(kind, inline)
    return {"type": list(_ANY)}


def _union(parts: list[Any], inline: bool) -> dict[str, Any]:
    if len(parts) == 1:
        return schema_of(parts[0], inline=inline)
    names = [schema_of(part).get("type", "object") for part in parts]
    return {"type": list(dict.fromkeys(name for name in names if isinstance(name, str)))}


def _noted(note: msgspec.Meta, of: Any) -> dict[str, Any]:
    found = {name: value for key, name in _BOUNDS.items() if (value := getattr(note, key)) is not None}
    noun = "Items" if of == "array" else "Length"
    for key, prefix in (("min_length", "min"), ("max_length", "max")):
        if (value := getattr(note, key)) is not None:
            found[prefix + noun] = value
    if note.description:
        found["description"] = note.description
    return {**found, **(note.extra_json_schema or {})}


def _named(kind: type, inline: bool) -> dict[str, Any]:
    shape = "string" if issubclass(kind, Enum) else "object"
    if not inline and not issubclass(kind, FieldEnum) and kind.__module__.startswith(TYPES_PACKAGE):
        return {"type": shape, "$ref": f"/{kind.__module__.removeprefix(TYPES_PACKAGE)}#/{kind.__name__}"}
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    if not issubclass(kind, msgspec.Struct):
        raise TypeError(f"{kind.__name__} is no data type of a contract")
    fields = msgspec.structs.fields(kind)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {info.encode_name: schema_of(info.type) for info in fields},
    }
    if not issubclass(kind, OpenType):
        schema["additionalProperties"] = False
    required = [info.encode_name for info in fields if info.required]
    return {**schema, "required": required} if required else schema


def types_in(module: ModuleType) -> dict[str, type]:
    """Return the named types that a type file declares, in its order."""
    return {
        name: kind
        for name, kind in vars(module).items()
        if isinstance(kind, type)
        and kind.__module__ == module.__name__
        and issubclass(kind, Enum | msgspec.Struct)
        and not issubclass(kind, FieldEnum)
    }


def type_file(module: ModuleType, describe: Any) -> dict[str, Any]:
    """Return the content of `types/<file>.yaml`; `describe(cls)` returns a sentence for the class and each field."""
    found: dict[str, Any] = {}
    for name, kind in types_in(module).items():
        text, docs = describe(kind)
        schema = {"description": text, **schema_of(kind, inline=True)}
        for key, value in schema.get("properties", {}).items():
            value.setdefault("description", docs.get(key, f"Value of {key}."))
        found[name] = schema
    return found
