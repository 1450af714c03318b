"""What all active faults together mean: Inoperative, and how to shut down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.effects import Clear, Raise
from chargebyte_fw.modules.evse.machine.events import FaultGone, FaultSeen, Shutdown
from chargebyte_fw.modules.evse.machine.signals import ShutdownIs

OWN = "evse_manager"
INOPERATIVE = "Inoperative"
INTERNAL = "Internal"
STANDING = (INOPERATIVE, INTERNAL)
"""Faults that end with what they are raised for; a replug clears the other ones."""
HARMLESS = {
    "evse_board_support/MREC3HighTemperature",
    "evse_board_support/MREC18CableOverTempDerate",
    f"{OWN}/{INOPERATIVE}",
}
Effects = list[Any]


def blocks(type: str) -> bool:
    """Whether a fault of this type keeps the EVSE from charging; warnings of a vendor never do."""
    return type not in HARMLESS and not type.endswith("/VendorWarning")


def cleared_by(name: str, type: str) -> bool:
    """Whether `Clear(name)` clears our fault of this type: the one named, or without a name all but the standing."""
    own = type.partition("/")[2]
    return own == name if name else own not in STANDING


def description_of(causes: Iterable[FaultSeen]) -> str:
    """List the causes as `Name/sub-type`, separated by commas."""
    words = []
    for cause in causes:
        name = cause.type.partition("/")[2]
        words.append(f"{name}/{cause.sub_type}" if cause.sub_type else name)
    return ", ".join(words)


class ErrorBook(Machine):
    """The active faults that block charging; raises and clears Inoperative and says how to shut down."""

    def __init__(self, *, use_vendor_id: bool = False) -> None:
        super().__init__(Shutdown.Nothing)
        self._use_vendor_id = use_vendor_id
        self._causes: dict[tuple[str, str, str], FaultSeen] = {}
        self._told: frozenset[tuple[str, str]] = frozenset()

    @property
    def causes(self) -> tuple[FaultSeen, ...]:
        """The blocking faults, oldest first."""
        return tuple(self._causes.values())

    @on(event=FaultSeen)
    def seen(self, event: FaultSeen, now: float) -> Effects:
        if not blocks(event.type):
            return []
        self._causes[event.origin, event.type, event.sub_type] = event
        return self._look()

    @on(event=FaultGone)
    def gone(self, event: FaultGone, now: float) -> Effects:
        if self._causes.pop((event.origin, event.type, event.sub_type), None) is None:
            return []
        return self._look()

    @on(event=Raise)
    def raised(self, event: Raise, now: float) -> Effects:
        type = f"{OWN}/{event.name}"
        if not blocks(type):
            return []
        return self.seen(FaultSeen(OWN, type, event.sub_type, event.severity, "EVerest", OWN), now)

    @on(event=Clear)
    def cleared(self, event: Clear, now: float) -> Effects:
        if event.name == INOPERATIVE:
            return []
        own = [key for key in self._causes if key[0] == OWN and cleared_by(event.name, key[1])]
        for key in own:
            del self._causes[key]
        return self._look() if own else []

    def _look(self) -> Effects:
        causes = self.causes
        told = frozenset((cause.type, cause.sub_type) for cause in causes)
        effects: Effects = []
        if told != self._told:
            if self._told:
                effects.append(Clear(INOPERATIVE))
            if causes:
                effects.append(
                    Raise(
                        INOPERATIVE,
                        causes[0].type,
                        vendor_id=causes[0].vendor_id if self._use_vendor_id else "EVerest",
                        description=description_of(causes),
                    )
                )
            self._told = told
        kind = Shutdown.Nothing
        if causes:
            high = any(cause.severity is Severity.High for cause in causes)
            kind = Shutdown.Emergency if high else Shutdown.Error
        if kind is not self.state:
            self.state = kind
            effects.append(ShutdownIs(kind))
        return effects
