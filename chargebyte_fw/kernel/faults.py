"""Faults: states that are raised and cleared, with EVerest's error names."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from chargebyte_fw.kernel.scope import Scope


class Severity(StrEnum):
    """Severity; only `High` blocks charging by itself (EVerest)."""

    Low = "Low"
    Medium = "Medium"
    High = "High"


class FaultState(StrEnum):
    """State of a fault."""

    Active = "Active"
    ClearedByModule = "ClearedByModule"
    ClearedByReboot = "ClearedByReboot"


class Mapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """EVerest's tier mapping: which EVSE and connector a module or implementation belongs to."""

    evse: int
    connector: int | None = None


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """The implementation that raised a fault."""

    module_id: str
    implementation_id: str
    mapping: Mapping | None = None


class Fault(msgspec.Struct, frozen=True):
    """EVerest's error object in its wire form (framework: "Error object")."""

    type: str
    sub_type: str
    message: str
    description: str
    severity: Severity
    origin: Origin
    state: FaultState
    timestamp: str
    uuid: str
    vendor_id: str = "everest"

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Two reports with the same type, sub-type and origin are one fault."""
        return (self.type, self.sub_type, self.origin.module_id, self.origin.implementation_id)

    def cleared(self, state: FaultState = FaultState.ClearedByModule) -> Fault:
        """Return the same occurrence in a cleared state."""
        return msgspec.structs.replace(self, state=state)


FaultCallback = Callable[[Fault], None]
MakeFault = Callable[[str, str, str, Severity], Fault]


class Faults:
    """The active faults of one implementation, and their subscribers.

    The provider raises and clears; consumers subscribe and ask. `make` builds the complete object (origin, time, uuid).
    """

    def __init__(self, allowed: frozenset[str], make: MakeFault | None = None) -> None:
        self.allowed = allowed
        self._make = make
        self._active: dict[tuple[str, str], Fault] = {}
        self._listeners: list[tuple[FaultCallback, FaultCallback, Scope | None]] = []

    def raise_fault(
        self, type: str, message: str, *, sub_type: str = "", severity: Severity = Severity.High
    ) -> Fault | None:
        """Raise `type` (`namespace/Name`); returns the new fault, or None when it was already active.

        Raises ValueError for a type that the interface does not declare: that is a bug of ours.
        """
        if type not in self.allowed:
            raise ValueError(
                f"{type} is not an error of this interface (it declares {', '.join(sorted(self.allowed))})"
            )
        if (type, sub_type) in self._active or self._make is None:
            return None
        fault = self._make(type, sub_type, message, severity)
        self.take_raise(fault)
        return fault

    def clear(self, type: str, sub_type: str = "") -> Fault | None:
        """Clear one fault; returns the cleared object, or None when it was not active."""
        fault = self._active.get((type, sub_type))
        if fault is None:
            return None
        cleared = fault.cleared()
        self.take_clear(cleared)
        return cleared

    def clear_all(self, type: str | None = None) -> list[Fault]:
        """Clear every active fault, or every one of `type`; returns the cleared objects."""
        keys = [key for key in self._active if type is None or key[0] == type]
        return [fault for key in keys if (fault := self.clear(*key)) is not None]

    def take_raise(self, fault: Fault) -> None:
        """Add a fault that was raised elsewhere (MQTT) and notify the subscribers; a known one is ignored."""
        key = (fault.type, fault.sub_type)
        if key in self._active:
            return
        self._active[key] = fault
        for raised, _, scope in tuple(self._listeners):
            _notify(raised, fault, scope)

    def take_clear(self, fault: Fault) -> None:
        """Remove a fault that was cleared elsewhere (MQTT) and notify the subscribers; an unknown one is ignored."""
        if self._active.pop((fault.type, fault.sub_type), None) is None:
            return
        for _, cleared, scope in tuple(self._listeners):
            _notify(cleared, fault, scope)

    def subscribe(
        self, raised: FaultCallback, cleared: FaultCallback, scope: Scope | None = None
    ) -> Callable[[], None]:
        """Call `raised`/`cleared` for each change and `raised` at once for what is already active; returns a stop.

        With a `scope` they run in its context, and an exception in one of them is its module's, not the raiser's.
        """
        entry = (raised, cleared, scope)
        self._listeners.append(entry)
        for fault in tuple(self._active.values()):
            _notify(raised, fault, scope)

        def stop() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return stop

    @property
    def active(self) -> tuple[Fault, ...]:
        """The active faults, oldest first."""
        return tuple(self._active.values())

    def is_active(self, type: str, sub_type: str | None = None) -> bool:
        """Whether `type` is active (`sub_type` None: with any sub-type)."""
        if sub_type is not None:
            return (type, sub_type) in self._active
        return any(key[0] == type for key in self._active)


def _notify(call: FaultCallback, fault: Fault, scope: Scope | None) -> None:
    if scope is None:
        call(fault)
        return
    try:
        # A copy: what a subscriber raises or clears may come back to it before it returns.
        scope.context.copy().run(call, fault)
    except Exception as error:
        scope.fail(error)


class FaultsView(Faults):
    """A provider's faults as one consumer sees them: the same states, the consumer's own scope."""

    def __init__(self, source: Faults, scope: Scope) -> None:
        super().__init__(source.allowed)
        self._source = source
        self._scope = scope
        self._active = source._active

    def take_raise(self, fault: Fault) -> None:
        """Raise TypeError: faults belong to their provider."""
        raise TypeError(f"{fault.type} belongs to its provider; a consumer cannot raise it")

    def take_clear(self, fault: Fault) -> None:
        """Raise TypeError: faults belong to their provider."""
        raise TypeError(f"{fault.type} belongs to its provider; a consumer cannot clear it")

    def subscribe(
        self, raised: FaultCallback, cleared: FaultCallback, scope: Scope | None = None
    ) -> Callable[[], None]:
        """As `Faults.subscribe`, until the consumer's module is stopped."""
        return self._scope.hold(self._source.subscribe(raised, cleared, scope or self._scope))
