"""Rows for reservations: made, used up, cancelled, expired, and given up when EVSEs fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from chargebyte_fw.contracts.types.reservation import ReservationResult, ReservationUpdateStatusReservationStatus
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.auth.machine.effects import Log, Reply, ReserveEvse, reservation_status
from chargebyte_fw.modules.auth.machine.events import (
    CancelRequested,
    CheckRequested,
    EvseReleased,
    EvseReserved,
    ReservationRequested,
    WallClockSet,
)
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.reservations import ActiveReservation
from chargebyte_fw.modules.auth.machine.station import Rules, Station

Status = ReservationUpdateStatusReservationStatus
FROM_STORE = 0
"""The request of a reservation that was read from the store: nothing waits for its result."""


class State(Enum):
    """The authorizer; each token and each EVSE has a machine of its own."""

    STARTING = "starting"
    """Not every EVSE is known yet."""
    READY = "ready"


class ReservationRows(Machine):
    """Rows for the interface `reservation` and for what EVSEs report of their reservations."""

    initial = State.STARTING

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.station = Station(rules)
        self._wall_zero_at: datetime | None = None
        """The wall time at monotonic second 0; another one after each setting of the clock."""

    @on(State.READY, event=ReservationRequested)
    def reservation_requested(self, event: ReservationRequested, now: float) -> list[Any]:
        """Reserve one EVSE, or any."""
        wanted, until_at, reservations = event.reservation, event.until_at, self.station.reservations
        self._note_wall(event.wall_at, now)
        if until_at is None or until_at <= event.wall_at:
            return self._refused(event, ReservationResult.Rejected)
        result = reservations.check(wanted)
        if result is not ReservationResult.Accepted:
            return self._refused(event, result)
        old = reservations.get(wanted.reservation_id)
        reservations.put(ActiveReservation(wanted, until_at))
        effects: list[Any] = []
        if old is not None and old.evse_id is not None and old.evse_id != wanted.evse_id:
            effects += self.station.release(old.evse_id)
        if wanted.evse_id is not None:
            effects += [ReserveEvse(wanted.evse_id, wanted.reservation_id, event.request_id)]
        else:
            effects += self._reply(event.request_id, result)
            effects += [reservation_status(wanted.reservation_id, Status.Placed)]
        where = f"EVSE {wanted.evse_id}" if wanted.evse_id is not None else "an EVSE"
        log = Log(f"{where} is reserved (reservation {wanted.reservation_id})")
        return [*effects, *self.station.store_reservations(), log]

    @on(State.READY, event=EvseReserved)
    def evse_reserved(self, event: EvseReserved, now: float) -> list[Any]:
        """Confirm a reservation once its EVSE is reserved."""
        number = event.reservation_id
        if event.accepted:
            reply = self._reply(event.request_id, ReservationResult.Accepted)
            return [*reply, reservation_status(number, Status.Placed)]
        self.station.reservations.remove(number)
        removed = [reservation_status(number, Status.Removed)] if event.request_id == FROM_STORE else []
        log = Log(f"reservation {number} is over: its EVSE does not take it")
        reply = self._reply(event.request_id, ReservationResult.Occupied)
        return [*reply, *removed, *self.station.store_reservations(), log]

    @on(State.READY, event=EvseReleased)
    def evse_released(self, event: EvseReleased, now: float) -> list[Any]:
        """Listen again to what the EVSE reports of its reservation."""
        self.station.released(event.evse_id)
        return []

    @on(State.READY, event=CancelRequested)
    def cancel_requested(self, event: CancelRequested, now: float) -> list[Any]:
        """Cancel a reservation on request."""
        entry = self.station.reservations.remove(event.reservation_id)
        if entry is None:
            return [Reply(event.request_id, False)]
        log = Log(f"reservation {entry.id} is over")
        return [*self._free(entry), *self.station.store_reservations(), Reply(event.request_id, True), log]

    @on(State.READY, event=CheckRequested)
    def check_requested(self, event: CheckRequested, now: float) -> list[Any]:
        """Return for whom an EVSE, or any, is reserved."""
        status = self.station.reservations.status_for(event.id_token, event.evse_id, event.group)
        return [Reply(event.request_id, status)]

    @on(State.READY, event=WallClockSet)
    def wall_clock_set(self, event: WallClockSet, now: float) -> list[Any]:
        """Judge every reservation by the clock as it goes now."""
        self._note_wall(event.wall_at, now)
        return self.expire(now)

    @on(State.READY, timer="reservation_expiry")
    def expire(self, now: float) -> list[Any]:
        """End the reservations that have expired."""
        reservations = self.station.reservations
        effects: list[Any] = []
        over = [entry for entry in reservations.entries if now >= self._second_of(entry.until_at)]
        for entry in over:
            reservations.remove(entry.id)
            effects += self._free(entry)
            effects += [
                reservation_status(entry.id, Status.Expired),
                Log(f"reservation {entry.id} has expired"),
            ]
        return [*effects, *self.station.store_reservations()] if over else []

    def plan_expiry(self) -> None:
        """Wait for the reservation that expires first: expiry times are wall times, which the clock may move."""
        seconds = [self._second_of(entry.until_at) for entry in self.station.reservations.entries]
        if seconds:
            self.start("reservation_expiry", min(seconds))
        else:
            self.stop("reservation_expiry")

    def reservation_ended(self, evse: Evse) -> list[Any]:
        """Follow an EVSE that has given its reservation up by itself."""
        if self.station.is_releasing(evse.id):
            return []
        self.station.held_for_any.discard(evse.id)
        entry = self.station.reservations.bound(evse.id)
        if entry is None:
            return []
        self.station.reservations.remove(entry.id)
        removed, log = reservation_status(entry.id, Status.Removed), f"EVSE {evse.id} gave reservation {entry.id} up"
        return [removed, *self.station.store_reservations(), Log(log)]

    def cancel_impossible(self, evse: Evse) -> list[Any]:
        """Cancel the reservations that cannot be kept now that an EVSE is in another state."""
        gone = self.station.reservations.overbooked()
        effects: list[Any] = []
        for entry in gone:
            effects += self._free(entry)
            effects += [
                reservation_status(entry.id, Status.Removed),
                Log(f"reservation {entry.id} is cancelled: EVSE {evse.id} cannot be used now"),
            ]
        return [*effects, *self.station.store_reservations()] if gone else []

    def _free(self, entry: ActiveReservation) -> list[Any]:
        if entry.evse_id is None or entry.evse_id not in self.station.evses:
            return []
        return self.station.release(entry.evse_id)

    def _refused(self, event: ReservationRequested, result: ReservationResult) -> list[Any]:
        if event.request_id != FROM_STORE:
            return [Reply(event.request_id, result)]
        expired = event.until_at is not None and event.until_at <= event.wall_at
        number = event.reservation.reservation_id
        log = Log(f"reservation {number} of the last run is over: {'expired' if expired else result.value}")
        status = reservation_status(number, Status.Expired if expired else Status.Removed)
        return [status, *self.station.store_reservations(), log]

    def _reply(self, request_id: int, result: ReservationResult) -> list[Any]:
        return [] if request_id == FROM_STORE else [Reply(request_id, result)]

    def _note_wall(self, wall_at: datetime, now: float) -> None:
        self._wall_zero_at = wall_at.astimezone(UTC) - timedelta(seconds=now)

    def _second_of(self, at: datetime) -> float:
        """Return the monotonic second at which the wall clock, as it goes now, will show `at`."""
        assert self._wall_zero_at is not None, "an absolute time came before the wall time"
        return (at - self._wall_zero_at).total_seconds()
