"""The states of a connector: each row of the table, and nothing moves where there is no row."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.auth.machine.connectors import Change, ConnectorState, after

ROWS = """
AVAILABLE           TRANSACTION_STARTED OCCUPIED
AVAILABLE           DISABLE             UNAVAILABLE
AVAILABLE           FAULTED             FAULTED
UNAVAILABLE         ENABLE              AVAILABLE
UNAVAILABLE         FAULTED             UNAVAILABLE_FAULTED
FAULTED             ERROR_CLEARED       AVAILABLE
FAULTED             DISABLE             UNAVAILABLE_FAULTED
FAULTED             TRANSACTION_STARTED FAULTED_OCCUPIED
OCCUPIED            SESSION_FINISHED    AVAILABLE
OCCUPIED            FAULTED             FAULTED_OCCUPIED
OCCUPIED            DISABLE             UNAVAILABLE
FAULTED_OCCUPIED    ERROR_CLEARED       OCCUPIED
FAULTED_OCCUPIED    SESSION_FINISHED    FAULTED
FAULTED_OCCUPIED    DISABLE             UNAVAILABLE_FAULTED
UNAVAILABLE_FAULTED ENABLE              FAULTED
UNAVAILABLE_FAULTED ERROR_CLEARED       UNAVAILABLE
"""
TABLE = {tuple(row.split()[:2]): row.split()[2] for row in ROWS.strip().splitlines()}


@pytest.mark.parametrize("state", ConnectorState)
@pytest.mark.parametrize("change", Change)
def test_every_change_in_every_state(state: ConnectorState, change: Change) -> None:
    assert after(state, change).name == TABLE.get((state.name, change.name), state.name)
