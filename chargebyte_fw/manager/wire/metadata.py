"""Retained topics of EVerest's manager on a configuration: interfaces, types, settings, manifests, module names."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

from chargebyte_fw.contracts import types
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.manager.manifest import definition_of, wire_manifest
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.schema import type_file
from chargebyte_fw.manager.wire.carrier import Carrier

SCHEMAS = ("config", "manifest", "interface", "type", "error_declaration_list")


def metadata(plans: Iterable[ModulePlan], carrier: Carrier) -> dict[str, Any]:
    """Return the content of each retained topic (without the prefix), in EVerest's order."""
    found: dict[str, Any] = {}
    contracts: dict[str, type[Contract]] = {}
    modules = {plan.id: plan.module for plan in plans}
    for module in modules.values():
        for provision in module.provisions.values():
            contracts[provision.interface] = provision.implementation.declaration()
    found["interfaces"] = sorted(contracts)
    for name, contract in sorted(contracts.items()):
        found[f"interface_definitions/{name}"] = definition_of(contract)
    files = type_definitions() if carrier.validate_schema else {}
    found["types"] = [f"/{file}" for file in files]
    for file, declared in files.items():
        found[f"type_definitions/{file}"] = declared
    found["settings"] = settings(carrier)
    if carrier.validate_schema:
        # The configuration and every file of it are checked here: for the programs everything is right.
        found["schemas"] = {name: {"type": "object"} for name in SCHEMAS}
    for name, cls in sorted({module.module_name(): module for module in modules.values()}.items()):
        found[f"manifests/{name}"] = wire_manifest(cls)
    found["module_names"] = {name: module.module_name() for name, module in modules.items()}
    return found


def settings(carrier: Carrier) -> dict[str, Any]:
    """Return EVerest's settings; its modules require every one of them."""
    root = carrier.everest_root
    return {
        "prefix": root,
        "etc_dir": f"{root.removesuffix('/usr')}/etc/everest",
        "data_dir": f"{root}/share/everest",
        "modules_dir": f"{root}/libexec/everest/modules",
        "telemetry_prefix": carrier.telemetry_prefix,
        "telemetry_enabled": carrier.telemetry_enabled,
        "validate_schema": carrier.validate_schema,
        "forward_exceptions": carrier.forward_exceptions,
    }


def type_definitions() -> dict[str, dict[str, Any]]:
    """Return the types of each type file, without descriptions."""
    files = {}
    for info in pkgutil.iter_modules(types.__path__):
        declared = type_file(importlib.import_module(f"{types.__name__}.{info.name}"), lambda kind: (kind.__name__, {}))
        if declared:
            files[info.name] = declared
    return files
