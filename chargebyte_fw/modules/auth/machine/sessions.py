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
from chargebyte_fw.modules.auth.machine.connectors import Change
from chargebyte_fw.modules.auth.machine.core import Stage, State
from chargebyte_fw.modules.auth.machine.evse import Authorization, Evse
from chargebyte_fw.modules.auth.machine.reservation_rows import ReservationRows
from chargebyte_fw.modules.auth.machine.tokens import TokenRows
from chargebyte_fw.modules.auth.messages import InoperativeChanged, Log, SessionEventReceived, WithdrawAuthorization

FROM_THE_CAR = (AuthorizationType.Autocharge, AuthorizationType.PlugAndCharge)


class SessionRows(TokenRows, ReservationRows):
    """Rows for the events of the EVSEs."""

    @on(State.READY, event=SessionEventReceived)
    def happened(self, event: SessionEventReceived, now: float) -> list[Any]:
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
                evse.transaction, evse.authorization = False, None
            case SessionEventEnum.SessionFinished:
                return self._session_finished(evse, event.event, now)
            case SessionEventEnum.Enabled:
                return self._changed(evse, Change.ENABLE, event.event.connector_id, now)
            case SessionEventEnum.Disabled:
                return self._changed(evse, Change.DISABLE, event.event.connector_id, now)
            case SessionEventEnum.Deauthorized:
                # Until the EVSE has confirmed the present token, this is about the one before.
                if evse.authorization is not None and evse.authorization.settled and not evse.transaction:
                    evse.authorization = None
            case SessionEventEnum.ReservationEnd:
                return self.given_up(evse)
        return []

    @on(State.READY, event=InoperativeChanged)
    def inoperative(self, event: InoperativeChanged, now: float) -> list[Any]:
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
        if self.rules.plug_in_timeout and len(self.evses) > 1 and evse.authorization is None:
            evse.plug_until_s = now + self.rules.connection_timeout_s
        return self.try_waiting(now)

    def _transaction_started(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        evse.change(Change.TRANSACTION_STARTED, event.connector_id or evse.first_connector)
        evse.transaction, evse.engaged, evse.plugged, evse.plug_until_s = True, True, None, None
        if evse.authorization is None and event.transaction_started is not None:
            # Begun without us (before a restart, or without authentication): the same token must be able to stop it.
            accepted = ValidationResult(authorization_status=AuthorizationStatus.Accepted, tariff_messages=[])
            evse.authorization = Authorization(event.transaction_started.id_tag, accepted, now, settled=True)
        return self.after_change(evse)

    def _session_finished(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        evse.change(Change.SESSION_FINISHED, event.connector_id or evse.first_connector)
        if evse.transaction:
            # Its end got lost; the session's end says as much.
            evse.authorization = None
        evse.transaction, evse.engaged, evse.plugged, evse.plug_until_s = False, False, None, None
        evse.timed_out = False
        effects = self._forget_the_cars_own(evse)
        if evse.authorization is not None and evse.authorization.settled:
            # Unplugged before a transaction could begin: the session took the authorization with it.
            effects += self.take_back(evse, TokenValidationStatus.Withdrawn, "unplugged")[1:]
        return [*effects, *self.after_change(evse), *self.try_waiting(now)]

    def _forget_the_cars_own(self, evse: Evse) -> list[Any]:
        """End tokens on their way that came from the car itself: they say nothing of the next one."""
        own = [
            pending
            for pending in self.tokens.values()
            if pending.token.authorization_type in FROM_THE_CAR
            and pending.references == [evse.id]
            and pending.stage in (Stage.VALIDATING, Stage.WAITING)
        ]
        return [effect for pending in own for effect in self.land(pending, TokenValidationStatus.Withdrawn)]

    def _changed(self, evse: Evse, change: Change, connector_id: int | None, now: float) -> list[Any]:
        if not evse.change(change, connector_id):
            return []
        return [*self.after_change(evse), *self.try_waiting(now)]

    def timers_of(self, evse: Evse, now: float) -> list[Any]:
        """Carry out what is due at an EVSE."""
        effects: list[Any] = []
        if evse.authorization is not None and not evse.transaction and now >= evse.authorization.until_s:
            effects += self.take_back(evse, TokenValidationStatus.TimedOut, "no transaction began in time")
        if evse.plug_until_s is not None and now >= evse.plug_until_s:
            evse.plug_until_s, evse.plugged, evse.timed_out = None, None, True
            effects += [WithdrawAuthorization(evse.id), Log(f"the car at EVSE {evse.id} waited too long for a token")]
        return effects
