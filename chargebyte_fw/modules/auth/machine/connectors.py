"""States of a connector as authorization sees them (EVerest: ConnectorStateMachine)."""

from __future__ import annotations

from enum import Enum, auto


class ConnectorState(Enum):
    """Whether a connector can be used, and why not."""

    AVAILABLE = auto()
    UNAVAILABLE = auto()
    FAULTED = auto()
    OCCUPIED = auto()
    FAULTED_OCCUPIED = auto()
    UNAVAILABLE_FAULTED = auto()


class Change(Enum):
    """A change of a connector."""

    ENABLE = auto()
    DISABLE = auto()
    FAULTED = auto()
    ERROR_CLEARED = auto()
    TRANSACTION_STARTED = auto()
    SESSION_FINISHED = auto()


TABLE: dict[tuple[ConnectorState, Change], ConnectorState] = {
    (ConnectorState.AVAILABLE, Change.TRANSACTION_STARTED): ConnectorState.OCCUPIED,
    (ConnectorState.AVAILABLE, Change.DISABLE): ConnectorState.UNAVAILABLE,
    (ConnectorState.AVAILABLE, Change.FAULTED): ConnectorState.FAULTED,
    (ConnectorState.UNAVAILABLE, Change.ENABLE): ConnectorState.AVAILABLE,
    (ConnectorState.UNAVAILABLE, Change.FAULTED): ConnectorState.UNAVAILABLE_FAULTED,
    (ConnectorState.FAULTED, Change.ERROR_CLEARED): ConnectorState.AVAILABLE,
    (ConnectorState.FAULTED, Change.DISABLE): ConnectorState.UNAVAILABLE_FAULTED,
    # A transaction may be reported after the fault that it began with.
    (ConnectorState.FAULTED, Change.TRANSACTION_STARTED): ConnectorState.FAULTED_OCCUPIED,
    (ConnectorState.OCCUPIED, Change.SESSION_FINISHED): ConnectorState.AVAILABLE,
    (ConnectorState.OCCUPIED, Change.FAULTED): ConnectorState.FAULTED_OCCUPIED,
    # Disabled during a session: the session ends, and no other can begin.
    (ConnectorState.OCCUPIED, Change.DISABLE): ConnectorState.UNAVAILABLE,
    (ConnectorState.FAULTED_OCCUPIED, Change.ERROR_CLEARED): ConnectorState.OCCUPIED,
    (ConnectorState.FAULTED_OCCUPIED, Change.SESSION_FINISHED): ConnectorState.FAULTED,
    (ConnectorState.FAULTED_OCCUPIED, Change.DISABLE): ConnectorState.UNAVAILABLE_FAULTED,
    (ConnectorState.UNAVAILABLE_FAULTED, Change.ENABLE): ConnectorState.FAULTED,
    (ConnectorState.UNAVAILABLE_FAULTED, Change.ERROR_CLEARED): ConnectorState.UNAVAILABLE,
}


def after(state: ConnectorState, change: Change) -> ConnectorState:
    """Return the state after `change`; a change without a row leaves it as it is."""
    return TABLE.get((state, change), state)
