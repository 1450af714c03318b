"""Transactions of OCPP 2.x: when they begin and end, and their events (use cases E01 to E14, E17)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum, StartSessionReason
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    ChargingStateEnumType,
    ReasonEnumType,
    TransactionEventRequest,
    TransactionEventResponse,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import MeterValueType
from chargebyte_fw.modules.ocpp.metering.meter_values_v2 import MeterValues2
from chargebyte_fw.modules.ocpp.smart_charging.events import ChargingRateChanged
from chargebyte_fw.modules.ocpp.station import Block, Station, answered, events, receives
from chargebyte_fw.modules.ocpp.transactions.endings_v2 import Endings
from chargebyte_fw.modules.ocpp.transactions.event_writer_v2 import EventWriter
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.evse_v2 import EvseSession, closed_to
from chargebyte_fw.modules.ocpp.transactions.invalid_token_v2 import InvalidToken
from chargebyte_fw.modules.ocpp.transactions.meter_notes_v2 import MeterNotes
from chargebyte_fw.modules.ocpp.transactions.reasons_v2 import authorized_by, interrupted_by, trigger_of
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.resume_v2 import Cause, Resumption, Steps
from chargebyte_fw.modules.ocpp.transactions.tx_points import (
    ENDED_BY_UNPLUGGING,
    OPEN_UNTIL_UNPLUGGED,
    TxChange,
    TxInput,
    TxPoint,
    TxPoints,
    points,
)
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.standard.internal import RESUME_TRANSACTIONS_ON_BOOT
from chargebyte_fw.modules.ocpp.variables.standard.transactions import (
    STOP_TX_ON_EV_SIDE_DISCONNECT,
    TX_START_POINT,
    TX_STOP_POINT,
)

TABLE = "TRANSACTIONS"
E, T, S = SessionEventEnum, TriggerReasonEnumType, ChargingStateEnumType


class Transactions2(Block):
    """The transaction of each EVSE."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._evses = {evse_id: EvseSession(TxPoints()) for evse_id in station.layout.evse_ids}
        self.writer = EventWriter(station)
        self._invalid = InvalidToken(station)
        left = partial(self._stop_waiting, reason=evse.StopTransactionReason.EVDisconnected)
        steps = Steps(self._resumed, self._stop_waiting, self._give_up, left, self._absent)
        self.resumption = Resumption(station, steps)
        station.block(MeterValues2).report = self._metered
        station.block(Authorization2).closed_evses = partial(closed_to, self._evses)
        self.endings = Endings()
        self._meters = MeterNotes(station, self._save)

    # Questions of other blocks.

    def at(self, evse_id: int) -> Transaction | None:
        """Return the transaction of an EVSE."""
        found = self._evses.get(evse_id)
        return found.transaction if found is not None else None

    def running(self) -> list[Transaction]:
        """Return every running transaction."""
        return [one.transaction for one in self._evses.values() if one.transaction is not None]

    def of_id(self, transaction_id: str) -> Transaction | None:
        """Return the running transaction of an id."""
        wanted = transaction_id.lower()
        return next((one for one in self.running() if one.transaction_id.lower() == wanted), None)

    def token_at(self, evse_id: int) -> ProvidedIdToken | None:
        """Return the token by which an EVSE is in use."""
        found = self._evses.get(evse_id)
        return found.token if found is not None else None

    # Restart.

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the transactions that were running when the process ended."""
        for key, data in event.tables.get(TABLE, {}).items():
            try:
                transaction = msgspec.json.decode(data, type=Transaction)
                self._evses[transaction.evse_id].transaction = transaction
            except (msgspec.DecodeError, KeyError):
                self.station.save(TABLE, key, None)

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Carry on with what was resumed or went on meanwhile, or waits for its car (E17, B13); end the rest (E08)."""
        resumes = self.station.variables.get(RESUME_TRANSACTIONS_ON_BOOT)
        for one in self._evses.values():
            transaction = one.transaction
            if transaction is None:
                continue
            if resumes and transaction.session in event.resumed:
                self._resume(one, transaction)
            elif transaction.session in event.going_on:
                transaction.outlives_reset = False
                one.take(transaction)
                self._began(transaction)
            elif transaction.outlives_reset:
                self.resumption.wait(transaction)
            elif not self.resumption.outlives_interruption(transaction):
                self._end_as_stored(transaction, T.AbnormalCondition, interrupted_by(event.boot_reason))

    def _resume(self, one: EvseSession, transaction: Transaction, before: ChargingStateEnumType | None = None) -> None:
        """Go on with a transaction; `before`: its charging state before the interruption."""
        if self.resumption.holds_energy(transaction, before or transaction.charging_state) and before is None:
            transaction.goes_to(S.SuspendedEVSE, self.station.utc)
        one.take(transaction)
        self._began(transaction)
        self.update(transaction, T.TxResumed)

    def outlive_reset(self, wanted: bool) -> None:
        """Let the running transactions go on after the reset that follows (B13); false: it has failed."""
        for transaction in self.running():
            transaction.measure(self._meters.latest(transaction.evse_id), self.station.utc)
            transaction.outlives_reset = wanted
            self._save(transaction)

    def _resumed(self, one: EvseSession, transaction: Transaction, cause: Cause) -> None:
        """Go on with a transaction whose car is there again."""
        before = transaction.charging_state
        transaction.session_id, transaction.outlives_reset = one.session_id, False
        transaction.goes_to(S.EVConnected, self.station.utc)
        if cause is Cause.UNPLUGGED:
            one.take(transaction)
            self.update(transaction, T.CablePluggedIn)
        else:
            self._resume(one, transaction, before)

    def _stop_waiting(
        self, transaction: Transaction, reason: evse.StopTransactionReason = evse.StopTransactionReason.Local
    ) -> None:
        """End a transaction whose car is not there: by its token, or by the CSMS."""
        self.resumption.forget(transaction.evse_id)
        one, (_, trigger) = self._evses[transaction.evse_id], trigger_of(reason)
        values = self.station.block(MeterValues2).at_end(transaction.evse_id, None, None, None)
        one.points.force_stop()
        self._end(one, transaction, trigger, self.endings.reason(transaction.evse_id, reason), values)

    def _give_up(self, transaction: Transaction, cause: Cause) -> None:
        """End a transaction whose car is not there any more."""
        self._evses[transaction.evse_id].points.force_stop()
        if cause is Cause.RESET:
            self._end_as_stored(transaction, T.ResetCommand, ReasonEnumType.ImmediateReset)
        else:
            self._end_as_stored(transaction, T.EVCommunicationLost, ReasonEnumType.EVDisconnected)

    def _absent(self, transaction: Transaction) -> None:
        """The car has left during an interruption: that ends the transaction, or it goes on ([E17.FR.16], 17)."""
        if self._points(TX_STOP_POINT) & ENDED_BY_UNPLUGGING:
            self._give_up(transaction, Cause.INTERRUPTION)
            return
        transaction.goes_to(S.Idle, self.station.utc)
        transaction.outlives_reset = True
        self.resumption.suspend(transaction, transaction.session)
        self.update(transaction, T.TxResumed)

    def _suspends(self, evse_id: int, one: EvseSession, transaction: Transaction, meter: Powermeter | None) -> bool:
        """Suspend a transaction whose car was unplugged, where that does not end it (E10)."""
        stop = self._points(TX_STOP_POINT)
        if self.station.variables.get(STOP_TX_ON_EV_SIDE_DISCONNECT) or stop & ENDED_BY_UNPLUGGING:
            return False
        transaction.measure(meter or self._meters.latest(evse_id), self.station.utc)
        one.state, one.connected = S.Idle, False
        one.points.feed(TxInput.EV_DISCONNECTED, frozenset(), frozenset())
        transaction.goes_to(S.Idle, self.station.utc)
        transaction.outlives_reset = True
        self.resumption.suspend(transaction, one.session_id)
        self.update(transaction, T.EVCommunicationLost)
        return True

    def _end_as_stored(self, transaction: Transaction, trigger: TriggerReasonEnumType, reason: ReasonEnumType) -> None:
        """End a transaction with the meter as it was written down last."""
        value = self.station.block(MeterValues2).stored(transaction.meter_Wh, transaction.meter_at)
        at = transaction.meter_at or transaction.started_at
        self._end(self._evses[transaction.evse_id], transaction, trigger, reason, [value], at=at)

    # Sessions.

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Follow the session of an EVSE."""
        one, happened = self._evses.get(event.evse_id), event.event
        if one is None or self.resumption.session(event, one):
            return
        match happened.event:
            case E.SessionStarted if happened.session_started is not None:
                self._session_started(event.evse_id, one, happened, happened.session_started)
            case E.TransactionStarted if happened.transaction_started is not None:
                self._transaction_started(event.evse_id, one, happened, happened.transaction_started)
            case E.Deauthorized:
                self._feed(event.evse_id, one, TxInput.DEAUTHORIZED, T.Deauthorized, ReasonEnumType.DeAuthorized)
            case E.ChargingStarted:
                self._energy(event.evse_id, one, TxInput.ENERGY_TRANSFER_STARTED, S.Charging)
            case E.ChargingPausedEV:
                self._energy(event.evse_id, one, TxInput.ENERGY_TRANSFER_STOPPED, S.SuspendedEV)
            case E.ChargingPausedEVSE:
                self._energy(event.evse_id, one, TxInput.ENERGY_TRANSFER_STOPPED, S.SuspendedEVSE)
            case E.TransactionFinished if happened.transaction_finished is not None:
                self._transaction_finished(event.evse_id, one, happened.transaction_finished)
            case E.SessionFinished:
                meter = happened.session_finished.meter_value if happened.session_finished is not None else None
                self._session_finished(event.evse_id, one, meter)

    def _session_started(
        self, evse_id: int, one: EvseSession, happened: SessionEvent, started: evse.SessionStarted
    ) -> None:
        left = one.transaction
        if left is not None and not left.outlives_reset and one.session_id not in ("", happened.uuid):
            # The stack has begun anew and knows nothing of it: only a failure of the stack ends a session so.
            self._end_as_stored(left, T.AbnormalCondition, ReasonEnumType.PowerLoss)
            one.points.force_end()
        one.session_id, one.connector_id = happened.uuid, happened.connector_id or 1
        one.token, one.reservation_id, one.signed_start = started.id_tag, started.reservation_id, None
        one.connected = started.reason is StartSessionReason.EVConnected
        if one.connected:
            one.state = S.EVConnected
            self._feed(evse_id, one, TxInput.EV_CONNECTED, T.CablePluggedIn, meter=started.meter_value)
        else:
            self._feed(evse_id, one, TxInput.AUTHORIZED, authorized_by(started.id_tag), meter=started.meter_value)

    def _transaction_started(
        self, evse_id: int, one: EvseSession, happened: SessionEvent, started: evse.TransactionStarted
    ) -> None:
        """The stack's own transaction begins with the condition that was missing: the token, or the EV."""
        one.session_id, one.token = happened.uuid, started.id_tag
        if started.reservation_id is not None:  # 0 is one, too
            one.reservation_id = started.reservation_id
        one.signed_start = started.signed_meter_value
        was_active = one.transaction is not None
        if one.connected:
            self._feed(evse_id, one, TxInput.AUTHORIZED, authorized_by(started.id_tag), meter=started.meter_value)
        else:
            one.connected, one.state = True, S.EVConnected
            self._feed(evse_id, one, TxInput.EV_CONNECTED, T.CablePluggedIn, meter=started.meter_value)
        if started.signed_meter_value is not None and (was_active or one.transaction is None):
            signed = TxInput.SIGNED_START_DATA_RECEIVED
            self._feed(evse_id, one, signed, T.SignedDataReceived, meter=started.meter_value)

    def _energy(self, evse_id: int, one: EvseSession, tx_input: TxInput, state: ChargingStateEnumType) -> None:
        one.state = state
        self._feed(evse_id, one, tx_input, *self.endings.of_transfer(one.transaction, state))

    def _transaction_finished(self, evse_id: int, one: EvseSession, finished: evse.TransactionFinished) -> None:
        tx_input, trigger, reason = self.endings.of(evse_id, one.transaction, finished.reason)
        if one.state is not S.Idle:
            one.state = S.EVConnected
        stop = self._points(TX_STOP_POINT)
        if (
            one.transaction is not None
            and tx_input is TxInput.EV_DISCONNECTED
            and self._suspends(evse_id, one, one.transaction, finished.meter_value)
        ):
            return
        if one.transaction is None:
            one.points.feed(tx_input or TxInput.DEAUTHORIZED, frozenset(), stop)
            return
        values = self.station.block(MeterValues2).at_end(
            evse_id, finished.meter_value, finished.start_signed_meter_value, finished.signed_meter_value
        )
        change = None if tx_input is None else one.points.feed(tx_input, frozenset(), stop)
        if change is not TxChange.STOP and stop <= OPEN_UNTIL_UNPLUGGED:
            # The transaction stays until the EV leaves; what ended is the transfer of energy (E06).
            one.transaction.goes_to(S.EVConnected, self.station.utc)
            one.transaction.stopped_remotely = reason is ReasonEnumType.Remote
            self.update(one.transaction, trigger, token=finished.id_tag)
            return
        one.points.force_stop()
        one.transaction.goes_to(one.state, self.station.utc)
        one.transaction.measure(finished.meter_value, self.station.utc)
        self._end(one, one.transaction, trigger, reason, values, token=finished.id_tag)

    def _session_finished(self, evse_id: int, one: EvseSession, meter: Powermeter | None) -> None:
        one.state, one.connected = S.Idle, False
        stop = self._points(TX_STOP_POINT)
        one.points.feed(TxInput.EV_DISCONNECTED, frozenset(), stop)
        transaction = one.transaction
        if transaction is not None:
            transaction.goes_to(S.Idle, self.station.utc)
            transaction.measure(meter or self._meters.latest(evse_id), self.station.utc)
            values = self.station.block(MeterValues2).at_end(evse_id, meter, None, None)
            # [F04.FR.03]: the CSMS has stopped it before.
            remotely = transaction.stopped_remotely
            reason = ReasonEnumType.Remote if remotely else ReasonEnumType.EVDisconnected
            self._end(one, transaction, T.EVCommunicationLost, reason, values)
        one.points.force_end()
        one.session_id, one.token, one.reservation_id, one.signed_start = "", None, None, None

    def _points(self, variable: Variable[tuple[str, ...]]) -> frozenset[TxPoint]:
        members = self.station.variables.get(variable)
        return points(members)

    def _feed(
        self,
        evse_id: int,
        one: EvseSession,
        tx_input: TxInput,
        trigger: TriggerReasonEnumType,
        reason: ReasonEnumType = ReasonEnumType.Local,
        *,
        meter: Powermeter | None = None,
    ) -> None:
        """Let the points of start and stop judge an input, and send the event that it is."""
        change = one.points.feed(tx_input, self._points(TX_START_POINT), self._points(TX_STOP_POINT))
        transaction = one.transaction
        if change is TxChange.START:
            self._start(evse_id, one, trigger, meter)
        elif change is TxChange.STOP and transaction is not None:
            transaction.measure(meter or self._meters.latest(evse_id), self.station.utc)
            values = self.station.block(MeterValues2).at_end(evse_id, meter, None, None)
            transaction.goes_to(one.state, self.station.utc)
            self._end(one, transaction, trigger, reason, values)
        elif transaction is not None:
            news = transaction.goes_to(one.state, self.station.utc)
            if one.token is not None and transaction.token is None:
                transaction.token, news = one.token, True
            if news or trigger in (T.CablePluggedIn, T.SignedDataReceived, T.Deauthorized):
                self.update(transaction, trigger)

    # Events to the CSMS.

    def _start(self, evse_id: int, one: EvseSession, trigger: TriggerReasonEnumType, meter: Powermeter | None) -> None:
        at = self.station.utc
        meter = meter or self._meters.latest(evse_id)
        transaction = one.transaction = Transaction(
            transaction_id=one.session_id,
            evse_id=evse_id,
            connector_id=one.connector_id,
            started_at=at,
            charging_state=S.Idle,
            meter_Wh=0.0 if meter is None else meter.energy_Wh_import.total,
            meter_at=at,
            start_Wh=None if meter is None else meter.energy_Wh_import.total,
            token=one.token,
            reservation_id=one.reservation_id,
        )
        transaction.goes_to(one.state, at)
        values = self.station.block(MeterValues2).at_start(evse_id, meter, one.signed_start)
        self.writer.started(transaction, trigger, values, connected=one.connected)
        self._save(transaction)
        self._began(transaction)

    def _began(self, transaction: Transaction) -> None:
        number = self.station.layout.number(transaction.evse_id, transaction.connector_id)
        token = "" if transaction.token is None else transaction.token.id_token.value
        self.station.notify(
            TransactionBegan(transaction.evse_id, transaction.connector_id, number, transaction.transaction_id, token)
        )
        self._meters.start(transaction)

    def update(
        self,
        transaction: Transaction,
        trigger: TriggerReasonEnumType,
        values: list[MeterValueType | None] | None = None,
        *,
        token: ProvidedIdToken | None = None,
        triggered: bool = False,
    ) -> None:
        """Send an Updated of a running transaction."""
        connected = self._evses[transaction.evse_id].connected
        self.writer.updated(transaction, trigger, values or [], connected=connected, token=token, triggered=triggered)
        self._save(transaction)

    @receives(ChargingRateChanged)
    def rate_changed(self, event: ChargingRateChanged) -> None:
        """Report that another system has changed the limit of a transaction (K11, K13)."""
        transaction = self.at(event.evse_id)
        if transaction is not None:
            self.update(transaction, TriggerReasonEnumType.ChargingRateChanged)

    def _metered(self, session_id: str, trigger: TriggerReasonEnumType, values: list[MeterValueType | None]) -> None:
        transaction = self.of_id(session_id)
        if transaction is not None:
            self.update(transaction, trigger, values)

    def _end(
        self,
        one: EvseSession,
        transaction: Transaction,
        trigger: TriggerReasonEnumType,
        reason: ReasonEnumType,
        values: list[MeterValueType | None],
        *,
        token: ProvidedIdToken | None = None,
        at: datetime | None = None,
    ) -> None:
        one.transaction = None
        self.endings.forget(transaction)
        self._invalid.forget(transaction.transaction_id)
        self._meters.stop(transaction)
        self.writer.ended(transaction, trigger, reason, values, token=token, at=at)
        self.station.save(TABLE, transaction.transaction_id, None)
        number = self.station.layout.number(transaction.evse_id, transaction.connector_id)
        self.station.notify(
            TransactionEnded(transaction.evse_id, transaction.connector_id, number, transaction.transaction_id)
        )

    def _save(self, transaction: Transaction) -> None:
        self.station.save(TABLE, transaction.transaction_id, transaction)

    # Answers of the CSMS.

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Take what the CSMS thinks of the token (E05)."""
        self.writer.publish_response(request, response)
        transaction = self.of_id(request.transaction_info.transaction_id)
        if response.id_token_info is not None:
            token = request.id_token
            self._invalid.judge(transaction, token, response.id_token_info)

    def stop_at_limit(
        self, transaction: Transaction, trigger: TriggerReasonEnumType, reason: evse.StopTransactionReason
    ) -> None:
        """Let the stack end a transaction whose limit is reached; the last event has the limit as its trigger."""
        self.endings.at_limit(transaction, trigger, reason)
        self.stop(transaction, reason)

    def stop(self, transaction: Transaction, reason: evse.StopTransactionReason) -> None:
        """Let the stack end a transaction; one that waits for its car ends at once."""
        if self.resumption.waits(transaction):
            self._stop_waiting(transaction, reason)
            return
        request: Any = evse.StopTransactionRequest(reason=reason)
        self.station.command(call(EvseManager.stop_transaction, request), evse_id=transaction.evse_id)
