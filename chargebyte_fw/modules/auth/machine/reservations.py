"""The reservations: what may be reserved, for whom an EVSE is reserved, which ones end when EVSEs fail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.contracts.types.reservation import Reservation, ReservationCheckStatus, ReservationResult
from chargebyte_fw.modules.auth.machine.connectors import ConnectorState
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.identifiers import same
from chargebyte_fw.modules.auth.machine.matching import ANY, Place, always_served, fits


class ActiveReservation(msgspec.Struct, frozen=True):
    """One reservation and the wall time at which it ends."""

    reservation: Reservation
    until_at: datetime

    @property
    def id(self) -> int:
        """Its number."""
        return self.reservation.reservation_id

    @property
    def evse_id(self) -> int | None:
        """The EVSE it is bound to, None for any."""
        return self.reservation.evse_id

    @property
    def kind(self) -> ConnectorTypeEnum:
        """The kind of connector it wants."""
        return self.reservation.connector_type or ANY

    def is_for(self, token: str, parent: str | None) -> bool:
        """Whether it was made for this token, or for the token's group."""
        if same(self.reservation.id_token, token):
            return True
        group = self.reservation.parent_id_token
        return bool(parent and group and same(group, parent))


class Reservations:
    """All reservations of the station, in the order in which they were made."""

    def __init__(self, evses: Mapping[int, Evse]) -> None:
        self._evses = evses
        self._entries: dict[int, ActiveReservation] = {}

    @property
    def entries(self) -> list[ActiveReservation]:
        """Every reservation, oldest first."""
        return list(self._entries.values())

    def get(self, reservation_id: int) -> ActiveReservation | None:
        """Return a reservation by its number."""
        return self._entries.get(reservation_id)

    def put(self, entry: ActiveReservation) -> None:
        """Add a reservation that `check` accepted; it replaces one with the same number."""
        self._entries.pop(entry.id, None)
        self._entries[entry.id] = entry

    def remove(self, reservation_id: int) -> ActiveReservation | None:
        """Remove and return a reservation."""
        return self._entries.pop(reservation_id, None)

    def bound(self, evse_id: int) -> ActiveReservation | None:
        """Return the reservation of this one EVSE."""
        return next((entry for entry in self._entries.values() if entry.evse_id == evse_id), None)

    def match(self, token: str, parent: str | None, evse: Evse | None) -> ActiveReservation | None:
        """Return the reservation that a token would use at an EVSE (None: anywhere); the id counts before the group."""
        if evse is not None and (bound := self.bound(evse.id)) is not None:
            return bound if bound.is_for(token, parent) else None
        fitting = [
            entry
            for entry in self._entries.values()
            if entry.is_for(token, parent)
            and (evse is None or (entry.evse_id is None and fits(entry.kind, evse.types.values())))
        ]
        fitting.sort(key=lambda entry: (entry.evse_id is None, not same(entry.reservation.id_token, token)))
        return fitting[0] if fitting else None

    def allows(self, evse: Evse, token: str, parent: str | None) -> bool:
        """Whether a token may be used at this EVSE while every reservation of others can still be kept."""
        return self.match(token, parent, evse) is not None or self.charging_possible(evse.id)

    def charging_possible(self, evse_id: int) -> bool:
        """Whether an EV without a reservation may use this EVSE: every reservation finds another one."""
        if self.bound(evse_id) is not None:
            return False
        return always_served(self._global_kinds(), self._places(without=evse_id))

    def could_match(self, evse: Evse) -> bool:
        """Whether a token might have a reservation here by its group, which is not known before validation."""
        bound = self.bound(evse.id)
        entries = [bound] if bound is not None else [entry for entry in self._entries.values() if entry.evse_id is None]
        return any(entry.reservation.parent_id_token for entry in entries)

    def needed(self) -> set[int]:
        """Return the EVSEs that are kept free for reservations without an EVSE of their own."""
        if not self._global_kinds():
            return set()
        free = [evse for evse in self._evses.values() if self._usable(evse) and self.bound(evse.id) is None]
        return {evse.id for evse in free if not self.charging_possible(evse.id)}

    def check(self, reservation: Reservation) -> ReservationResult:
        """Return whether a reservation can be made; one with the same number is left out of account."""
        replaced = self._entries.pop(reservation.reservation_id, None)
        try:
            return self._check_evse(reservation) if reservation.evse_id is not None else self._check_any(reservation)
        finally:
            if replaced is not None:
                self._entries[replaced.id] = replaced

    def overbooked(self) -> list[ActiveReservation]:
        """Remove and return what cannot be kept: reservations of a failed EVSE, then the latest of the others."""
        gone = [entry for entry in self.entries if entry.evse_id is not None and self._failed(entry)]
        for entry in gone:
            self.remove(entry.id)
        while (kinds := self._global_kinds()) and not always_served(kinds, self._places(plugged_in_too=True)):
            latest = next(entry for entry in reversed(self.entries) if entry.evse_id is None)
            self.remove(latest.id)
            gone.append(latest)
        return gone

    def status_for(self, token: str, evse_id: int | None, group: str | None) -> ReservationCheckStatus:
        """Return for whom an EVSE (None: any) is reserved, as seen by a token."""
        if evse_id is not None:
            bound = self.bound(evse_id)
            others = [bound] if bound is not None else []
        else:
            # Without an EVSE the question is whether there is one that is not reserved for others.
            full = not any(self.charging_possible(evse.id) for evse in self._evses.values() if self._usable(evse))
            others = self.entries if full or any(entry.is_for(token, group) for entry in self.entries) else []
        if not others:
            return ReservationCheckStatus.NotReserved
        if any(entry.is_for(token, group) for entry in others):
            return ReservationCheckStatus.ReservedForToken
        if any(entry.reservation.parent_id_token for entry in others):
            return ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken
        return ReservationCheckStatus.ReservedForOtherToken

    def _check_evse(self, reservation: Reservation) -> ReservationResult:
        evse = self._evses.get(reservation.evse_id or 0)
        kind = reservation.connector_type or ANY
        if evse is None or not fits(kind, evse.types.values()):
            return ReservationResult.Rejected
        if self.bound(evse.id) is not None or _in_use(evse):
            return ReservationResult.Occupied
        state = _state_for(evse, kind)
        if state is not ReservationResult.Accepted:
            return state
        kept = always_served(self._global_kinds(), self._places(without=evse.id))
        return ReservationResult.Accepted if kept else ReservationResult.Occupied

    def _check_any(self, reservation: Reservation) -> ReservationResult:
        kind = reservation.connector_type or ANY
        fitting = [evse for evse in self._evses.values() if fits(kind, evse.types.values())]
        if not fitting:
            return ReservationResult.Rejected
        if always_served([*self._global_kinds(), kind], self._places()):
            return ReservationResult.Accepted
        states = [
            ReservationResult.Occupied if _in_use(evse) or self.bound(evse.id) is not None else _state_for(evse, kind)
            for evse in fitting
        ]
        if ReservationResult.Accepted in states:
            return ReservationResult.Occupied
        worst = (ReservationResult.Faulted, ReservationResult.Occupied, ReservationResult.Unavailable)
        return next(state for state in worst if state in states)

    def _global_kinds(self) -> list[ConnectorTypeEnum]:
        return [entry.kind for entry in self._entries.values() if entry.evse_id is None]

    def _usable(self, evse: Evse, *, plugged_in_too: bool = False) -> bool:
        return evse.available and (plugged_in_too or evse.waiting_plug_in is None)

    def _places(self, *, without: int | None = None, plugged_in_too: bool = False) -> list[Place]:
        return [
            _open_kinds(evse)
            for evse in self._evses.values()
            if evse.id != without and self._usable(evse, plugged_in_too=plugged_in_too) and self.bound(evse.id) is None
        ]

    def _failed(self, entry: ActiveReservation) -> bool:
        evse = self._evses.get(entry.evse_id or 0)
        return evse is None or not (_in_use(evse) or _state_for(evse, entry.kind) is ReservationResult.Accepted)


def _in_use(evse: Evse) -> bool:
    return (
        evse.occupied
        or evse.transaction
        or evse.authorization is not None
        or evse.waiting_plug_in is not None
        or evse.session.timed_out
    )


def _open_kinds(evse: Evse) -> Place:
    return frozenset(kind for number, kind in evse.types.items() if evse.connectors[number] is ConnectorState.AVAILABLE)


def _state_for(evse: Evse, kind: ConnectorTypeEnum) -> ReservationResult:
    """Return whether a connector of this kind can be used, and why not."""
    states = [evse.connectors[number] for number, has in evse.types.items() if fits(kind, [has])]
    if any(state is ConnectorState.AVAILABLE for state in states):
        return ReservationResult.Accepted
    faulted = (ConnectorState.FAULTED, ConnectorState.FAULTED_OCCUPIED, ConnectorState.UNAVAILABLE_FAULTED)
    if any(state in faulted for state in states):
        return ReservationResult.Faulted
    return ReservationResult.Unavailable
