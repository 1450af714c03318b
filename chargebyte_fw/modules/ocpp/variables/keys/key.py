"""How a configuration key of OCPP 1.6 is declared: its section of the configuration file, its place in the model."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.variables.declaration import DataType, Mutability, Variable
from chargebyte_fw.modules.ocpp.variables.model import Entry, Variables

RATE_UNITS = {"Current": "A", "Power": "W"}


class Part(StrEnum):
    """What of a variable a key shows."""

    VALUE = "value"
    LIMIT = "maxLimit"
    VALUES = "valuesList"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key."""

    name: str
    section: str
    """Section of the configuration file; one that is there enables its profile."""
    variable: Variable[Any]
    access: Mutability
    default: str | None = None
    """Value of a configuration that has the section, but not the key."""
    required: bool = False
    part: Part = Part.VALUE
    also: tuple[Variable[Any], ...] = ()
    """Other variables that get the same."""
    minimum: float | None = None
    maximum: float | None = None
    """Limits of 1.6, where they are not those of the variable."""
    hidden: bool = False
    """Not in GetConfiguration."""
    check: Callable[[Variables, str], str] | None = None
    """Returns why a text is no value, empty where it is one. It replaces the checks of the variable."""

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of texts, which a configuration file may write as one."""
        return self.variable.data_type in (DataType.MEMBERS, DataType.SEQUENCE) or self.part is Part.VALUES

    @property
    def limited(self) -> bool:
        """Whether 1.6 has limits of its own."""
        return self.minimum is not None or self.maximum is not None

    @property
    def numeric(self) -> bool:
        """Whether the value is a number."""
        return self.part is Part.LIMIT or self.variable.data_type in (DataType.INTEGER, DataType.DECIMAL)

    def text(self, entry: Entry) -> str | None:
        """Return the value of the key, None where it has none: the station does not know the key then."""
        match self.part:
            case Part.LIMIT:
                return None if entry.maximum is None else f"{entry.maximum:.0f}"
            case Part.VALUES:
                return ",".join(entry.values) or None
        text = entry.text()
        if text is None:
            return None
        if self.name == "ChargingScheduleAllowedChargingRateUnit":
            units = {unit: name for name, unit in RATE_UNITS.items()}
            return ",".join(units.get(unit, unit) for unit in text.split(","))
        return text.replace(entry.separator, ",") if self.is_list else text

    def model_text(self, text: str) -> str:
        """Return a value of the key as the model has it."""
        if self.name == "ChargingScheduleAllowedChargingRateUnit":
            return ",".join(RATE_UNITS.get(unit.strip(), unit.strip()) for unit in text.split(","))
        if self.is_list:
            separator = self.variable.separator
            return separator.join(part.strip() for part in text.replace(separator, ",").split(",") if part.strip())
        return text
