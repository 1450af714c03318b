"""AsyncAPI 3.0 of the topics and OpenRPC of the methods, one document a module."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from chargebyte_fw.modules.api.rpc_objects import ResponseError
from tests.docs.interfaces.bridges import Topic
from tests.docs.interfaces.charger import Call

REFERENCE = "#/components/schemas/{name}"
JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
NOTIFICATIONS = {
    "EVSE.StatusChanged": ("evse_index", "evse_status"),
    "EVSE.MeterDataChanged": ("evse_index", "meter_data"),
    "EVSE.HardwareCapabilitiesChanged": ("evse_index", "hardware_capabilities"),
    "ChargePoint.ActiveErrorsChanged": ("active_errors",),
}
"""What the charger sends by itself, with its parameters."""


def value_of(text: str) -> Any:
    """Return a payload out of JSON; a text that is none as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def inferred(value: Any) -> dict[str, Any]:
    """Return the JSON schema that an example shows."""
    if isinstance(value, list):
        return {"type": "array", **({"items": inferred(value[0])} if value else {})}
    if isinstance(value, dict):
        return {"type": "object", "properties": {key: inferred(one) for key, one in value.items()}}
    return {"type": JSON_TYPES[type(value)]}


class Schemas:
    """The named types of a document."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of(self, kind: Any, example: str) -> dict[str, Any]:
        """Return the schema of a payload: of its type, or of its example where none is declared."""
        if kind is None or kind is Any:
            if not example:
                return {"type": "string", "maxLength": 0, "description": "An empty payload."}
            return inferred(value_of(example))
        (schema,), more = msgspec.json.schema_components([kind], ref_template=REFERENCE)
        self.named.update(more)
        return dict(schema)

    def settle(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the document with its named types, under names without packages."""
        document["components"] = {"schemas": dict(sorted(self.named.items()))}
        names = {name: re.sub(r"\W+", "_", name.removeprefix("chargebyte_fw.contracts.types.")).strip("_")
                 for name in self.named}  # fmt: skip
        assert len(set(names.values())) == len(names)

        def renamed(value: Any) -> Any:
            if isinstance(value, list):
                return [renamed(one) for one in value]
            if not isinstance(value, dict):
                return value
            if "$ref" in value and str(value["$ref"]).startswith(REFERENCE[:-6]):
                value = {**value, "$ref": REFERENCE.format(name=names[value["$ref"].rpartition("/")[2]])}
            return {key: renamed(one) for key, one in value.items()}

        settled = renamed(document)
        schemas = settled["components"]["schemas"]
        settled["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
        return dict(settled)


def request_schema(topic: Topic, schemas: Schemas) -> dict[str, Any]:
    """Return the schema of a request, with the one of its payload; without `replyTo` a client gets no reply."""
    headers: dict[str, Any] = {"type": "object", "properties": {"replyTo": {"type": "string"}}}
    properties = {"headers": headers}
    if not topic.from_client:
        headers["required"] = ["replyTo"]
    example = json.loads(topic.example)
    if "payload" in example:
        properties["payload"] = schemas.of(topic.kind, json.dumps(example["payload"]))
    required = [name for name in properties if name == "payload" or not topic.from_client]
    return {"type": "object", "properties": properties, "required": required}


def asyncapi(title: str, about: str, prefix: str, topics: list[Topic]) -> dict[str, Any]:
    """Return the document of a module whose topics begin with `prefix`; `{...}` in it are parameters."""
    schemas = Schemas()
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for one in topics:
        key = re.sub(r"\W+", "_", one.name).strip("_")
        address = prefix + one.name
        if one.is_request:
            payload = request_schema(one, schemas)
        elif one.from_client and one.kind is None and not one.example:
            payload = {"description": "Any payload, or none: it is not read."}
        else:
            payload = schemas.of(one.kind, one.example)
        message: dict[str, Any] = {"payload": payload}
        if one.example:
            message["examples"] = [{"payload": value_of(one.example)}]
        channels[key] = {"address": address, "messages": {key: message}}
        parameters = re.findall(r"\{(\w+)\}", address)
        if parameters:
            channels[key]["parameters"] = {name: {} for name in parameters}
        operation: dict[str, Any] = {
            # The document is the charger's: it receives what a client sends.
            "action": "receive" if one.from_client else "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
        }
        operations[key] = operation
        if one.about:
            operation["summary"] = one.about
        if one.is_request:
            reply: dict[str, Any] = {"payload": schemas.of(one.reply_kind, one.reply or "null")}
            reply["examples"] = [{"payload": value_of(one.reply or "null")}]
            channels[f"{key}_reply"] = {"address": None, "messages": {"reply": reply}}
            operation["reply"] = {
                "address": {"location": "$message.payload#/headers/replyTo"},
                "channel": {"$ref": f"#/channels/{key}_reply"},
            }
    return schemas.settle(
        {
            "asyncapi": "3.0.0",
            "info": {"title": title, "version": "1.0.0", "description": about},
            "defaultContentType": "application/json",
            "channels": channels,
            "operations": operations,
        }
    )


def openrpc(calls: tuple[Call, ...], about: str, version: str) -> dict[str, Any]:
    """Return the document of the methods; notifications are methods without a result, sent by the charger."""
    schemas = Schemas()
    results = {key: inferred(value) for call in calls for key, value in call.result.items()}
    results["evse_status"] = results["status"]
    results["error"] = {"type": "string", "enum": [one.value for one in ResponseError]}
    methods: list[dict[str, Any]] = []
    for call in calls:
        params = [{"name": name, "required": True, "schema": schemas.of(kind, "")} for name, kind in call.types.items()]
        result = {"type": "object", "properties": {key: results[key] for key in call.result}}
        example = {
            "name": "call",
            "params": [{"name": name, "value": value} for name, value in call.parameters.items()],
            "result": {"name": "result", "value": call.result},
        }
        methods.append(
            {
                "name": call.name,
                "summary": call.about,
                "params": params,
                "result": {"name": "result", "schema": result},
                "examples": [example],
            }
        )
    for name, keys in NOTIFICATIONS.items():
        params = [{"name": key, "required": True, "schema": results.get(key, {"type": "integer"})} for key in keys]
        methods.append({"name": name, "summary": "Sent by the charger.", "params": params})
    return schemas.settle(
        {
            "openrpc": "1.3.2",
            "info": {"title": "RpcApi", "version": version, "description": about},
            "methods": methods,
        }
    )
