"""Prices and costs of "OCPP & California Pricing Requirements" (Open Charge Alliance): JSON inside of other messages.

In 1.6 an object is the `data` of a DataTransfer with this vendor id, its `messageId` the name of the class, or the
value of the keys `DefaultPrice` and `DefaultPriceText`. In 2.x the same members are in `customData` of CostUpdated and
of the response to TransactionEvent, and the texts in further languages in `customData` of `IdTokenInfoType`.
Read them with `schema.decode_data`.
"""

# ruff: noqa: D101 (the names are the paper's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text, Type

COST_VENDOR_ID = "org.openchargealliance.costmsg"
LANGUAGE_VENDOR_ID = "org.openchargealliance.multilanguage"
QR_CODE_VENDOR_ID = "org.openchargealliance.org.qrcode"


class CostState(StrEnum):
    """Which of the prices counts."""

    Charging = "Charging"
    Idle = "Idle"


class TextFormat(StrEnum):
    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE"


class TextExtra(Type, kw_only=True):
    """A text in a further language."""

    content: str
    format: TextFormat | None = None
    language: Annotated[str | None, Text(8)] = None


class ChargingPrice(Type, kw_only=True):
    """Prices while energy flows, in the currency of the station."""

    per_kWh: float | None = field(name="kWhPrice", default=None)
    per_hour: float | None = field(name="hourPrice", default=None)
    flat_fee: float | None = field(name="flatFee", default=None)


class IdlePrice(Type, kw_only=True):
    """The price while none flows, after minutes of grace."""

    grace_min: Annotated[int | None, Range(0)] = field(name="graceMinutes", default=None)
    per_hour: float | None = field(name="hourPrice", default=None)


class NextPeriod(Type, kw_only=True):
    at: datetime = field(name="atTime")
    charging_price: ChargingPrice = field(name="chargingPrice")
    idle_price: IdlePrice | None = field(name="idlePrice", default=None)


class TriggerMeterValue(Type, kw_only=True):
    """When the station sends meter values beside the usual ones."""

    at: datetime | None = field(name="atTime", default=None)
    energy_kWh: float | None = field(name="atEnergykWh", default=None)
    power_kW: float | None = field(name="atPowerkW", default=None)
    statuses: Annotated[list[str] | None, Items(0, 6)] = field(name="atCPStatus", default=None)
    """Of `ChargePointStatus` in 1.6; one that is none of them triggers nothing."""


class CurrentPrices(Type, kw_only=True):
    """What the CSMS knows in a transaction: members of RunningCost, and of `customData` in 2.x."""

    timestamp: datetime | None = None
    meter_value_Wh: int | None = field(name="meterValue", default=None)
    state: CostState | None = None
    charging_price: ChargingPrice | None = field(name="chargingPrice", default=None)
    idle_price: IdlePrice | None = field(name="idlePrice", default=None)
    next_period: NextPeriod | None = field(name="nextPeriod", default=None)
    trigger_meter_value: TriggerMeterValue | None = field(name="triggerMeterValue", default=None)


class RunningCost(CurrentPrices, kw_only=True):
    """The cost up to a meter value, and the prices from there on."""

    transaction_id: int = field(name="transactionId")
    cost: float


class FinalCost(Type, kw_only=True):
    """The cost of a transaction that has ended."""

    transaction_id: int = field(name="transactionId")
    cost: float
    price_text: str | None = field(name="priceText", default=None)
    price_text_extra: list[TextExtra] | None = field(name="priceTextExtra", default=None)
    qr_code_text: str | None = field(name="qrCodeText", default=None)


class SetUserPrice(Type, kw_only=True):
    """A text about the prices of a driver, for the display alone."""

    id_token: str = field(name="idToken")
    price_text: str | None = field(name="priceText", default=None)
    price_text_extra: list[TextExtra] | None = field(name="priceTextExtra", default=None)


class ConnectorUnplugged(Type, kw_only=True):
    """The end of the time for which idling costs, sent by the station."""

    transaction_id: int = field(name="transactionId")
    timestamp: datetime


class DefaultPrice(Type, kw_only=True):
    """The value of the key `DefaultPrice`."""

    price_text: str | None = field(name="priceText", default=None)
    price_text_offline: str | None = field(name="priceTextOffline", default=None)
    charging_price: ChargingPrice | None = field(name="chargingPrice", default=None)


class PriceText(Type, kw_only=True):
    """The value of a key `DefaultPriceText,<language>`."""

    price_text: str | None = field(name="priceText", default=None)
    language: Annotated[str | None, Text(8)] = None
    price_text_offline: str | None = field(name="priceTextOffline", default=None)


class DefaultPriceText(Type, kw_only=True):
    """The texts in all languages."""

    price_texts: list[PriceText] = field(name="priceTexts")


class PersonalMessageExtra(Type, kw_only=True):
    """`customData` of `IdTokenInfoType` in 2.0.1: the personal message in further languages."""

    texts: Annotated[list[TextExtra], Items(1, 4)] = field(name="personalMessageExtra")


class QrCode(Type, kw_only=True):
    """`customData` of the response to TransactionEvent in 2.x: the content of a QR code, as in FinalCost."""

    text: str | None = field(name="qrCodeText", default=None)
