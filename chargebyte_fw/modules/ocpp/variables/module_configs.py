"""Configuration keys of other modules as variables: component is the module's type, instance its id, variable the key.

Who has access to them is decided by the configuration of the charger. A value that is set takes effect at the next
start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import as_text
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Variables


class ModuleValue(msgspec.Struct, frozen=True):
    """A value that another module is to have from the next start on."""

    key: ConfigurationKey
    text: str


KINDS = {"boolean": DataType.BOOLEAN, "integer": DataType.INTEGER, "number": DataType.DECIMAL}


def place_of(key: ConfigurationKey) -> VariableId:
    """Return the address of the variable."""
    return VariableId(ComponentId(key.module[:50], key.module_id[:50]), key.key[:50])


def add_module_keys(
    variables: Variables, keys: Iterable[ConfigurationKey], takes: Callable[[ConfigurationKey, str], bool]
) -> None:
    """Add keys to the model. `takes` returns whether the other module can have a value; what has to be kept then is a
    `ModuleValue`.
    """
    for key in keys:
        entry = variables.add(
            Variable(
                id=place_of(key),
                data_type=KINDS.get(key.kind, DataType.STRING),
                absent="",
                mutability=Mutability.READ_WRITE if key.writable else Mutability.READ_ONLY,
                kept=False,
                meaning=f"Configuration of {key.module_id}.",
            )
        )
        entry.attributes[ACTUAL].value = as_text(key.value)

        def owner(text: str, key: ConfigurationKey = key) -> ModuleValue | None:
            return ModuleValue(key, text) if takes(key, text) else None

        entry.owner = owner
