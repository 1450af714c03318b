"""TransactionEvent: which members an event has, and when (use cases E01 to E13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import ocpp, text_message
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.authorization.conversion_v2 import to_wire
from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    CostDetailsType,
    ReasonEnumType,
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionEventResponse,
    TransactionType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import OperationModeEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import MeterValueType
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction

Values = list[MeterValueType | None]
MOST_ORDERED = 20
"""Remote starts whose transaction has not begun."""


class Priced(msgspec.Struct, frozen=True):
    """What an event has about the cost of its transaction (2.1, I08, I12)."""

    tariff_id: str | None = None
    cost_details: CostDetailsType | None = None


Pricing = Callable[[Transaction, TransactionEventEnumType, TriggerReasonEnumType, datetime], Priced]
"""Takes a transaction and its event with the time of it, which may be in the past."""


class EventWriter:
    """Sends the events of transactions, numbered without a gap."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._ordered: dict[int, IdTokenType] = {}
        self.sent: Callable[[str], None] = lambda transaction_id: None
        self.pricing: Pricing = lambda transaction, kind, trigger, at: Priced()

    def started(
        self, transaction: Transaction, trigger: TriggerReasonEnumType, values: Values, *, connected: bool
    ) -> None:
        """Send Started: with the EVSE, the token if it is known, and the reservation that was used (H03)."""
        place = EVSEType(id=transaction.evse_id, connector_id=transaction.connector_id)
        transaction.place_sent = connected
        self._send(
            TransactionEventEnumType.Started,
            transaction,
            trigger,
            values,
            evse=place,
            id_token=self._token(transaction),
            reservation_id=transaction.reservation_id,
        )

    def updated(
        self,
        transaction: Transaction,
        trigger: TriggerReasonEnumType,
        values: Values,
        *,
        connected: bool,
        token: ProvidedIdToken | None,
        triggered: bool,
    ) -> None:
        """Send Updated: with the token and the connector in the first event in which they are known."""
        place = None
        if connected and not transaction.place_sent:
            transaction.place_sent = True
            place = EVSEType(id=transaction.evse_id, connector_id=transaction.connector_id)
        id_token = self._token(transaction) if token is None else self._with_car(transaction, token)
        self._send(
            TransactionEventEnumType.Updated,
            transaction,
            trigger,
            values,
            evse=place,
            id_token=id_token,
            triggered=triggered,
        )

    def ended(
        self,
        transaction: Transaction,
        trigger: TriggerReasonEnumType,
        reason: ReasonEnumType,
        values: Values,
        *,
        token: ProvidedIdToken | None,
        at: datetime | None,
    ) -> None:
        """Send Ended: with the token where one ended it (E07)."""
        self._send(
            TransactionEventEnumType.Ended,
            transaction,
            trigger,
            values,
            id_token=None if token is None else self._with_car(transaction, token),
            reason=reason,
            at=at,
        )

    def ordered(self, remote_start_id: int, token: IdTokenType) -> None:
        """Keep the token of a remote start until its transaction begins: it is reported as the CSMS has it."""
        while len(self._ordered) >= MOST_ORDERED:
            self._ordered.pop(next(iter(self._ordered)))
        self._ordered[remote_start_id] = token

    def _with_car(self, transaction: Transaction, token: ProvidedIdToken) -> IdTokenType:
        """Return a token, in 2.1 with the EVCCID of the car (Q01.FR.02)."""
        return to_wire(token.id_token, self._station.block(Authorization2).evcc_id_at(transaction.evse_id))

    def _token(self, transaction: Transaction) -> IdTokenType | None:
        if transaction.token is None or transaction.token_sent:
            return None
        transaction.token_sent = True
        if transaction.remote_start_id is not None:
            transaction.wire_token = self._ordered.pop(transaction.remote_start_id, None)
        return transaction.wire_token or self._with_car(transaction, transaction.token)

    def _send(
        self,
        kind: TransactionEventEnumType,
        transaction: Transaction,
        trigger: TriggerReasonEnumType,
        values: Values,
        *,
        reason: ReasonEnumType | None = None,
        at: datetime | None = None,
        triggered: bool = False,
        **members: Any,
    ) -> None:
        utc = at or self._station.utc
        # The CSMS finds its remote start in the first event, the one with its token and the last (F01, F02).
        matches = transaction.seq_no == 0 or members.get("id_token") is not None
        matches = matches or kind is TransactionEventEnumType.Ended
        priced = self.pricing(transaction, kind, trigger, utc)
        info = TransactionType(
            transaction_id=transaction.transaction_id,
            charging_state=transaction.charging_state,
            time_spent_charging_s=transaction.time_spent_charging_s(utc) or None,
            stopped_reason=reason,
            remote_start_id=transaction.remote_start_id if matches else None,
            tariff_id=priced.tariff_id,
            transaction_limit=transaction.limit if trigger is TriggerReasonEnumType.LimitSet else None,
            operation_mode=OperationModeEnumType(transaction.operation_mode)
            if trigger is TriggerReasonEnumType.OperationModeChanged
            else None,
        )
        request = TransactionEventRequest(
            event_type=kind,
            timestamp=utc,
            trigger_reason=trigger,
            seq_no=transaction.seq_no,
            transaction_info=info,
            meter_value=[value for value in values if value is not None] or None,
            offline=not self._station.block(Authorization2).online,
            cost_details=priced.cost_details,
            **members,
        )
        transaction.seq_no += 1
        self.sent(transaction.transaction_id)
        self._station.send(request, transaction=transaction.transaction_id, triggered=triggered)
        self._station.publish(publish(Ocpp.ocpp_transaction_event, _event(request, transaction.evse_id)))

    def publish_response(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Publish the answer of the CSMS to an event."""
        message = response.updated_personal_message
        value = ocpp.OcppTransactionEventResponse(
            original_transaction_event=_event(request, None),
            total_cost=response.total_cost,
            charging_priority=response.charging_priority,
            personal_message=None
            if message is None
            else text_message.MessageContent(
                content=message.content,
                format=text_message.MessageFormat(message.format.value),
                language=message.language,
            ),
        )
        self._station.publish(publish(Ocpp.ocpp_transaction_event_response, value))


def _event(request: TransactionEventRequest, evse_id: int | None) -> ocpp.OcppTransactionEvent:
    place = request.evse
    where = None if place is None else ocpp.EVSE(id=place.id, connector_id=place.connector_id)
    if where is None and evse_id is not None:
        where = ocpp.EVSE(id=evse_id)
    return ocpp.OcppTransactionEvent(
        transaction_event=ocpp.TransactionEvent(request.event_type.value),
        session_id=request.transaction_info.transaction_id,
        evse=where,
        transaction_id=request.transaction_info.transaction_id,
    )
