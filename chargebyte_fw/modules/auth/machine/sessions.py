"""What charging sessions tell: plug-ins, transactions, availability, and the timers that follow from them."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    TokenValidationStatus,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum, StartSessionReason
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.auth.connectors import Change
from chargebyte_fw.modules.auth.machine.booking import BookingRows
from chargebyte_fw.modules.auth.machine.core import Stage, State
from chargebyte_fw.modules.auth.machine.tokens import TokenRows
from chargebyte_fw.modules.auth.messages import Happened, Inoperative, Note, TakeBack
from chargebyte_fw.modules.auth.station import Evse, Holder

FROM_THE_CAR = (AuthorizationType.Autocharge, AuthorizationType.PlugAndCharge)


class SessionRows(TokenRows, BookingRows):
    """Rows for the events of the EVSEs."""

    @on(State.READY, event=Happened)
    def happened(self, event: Happened, now: float) -> list[Any]:
        """Follow the session of an EVSE."""
        evse = self.evses.get(event.evse_id)
        if evse is None:
            return []
        match event.event.event:
            case SessionEventEnum.SessionStarted:
                return self._session_started(evse, event.event, now)
            case SessionEventEnum.TransactionStarted:
                return self._transaction_started(evse, event.event, now)
            case SessionEventEnum.TransactionFinished:
                evse.transaction, evse.holder = False, None
            case SessionEventEnum.SessionFinished:
                return self._session_finished(evse, event.event, now)
            case SessionEventEnum.Enabled:
                return self._changed(evse, Change.ENABLE, event.event.connector_id, now)
            case SessionEventEnum.Disabled:
                return self._changed(evse, Change.DISABLE, event.event.connector_id, now)
            case SessionEventEnum.Deauthorized:
                # Until the EVSE has confirmed the present token, this is about the one before.
                if evse.holder is not None and evse.holder.settled and not evse.transaction:
                    evse.holder = None
            case SessionEventEnum.ReservationEnd:
                return self.given_up(evse)
        return []

    @on(State.READY, event=Inoperative)
    def inoperative(self, event: Inoperative, now: float) -> list[Any]:
        """Keep tokens away from an EVSE that cannot charge, unless the configuration says otherwise."""
        evse = self.evses.get(event.evse_id)
        if evse is None or self.rules.ignore_faults:
            return []
        return self._changed(evse, Change.FAULTED if event.active else Change.ERROR_CLEARED, None, now)

    def _session_started(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        started = event.session_started
        if started is None or started.reason is not StartSessionReason.EVConnected:
            return []
        evse.plugged = next(self._plug_ins)
        if self.rules.plug_in_timeout and len(self.evses) > 1 and evse.holder is None:
            evse.plug_until_s = now + self.rules.connection_timeout_s
        return self.try_waiting(now)

    def _transaction_started(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        evse.change(Change.TRANSACTION_STARTED, event.connector_id or evse.first_connector)
        evse.transaction, evse.engaged, evse.plugged, evse.plug_until_s = True, True, None, None
        if evse.holder is None and event.transaction_started is not None:
            # Begun without us (before a restart, or without authentication): the same token must be able to stop it.
            accepted = ValidationResult(authorization_status=AuthorizationStatus.Accepted, tariff_messages=[])
            evse.holder = Holder(event.transaction_started.id_tag, accepted, now, settled=True)
        return self.after_change(evse)

    def _session_finished(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        evse.change(Change.SESSION_FINISHED, event.connector_id or evse.first_connector)
        if evse.transaction:
            # Its end got lost; the session's end says as much.
            evse.holder = None
        evse.transaction, evse.engaged, evse.plugged, evse.plug_until_s = False, False, None, None
        evse.timed_out = False
        effects = self._forget_the_cars_own(evse)
        if evse.holder is not None and evse.holder.settled:
            # Unplugged before a transaction could begin: the session took the authorization with it.
            effects += self.take_back(evse, TokenValidationStatus.Withdrawn, "unplugged")[1:]
        return [*effects, *self.after_change(evse), *self.try_waiting(now)]

    def _forget_the_cars_own(self, evse: Evse) -> list[Any]:
        """End tokens on their way that came from the car itself: they say nothing of the next one."""
        own = [
            flight
            for flight in self.flights.values()
            if flight.token.authorization_type in FROM_THE_CAR
            and flight.references == [evse.id]
            and flight.stage in (Stage.VALIDATING, Stage.WAITING)
        ]
        return [effect for flight in own for effect in self.land(flight, TokenValidationStatus.Withdrawn)]

    def _changed(self, evse: Evse, change: Change, connector_id: int | None, now: float) -> list[Any]:
        if not evse.change(change, connector_id):
            return []
        return [*self.after_change(evse), *self.try_waiting(now)]

    def timers_of(self, evse: Evse, now: float) -> list[Any]:
        """Carry out what is due at an EVSE."""
        effects: list[Any] = []
        if evse.holder is not None and not evse.transaction and now >= evse.holder.until_s:
            effects += self.take_back(evse, TokenValidationStatus.TimedOut, "no transaction began in time")
        if evse.plug_until_s is not None and now >= evse.plug_until_s:
            evse.plug_until_s, evse.plugged, evse.timed_out = None, None, True
            effects += [TakeBack(evse.id), Note(f"the car at EVSE {evse.id} waited too long for a token")]
        return effects
