"""What tokens and reservations are decided by: the rules, the EVSEs and the reservations of the station."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken, SelectionAlgorithm
from chargebyte_fw.modules.auth.machine.effects import ReleaseEvse, ReserveEvse, StoreReservations
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.reservations import Reservations

FOR_ANY_RESERVATION = -1
"""The number under which an EVSE is reserved for one of several reservations without an EVSE of their own."""


class Rules(msgspec.Struct):
    """What the configuration decides, or commands later."""

    connection_timeout_s: float
    selection: SelectionAlgorithm = SelectionAlgorithm.FindFirst
    prioritize_authorization: bool = True
    stop_on_reswipe: bool = True
    ignore_faults: bool = False
    plug_in_timeout: bool = False
    master_pass: str = ""


class Station:
    """Rules, EVSEs and reservations, and which EVSEs are reserved for what."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.evses: dict[int, Evse] = {}
        self.reservations = Reservations(self.evses)
        self.held_for_any: set[int] = set()
        """EVSEs that are reserved for one of the reservations without an EVSE of their own."""
        self._releasing: dict[int, int] = {}
        """How many `ReleaseEvse` each EVSE has not answered yet."""

    def meant_by(self, token: ProvidedIdToken) -> list[int]:
        """Return the EVSEs that a token names, or all of them, without those that are disabled."""
        wanted = token.connectors or list(self.evses)
        return [number for number in wanted if number in self.evses and not self.evses[number].disabled]

    def store_reservations(self) -> list[Any]:
        """Return the effect that stores the reservations as they are now."""
        return [StoreReservations([entry.reservation for entry in self.reservations.entries])]

    def release(self, evse_id: int) -> list[Any]:
        """Cancel the reservation of an EVSE; until it answers, its own report of that is ignored."""
        self._releasing[evse_id] = self._releasing.get(evse_id, 0) + 1
        return [ReleaseEvse(evse_id)]

    def released(self, evse_id: int) -> None:
        """Note an EVSE's answer to `ReleaseEvse`."""
        self._releasing[evse_id] = max(0, self._releasing.get(evse_id, 0) - 1)

    def is_releasing(self, evse_id: int) -> bool:
        """Whether an EVSE has not answered yet that its reservation is cancelled."""
        return bool(self._releasing.get(evse_id))

    def hold_for_any(self) -> list[Any]:
        """Have exactly those EVSEs reserved that reservations without an EVSE of their own need."""
        needed = self.reservations.needed()
        effects: list[Any] = []
        for evse_id in sorted(self.held_for_any - needed):
            evse = self.evses[evse_id]
            # An EV that came, or a reservation for this EVSE, has taken the place already.
            free = evse.waiting_plug_in is None and evse.available and self.reservations.bound(evse_id) is None
            effects += self.release(evse_id) if free else []
        effects += [ReserveEvse(evse_id, FOR_ANY_RESERVATION, None) for evse_id in sorted(needed - self.held_for_any)]
        self.held_for_any = needed
        return effects
