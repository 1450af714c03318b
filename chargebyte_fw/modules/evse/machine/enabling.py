"""Who enables and who disables: one entry a source, the smallest priority number wins, a tie disables."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)

UNSPECIFIED = EnableDisableSourceEnableSource.Unspecified
DISABLE = EnableDisableSourceEnableState.Disable
UNASSIGNED = EnableDisableSourceEnableState.Unassigned
LOWEST_PRIORITY = 10_000


class EnableTable:
    """The wishes of all sources and whether the connector itself is enabled."""

    def __init__(self, *, connector_enabled: bool = True) -> None:
        self._entries: dict[EnableDisableSourceEnableSource, EnableDisableSource] = {}
        self.connector_enabled = connector_enabled

    def take(self, connector_id: int, source: EnableDisableSource) -> bool:
        """Enter a wish; returns whether the outcome flipped."""
        before = self.enabled
        self._entries[source.enable_source] = source
        after = self.enabled
        if connector_id != 0:
            self.connector_enabled = after
        return before is not after

    @property
    def winner(self) -> EnableDisableSource:
        """The wish that holds; without any, an unassigned one of lowest priority."""
        assigned = [entry for entry in self._entries.values() if entry.enable_state is not UNASSIGNED]
        if not assigned:
            return EnableDisableSource(
                enable_source=UNSPECIFIED, enable_state=UNASSIGNED, enable_priority=LOWEST_PRIORITY
            )
        return min(assigned, key=lambda entry: (entry.enable_priority, entry.enable_state is not DISABLE))

    @property
    def enabled(self) -> bool:
        """Whether the winner does not disable."""
        return self.winner.enable_state is not DISABLE
