"""Board events of a CHARGE_STATE: state of the pilot, power on and off, ampacity of the cable."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from chargebyte_fw.board.driver.charge_state import AMPACITY, any_closed, known_contactors, no_contactor_configured
from chargebyte_fw.board.driver.effects import Log
from chargebyte_fw.board.link.messages.charge_som import ChargeState, CpState
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspEventEvent, ProximityPilot
from chargebyte_fw.kernel.effects import publish


class BoardEvents(msgspec.Struct):
    """What was published of the controller since its reset."""

    cp: CpState | None = None
    power: bool | None = None

    def of_power(self, state: ChargeState, *, permitted: bool, closing: bool) -> list[Any]:
        """Return PowerOn or PowerOff when that changes.

        `closing`: contactors in series close, and the one to the car is not closed yet. Without contactors HV ready
        and the permission to close stand for them; nothing is known of contactors that exist and are undefined.
        """
        if known_contactors(state):
            power: bool | None = any_closed(state)
            if power and closing and not self.power:
                power = None
        elif no_contactor_configured(state):
            power = state.hv_ready and permitted
        else:
            power = None
        if power is None or power is self.power:
            return []
        self.power = power
        return [_event(BspEventEvent.PowerOn if power else BspEventEvent.PowerOff)]

    def of_pilot(self, state: ChargeState, *, expect_e: bool) -> list[Any]:
        """Return the pilot's state when it changes.

        A controller that was reset holds E until our first frame: that E is none unless ordered (`expect_e`).
        """
        cp = state.cp_state
        if cp in (CpState.UNKNOWN, CpState.INVALID) or cp is self.cp:
            return []
        if cp is CpState.E and self.cp is None and not expect_e:
            return []
        self.cp = cp
        return [_event(BspEventEvent(cp.name))]


def _event(event: BspEventEvent) -> Any:
    return publish(EvseBoardSupport.event, BspEvent(event=event))


def contactors_changed(state: ChargeState, before: ChargeState | None) -> list[Any]:
    """Return a line about the contactors when one of them changes."""
    if before is not None and state.contactors == before.contactors:
        return []
    return [Log(logging.DEBUG, "contactors: %s", (", ".join(one.name for one in state.contactors),))]


def ampacity_changed(state: ChargeState, before: ChargeState | None) -> list[Any]:
    """Return the cable's ampacity when the proximity pilot changes."""
    if (before is not None and state.pp_state is before.pp_state) or state.pp_state not in AMPACITY:
        return []
    return [publish(EvseBoardSupport.ac_pp_ampacity, ProximityPilot(ampacity=AMPACITY[state.pp_state]))]
