"""What a report of the controller means to others: events and faults, in a fixed order."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.board.driver.board_events import BoardEvents, ampacity_changed, contactors_changed
from chargebyte_fw.board.driver.error_messages import ErrorMessages
from chargebyte_fw.board.driver.fault_table import FaultTable
from chargebyte_fw.board.driver.faults import BoardFaults
from chargebyte_fw.board.driver.residual_current import ResidualCurrent
from chargebyte_fw.board.link.messages.charge_som import ChargeState


class Reports:
    """Faults and what they remember. `socket`: the cable can be taken off, so the proximity pilot counts."""

    def __init__(self, socket: bool) -> None:
        self.socket = socket
        table = FaultTable()
        self.faults = BoardFaults(table)
        self.errors = ErrorMessages(table)
        self.residual_current = ResidualCurrent(table)

    def of_state(
        self,
        state: ChargeState,
        before: ChargeState | None,
        published: BoardEvents,
        *,
        permitted: bool,
        expect_e: bool,
        closing: bool = False,
    ) -> list[Any]:
        """Return faults and events of a new state, `before` being the one before it since the controller's reset.

        The order is that of EVerest's driver: faults of the pilot first, the pilot's state last. `permitted`: the
        contactors are permitted to close; `expect_e`: E is ordered; `closing`: contactors in series close.
        """
        monitor, faults = self.residual_current, self.faults
        monitor.follow_trip(state)
        effects = faults.pilot(state)
        if state.contactor_fault:
            effects += faults.contactors("a contactor did not follow its order", "")
        effects += contactors_changed(state, before)
        effects += published.of_power(state, permitted=permitted, closing=closing)
        effects += faults.safe_state(state, monitor.tripped)
        effects += monitor.look(state)
        if self.socket:
            effects += [*faults.proximity(state, before), *ampacity_changed(state, before)]
        return effects + published.of_pilot(state, expect_e=expect_e)
