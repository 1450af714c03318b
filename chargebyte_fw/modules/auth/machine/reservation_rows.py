"""Rows for reservations: made, used up, given up, expired, and cancelled when EVSEs fail."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.reservation import ReservationResult, ReservationUpdateStatusReservationStatus
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.auth.machine.core import Core, State
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.reservations import ActiveReservation
from chargebyte_fw.modules.auth.messages import (
    CancelRequested,
    CheckRequested,
    EvseReleased,
    EvseReserved,
    Log,
    Reply,
    ReservationRequested,
    ReserveEvse,
    Tell,
    WallClockSet,
)

Status = ReservationUpdateStatusReservationStatus
FROM_STORE = 0
"""The request_id of a reservation that nobody waits for: it was read from the store."""


class ReservationRows(Core):
    """Rows for the reservation interface and for what EVSEs say of their reservations."""

    @on(State.READY, event=ReservationRequested)
    def reserve(self, event: ReservationRequested, now: float) -> list[Any]:
        """Promise an EVSE, or any EVSE, to a token."""
        wanted, until_at = event.reservation, event.until_at
        self.note_wall(event.wall_at, now)
        if until_at is None or until_at <= event.wall_at:
            return self._refused(event, ReservationResult.Rejected)
        result = self.reservations.check(wanted)
        if result is not ReservationResult.Accepted:
            return self._refused(event, result)
        old = self.reservations.get(wanted.reservation_id)
        self.reservations.put(ActiveReservation(wanted, until_at))
        effects: list[Any] = []
        if old is not None and old.evse_id not in (None, wanted.evse_id):
            effects += self.release(old.evse_id or 0)
        if wanted.evse_id is not None:
            effects += [ReserveEvse(wanted.evse_id, wanted.reservation_id, event.request_id)]
        else:
            effects += [*self._answer(event.request_id, result), Tell(wanted.reservation_id, Status.Placed)]
        where = f"EVSE {wanted.evse_id}" if wanted.evse_id is not None else "an EVSE"
        return [*effects, *self.keep_all(), Log(f"{where} is reserved (reservation {wanted.reservation_id})")]

    @on(State.READY, event=WallClockSet)
    def wall_set(self, event: WallClockSet, now: float) -> list[Any]:
        """Judge every reservation by the clock as it goes now."""
        self.note_wall(event.wall_at, now)
        return self.expired(now)

    @on(State.READY, event=EvseReserved)
    def reserved(self, event: EvseReserved, now: float) -> list[Any]:
        """Confirm a reservation once its EVSE keeps itself for it."""
        if event.taken:
            return [
                *self._answer(event.request_id, ReservationResult.Accepted),
                Tell(event.reservation_id, Status.Placed),
            ]
        self.reservations.remove(event.reservation_id)
        told = [Tell(event.reservation_id, Status.Removed)] if event.request_id == FROM_STORE else []
        note = Log(f"reservation {event.reservation_id} is over: its EVSE does not take it")
        return [*self._answer(event.request_id, ReservationResult.Occupied), *told, *self.keep_all(), note]

    @on(State.READY, event=EvseReleased)
    def released(self, event: EvseReleased, now: float) -> list[Any]:
        """Believe the EVSE again when it says that a reservation is over."""
        self.releasing[event.evse_id] = max(0, self.releasing.get(event.evse_id, 0) - 1)
        return []

    @on(State.READY, event=CancelRequested)
    def cancel(self, event: CancelRequested, now: float) -> list[Any]:
        """Give a reservation up on request."""
        entry = self.reservations.remove(event.reservation_id)
        if entry is None:
            return [Reply(event.request_id, False)]
        return [
            *self._free(entry),
            *self.keep_all(),
            Reply(event.request_id, True),
            Log(f"reservation {entry.id} is over"),
        ]

    @on(State.READY, event=CheckRequested)
    def look(self, event: CheckRequested, now: float) -> list[Any]:
        """Say for whom an EVSE, or any, is reserved."""
        return [Reply(event.request_id, self.reservations.status_for(event.id_token, event.evse_id, event.group))]

    def given_up(self, evse: Evse) -> list[Any]:
        """Follow an EVSE that gave its reservation up by itself."""
        if self.releasing.get(evse.id):
            return []
        self.kept.discard(evse.id)
        entry = self.reservations.bound(evse.id)
        if entry is None:
            return []
        self.reservations.remove(entry.id)
        return [
            Tell(entry.id, Status.Removed),
            *self.keep_all(),
            Log(f"EVSE {evse.id} gave reservation {entry.id} up"),
        ]

    def after_change(self, evse: Evse) -> list[Any]:
        """Cancel what cannot be kept any longer, now that an EVSE is in another state."""
        gone = self.reservations.overbooked()
        effects: list[Any] = []
        for entry in gone:
            effects += self._free(entry)
            effects += [Tell(entry.id, Status.Removed)]
            effects += [Log(f"reservation {entry.id} is cancelled: EVSE {evse.id} cannot be used now")]
        return [*effects, *self.keep_all()] if gone else []

    def expired(self, now: float) -> list[Any]:
        """End the reservations whose time is over."""
        effects: list[Any] = []
        over = [entry for entry in self.reservations.entries if now >= self.second_of(entry.until_at)]
        for entry in over:
            self.reservations.remove(entry.id)
            effects += self._free(entry)
            effects += [Tell(entry.id, Status.Expired), Log(f"reservation {entry.id} has expired")]
        return [*effects, *self.keep_all()] if over else []

    def _free(self, entry: ActiveReservation) -> list[Any]:
        return [] if entry.evse_id is None or entry.evse_id not in self.evses else self.release(entry.evse_id)

    def _refused(self, event: ReservationRequested, result: ReservationResult) -> list[Any]:
        if event.request_id != FROM_STORE:
            return [Reply(event.request_id, result)]
        expired = event.until_at is not None and event.until_at <= event.wall_at
        number = event.reservation.reservation_id
        note = Log(f"reservation {number} of the last run is over: {'expired' if expired else result.value}")
        return [Tell(number, Status.Expired if expired else Status.Removed), *self.keep_all(), note]

    def _answer(self, request_id: int, result: ReservationResult) -> list[Any]:
        return [] if request_id == FROM_STORE else [Reply(request_id, result)]
