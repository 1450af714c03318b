"""The form of a phase."""

from __future__ import annotations

from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.events import Charging


class Phase:
    """One state of the charging kernel; phases keep nothing, the facts are in the context."""

    def enter(self, c: Context, now: float) -> None:
        """Do what the state begins with."""

    def run(self, c: Context, now: float) -> Charging | None:
        """Look at the facts; return the next state, or None to stay (and `c.wait` for a time to look again)."""
        return None
