"""Errors of `power_supply_DC` that the group has raised: each is raised once and cleared once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargebyte_fw.modules.power.infypower import messages as m

LOST = ("CommunicationFault", "")
REFUSED = "VendorError"
SHARED = ("VendorError", "Address Conflict")


class GroupFaults:
    """What is raised, by error type and sub-type."""

    def __init__(self) -> None:
        self.raised: set[tuple[str, str]] = set()
        self._refused: set[str] = set()
        """Commands that a module refuses."""

    def raise_(self, error: str, sub_type: str, text: str) -> list[Any]:
        """Raise an error unless it is raised."""
        if (error, sub_type) in self.raised:
            return []
        self.raised.add((error, sub_type))
        return [m.Raise(error, sub_type, text)]

    def clear(self, error: str, sub_type: str) -> list[Any]:
        """Clear an error if it is raised."""
        if (error, sub_type) not in self.raised:
            return []
        self.raised.discard((error, sub_type))
        return [m.Clear(error, sub_type)]

    def refuse(self, command: str, text: str) -> list[Any]:
        """Raise that a module refuses a command."""
        self._refused.add(command)
        return self.raise_(REFUSED, command, text)

    def accept(self, command: str) -> list[Any]:
        """Clear that a module refuses a command."""
        self._refused.discard(command)
        return self.clear(REFUSED, command)

    def forget_refusals(self) -> list[Any]:
        """Clear every refusal: with the output off, and wanted off, nothing is wanted that could be refused.

        Kept, it would block charging, and only charging asks again.
        """
        return [effect for command in sorted(self._refused) for effect in self.accept(command)]

    def follow(self, status: Mapping[int, int], source: int) -> list[Any]:
        """Raise and clear the modules' alarms. `status`: bits by module; `source`: the module that reported last."""
        together = 0
        for bits in status.values():
            together |= bits
        effects: list[Any] = []
        for alarm in m.ALARMS:
            if together & alarm.mask:
                effects += self.raise_(alarm.error, alarm.sub_type, f"module {source}: {alarm.text}")
            else:
                effects += self.clear(alarm.error, alarm.sub_type)
        return effects
