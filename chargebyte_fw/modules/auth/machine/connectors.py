"""States of a connector as authorization sees them: a table, and nothing else."""

from __future__ import annotations

from enum import Enum, auto


class ConnectorState(Enum):
    """What stands in the way of using a connector."""

    AVAILABLE = auto()
    UNAVAILABLE = auto()
    FAULTED = auto()
    OCCUPIED = auto()
    FAULTED_OCCUPIED = auto()
    UNAVAILABLE_FAULTED = auto()


class Change(Enum):
    """What happens to a connector."""

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
    # The board may say that a transaction goes on after its fault was told.
    (ConnectorState.FAULTED, Change.TRANSACTION_STARTED): ConnectorState.FAULTED_OCCUPIED,
    (ConnectorState.OCCUPIED, Change.SESSION_FINISHED): ConnectorState.AVAILABLE,
    (ConnectorState.OCCUPIED, Change.FAULTED): ConnectorState.FAULTED_OCCUPIED,
    # Disabled in the middle of a session: the session ends, then nobody may begin another.
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
