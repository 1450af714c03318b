"""Transactions of OCPP 1.6: StartTransaction (§4.8), StopTransaction (§4.10), what a restart left open."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.ocpp import EVSE as OcppEvse
from chargebyte_fw.contracts.types.ocpp import OcppTransactionEvent, TransactionEvent
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.authorization.v16 import ID_TAG_LENGTH, Authorization16
from chargebyte_fw.modules.ocpp.availability.events import TransactionClosed
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    MeterValue,
    ReadingContext,
    Reason,
    StartTransactionRequest,
    StartTransactionResponse,
    StopTransactionRequest,
    StopTransactionResponse,
)
from chargebyte_fw.modules.ocpp.messages.v16.types import AuthorizationStatus
from chargebyte_fw.modules.ocpp.metering.meter_values_v16 import MeterValues16
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.metering.samples import integer_Wh
from chargebyte_fw.modules.ocpp.metering.v16 import signed_meter_value
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Station, answered, events, failed, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded, TransactionKnown
from chargebyte_fw.modules.ocpp.variables.standard.transactions import STOP_TX_ON_INVALID_ID

TABLE = "TRANSACTIONS"
METER_INTERVAL_S = 60.0
"""How often the meter of a running transaction is written down, for the case of a power loss."""
UNKNOWN_ID = -1
"""transactionId until the CSMS has given one; the queue puts the real one in."""
E = SessionEventEnum
_REASONS = {reason.value: reason for reason in Reason}


class Transaction(msgspec.Struct, omit_defaults=True):
    """A transaction from its begin until its StopTransaction is in the queue; kept over a restart."""

    session_id: str
    evse_id: int
    connector_id: int
    connector: int
    id_tag: str
    started_at: datetime
    meter_start_Wh: int
    meter_Wh: int
    """The meter as it was last written down."""
    meter_at: datetime
    transaction_id: int | None = None
    reservation_id: int | None = None


class Transactions16(Block):
    """The running transactions, by session."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.running: dict[str, Transaction] = {}
        self._closing: dict[str, Transaction] = {}
        """Ended, while the CSMS has not answered StopTransaction."""

    # Questions of other blocks.

    def at(self, connector: int) -> Transaction | None:
        """Return the transaction that runs at a connector."""
        return next((one for one in self.running.values() if one.connector == connector), None)

    def of_id(self, transaction_id: int) -> Transaction | None:
        """Return the running transaction with the number that the CSMS gave."""
        return next((one for one in self.running.values() if one.transaction_id == transaction_id), None)

    @property
    def waiting_for_answer(self) -> bool:
        """Whether a StopTransaction is not answered yet."""
        return bool(self._closing)

    # Restart.

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the transactions that were running when the process ended."""
        for key, data in event.tables.get(TABLE, {}).items():
            try:
                self.running[key] = msgspec.json.decode(data, type=Transaction)
            except msgspec.DecodeError:
                self.station.save(TABLE, key, None)

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Carry on with the sessions that were resumed; end the others with the meter that was written down last."""
        for transaction in list(self.running.values()):
            if transaction.session_id in event.resumed | event.going_on:
                self._begin(transaction)
                if transaction.transaction_id is not None:
                    self._known(transaction, transaction.transaction_id)
            else:
                self._stop_after_power_loss(transaction)

    def _stop_after_power_loss(self, transaction: Transaction) -> None:
        request = StopTransactionRequest(
            meter_stop_Wh=transaction.meter_Wh,
            timestamp=transaction.meter_at,
            transaction_id=UNKNOWN_ID,
            reason=Reason.PowerLoss,
        )
        self._stop(transaction, request)

    # Begin.

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Begin and end transactions with those of the stack."""
        happened = event.event
        if happened.event is E.TransactionStarted and happened.transaction_started is not None:
            if happened.uuid not in self.running:
                # The stack has begun anew and knows nothing of it: only a failure of the stack ends a session so.
                for left in [one for one in self.running.values() if one.evse_id == event.evse_id]:
                    self._stop_after_power_loss(left)
                self._start(event.evse_id, happened, happened.transaction_started)
        elif happened.event is E.TransactionFinished and happened.transaction_finished is not None:
            transaction = self.running.get(happened.uuid)
            if transaction is not None:
                self._finish(transaction, happened, happened.transaction_finished)
        elif happened.event is E.SessionFinished and happened.uuid in self.running:
            # A stack that skips TransactionFinished leaves nothing behind.
            meter = happened.session_finished.meter_value if happened.session_finished is not None else None
            self._finish(self.running[happened.uuid], happened, None, meter)

    def _start(self, evse_id: int, happened: SessionEvent, started: evse.TransactionStarted) -> None:
        place = self.station.layout.find(evse_id, happened.connector_id)
        if place is None:
            return
        meter_Wh, at = integer_Wh(started.meter_value), self.station.utc
        transaction = Transaction(
            session_id=happened.uuid,
            evse_id=evse_id,
            connector_id=place.connector_id,
            connector=place.connector,
            id_tag=started.id_tag.id_token.value[:ID_TAG_LENGTH],
            started_at=at,
            meter_start_Wh=meter_Wh,
            meter_Wh=meter_Wh,
            meter_at=at,
            reservation_id=started.reservation_id,
        )
        self.running[transaction.session_id] = transaction
        self.station.send(
            StartTransactionRequest(
                connector_id=place.connector,
                id_tag=transaction.id_tag,
                meter_start_Wh=meter_Wh,
                timestamp=at,
                reservation_id=started.reservation_id,
            ),
            transaction=transaction.session_id,
        )
        self.station.save(TABLE, transaction.session_id, transaction)
        self._publish(TransactionEvent.Started, transaction)
        self._begin(transaction)
        meter = self.station.block(MeterValues16)
        reading = self.station.block(Readings).latest(evse_id, started.meter_value)
        meter.begin_of(reading, transaction.session_id, transaction.connector)
        if started.signed_meter_value is not None:
            meter.send_signed(place, started.signed_meter_value, transaction.session_id)

    def _begin(self, transaction: Transaction) -> None:
        self.station.notify(
            TransactionBegan(
                transaction.evse_id,
                transaction.connector_id,
                transaction.connector,
                transaction.session_id,
                transaction.id_tag,
            )
        )
        self._write_down_later(transaction)

    def _write_down_later(self, transaction: Transaction) -> None:
        timer = ("meter", transaction.session_id)
        self.station.start(timer, self.station.now + METER_INTERVAL_S, partial(self._write_down, transaction))

    def _write_down(self, transaction: Transaction) -> None:
        meter = self.station.block(Readings).latest(transaction.evse_id).powermeter
        if meter is not None:
            transaction.meter_Wh, transaction.meter_at = integer_Wh(meter), self.station.utc
            self.station.save(TABLE, transaction.session_id, transaction)
        self._write_down_later(transaction)

    @answered(StartTransactionRequest)
    def start_answered(self, request: StartTransactionRequest, response: StartTransactionResponse) -> None:
        """Take the number of the transaction, and what the CSMS thinks of its token."""
        transaction = self.running.get(self.station.transaction or "")
        connector = transaction.connector if transaction is not None else None
        self.station.block(Authorization16).learn(request.id_tag, response.id_tag_info, connector)
        if transaction is None:
            return
        transaction.transaction_id = response.transaction_id
        self.station.save(TABLE, transaction.session_id, transaction)
        self._known(transaction, response.transaction_id)
        self._publish(TransactionEvent.Updated, transaction)
        if response.id_tag_info.status is not AuthorizationStatus.Accepted:
            self._not_accepted(transaction)

    def _known(self, transaction: Transaction, number: int) -> None:
        self.station.notify(TransactionKnown(transaction.connector, transaction.session_id, number))

    def _not_accepted(self, transaction: Transaction) -> None:
        """End the transaction, or its delivery of energy, as StopTransactionOnInvalidId has it (§4.8)."""
        if self.station.variables.get(STOP_TX_ON_INVALID_ID):
            request = evse.StopTransactionRequest(reason=StopTransactionReason.DeAuthorized)
            self.station.command(call(EvseManager.stop_transaction, request), evse_id=transaction.evse_id)
        else:
            self.station.command(call(EvseManager.pause_charging), evse_id=transaction.evse_id)

    # End.

    def _finish(
        self,
        transaction: Transaction,
        happened: SessionEvent,
        finished: evse.TransactionFinished | None,
        meter: Powermeter | None = None,
    ) -> None:
        meter = finished.meter_value if finished is not None else meter
        reason = finished.reason if finished is not None else None
        token = finished.id_tag if finished is not None else None
        data = None
        if meter is not None:
            signed = self._signed(finished) if finished is not None else []
            data = self.station.block(MeterValues16).transaction_data(transaction.connector, meter, signed)
        wire_reason = None if reason is None else _REASONS.get(reason.value, Reason.Other)
        self._stop(
            transaction,
            StopTransactionRequest(
                meter_stop_Wh=transaction.meter_Wh if meter is None else integer_Wh(meter),
                timestamp=self.station.utc,
                transaction_id=UNKNOWN_ID,
                id_tag=None if token is None else token.id_token.value[:ID_TAG_LENGTH],
                # Given for Local as well, which may be left out (§6.49): not every CSMS knows that.
                reason=wire_reason,
                transaction_data=data,
            ),
        )

    def _signed(self, finished: evse.TransactionFinished) -> list[MeterValue]:
        values = (
            (finished.start_signed_meter_value, ReadingContext.Transaction_Begin),
            (finished.signed_meter_value, ReadingContext.Transaction_End),
        )
        at = self.station.utc
        return [signed_meter_value(at, value, context) for value, context in values if value is not None]

    def _stop(self, transaction: Transaction, request: StopTransactionRequest) -> None:
        self.running.pop(transaction.session_id, None)
        self._closing[transaction.session_id] = transaction
        self.station.stop(("meter", transaction.session_id))
        self.station.send(request, transaction=transaction.session_id)
        self.station.save(TABLE, transaction.session_id, None)
        self._publish(TransactionEvent.Ended, transaction)
        self.station.notify(
            TransactionEnded(
                transaction.evse_id, transaction.connector_id, transaction.connector, transaction.session_id
            )
        )

    @answered(StopTransactionRequest)
    def stop_answered(self, request: StopTransactionRequest, response: StopTransactionResponse) -> None:
        """Take what the CSMS thinks of the token that ended it."""
        if request.id_tag is not None and response.id_tag_info is not None:
            self.station.block(Authorization16).learn(request.id_tag, response.id_tag_info)
        self._closed()

    @failed(StopTransactionRequest)
    def stop_failed(self, request: StopTransactionRequest, failure: CallFailure) -> None:
        """The CSMS will not have the end: nothing waits for it any more."""
        self._closed()

    def _closed(self) -> None:
        transaction = self._closing.pop(self.station.transaction or "", None)
        if transaction is not None:
            self.station.notify(
                TransactionClosed(transaction.evse_id, transaction.connector_id, transaction.session_id)
            )

    def _publish(self, kind: TransactionEvent, transaction: Transaction) -> None:
        number = transaction.transaction_id
        value: Any = OcppTransactionEvent(
            transaction_event=kind,
            session_id=transaction.session_id,
            evse=OcppEvse(id=transaction.evse_id, connector_id=transaction.connector_id),
            transaction_id=None if number is None else str(number),
        )
        self.station.publish(publish(Ocpp.ocpp_transaction_event, value))
