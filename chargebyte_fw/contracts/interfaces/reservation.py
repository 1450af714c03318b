"""EVerest interface `reservation`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import reservation
from chargebyte_fw.kernel.contract import Contract, Var


class Reservation(Contract, interface="reservation"):
    """Reservations (provided by Auth)."""

    reservation_update: Var[reservation.ReservationUpdateStatus]

    @abstractmethod
    async def reserve_now(self, request: reservation.Reservation) -> reservation.ReservationResult:
        """EVerest command `reserve_now`."""

    @abstractmethod
    async def cancel_reservation(self, reservation_id: int) -> bool:
        """EVerest command `cancel_reservation`."""

    @abstractmethod
    async def exists_reservation(self, request: reservation.ReservationCheck) -> reservation.ReservationCheckStatus:
        """EVerest command `exists_reservation`."""
