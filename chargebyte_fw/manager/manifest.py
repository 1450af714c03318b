"""EVerest's files from the classes: manifests of modules, interface, type and error files, definitions for the wire."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from chargebyte_fw.contracts.errors import ERRORS, errors_of
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.module import Module, ModuleConfig
from chargebyte_fw.manager.schema import schema_of

LICENSE = "https://opensource.org/licenses/Apache-2.0"
AUTHORS = ["The authors of chargebyte_fw"]
_UNDESCRIBED = "No description."


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a docstring as one line."""
    paragraph = inspect.cleandoc(text or "").partition("\n\n")[0]
    return " ".join(paragraph.split()) or _UNDESCRIBED


def declarations(config: type[ModuleConfig]) -> dict[str, dict[str, Any]]:
    """Return the configuration keys as a manifest declares them."""
    found = {}
    for info in msgspec.structs.fields(config):
        # C++ EVerest does not resolve a reference of a manifest.
        schema = schema_of(info.type, inline=True)
        declared: dict[str, Any] = {"description": schema.pop("description", _UNDESCRIBED), **schema}
        declared.setdefault("type", "string")
        if info.default is not msgspec.NODEFAULT and info.default is not None:
            declared["default"] = msgspec.to_builtins(info.default)
        declared["mutability"] = schema.get("mutability", "ReadOnly")
        found[info.encode_name] = declared
    return found


def manifest_of(module: type[Module]) -> dict[str, Any]:
    """Return the manifest of a module, complete with EVerest's defaults."""
    return {
        "description": first_paragraph(module.__doc__),
        "config": declarations(module.Config),
        "provides": {
            name: {
                "interface": provision.interface,
                "description": provision.description or first_paragraph(provision.implementation.__doc__),
                "config": declarations(provision.config),
            }
            for name, provision in module.provisions.items()
        },
        "requires": {
            name: {
                "interface": requirement.interface,
                "min_connections": requirement.minimum,
                "max_connections": requirement.maximum,
            }
            for name, requirement in module.requirements.items()
        },
        "enable_external_mqtt": module.enable_external_mqtt,
        "enable_telemetry": module.enable_telemetry,
        "enable_global_errors": module.enable_global_errors,
        "metadata": {"license": LICENSE, "authors": list(AUTHORS)},
    }


def wire_manifest(module: type[Module]) -> dict[str, Any]:
    """Return the manifest as it is published: a program's is its own, the module's parameters are left out."""
    manifest = {**(module.own_manifest or manifest_of(module))}
    manifest.pop("config", None)
    return manifest


@cache
def variable_types(contract: type[Contract]) -> dict[str, Any]:
    """Return the type of each variable of a contract."""
    declaration = contract.declaration()
    hints = get_type_hints(declaration, include_extras=True)
    return {name: get_args(hints[name])[0] for name in declaration.variables}


@cache
def command_types(contract: type[Contract], command: str) -> tuple[dict[str, Any], Any]:
    """Return the argument types by name and the result type of one command (of the attribute's name)."""
    hints = get_type_hints(getattr(contract.declaration(), command), include_extras=True)
    result = hints.pop("return", type(None))
    return hints, result


def everest_name(attribute: str) -> str:
    """Return EVerest's name of a command: an attribute may carry an underscore to differ from a variable."""
    return attribute.rstrip("_")


def definition_of(contract: type[Contract], *, described: bool = False) -> dict[str, Any]:
    """Return the interface definition: as on MQTT, or with descriptions for a file."""
    declaration = contract.declaration()
    docs = attribute_docs(declaration) if described else {}
    commands: dict[str, Any] = {}
    for name in declaration.commands:
        arguments, result = command_types(declaration, name)
        command: dict[str, Any] = {"arguments": {key: schema_of(kind) for key, kind in arguments.items()}}
        command["result"] = schema_of(result)
        if described:
            command = _describe_command(command, first_paragraph(getattr(declaration, name).__doc__))
        commands[everest_name(name)] = command
    variables = {name: schema_of(kind) for name, kind in variable_types(declaration).items()}
    if described:
        variables = {name: {"description": docs.get(name, _UNDESCRIBED), **kind} for name, kind in variables.items()}
    return {"cmds": commands, "vars": variables, "errors": _expanded_errors(declaration)}


def _describe_command(command: dict[str, Any], text: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": text}
    if command["arguments"]:
        described["arguments"] = {
            name: {"description": f"Argument {name}.", **kind} for name, kind in command["arguments"].items()
        }
    if command["result"] != {"type": "null"}:
        described["result"] = {"description": "Result.", **command["result"]}
    return described


def _expanded_errors(contract: type[Contract]) -> dict[str, Any]:
    expanded: dict[str, Any] = {}
    for error, description in errors_of(contract).items():
        namespace, _, name = error.partition("/")
        expanded.setdefault(namespace, {})[name] = {"name": name, "description": description, "namespace": namespace}
    return expanded


def interface_file(contract: type[Contract]) -> dict[str, Any]:
    """Return the content of `interfaces/<name>.yaml`."""
    declaration = contract.declaration()
    definition = definition_of(declaration, described=True)
    file: dict[str, Any] = {"description": first_paragraph(declaration.__doc__)}
    file.update({key: definition[key] for key in ("cmds", "vars") if definition[key]})
    references = ["/errors/" + one.replace("/", "#/") for one in declaration.error_references]
    if references:
        file["errors"] = [{"reference": reference} for reference in references]
    return file


def error_files() -> dict[str, dict[str, Any]]:
    """Return the content of every `errors/<namespace>.yaml`."""
    return {
        namespace: {
            "description": f"Errors of the namespace {namespace}.",
            "errors": [{"name": name, "description": text} for name, text in errors.items()],
        }
        for namespace, errors in ERRORS.items()
    }


def attribute_docs(cls: type) -> dict[str, str]:
    """Return the strings that stand below the attributes in the class's source, by attribute."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    docs: dict[str, str] = {}
    if isinstance(body, ast.ClassDef):
        for statement, following in zip(body.body, body.body[1:]):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
                and isinstance(following.value.value, str)
            ):
                docs[statement.target.id] = " ".join(following.value.value.split())
    return docs
