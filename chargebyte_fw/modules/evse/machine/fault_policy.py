"""What all active faults together mean: Inoperative, and how to shut down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.effects import ClearFault, RaiseFault
from chargebyte_fw.modules.evse.machine.events import FaultCleared, FaultRaised, Shutdown
from chargebyte_fw.modules.evse.machine.signals import ShutdownChanged

OWN = "evse_manager"
INOPERATIVE = "Inoperative"
INTERNAL = "Internal"
LASTING = (INOPERATIVE, INTERNAL)
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
    """Whether `ClearFault(name)` clears a fault of ours: the one named, or without a name all but the lasting ones."""
    own = type.partition("/")[2]
    return own == name if name else own not in LASTING


def description_of(causes: Iterable[FaultRaised]) -> str:
    """List the causes as `Name/sub-type`, separated by commas."""
    words = []
    for cause in causes:
        name = cause.type.partition("/")[2]
        words.append(f"{name}/{cause.sub_type}" if cause.sub_type else name)
    return ", ".join(words)


class FaultPolicy(Machine):
    """The active faults that block charging; raises and clears Inoperative and decides how to shut down."""

    initial = Shutdown.Nothing

    def __init__(self, *, use_vendor_id: bool = False) -> None:
        super().__init__()
        self._use_vendor_id = use_vendor_id
        self._causes: dict[tuple[str, str, str], FaultRaised] = {}
        self._reported: frozenset[tuple[str, str]] = frozenset()

    @property
    def causes(self) -> tuple[FaultRaised, ...]:
        """The blocking faults, oldest first."""
        return tuple(self._causes.values())

    @on(*Shutdown, event=FaultRaised, to=(Shutdown.Error, Shutdown.Emergency))
    def seen(self, event: FaultRaised, now: float) -> Effects:
        """Add a fault of another provider."""
        return self._add(event)

    @on(*Shutdown, event=RaiseFault, to=(Shutdown.Error, Shutdown.Emergency))
    def raised(self, event: RaiseFault, now: float) -> Effects:
        """Add a fault of the EVSE's own."""
        return self._add(FaultRaised(OWN, f"{OWN}/{event.name}", event.sub_type, event.severity, "EVerest", OWN))

    def _add(self, fault: FaultRaised) -> Effects:
        if not blocks(fault.type):
            return []
        self._causes[fault.origin, fault.type, fault.sub_type] = fault
        return self._judge()

    @on(*Shutdown, event=FaultCleared, to=tuple(Shutdown))
    def gone(self, event: FaultCleared, now: float) -> Effects:
        """Remove a fault of another provider."""
        known = self._causes.pop((event.origin, event.type, event.sub_type), None) is not None
        return self._judge() if known else []

    @on(*Shutdown, event=ClearFault, to=tuple(Shutdown))
    def cleared(self, event: ClearFault, now: float) -> Effects:
        """Remove faults of the EVSE's own."""
        if event.name == INOPERATIVE:
            return []
        own = [key for key in self._causes if key[0] == OWN and cleared_by(event.name, key[1])]
        for key in own:
            del self._causes[key]
        return self._judge() if own else []

    def _judge(self) -> Effects:
        effects = self._report()
        severities = {cause.severity for cause in self._causes.values()}
        kind = Shutdown.Emergency if Severity.High in severities else Shutdown.Error
        if not severities:
            kind = Shutdown.Nothing
        return effects if kind is self.state else effects + self.enter(kind, ShutdownChanged(kind))

    def _report(self) -> Effects:
        """Raise Inoperative anew where its causes have changed."""
        causes = self.causes
        report = frozenset((cause.type, cause.sub_type) for cause in causes)
        before, self._reported = self._reported, report
        if report == before:
            return []
        effects: Effects = [ClearFault(INOPERATIVE)] if before else []
        if causes:
            vendor_id = causes[0].vendor_id if self._use_vendor_id else "EVerest"
            text = description_of(causes)
            effects.append(RaiseFault(INOPERATIVE, causes[0].type, vendor_id=vendor_id, description=text))
        return effects
