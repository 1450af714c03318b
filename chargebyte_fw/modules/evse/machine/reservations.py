"""The reservation of one EVSE, and the authorization that uses it up."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.events import Authorized, ReservationRequested, TokenAccepted
from chargebyte_fw.modules.evse.machine.signals import CancelReservation, SessionEventDue
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot

Effects = list[Any]


class ReservationState(Enum):
    """Whether the EVSE is kept for a reservation."""

    Free = "free"
    Reserved = "reserved"


class ReservationMachine(Machine):
    """Keeps at most one id; a negative one stands for a reservation of the whole station.

    `others` returns what the machines of the EVSE have published.
    """

    initial = ReservationState.Free

    def __init__(self, others: Callable[[], Snapshot]) -> None:
        super().__init__()
        self._others = others
        self.id: int | None = None
        """None without a reservation."""

    @on(ReservationState.Free, event=ReservationRequested, to=ReservationState.Reserved)
    def reserve(self, event: ReservationRequested, now: float) -> Effects:
        """Reserve the EVSE, if no EV, session or fault is there."""
        return self._reserve(event.reservation_id) if self._others().free else []

    @on(ReservationState.Reserved, event=ReservationRequested, to=ReservationState.Reserved)
    def reserve_again(self, event: ReservationRequested, now: float) -> Effects:
        """Take a reservation in place of one of the whole station; one of this EVSE stays."""
        of_station = self.id is not None and self.id < 0
        if event.reservation_id == self.id or not of_station or not self._others().free:
            return []
        return self._reserve(event.reservation_id)

    def _reserve(self, reservation_id: int) -> Effects:
        self.id = reservation_id
        return self.enter(ReservationState.Reserved, SessionEventDue(SessionEventEnum.ReservationStart))

    @on(ReservationState.Reserved, event=CancelReservation, to=ReservationState.Free)
    def cancel(self, _: CancelReservation, now: float) -> Effects:
        """Give the reservation up."""
        self.id = None
        return self.enter(ReservationState.Free, SessionEventDue(SessionEventEnum.ReservationEnd))

    @on(ReservationState.Free, event=CancelReservation)
    def nothing_to_cancel(self, _: CancelReservation, now: float) -> None:
        """There is none."""

    @on(*ReservationState, event=TokenAccepted, to=ReservationState.Free)
    def token_accepted(self, event: TokenAccepted, now: float) -> Effects:
        """Authorize, and use the reservation up: the one that the token names, otherwise the one that is kept."""
        used, self.id = self.id if event.reservation_id is None else event.reservation_id, None
        if used is not None and used < 0:
            used = None
        return self.enter(
            ReservationState.Free, Authorized(event.token, event.tariff_text, event.contract, reservation_id=used)
        )
