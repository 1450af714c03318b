"""EVerest's configuration service: what a module learns of its own configuration and of others (framework: 4.5)."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

import msgspec

from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.manifest import declarations
from chargebyte_fw.manager.plan import ModulePlan, Rights

WHOLE_MODULE = "!module"
_DATATYPES = {"boolean": "bool"}
OWN = Rights(allow_read=True, allow_write=True)


class Answers:
    """What is answered to a request of one configuration.

    `telemetry_enabled` is EVerest's setting. `root` is set where the absolute paths of the configuration are not those
    of the file system: a program gets them as they are to be opened.
    """

    def __init__(
        self, plans: Map[str, ModulePlan], *, telemetry_enabled: bool = False, root: Root | None = None
    ) -> None:
        self.plans = dict(plans)
        self._telemetry_enabled = telemetry_enabled
        self._root = root

    def get(self, origin: str, request: Map[str, Any]) -> dict[str, Any]:
        """Return the answer to a `Get` of a module of the configuration."""
        plan = self.plans[origin]
        readable = [other for other in self.plans.values() if rights(plan, other.id).allow_read]
        kind = request.get("type")
        if kind == "Module":
            return _got(kind, self.module_data(plan))
        if kind == "All":
            return _got(kind, {other.id: self._writable(plan, other) for other in readable})
        if kind == "AllMappings":
            return _got(kind, {other.id: mapping_of(other) for other in readable})
        if kind == "Value":
            return self._value(plan, request.get("identifier"))
        return failure(f"unknown request {str(kind)[:60]}")

    def parameters(self, plan: ModulePlan) -> dict[str, list[dict[str, Any]]]:
        """Return every parameter of a module by implementation (`!module`: its own), as EVerest writes them."""
        root = self._root if plan.module.is_program else None
        found = {WHOLE_MODULE: _parameters(plan.config, root)}
        for name, provision in plan.module.provisions.items():
            found[name] = _parameters(plan.implementation_configs.get(name) or provision.config(), root)
        return found

    def _writable(self, reader: ModulePlan, plan: ModulePlan) -> dict[str, list[dict[str, Any]]]:
        found = self.parameters(plan)
        if rights(reader, plan.id).allow_set_read_only:
            for parameters in found.values():
                for parameter in parameters:
                    if parameter["characteristics"]["mutability"] == "ReadOnly":
                        parameter["characteristics"]["mutability"] = "ReadWrite"
        return found

    def module_data(self, plan: ModulePlan) -> dict[str, Any]:
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
        telemetry = {} if plan.telemetry_id is None else {"telemetry_config": {"id": plan.telemetry_id}}
        return {
            "module_config": {
                "module_id": plan.id,
                "module_name": plan.module.module_name(),
                "standalone": plan.standalone,
                "capabilities": list(plan.capabilities),
                "telemetry_enabled": self._telemetry_enabled and plan.telemetry_id is not None,
                "configuration_parameters": self.parameters(plan),
                "connections": connections,
                "mapping": mapping_of(plan),
                "access": None if plan.access is None else {"config": msgspec.to_builtins(plan.access)},
                **telemetry,
            },
            "mappings": {module_id: mapping_of(self.plans[module_id]) for module_id in near if module_id in self.plans},
            **telemetry,
        }

    def _value(self, plan: ModulePlan, identifier: Any) -> dict[str, Any]:
        wanted = identifier if isinstance(identifier, dict) else {}
        of = str(wanted.get("module_id"))
        nothing = {"type": "Value", "data": None}
        if not rights(plan, of).allow_read:
            info = f"{plan.id} may not read the configuration of {of[:60]}"
            return {"status": "AccessDenied", "status_info": info, "type": "Get", "response": nothing}
        found = self.parameters(self.plans[of]) if of in self.plans else {}
        for parameter in found.get(wanted.get("module_implementation_id") or WHOLE_MODULE, []):
            if parameter["name"] == wanted.get("configuration_parameter_name"):
                return _got("Value", parameter)
        return {"status": "Error", "status_info": "there is no such parameter", "type": "Get", "response": nothing}


def rights(plan: ModulePlan, target: str) -> Rights:
    """Return what a module may do with the configuration of another one; with its own it may do everything."""
    access = plan.access
    if access is None:
        return OWN if target == plan.id else Rights()
    own = target == plan.id
    given = access.modules.get(target, Rights())
    return Rights(
        own or access.allow_global_read or given.allow_read,
        own or access.allow_global_write or given.allow_write,
        access.allow_set_read_only or given.allow_set_read_only,
    )


def failure(info: str) -> dict[str, Any]:
    """Return the answer to a request that cannot be processed: without a type, as EVerest's manager."""
    return {"status": "Error", "status_info": info, "response": None}


def set_answer(status: str, result: str, info: str) -> dict[str, Any]:
    """Return the answer to a `Set`."""
    inner = {"status": result, "status_info": info}
    return {"status": status, "status_info": info, "type": "Set", "response": inner}


def mapping_of(plan: ModulePlan) -> Any:
    """Return the tier mapping as EVerest writes it, None without one."""
    mapping: dict[str, Any] = {}
    if plan.mapping is not None:
        mapping["module"] = _tier(plan.mapping)
    if plan.implementation_mappings:
        mapping["implementations"] = {name: _tier(tier) for name, tier in plan.implementation_mappings.items()}
    return mapping or None


def mutability_of(config: ModuleConfig, name: str) -> str:
    """Return whether a parameter is `ReadOnly`, `ReadWrite` or `WriteOnly`."""
    return str(declarations(type(config)).get(name, {}).get("mutability", "ReadOnly"))


def _tier(mapping: Mapping) -> Any:
    return msgspec.to_builtins(mapping)


def _parameters(config: ModuleConfig, root: Root | None) -> list[dict[str, Any]]:
    values = msgspec.to_builtins(config)
    return [
        {
            "name": name,
            "value": _typed(values[name], entry["type"], root),
            "characteristics": {
                "datatype": _DATATYPES.get(entry["type"], entry["type"]),
                "mutability": entry.get("mutability", "ReadOnly"),
            },
        }
        for name, entry in declarations(type(config)).items()
        if values.get(name) is not None
    ]


def _typed(value: Any, kind: str, root: Root | None) -> Any:
    if kind == "number":
        # A C++ module ends on 5 in place of 5.0.
        return float(value)
    if root is not None and isinstance(value, str) and value.startswith("/"):
        return path_below(value, root)
    return value


def path_below(path: str, root: Root) -> str:
    """Return an absolute path as it is to be opened: below the root where that has it or its folder."""
    found = root.read(path)
    if found.exists():
        return str(found)
    folder = path.rpartition("/")[0]
    for tree in (root.state, root.static):
        if folder and (tree / folder.lstrip("/")).is_dir():
            return str(root.state / path.lstrip("/"))
    return path


def _got(kind: str, data: Any) -> dict[str, Any]:
    return {"status": "Ok", "status_info": "", "type": "Get", "response": {"type": kind, "data": data}}
