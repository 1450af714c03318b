"""EVerest's configuration service as far as a module needs it: its own configuration (framework: 4.5)."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.manager.manifest import declarations
from chargebyte_fw.manager.plan import ModulePlan

_DATATYPES = {"boolean": "bool"}


def parameters_of(plan: ModulePlan) -> dict[str, list[dict[str, Any]]]:
    """Return every parameter of a module by implementation (`!module`: its own), as EVerest writes them."""
    found = {"!module": _parameters(plan.config)}
    for name, provision in plan.module.provisions.items():
        found[name] = _parameters(plan.implementation_configs.get(name) or provision.config())
    return found


def _parameters(config: ModuleConfig) -> list[dict[str, Any]]:
    values = msgspec.to_builtins(config)
    return [
        {
            "name": name,
            "value": values[name],
            "characteristics": {
                "datatype": _DATATYPES.get(entry["type"], entry["type"]),
                "mutability": entry.get("mutability", "ReadOnly"),
            },
        }
        for name, entry in declarations(type(config)).items()
        if values.get(name) is not None
    ]


def mapping_of(plan: ModulePlan) -> Any:
    """Return the tier mapping as EVerest writes it, None without one."""
    mapping: dict[str, Any] = {}
    if plan.mapping is not None:
        mapping["module"] = _tier(plan.mapping)
    if plan.implementation_mappings:
        mapping["implementations"] = {name: _tier(tier) for name, tier in plan.implementation_mappings.items()}
    return mapping or None


def _tier(mapping: Mapping) -> Any:
    return msgspec.to_builtins(mapping)


def module_data(plan: ModulePlan, plans: dict[str, ModulePlan]) -> dict[str, Any]:
    """Return the complete configuration of one module."""
    connections = {
        name: [
            {
                "module_id": end.module_id,
                "implementation_id": end.implementation_id,
                "requirement": {"id": name, "index": index} if index else {"id": name},
            }
            for index, end in enumerate(ends)
        ]
        for name, ends in plan.connections.items()
    }
    near = dict.fromkeys([plan.id, *(end.module_id for ends in plan.connections.values() for end in ends)])
    return {
        "module_config": {
            "module_id": plan.id,
            "module_name": plan.module.module_name(),
            "standalone": False,
            "telemetry_enabled": False,
            "configuration_parameters": parameters_of(plan),
            "connections": connections,
            "mapping": mapping_of(plan),
            "access": None,
        },
        "mappings": {module_id: mapping_of(plans[module_id]) for module_id in near if module_id in plans},
    }


def answer(data: Any, plans: dict[str, ModulePlan]) -> tuple[str, dict[str, Any]] | None:
    """Return the id of the module that asks and the answer to it; None for a request that cannot be answered."""
    if not isinstance(data, dict) or not isinstance(origin := data.get("origin"), str):
        return None
    plan = plans.get(origin)
    request = data.get("request")
    if plan is None or not isinstance(request, dict):
        return None
    if data.get("type") == "Set":
        refusal = {"status": "Rejected", "status_info": "parameters are not changed at run time"}
        return origin, {"status": "Ok", "status_info": "", "type": "Set", "response": refusal}
    kind = request.get("type")
    if kind == "Module":
        return origin, _got(kind, module_data(plan, plans))
    if kind == "All":
        return origin, _got(kind, {origin: parameters_of(plan)})
    if kind == "AllMappings":
        return origin, _got(kind, {origin: mapping_of(plan)})
    if kind == "Value":
        return origin, _value(plan, request.get("identifier"))
    return origin, {"status": "Error", "status_info": f"unknown request {kind}"}


def _got(kind: str, data: Any) -> dict[str, Any]:
    return {"status": "Ok", "status_info": "", "type": "Get", "response": {"type": kind, "data": data}}


def _value(plan: ModulePlan, identifier: Any) -> dict[str, Any]:
    wanted = identifier if isinstance(identifier, dict) else {}
    if wanted.get("module_id") != plan.id:
        info = "a module reads its own configuration only"
        return {"status": "AccessDenied", "status_info": info, "type": "Get", "response": None}
    parameters = parameters_of(plan).get(wanted.get("module_implementation_id") or "!module", [])
    for parameter in parameters:
        if parameter["name"] == wanted.get("configuration_parameter_name"):
            return _got("Value", parameter)
    return {"status": "Error", "status_info": "there is no such parameter", "type": "Get", "response": None}
