"""Reservations of OCPP 1.6: CancelReservation (§5.2), ReserveNow (§5.13)."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.types import reservation
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.connector_states import ConnectorStates, Status
from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.messages.v16.reservation import (
    CancelReservationRequest,
    CancelReservationResponse,
    CancelReservationStatus,
    ReservationStatus,
    ReserveNowRequest,
    ReserveNowResponse,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, RequestRefused, answers
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables.standard.legacy import (
    RESERVE_CONNECTOR_ZERO_SUPPORTED,
    SUPPORTED_FEATURE_PROFILES,
)


class Reservations16(Block):
    """Reserves connectors for tokens."""

    @property
    def _has_profile(self) -> bool:
        return "Reservation" in self.station.variables.get(SUPPORTED_FEATURE_PROFILES)

    @answers(ReserveNowRequest)
    def reserve_now(self, request: ReserveNowRequest) -> ReserveNowResponse | Deferred:
        """Reserve a connector, or with 0 any one of the station; Rejected where none is taken (§5.13)."""
        refused = self._refused(request.connector_id)
        if refused is not None:
            return ReserveNowResponse(status=refused)
        place = self.station.layout.connector(request.connector_id)
        wanted = reservation.Reservation(
            reservation_id=request.reservation_id,
            id_token=request.id_tag,
            expiry_time=rfc3339(request.expiry_date),
            evse_id=None if place is None else place.evse_id,
            parent_id_token=request.parent_id_tag,
            connector_type=None if place is None else place.kind,
        )
        deferred = self.station.defer()
        self.station.command(call(Reservation.reserve_now, wanted), partial(self._reserved, deferred))
        return deferred

    def _refused(self, number: int) -> ReservationStatus | None:
        if not self._has_profile:
            return ReservationStatus.Rejected
        states = self.station.block(Connectors16).connectors
        if number == 0:
            if not self.station.variables.get(RESERVE_CONNECTOR_ZERO_SUPPORTED):
                return ReservationStatus.Rejected
            reasons = [_unfit(state) for state in states.values()]
            return None if None in reasons else reasons[0]
        return _unfit(states[number]) if number in states else ReservationStatus.Rejected

    def _reserved(self, deferred: Deferred, result: Any) -> None:
        status = named(ReservationStatus, result, ReservationStatus.Rejected)
        self.station.answer(deferred, ReserveNowResponse(status=status))

    @answers(CancelReservationRequest)
    def cancel(self, request: CancelReservationRequest) -> CancelReservationResponse | Deferred:
        """Cancel a reservation; one that is unknown is refused."""
        if not self._has_profile:
            raise RequestRefused("NotSupported", "the profile Reservation is not in use")
        deferred = self.station.defer()
        command = call(Reservation.cancel_reservation, request.reservation_id)
        self.station.command(command, partial(self._cancelled, deferred))
        return deferred

    def _cancelled(self, deferred: Deferred, result: Any) -> None:
        status = CancelReservationStatus.Accepted if result is True else CancelReservationStatus.Rejected
        self.station.answer(deferred, CancelReservationResponse(status=status))


def _unfit(state: ConnectorStates) -> ReservationStatus | None:
    """Return why a connector cannot be reserved, None where it can. A reservation may replace its like (§5.13)."""
    if state.faulted:
        return ReservationStatus.Faulted
    if state.status is Status.UNAVAILABLE:
        return ReservationStatus.Unavailable
    return None if state.status in (Status.AVAILABLE, Status.RESERVED) else ReservationStatus.Occupied
