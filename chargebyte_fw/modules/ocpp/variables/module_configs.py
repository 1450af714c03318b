"""Configuration keys of other modules as variables: component is the module's type, instance its id, variable the key.

Who has access to them is decided by the configuration of the charger. A value that is set takes effect at the next
start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.variables.access import Status
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import as_text
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Variables

KINDS = {"boolean": DataType.BOOLEAN, "integer": DataType.INTEGER, "number": DataType.DECIMAL}


class ModuleKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of another module."""

    module: str
    """Type of the module: `EvseManager`."""
    module_id: str
    key: str
    kind: str
    """`boolean`, `integer`, `number` or `string`."""
    value: Any = None
    writable: bool = False
    description: str = ""

    @property
    def place(self) -> VariableId:
        """The address of the variable."""
        return VariableId(ComponentId(self.module[:50], self.module_id[:50]), self.key[:50])


def add_module_keys(variables: Variables, keys: Iterable[ModuleKey], write: Callable[[ModuleKey, str], bool]) -> None:
    """Add keys to the model. `write` keeps a value for the next start; it returns False where that is refused."""
    for key in keys:
        entry = variables.add(
            Variable(
                id=key.place,
                data_type=KINDS.get(key.kind, DataType.STRING),
                absent="",
                mutability=Mutability.READ_WRITE if key.writable else Mutability.READ_ONLY,
                kept=False,
                meaning=key.description,
            )
        )
        entry.attributes[ACTUAL].value = as_text(key.value)

        def owner(text: str, key: ModuleKey = key) -> str:
            return Status.REBOOT_REQUIRED if write(key, text) else Status.REJECTED

        entry.owner = owner
