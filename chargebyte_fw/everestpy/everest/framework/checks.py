"""Whether commands, results and variables are what their interface declares, where the settings want that checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import Schemas

Definitions = Mapping[str, Mapping[str, Any]]


class Checks:
    """Each method returns what is wrong, None if nothing is or nothing is checked (`types` None)."""

    def __init__(self, definitions: Definitions, types: Mapping[str, Mapping[str, Any]] | None) -> None:
        self._definitions = definitions
        self._schemas = None if types is None else Schemas(types)

    def arguments(self, interface: str, command: str, values: Mapping[str, Any]) -> str | None:
        """Check the arguments of a command."""
        declared = self._declared(interface, "cmds", command).get("arguments") or {}
        if self._schemas is None:
            return None
        for name, schema in declared.items():
            if name not in values:
                return f"{name} is missing"
            if complaint := self._schemas.complaint(schema, values[name]):
                return f"{name}: {complaint}"
        unknown = [name for name in values if name not in declared]
        return f"{unknown[0]} is no argument" if unknown else None

    def result(self, interface: str, command: str, value: Any) -> str | None:
        """Check the result of a command."""
        declared = self._declared(interface, "cmds", command).get("result") or {"type": "null"}
        return None if self._schemas is None else self._schemas.complaint(declared, value)

    def variable(self, interface: str, name: str, value: Any) -> str | None:
        """Check the value of a variable."""
        declared = self._declared(interface, "vars", name)
        return None if self._schemas is None else self._schemas.complaint(declared, value)

    def _declared(self, interface: str, kind: str, name: str) -> Mapping[str, Any]:
        declared: Mapping[str, Any] = (self._definitions.get(interface, {}).get(kind) or {}).get(name) or {}
        return declared
