"""The five JSON schemas (draft 07) of EVerest's files: configuration, manifest, interface, types, errors.

For tools that check files by them; the manager checks by its own rules, which find more (framework: 1, 2).
"""

from __future__ import annotations

from typing import Any

DRAFT = "http://json-schema.org/draft-07/schema#"
IDENTIFIER = "^[a-zA-Z_][a-zA-Z0-9_.-]*$"
MODULE_NAME = "^[a-zA-Z_][a-zA-Z0-9_-]*$"
TEXT = {"type": "string", "minLength": 2}
FLAG = {"type": "boolean", "default": False}
JSON_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def _object(properties: dict[str, Any], *required: str, more: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": more}
    return {**made, "required": list(required)} if required else made


def _map(of: dict[str, Any], names: str = IDENTIFIER) -> dict[str, Any]:
    return {"type": "object", "patternProperties": {names: of}, "additionalProperties": False, "default": {}}


def _settings() -> dict[str, Any]:
    texts = [
        "prefix",
        "config_file",
        "configs_dir",
        "schemas_dir",
        "modules_dir",
        "interfaces_dir",
        "types_dir",
        "errors_dir",
        "www_dir",
        "logging_config_file",
        "mqtt_broker_socket_path",
        "mqtt_broker_host",
        "mqtt_everest_prefix",
        "mqtt_external_prefix",
        "telemetry_prefix",
        "run_as_user",
    ]
    numbers = ("controller_port", "controller_rpc_timeout_ms", "mqtt_broker_port")
    flags = ("telemetry_enabled", "validate_schema", "forward_exceptions")
    kinds = [(texts, "string"), (numbers, "integer"), (flags, "boolean")]
    return _object({name: {"type": kind} for names, kind in kinds for name in names})


def _config() -> dict[str, Any]:
    values = _map({"type": ["boolean", "integer", "number", "string"]})
    identifier = {"type": "string", "pattern": IDENTIFIER}
    end = _object({"module_id": identifier, "implementation_id": identifier}, "module_id", "implementation_id")
    tier = {"evse": {"type": "integer"}, "connector": {"type": "integer"}}
    rights = _object(dict.fromkeys(("allow_read", "allow_write", "allow_set_read_only"), FLAG))
    own = ("allow_global_read", "allow_global_write", "allow_set_read_only")
    access = _object({"config": _object({**dict.fromkeys(own, FLAG), "modules": _map(rights)})})
    module = _object(
        {
            "module": {"type": "string", "pattern": MODULE_NAME},
            "standalone": FLAG,
            "capabilities": {"type": "array", "items": {"type": "string"}},
            "config_module": values,
            "config_implementation": _map(values),
            "connections": _map({"type": "array", "items": end}),
            "mapping": _object({"module": _object(tier, more=True), "implementations": _map(_object(tier, "evse"))}),
            "telemetry": _object({"id": {"type": "integer"}}, "id"),
            "access": access,
        },
        "module",
    )
    return _object({"settings": _settings(), "active_modules": _map(module), "x-module-layout": {}})


def _declared_values() -> dict[str, Any]:
    value = _object(
        {
            "type": {"enum": ["boolean", "integer", "number", "string"]},
            "description": TEXT,
            "mutability": {"enum": ["ReadOnly", "ReadWrite", "WriteOnly"], "default": "ReadOnly"},
        },
        "type",
        "description",
        more=True,
    )
    return _map(value)


def _manifest() -> dict[str, Any]:
    interface = {"type": "string", "minLength": 3}
    provided = {"interface": interface, "description": TEXT, "config": _declared_values()}
    ignore = _object({"vars": {"type": ["string", "array"]}, "errors": FLAG})
    least = {"type": "integer", "minimum": 0, "default": 1}
    most = {"type": "integer", "minimum": 1, "default": 1}
    required = {"interface": interface, "min_connections": least, "max_connections": most, "ignore": ignore}
    uri = {"type": "string", "format": "uri"}
    authors = {"type": "array", "minItems": 1, "items": TEXT}
    metadata = _object({"license": uri, "base_license": uri, "authors": authors}, "license", "authors", more=True)
    return _object(
        {
            "description": TEXT,
            "metadata": metadata,
            "config": _declared_values(),
            "provides": _map(_object(provided, "interface", "description", more=True)),
            "requires": _map(_object(required, "interface")),
            "enable_external_mqtt": FLAG,
            "enable_telemetry": FLAG,
            "enable_global_errors": FLAG,
        },
        "description",
        "metadata",
    )


def _declared_type() -> dict[str, Any]:
    names = {"enum": list(JSON_TYPES)}
    kinds = {"oneOf": [names, {"type": "array", "items": names, "minItems": 1}]}
    return _object({"type": kinds, "description": TEXT}, "type", "description", more=True)


def _interface() -> dict[str, Any]:
    value = _declared_type()
    # Defaults are part of the schema: C++ EVerest fills in by it what a file leaves out.
    result = {**value, "default": {"type": "null", "description": "No result."}}
    command = _object({"description": TEXT, "arguments": _map(value), "result": result}, "description")
    pattern = "^/errors/[a-z][a-zA-Z0-9_]*(#/[A-Z][A-Za-z0-9]*)?$"
    error = _object({"reference": {"type": "string", "pattern": pattern}}, "reference")
    errors = {"type": "array", "items": error, "default": []}
    parts = {"description": TEXT, "cmds": _map(command), "vars": _map(value), "errors": errors}
    return _object(parts, "description")


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by EVerest's file name, without `.yaml`."""
    error = _object({"name": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]+$"}, "description": TEXT}, "name")
    found = {
        "config": _config(),
        "manifest": _manifest(),
        "interface": _interface(),
        "type": _object({"description": TEXT, "types": _map(_declared_type())}, "description"),
        "error-declaration-list": _object(
            {"description": TEXT, "errors": {"type": "array", "items": error}}, "description"
        ),
    }
    return {name: {"$schema": DRAFT, **schema} for name, schema in found.items()}
