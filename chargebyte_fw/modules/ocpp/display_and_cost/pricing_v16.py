"""California Pricing of OCPP 1.6: prices and costs that the CSMS sends by DataTransfer, and the default price."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TypeVar

from chargebyte_fw.contracts.interfaces.session_cost import SessionCost as SessionCostContract
from chargebyte_fw.contracts.types import session_cost as cost
from chargebyte_fw.contracts.types.authorization import ValidationResult
from chargebyte_fw.contracts.types.display_message import IdentifierType
from chargebyte_fw.contracts.types.money import Currency
from chargebyte_fw.contracts.types.text_message import MessageContent
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.authorization.v16 import Answer, Authorization16
from chargebyte_fw.modules.ocpp.availability.connector_states import Status as ConnectorStatus
from chargebyte_fw.modules.ocpp.availability.events import StatusChanged
from chargebyte_fw.modules.ocpp.data_transfer.v16 import DataTransfer16
from chargebyte_fw.modules.ocpp.display_and_cost.conversion import cost_of_final, cost_of_running, texts_of
from chargebyte_fw.modules.ocpp.display_and_cost.meter_triggers import MeterTriggers
from chargebyte_fw.modules.ocpp.messages import pricing
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.model import Type
from chargebyte_fw.modules.ocpp.messages.schema import decode_data
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatus,
)
from chargebyte_fw.modules.ocpp.metering.meter_values_v16 import MeterValues16
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded, TransactionKnown
from chargebyte_fw.modules.ocpp.transactions.v16 import Transaction, Transactions16
from chargebyte_fw.modules.ocpp.variables.standard import cost as declared
from chargebyte_fw.modules.ocpp.variables.standard import legacy
from chargebyte_fw.modules.ocpp.version import Version

T = TypeVar("T", bound=Type)
ENDED_KEPT = 100
"""Transactions that have ended, whose final cost may still come."""
Status = DataTransferStatus


class Pricing16(Block):
    """Publishes prices and costs, and sends the meter values that a cost is computed from."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.block(DataTransfer16).receivers[pricing.COST_VENDOR_ID] = self.transferred
        station.block(Authorization16).accepted = self._token_accepted
        self._sessions: OrderedDict[int, str] = OrderedDict()
        """Sessions by transaction id, those that have ended as well."""
        self._triggers: dict[int, MeterTriggers] = {}
        self._held: dict[str, tuple[ValidationResult, list[Answer]]] = {}
        """Tokens, whose validation waits for the price."""
        self._online = False
        for variable in (legacy.DEFAULT_PRICE, legacy.DEFAULT_PRICE_TEXT, legacy.LANGUAGE):
            station.variables.on_change(variable, lambda _: self._publish_default())

    @property
    def enabled(self) -> bool:
        """Whether prices and costs are in use."""
        return self.station.variables.get(legacy.CUSTOM_DISPLAY_COST_AND_PRICE)

    # The default price.

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Publish the price of a station that is not connected yet."""
        self._publish_default()

    @receives(Registered)
    @receives(BackOnline)
    def went_online(self, event: Registered | BackOnline) -> None:
        """Publish the price while there is a CSMS."""
        self._online = True
        self._publish_default()

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Publish the price without a CSMS; no token waits for it any more."""
        self._online = False
        self._publish_default()
        for id_tag in tuple(self._held):
            self._release(id_tag, self.default_texts())

    def default_texts(self) -> list[MessageContent]:
        """Return the default price in each language, for a station that is connected or is not."""
        get = self.station.variables.get
        default = self._of_key(pricing.DefaultPrice, get(legacy.DEFAULT_PRICE))
        several = self._of_key(pricing.DefaultPriceText, get(legacy.DEFAULT_PRICE_TEXT))
        own = get(legacy.LANGUAGE) or None
        texts: dict[str | None, str] = {}
        if default is not None:
            text = default.price_text if self._online else default.price_text_offline or default.price_text
            if text:
                texts[own] = text
        if several is not None and get(legacy.CUSTOM_MULTI_LANGUAGE_MESSAGES):
            for one in several.price_texts:
                text = one.price_text if self._online else one.price_text_offline or one.price_text
                if text:
                    texts[one.language] = text
        return [MessageContent(content=text, language=language) for language, text in texts.items()]

    @staticmethod
    def _of_key(kind: type[T], text: str) -> T | None:
        """Return the object in the value of a key; None for one that cannot be read."""
        try:
            return decode_data(Version.V16, kind, text) if text else None
        except MessageError:
            return None

    def _publish_default(self) -> None:
        if self.enabled and (texts := self.default_texts()):
            self.station.publish(publish(SessionCostContract.default_price, cost.DefaultPrice(messages=texts)))

    # DataTransfer.

    def transferred(self, transfer: DataTransferRequest) -> DataTransferResponse | None:
        """Take a price or a cost; what cannot be read, or is about no transaction, is rejected."""
        if not self.enabled:
            return None
        try:
            match transfer.message_id:
                case "SetUserPrice":
                    status = self._user_price(decode_data(Version.V16, pricing.SetUserPrice, transfer.data or ""))
                case "RunningCost":
                    status = self._running(decode_data(Version.V16, pricing.RunningCost, transfer.data or ""))
                case "FinalCost":
                    status = self._final(decode_data(Version.V16, pricing.FinalCost, transfer.data or ""))
                case _:
                    status = Status.UnknownMessageId
        except MessageError:
            status = Status.Rejected
        return DataTransferResponse(status=status)

    def _texts(
        self, text: str | None, language: str | None, extra: list[pricing.TextExtra] | None
    ) -> list[MessageContent]:
        several = self.station.variables.get(legacy.CUSTOM_MULTI_LANGUAGE_MESSAGES)
        return texts_of(text, language, extra if several else None)

    # The price of a driver.

    def _user_price(self, price: pricing.SetUserPrice) -> DataTransferStatus:
        language = self.station.variables.get(legacy.LANGUAGE) or None
        texts = self._texts(price.price_text, language, price.price_text_extra)
        running = self.station.block(Transactions16).running.values()
        mine = next((one for one in running if one.id_tag.casefold() == price.id_token.casefold()), None)
        number = None if mine is None else mine.transaction_id
        message = cost.TariffMessage(
            messages=texts,
            ocpp_transaction_id=None if number is None else str(number),
            identifier_id=price.id_token if mine is None else mine.session_id,
            identifier_type=IdentifierType.IdToken if mine is None else IdentifierType.SessionId,
        )
        self.station.publish(publish(SessionCostContract.tariff_message, message))
        self._release(price.id_token, texts)
        return Status.Accepted

    def _token_accepted(self, id_tag: str, result: ValidationResult, answer: Answer) -> None:
        """Let a token that the CSMS has accepted wait for its price."""
        limit_ms = self.station.variables.get(legacy.WAIT_FOR_SET_USER_PRICE_TIMEOUT)
        if not self.enabled or limit_ms <= 0:
            answer(result)
            return
        key = id_tag.casefold()
        self._held.setdefault(key, (result, []))[1].append(answer)
        release = partial(self._release_by_default, key)
        self.station.start(("price", key), self.station.now + limit_ms / 1000, release)

    def _release_by_default(self, key: str) -> None:
        self._release(key, self.default_texts())

    def _release(self, id_tag: str, texts: list[MessageContent]) -> None:
        key = id_tag.casefold()
        held = self._held.pop(key, None)
        if held is None:
            return
        self.station.stop(("price", key))
        result, answers = held
        result.tariff_messages = texts
        for answer in answers:
            answer(result)

    # Costs.

    @property
    def _decimals(self) -> int:
        return self.station.variables.get(declared.NUMBER_OF_DECIMALS_FOR_COST_VALUES)

    @receives(TransactionKnown)
    def known(self, event: TransactionKnown) -> None:
        """Keep which session a transaction is of; its final cost may come when it has ended."""
        self._sessions[event.transaction_id] = event.session_id
        while len(self._sessions) > ENDED_KEPT:
            self._sessions.popitem(last=False)

    def _session_of(self, transaction_id: int) -> tuple[str | None, Transaction | None]:
        running = self.station.block(Transactions16).of_id(transaction_id)
        return (running.session_id if running is not None else self._sessions.get(transaction_id)), running

    def _running(self, wanted: pricing.RunningCost) -> DataTransferStatus:
        session_id, running = self._session_of(wanted.transaction_id)
        if running is None or session_id is None:
            return Status.Rejected
        # Neither the messages of OCPP 1.6 nor its keys name a currency: it has no code.
        value = cost_of_running(wanted.cost, wanted, session_id, Currency(decimals=self._decimals))
        self.station.publish(publish(SessionCostContract.session_cost, value))
        self._arm(running, wanted.trigger_meter_value)
        return Status.Accepted

    def _final(self, wanted: pricing.FinalCost) -> DataTransferStatus:
        session_id, _ = self._session_of(wanted.transaction_id)
        if session_id is None:
            return Status.Rejected
        # As EVerest publishes it: the text of a final cost names no language.
        texts = self._texts(wanted.price_text, None, wanted.price_text_extra)
        value = cost_of_final(wanted, session_id, texts, self._decimals)
        self.station.publish(publish(SessionCostContract.session_cost, value))
        return Status.Accepted

    # Meter values that the CSMS wants for the next cost.

    def _arm(self, transaction: Transaction, wanted: pricing.TriggerMeterValue | None) -> None:
        """Use these triggers, in place of those before."""
        connector = transaction.connector
        self._disarm(connector)
        if wanted is None:
            return
        self._triggers[connector] = MeterTriggers(wanted.energy_kWh, wanted.power_kW, wanted.statuses or ())
        if wanted.at is not None:
            at_s = max(self.station.now, self.station.monotonic(wanted.at))
            self.station.start(("cost", connector), at_s, partial(self._send, connector))

    def _disarm(self, connector: int) -> None:
        self._triggers.pop(connector, None)
        self.station.stop(("cost", connector))

    def _send(self, connector: int, *, power: bool = False) -> None:
        self.station.block(MeterValues16).send_for_cost(connector, power=power)

    @receives(events.PowermeterReceived)
    def measured(self, event: events.PowermeterReceived) -> None:
        """Send meter values where an energy or a power is reached."""
        for place in self.station.layout.of(event.evse_id):
            triggers = self._triggers.get(place.connector)
            if triggers is not None and triggers.measured(event.powermeter):
                self._send(place.connector, power=triggers.by_power)

    @receives(StatusChanged)
    def status_changed(self, event: StatusChanged) -> None:
        """Send meter values where a status is reached."""
        triggers = self._triggers.get(event.connector)
        if triggers is not None and event.status in triggers.statuses:
            self._send(event.connector)
        if event.status == ConnectorStatus.AVAILABLE:
            self._triggers.pop(event.connector, None)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Statuses alone still trigger, until the connector is free or another transaction begins."""
        triggers = self._triggers.get(event.connector)
        self._disarm(event.connector)
        left = None if triggers is None else triggers.after_the_end()
        if left is not None:
            self._triggers[event.connector] = left

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """What the CSMS wanted for another transaction triggers nothing in this one."""
        self._disarm(event.connector)
