"""Costs and price texts of OCPP 2.x: CostUpdated (I02), total cost (I03), texts that stand for them (I04, I05)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types import display_message, money, session_cost, text_message
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.modules.ocpp.display_and_cost.conversion import amount_of, cost_of_running
from chargebyte_fw.modules.ocpp.messages import pricing
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.model import Type
from chargebyte_fw.modules.ocpp.messages.schema import decode_data
from chargebyte_fw.modules.ocpp.messages.v2.authorization import AuthorizeRequest, AuthorizeResponse
from chargebyte_fw.modules.ocpp.messages.v2.tariff_and_cost import CostUpdatedRequest, CostUpdatedResponse
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionEventResponse,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType
from chargebyte_fw.modules.ocpp.metering.v2 import ENERGY
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, answered, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.transactions.events import CostKnown, PricesKnown, TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables import Variable
from chargebyte_fw.modules.ocpp.variables.standard.cost import (
    COST_ENABLED,
    CURRENCY,
    NUMBER_OF_DECIMALS_FOR_COST_VALUES,
    OFFLINE_TARIFF_FALLBACK_MESSAGE,
    TARIFF_ENABLED,
    TARIFF_FALLBACK_MESSAGE,
    TOTAL_COST_FALLBACK_MESSAGE,
)
from chargebyte_fw.modules.ocpp.variables.standard.station import CUSTOM_COST_ENABLED, CUSTOM_MULTI_LANGUAGE_ENABLED

C = TypeVar("C", bound=Type)
DECIMALS = 3
"""Decimals of costs where the configuration has none."""


class Cost2(Block):
    """Publishes what a transaction costs and which prices hold, as the CSMS has it."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._online = False
        self._final = ""
        """The session whose final cost the station has calculated itself."""
        for variable in (TARIFF_FALLBACK_MESSAGE, OFFLINE_TARIFF_FALLBACK_MESSAGE):
            station.variables.on_change(variable, lambda _: self._default_price())

    # The default price.

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Publish the text for a station without a connection."""
        self._default_price()

    @receives(Registered)
    @receives(BackOnline)
    def went_online(self, event: Any) -> None:
        """Publish the text for a station with a connection."""
        self._online = True
        self._default_price()

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Publish the other text."""
        self._online = False
        self._default_price()

    def _default_price(self) -> None:
        if not self.station.variables.get(TARIFF_ENABLED):
            return
        variable = TARIFF_FALLBACK_MESSAGE if self._online else OFFLINE_TARIFF_FALLBACK_MESSAGE
        if texts := self._fallback(variable):
            value = session_cost.DefaultPrice(messages=texts)
            self.station.publish(publish(SessionCost.default_price, value))

    def _fallback(self, variable: Variable[str]) -> list[text_message.MessageContent]:
        """Return a configured text, and the same in each language that has one of its own."""
        get = self.station.variables.get
        own = get(variable)
        if not own:
            return []
        found = [_plain(own)]
        if get(CUSTOM_MULTI_LANGUAGE_ENABLED):
            for entry in self.station.variables:
                name, text = entry.id, entry.text()
                same = (name.component, name.name) == (variable.id.component, variable.id.name)
                if same and name.instance and text:
                    found.append(_plain(text, name.instance))
        return found

    # Prices of a driver.

    @answered(AuthorizeRequest)
    def authorized(self, request: AuthorizeRequest, response: AuthorizeResponse) -> None:
        """Publish the personal message about the prices of a token, or the text that stands for it (I01, I04)."""
        if not self.station.variables.get(TARIFF_ENABLED):
            return
        message = response.id_token_info.personal_message
        if message is not None:
            texts = [_content(message), *self._extra(response.id_token_info.custom_data)]
            self._publish_tariff(texts, request.id_token.id_token, display_message.IdentifierType.IdToken)
        elif fallback := self._fallback(TARIFF_FALLBACK_MESSAGE):
            self._publish_tariff(fallback, request.id_token.id_token, display_message.IdentifierType.IdToken)

    def _extra(self, data: dict[str, Any] | None) -> list[text_message.MessageContent]:
        """Return the personal message in further languages, which 2.0.1 has in `customData`."""
        vendor_id, enabled = pricing.LANGUAGE_VENDOR_ID, CUSTOM_MULTI_LANGUAGE_ENABLED
        found = self._custom(pricing.PersonalMessageExtra, data, vendor_id, enabled)
        return [] if found is None else [_plain(one.content, one.language) for one in found.texts]

    def _tariff(
        self, messages: list[MessageContentType], identifier: str, kind: display_message.IdentifierType
    ) -> None:
        self._publish_tariff([_content(one) for one in messages], identifier, kind)

    def _publish_tariff(
        self,
        messages: list[text_message.MessageContent],
        identifier: str,
        kind: display_message.IdentifierType,
    ) -> None:
        bound = identifier if kind is display_message.IdentifierType.TransactionId else None
        value = session_cost.TariffMessage(
            messages=messages, ocpp_transaction_id=bound, identifier_id=identifier[:36], identifier_type=kind
        )
        self.station.publish(publish(SessionCost.tariff_message, value))

    # Structured tariffs and costs of the station itself (2.1).

    def show_default(self, description: list[MessageContentType]) -> None:
        """Publish the description of the default tariff (I07)."""
        value = session_cost.DefaultPrice(messages=[_content(one) for one in description])
        self.station.publish(publish(SessionCost.default_price, value))

    def show_tariff(self, description: list[MessageContentType], token: str) -> None:
        """Publish the description of the tariff of a driver (I08)."""
        self._tariff(description, token, display_message.IdentifierType.IdToken)

    def show_cost(self, session_id: str, amount: Decimal, currency: str, *, final: bool) -> None:
        """Publish what a transaction costs by the station's own calculation (I12)."""
        if final:
            self._final = session_id
        if self.station.variables.get(COST_ENABLED):
            statuses = session_cost.SessionStatus
            units = int(amount.scaleb(self._decimals).to_integral_value(ROUND_HALF_UP))
            self._publish(
                session_cost.SessionCost(
                    session_id=session_id,
                    currency=self._currency(currency),
                    status=statuses.Finished if final else statuses.Running,
                    cost_chunks=[session_cost.SessionCostChunk(cost=money.MoneyAmount(value=units))],
                )
            )

    # Costs.

    @answers(CostUpdatedRequest)
    def cost_updated(self, request: CostUpdatedRequest) -> CostUpdatedResponse:
        """Publish the cost of a transaction (I02).

        The answer has no status: the cost of a transaction that does not run any more is for the display alone.
        """
        transaction_id, data = request.transaction_id, request.custom_data
        prices = self._custom(pricing.CurrentPrices, data, pricing.COST_VENDOR_ID, CUSTOM_COST_ENABLED)
        if self.station.variables.get(COST_ENABLED):
            known = prices or pricing.CurrentPrices()
            self._publish(cost_of_running(request.total_cost, known, transaction_id, self._currency()))
        if self.station.block(Transactions2).of_id(transaction_id) is not None:
            self.station.notify(CostKnown(transaction_id, request.total_cost))
            if data is not None:
                self.station.notify(PricesKnown(transaction_id, data))
        return CostUpdatedResponse()

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Publish the cost and the personal message in the answer to an event."""
        transaction_id = request.transaction_info.transaction_id
        messages = [one for one in (response.updated_personal_message,) if one is not None]
        messages += response.updated_personal_message_extra or []
        if response.total_cost is not None:
            if self.station.variables.get(COST_ENABLED):
                self._publish(self._cost_of_event(request, response, [_content(one) for one in messages]))
            self.station.notify(CostKnown(transaction_id, response.total_cost))
        shows = self.station.variables.get(TARIFF_ENABLED)
        if messages and shows:
            self._tariff(messages, transaction_id, display_message.IdentifierType.TransactionId)

    def _cost_of_event(
        self,
        request: TransactionEventRequest,
        response: TransactionEventResponse,
        messages: list[text_message.MessageContent],
    ) -> session_cost.SessionCost:
        """Return the cost up to the time of an event, and up to the meter value with which a transaction ended."""
        ended = request.event_type is TransactionEventEnumType.Ended
        code = self._custom(pricing.QrCode, response.custom_data, pricing.QR_CODE_VENDOR_ID, CUSTOM_COST_ENABLED)
        chunk = session_cost.SessionCostChunk(
            timestamp_to=rfc3339(request.timestamp),
            metervalue_to=_last_energy_Wh(request) if ended else None,
            cost=amount_of(response.total_cost or 0.0, self._decimals),
        )
        return session_cost.SessionCost(
            session_id=request.transaction_info.transaction_id,
            currency=self._currency(),
            status=session_cost.SessionStatus.Finished if ended else session_cost.SessionStatus.Running,
            cost_chunks=[chunk],
            message=messages or None,
            qr_code=None if code is None else code.text,
        )

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Offline the final cost is unknown: publish the text that stands for it (I05)."""
        texts = self._fallback(TOTAL_COST_FALLBACK_MESSAGE)
        if self._final == event.session_id or self._online or not self.station.variables.get(COST_ENABLED):
            return
        if texts:
            self._publish_tariff(texts, event.session_id, display_message.IdentifierType.TransactionId)
            finished = session_cost.SessionStatus.Finished
            self._publish(
                session_cost.SessionCost(
                    session_id=event.session_id, currency=self._currency(), status=finished, message=texts
                )
            )

    def _custom(self, kind: type[C], data: dict[str, Any] | None, vendor_id: str, enabled: Variable[bool]) -> C | None:
        """Return what `customData` of a vendor has, None where it is in use by no one or cannot be read."""
        if data is None or data.get("vendorId") != vendor_id or not self.station.variables.get(enabled):
            return None
        try:
            return decode_data(self.station.version, kind, data)
        except MessageError:
            return None

    @property
    def _decimals(self) -> int:
        decimals = self.station.variables.find(NUMBER_OF_DECIMALS_FOR_COST_VALUES)
        return DECIMALS if decimals is None else decimals

    def _currency(self, code: str | None = None) -> money.Currency:
        wanted = self.station.variables.get(CURRENCY) if code is None else code
        found = {code.value: code for code in money.CurrencyCode}.get(wanted)
        return money.Currency(code=found, decimals=self._decimals)

    def _publish(self, value: session_cost.SessionCost) -> None:
        self.station.publish(publish(SessionCost.session_cost, value))


def _last_energy_Wh(request: TransactionEventRequest) -> int | None:
    """Return the energy register in the last meter value of an event."""
    for value in reversed(request.meter_value or []):
        for one in value.sampled_value:
            if one.measurand == ENERGY and one.phase is None:
                return round(one.value)
    return None


def _plain(text: str, language: str | None = None) -> text_message.MessageContent:
    return text_message.MessageContent(content=text, format=text_message.MessageFormat.UTF8, language=language)


def _content(message: MessageContentType) -> text_message.MessageContent:
    kind = named(text_message.MessageFormat, message.format, text_message.MessageFormat.UTF8)
    return text_message.MessageContent(content=message.content, format=kind, language=message.language)
