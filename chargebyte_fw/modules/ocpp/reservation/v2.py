"""Reservations of OCPP 2.x (use cases H01 to H04)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.types import reservation
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.messages.v2.availability import ConnectorStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v2.reservation import (
    CancelReservationRequest,
    CancelReservationResponse,
    CancelReservationStatusEnumType,
    ReservationStatusUpdateRequest,
    ReservationUpdateStatusEnumType,
    ReserveNowRequest,
    ReserveNowResponse,
    ReserveNowStatusEnumType,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.authorization import (
    RESERVATION_AVAILABLE,
    RESERVATION_ENABLED,
    RESERVATION_NON_EVSE_SPECIFIC,
)
from chargebyte_fw.modules.ocpp.variables.standard.transactions import EV_CONNECTION_TIME_OUT
from chargebyte_fw.modules.ocpp.version import Version

TABLE = "RESERVED_SINCE"
MOST = 100
"""Reservations whose begin is remembered."""
Status = ReserveNowStatusEnumType
_UNFIT = {
    ConnectorStatusEnumType.Faulted: Status.Faulted,
    ConnectorStatusEnumType.Unavailable: Status.Unavailable,
    ConnectorStatusEnumType.Occupied: Status.Occupied,
}
_ENDED = {
    "Expired": ReservationUpdateStatusEnumType.Expired,
    "Removed": ReservationUpdateStatusEnumType.Removed,
}


class Reservations2(Block):
    """Reserves EVSEs for tokens; `Auth` keeps the reservations."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._since: dict[int, datetime] = {}

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take since when the reservations are: a tariff may have a price for it (I12)."""
        for key, data in event.tables.get(TABLE, {}).items():
            try:
                self._since[int(key)] = msgspec.json.decode(data, type=datetime)
            except (msgspec.DecodeError, ValueError):
                self.station.save(TABLE, key, None)

    def reserved_us(self, reservation_id: int | None) -> int | None:
        """Return how long a reservation has lasted that is being used, in microseconds, and forget it."""
        since = None if reservation_id is None else self._since.get(reservation_id)
        if reservation_id is None or since is None:
            return None
        self._forget(reservation_id)
        return max(0, (self.station.utc - since) // timedelta(microseconds=1))

    def _forget(self, reservation_id: int) -> None:
        if self._since.pop(reservation_id, None) is not None:
            self.station.save(TABLE, str(reservation_id), None)

    def _keep(self, reservation_id: int) -> None:
        if len(self._since) >= MOST:
            self._forget(next(iter(self._since)))
        self._since[reservation_id] = self.station.utc
        self.station.save(TABLE, str(reservation_id), self.station.utc)

    @answers(ReserveNowRequest)
    def reserve_now(self, request: ReserveNowRequest) -> ReserveNowResponse | Deferred:
        """Reserve an EVSE, or any one of the station."""
        refused = self._refused(request)
        if refused is not None:
            return ReserveNowResponse(status=refused)
        group = request.group_id_token
        kind = request.connector_type
        wanted = reservation.Reservation(
            reservation_id=request.id,
            id_token=request.id_token.id_token,
            expiry_time=rfc3339(request.expiry_date_time),
            evse_id=request.evse_id,
            parent_id_token=None if group is None else group.id_token,
            connector_type=None if kind is None else ConnectorTypeEnum(str(kind)),
        )
        deferred = self.station.defer()
        self.station.command(call(Reservation.reserve_now, wanted), partial(self._reserved, deferred, request.id))
        return deferred

    def _refused(self, request: ReserveNowRequest) -> ReserveNowStatusEnumType | None:
        get = self.station.variables.get
        if not (get(RESERVATION_AVAILABLE) and get(RESERVATION_ENABLED)):
            return Status.Rejected
        if request.evse_id is None and not get(RESERVATION_NON_EVSE_SPECIFIC):
            return Status.Rejected
        if request.connector_type is not None and str(request.connector_type) not in list(ConnectorTypeEnum):
            return Status.Rejected
        places = [place for place in self.station.layout if request.evse_id in (None, place.evse_id)]
        fitting = [place for place in places if self._fits(place, request)]
        if not fitting:
            return Status.Rejected
        reasons = [_UNFIT.get(self.station.block(Availability2).status(place)) for place in fitting]
        return None if None in reasons else reasons[0]

    @staticmethod
    def _fits(place: Place, request: ReserveNowRequest) -> bool:
        unknown = (None, ConnectorTypeEnum.Unknown, ConnectorTypeEnum.Undetermined)
        kind = request.connector_type
        return kind is None or place.kind in unknown or (place.kind is not None and place.kind.value == str(kind))

    def _reserved(self, deferred: Deferred, reservation_id: int, result: Any) -> None:
        status = named(Status, result, Status.Rejected)
        if status is Status.Accepted:
            self._keep(reservation_id)
        self.station.answer(deferred, ReserveNowResponse(status=status))

    @answers(CancelReservationRequest)
    def cancel(self, request: CancelReservationRequest) -> Deferred:
        """Cancel a reservation; one that is unknown is refused (H02)."""
        deferred = self.station.defer()
        statuses = CancelReservationStatusEnumType

        def then(result: Any) -> None:
            status = statuses.Accepted if result is True else statuses.Rejected
            if result is True:
                self._forget(request.reservation_id)
            self.station.answer(deferred, CancelReservationResponse(status=status))

        self.station.command(call(Reservation.cancel_reservation, request.reservation_id), then)
        return deferred

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Report a reservation that ended without being used or cancelled by the CSMS (H04, H01)."""
        if not isinstance(event.value, reservation.ReservationUpdateStatus):
            return
        if event.value.reservation_status.value == "Used" and self.station.version is Version.V21:
            self._wait_for_transaction(event.value.reservation_id)
        status = _ENDED.get(event.value.reservation_status.value)
        if status is not None:
            self._forget(event.value.reservation_id)
            self.station.send(
                ReservationStatusUpdateRequest(
                    reservation_id=event.value.reservation_id, reservation_update_status=status
                )
            )

    # Used, and no transaction (2.1, [H03.FR.11]).

    def _wait_for_transaction(self, reservation_id: int) -> None:
        at = self.station.now + self.station.variables.get(EV_CONNECTION_TIME_OUT)
        self.station.start(("no transaction", reservation_id), at, lambda: self._no_transaction(reservation_id))

    def _no_transaction(self, reservation_id: int) -> None:
        self._forget(reservation_id)
        status = ReservationUpdateStatusEnumType.NoTransaction
        self.station.send(
            ReservationStatusUpdateRequest(reservation_id=reservation_id, reservation_update_status=status)
        )

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """A transaction has the reservation that was used."""
        transaction = self.station.block(Transactions2).at(event.evse_id)
        if transaction is not None:
            self._has_transaction(transaction.reservation_id)

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """So has one that ran before the token came."""
        started = event.event.transaction_started
        if started is not None:
            self._has_transaction(started.reservation_id)

    def _has_transaction(self, reservation_id: int | None) -> None:
        if reservation_id is not None:
            self.station.stop(("no transaction", reservation_id))
