"""The keys as the CSMS, an integrator or a file reads and sets them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
import msgspec.structs

from chargebyte_fw.modules.ocpp.variables.access import Status, value_fault
from chargebyte_fw.modules.ocpp.variables.declaration import DataType, Mutability, Variable
from chargebyte_fw.modules.ocpp.variables.keys import virtual
from chargebyte_fw.modules.ocpp.variables.keys.checks import not_lowered
from chargebyte_fw.modules.ocpp.variables.keys.key import Key, Part
from chargebyte_fw.modules.ocpp.variables.keys.table import KEYS, SECTIONS, SLOT_KEYS
from chargebyte_fw.modules.ocpp.variables.model import Entry, Variables
from chargebyte_fw.modules.ocpp.variables.values import fault_of

COLLECTIONS = ("DefaultPriceText", "MeterPublicKeys")
"""Keys of the file that the CSMS has as several keys."""


class KeyState(msgspec.Struct, frozen=True):
    """A key as it is read."""

    name: str
    """The name as it is declared, however it was asked for."""
    value: str | None
    read_only: bool
    hidden: bool = False


class Configuration:
    """Keys over the variables of a station.

    `slot` is the slot of NetworkConfiguration that has URI, identity and security of the connection; `custom` are the
    keys of the integrator, `sections` those of the configuration (None: all): the keys of others are not known.
    """

    def __init__(
        self,
        variables: Variables,
        custom: Iterable[Key] = (),
        slot: int = 1,
        sections: Collection[str] | None = None,
    ) -> None:
        self.variables = variables
        self.sections = SECTIONS if sections is None else sections
        self.keys = [*(placed(key, slot) for key in KEYS), *custom]
        self._by_name = {key.name.lower(): key for key in self.keys}

    def key(self, name: str) -> Key | None:
        """Return a key by its name, which ignores case; one without a value as well."""
        return self._by_name.get(name.lower())

    def read(self, name: str) -> KeyState | None:
        """Return a key; None where the station does not know it.

        A key that may be set is also known without a value; the value of AuthorizationKey is never shown.
        """
        key = self.key(name)
        if key is None or key.name in COLLECTIONS:
            found = virtual.read(self.variables, name)
            return None if found is None else KeyState(name, *found)
        entry = self._entry(key)
        text = None if entry is None else key.text(entry)
        read_only = key.access is Mutability.READ_ONLY
        if entry is None or (text is None and read_only):
            return None
        return KeyState(key.name, None if key.hidden else text, read_only, key.hidden)

    def __iter__(self) -> Iterator[KeyState]:
        """Every key that is known, but for the hidden ones."""
        for name in (*(key.name for key in self.keys), *virtual.names(self.variables)):
            state = self.read(name)
            if state is not None and not state.hidden:
                yield state

    def write(self, name: str, text: str, source: str, *, read_only: bool = False) -> tuple[Status, str]:
        """Set a key; returns the status and why not. With `read_only` also what the CSMS may not change."""
        key = self.key(name)
        if key is None or key.name in COLLECTIONS:
            status = virtual.write(self.variables, name, text, source)
            if status is None and key is not None:
                status = Status.REJECTED
            return status or Status.UNKNOWN_VARIABLE, ""
        entry = self._entry(key)
        if entry is None or (key.text(entry) is None and key.access is Mutability.READ_ONLY):
            return Status.UNKNOWN_VARIABLE, ""
        if key.access is Mutability.READ_ONLY and not read_only:
            return Status.REJECTED, "read only"
        if fault := self.fault(key, entry, text):
            return Status.REJECTED, fault
        stored = key.model_text(text)
        if reason := self.variables.refusal(entry, stored):
            return Status.REJECTED, reason
        self.put(key, entry, stored, source)
        return Status.ACCEPTED, ""

    def fault(self, key: Key, entry: Entry, text: str) -> str:
        """Return why a text is no value of a key, empty where it is one."""
        if key.check is not None:
            return key.check(self.variables, text)
        if key.part is Part.LIMIT:
            return fault_of(text, DataType.INTEGER, 0, None)
        if key.part is Part.VALUES:
            return ""
        own = fault_of(text, key.variable.data_type, key.minimum, key.maximum) if key.limited else ""
        if not own and key.numeric and text.startswith("-"):
            own = "less than 0"
        return own or value_fault(entry, key.model_text(text))

    def put(self, key: Key, entry: Entry, stored: str, source: str) -> None:
        """Set a key to a text of the model that has been checked."""
        match key.part:
            case Part.LIMIT:
                entry.maximum = float(stored)
            case Part.VALUES:
                for variable in (key.variable, *key.also):
                    if (other := self.variables.entry(variable.id)) is not None:
                        other.values = tuple(stored.split(","))
            case _:
                self.variables.write(entry, "Actual", stored, source)

    def _entry(self, key: Key) -> Entry | None:
        return self.variables.entry(key.variable.id) if key.section in self.sections else None

    def key_of(self, entry: Entry) -> Key | None:
        """Return the key that shows the value of a variable, None where there is none."""
        folded = entry.id.folded
        return next((key for key in self.keys if key.part is Part.VALUE and key.variable.id.folded == folded), None)


def placed(key: Key, slot: int) -> Key:
    """Return a key at the network slot that OCPP 1.6 uses."""
    if key.name not in SLOT_KEYS:
        return key
    variable: Variable[Any] = key.variable.at(slot=slot)
    check = not_lowered(variable) if key.name == "SecurityProfile" else key.check
    return msgspec.structs.replace(key, variable=variable, check=check)
