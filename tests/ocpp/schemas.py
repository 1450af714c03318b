"""The official JSON schemas, as the package `ocpp` has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import jsonschema

from chargebyte_fw.modules.ocpp.messages.model import Message, Request
from chargebyte_fw.modules.ocpp.messages.schema import catalogue
from chargebyte_fw.modules.ocpp.version import Version

FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


def message_types(version: Version) -> Iterator[type[Message]]:
    """Every request and response of a version, in the order of their names."""
    actions = catalogue(version)
    for action in sorted(actions.actions):
        yield actions.request(action)
        if not actions.is_send(action):
            yield actions.response(action)


@cache
def schema_of(kind: type[Message], version: Version) -> dict[str, Any]:
    """The schema of a message."""
    name = kind.__name__
    if version is Version.V16 and issubclass(kind, Request):
        name = name.removesuffix("Request")
    text = (resources.files("ocpp") / FOLDERS[version] / "schemas" / f"{name}.json").read_text("utf-8-sig")
    schema: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return schema


def schema_names(version: Version) -> set[str]:
    """The names of the schema files."""
    folder = resources.files("ocpp") / FOLDERS[version] / "schemas"
    return {entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")}


@cache
def validator(kind: type[Message], version: Version) -> Any:
    """A validator with the draft that the schema names."""
    schema = schema_of(kind, version)
    return jsonschema.validators.validator_for(schema)(schema)


def complaint(kind: type[Message], version: Version, payload: bytes) -> str:
    """Return what the schema says against a payload, empty if nothing."""
    value = json.loads(payload, parse_float=Decimal)
    error = jsonschema.exceptions.best_match(validator(kind, version).iter_errors(value))
    return "" if error is None else f"{error.json_path}: {error.message}"
