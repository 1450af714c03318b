"""Which connectors the CSMS has made inoperative: kept over a restart (OCPP 1.6 §5.2; G03, [G04.FR.07])."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)
from chargebyte_fw.kernel.effects import Call, call

PRIORITY = 5000
"""Priority of the CSMS among those who enable and disable; EVerest's value."""


def enable_disable(connector_id: int, operative: bool) -> Call:
    """Return the command that enables or disables a connector for the CSMS (0: the whole EVSE)."""
    state = EnableDisableSourceEnableState.Enable if operative else EnableDisableSourceEnableState.Disable
    source = EnableDisableSource(
        enable_source=EnableDisableSourceEnableSource.CSMS, enable_state=state, enable_priority=PRIORITY
    )
    return call(EvseManager.enable_disable, connector_id, source)


class StoredAvailability:
    """Inoperative parts of the station by key; a part that is not in it is operative."""

    def __init__(self, table: str, save: Callable[[str, str, Any], None]) -> None:
        self._table = table
        self._save = save
        self._inoperative: set[str] = set()

    def load(self, tables: Mapping[str, Mapping[str, bytes]]) -> None:
        """Take the documents of the last run; one that cannot be read counts as operative."""
        for key, data in tables.get(self._table, {}).items():
            try:
                operative = msgspec.json.decode(data, type=bool)
            except msgspec.DecodeError:
                operative = True
            if not operative:
                self._inoperative.add(key)

    def operative(self, key: str) -> bool:
        """Return what the CSMS wants of a part."""
        return key not in self._inoperative

    def set(self, key: str, operative: bool) -> None:
        """Keep what the CSMS wants of a part; it is on the disk before the answer is sent."""
        if operative == self.operative(key):
            return
        if operative:
            self._inoperative.discard(key)
            self._save(self._table, key, None)
        else:
            self._inoperative.add(key)
            self._save(self._table, key, False)
