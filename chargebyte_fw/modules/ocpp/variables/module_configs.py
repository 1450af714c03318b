"""Configuration keys of other modules as variables: component is the module's type, instance its id, variable the key.

Who has access to them is decided by the configuration of the charger. A value that is set takes effect at the next
start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.variables.access import Status
from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, Mutability, Variable, VariableId
from chargebyte_fw.modules.ocpp.variables.files.json_file import as_text
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Variables

KINDS = {"boolean": DataType.BOOLEAN, "integer": DataType.INTEGER, "number": DataType.DECIMAL}


def place_of(key: ConfigurationKey) -> VariableId:
    """Return the address of the variable."""
    return VariableId(ComponentId(key.module[:50], key.module_id[:50]), key.key[:50])


def add_module_keys(
    variables: Variables, keys: Iterable[ConfigurationKey], write: Callable[[ConfigurationKey, str], bool]
) -> None:
    """Add keys to the model. `write` keeps a value for the next start; it returns False where that is refused."""
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

        def owner(text: str, key: ConfigurationKey = key) -> str:
            return Status.REBOOT_REQUIRED if write(key, text) else Status.REJECTED

        entry.owner = owner
