"""Errors of EVerest: what is active, raised and cleared on implementations and seen at requirements."""

from __future__ import annotations

import threading
import uuid as uuid_library
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from .log import LOGGER


class Severity(Enum):
    """How much an error matters."""

    Low = 0
    Medium = 1
    High = 2


class State(Enum):
    """Whether an error is active, and if not, who cleared it."""

    Active = 0
    ClearedByModule = 1
    ClearedByReboot = 2


Low, Medium, High = Severity
Active, ClearedByModule, ClearedByReboot = State


@dataclass
class UUID:
    """Identity of one occurrence."""

    uuid: str = field(default_factory=lambda: str(uuid_library.uuid4()))


@dataclass
class ImplementationIdentifier:
    """Where an error is: `mapping` is `{evse, connector?}` or None."""

    module_id: str
    implementation_id: str
    mapping: dict[str, int] | None = None


@dataclass(eq=False)
class Error:
    """One occurrence of an error; `type` is `namespace/Name`, and type and sub_type together are its identity."""

    type: str = "NotValidType"
    sub_type: str = ""
    message: str = "no message provided"
    description: str = "no description provided"
    origin: ImplementationIdentifier = field(
        default_factory=lambda: ImplementationIdentifier("no-module-id-provided", "no-implementation-id-provided")
    )
    severity: Severity = Severity.Low
    state: State = State.Active
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    uuid: UUID = field(default_factory=UUID)
    _vendor_id: str = "everest"


@dataclass
class ErrorStateCondition:
    """That an error is active, or that it is not."""

    type: str
    sub_type: str
    active: bool


def to_json(error: Error) -> dict[str, Any]:
    """Return the error as it is on the wire; a C++ reader needs each field but the mapping."""
    origin: dict[str, Any] = {
        "module_id": error.origin.module_id,
        "implementation_id": error.origin.implementation_id,
    }
    if error.origin.mapping is not None:
        origin["mapping"] = error.origin.mapping
    stamp = error.timestamp.astimezone(UTC)
    return {
        "type": error.type,
        "sub_type": error.sub_type,
        "message": error.message,
        "description": error.description,
        "origin": origin,
        "severity": error.severity.name,
        "state": error.state.name,
        "timestamp": f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z",
        "uuid": error.uuid.uuid,
        "vendor_id": error._vendor_id,
    }


def from_json(data: Any) -> Error:
    """Read an error from the wire; raises ValueError, KeyError or TypeError."""
    origin = data["origin"]
    severity, state = data["severity"], data["state"]
    return Error(
        type=str(data["type"]),
        sub_type=str(data["sub_type"]),
        message=str(data["message"]),
        description=str(data["description"]),
        origin=ImplementationIdentifier(
            str(origin["module_id"]), str(origin["implementation_id"]), origin.get("mapping")
        ),
        # Unknown words are read as EVerest reads them.
        severity=Severity[severity] if severity in Severity.__members__ else Severity.High,
        state=State[state] if state in State.__members__ else State.Active,
        timestamp=datetime.fromisoformat(data["timestamp"]),
        uuid=UUID(str(data["uuid"])),
        _vendor_id=str(data.get("vendor_id", "everest")),
    )


class Database:
    """The active errors of one implementation, as its provider or one of its users knows them."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(allowed)
        self._active: dict[tuple[str, str], Error] = {}
        self._lock = threading.Lock()

    def add(self, error: Error) -> bool:
        """Note that an error is active; False if it was already."""
        with self._lock:
            key = (error.type, error.sub_type)
            if key in self._active:
                return False
            self._active[key] = error
            return True

    def take(self, kind: str | None = None, sub_type: str | None = None) -> list[Error]:
        """Remove the errors of this type and sub_type (None: of any) and return them."""
        with self._lock:
            found = [
                key
                for key in self._active
                if (kind is None or key[0] == kind) and (sub_type is None or key[1] == sub_type)
            ]
            return [self._active.pop(key) for key in found]

    def is_active(self, kind: str, sub_type: str) -> bool:
        """Return whether this error is active."""
        with self._lock:
            return (kind, sub_type) in self._active

    def __iter__(self) -> Iterator[Error]:
        with self._lock:
            return iter(list(self._active.values()))


class ErrorStateMonitor:
    """Answers which errors of an implementation are active."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_error_active(self, type: str, sub_type: str) -> bool:
        """Return whether this error is active."""
        return self._database.is_active(type, sub_type)

    def is_condition_satisfied(self, condition: ErrorStateCondition | Iterable[ErrorStateCondition]) -> bool:
        """Return whether the condition holds, or each of them."""
        conditions = [condition] if isinstance(condition, ErrorStateCondition) else condition
        return all(self._database.is_active(one.type, one.sub_type) == one.active for one in conditions)

    def get_active_errors(self) -> list[Error]:
        """Return the active errors."""
        return list(self._database)


class ErrorFactory:
    """Makes errors of one implementation; `descriptions` has the text of each type of its interface."""

    def __init__(self, origin: ImplementationIdentifier, descriptions: Mapping[str, str]) -> None:
        self._origin = origin
        self._descriptions = descriptions

    def create_error(
        self,
        type: str | None = None,
        sub_type: str = "",
        message: str | None = None,
        *more: Severity | State,
    ) -> Error:
        """Return an error: without arguments, or with type, sub_type, message and perhaps severity, state or both."""
        error = Error(origin=replace(self._origin))
        if type is None:
            return error
        error.type, error.sub_type = type, sub_type
        error.description = self._descriptions.get(type, "No description found")
        if message is not None:
            error.message = message
        for one in more:
            if isinstance(one, Severity):
                error.severity = one
            elif isinstance(one, State):
                error.state = one
            else:
                raise TypeError(f"create_error takes a Severity or a State, not {one!r}")
        return error


Callback = Callable[[Error], Any]


class Subscriptions:
    """What a module wants to know of the errors at one requirement, and what is active there."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.database = Database(allowed)
        self._wanted: list[tuple[str | None, Callback, Callback]] = []

    def subscribe(self, kind: str | None, callback: Callback, clear_callback: Callback) -> None:
        """Call these on each error of a type, or of any; raises ValueError for a type that cannot come here."""
        if kind is not None and kind not in self.database.allowed:
            raise ValueError(f"{kind} is not an error of the interface")
        self._wanted.append((kind, callback, clear_callback))

    def take(self, error: Error) -> None:
        """Take an error as it came; whether it is raised or cleared is decided by its state."""
        raised = error.state is State.Active
        known = not self.database.add(error) if raised else not self.database.take(error.type, error.sub_type)
        if known:
            LOGGER.warning("%s %s is %s already", error.type, error.sub_type, "active" if raised else "cleared")
            return
        for kind, callback, clear_callback in self._wanted:
            if kind is None or kind == error.type:
                (callback if raised else clear_callback)(error)
