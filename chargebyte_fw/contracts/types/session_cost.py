"""EVerest type file `session_cost`."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import authorization, display_message, money, text_message


class CostCategory(StrEnum):
    """EVerest enumeration `CostCategory`."""

    Energy = "Energy"
    Time = "Time"
    FlatFee = "FlatFee"
    Other = "Other"


class SessionStatus(StrEnum):
    """EVerest enumeration `SessionStatus`."""

    Running = "Running"
    Idle = "Idle"
    Finished = "Finished"


class DefaultPrice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.DefaultPrice`."""

    messages: list[text_message.MessageContent]


class TariffMessage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.TariffMessage`."""

    messages: list[text_message.MessageContent]
    ocpp_transaction_id: str | None = None
    identifier_id: str | None = None
    identifier_type: display_message.IdentifierType | None = None
    """Absent = SessionId."""
    pre_authorized_amount: money.MoneyAmount | None = None


class IdlePrice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.IdlePrice`."""

    grace_minutes: int | None = None
    """Free minutes before idle fee."""
    hour_price: money.Price | None = None
    """Per hour."""


class ChargingPriceComponent(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.ChargingPriceComponent`."""

    category: CostCategory | None = None
    price: money.Price | None = None


class NextPeriodPrice(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.NextPeriodPrice`."""

    timestamp_from: str
    charging_price: list[ChargingPriceComponent]
    idle_price: IdlePrice | None = None


class SessionCostChunk(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.SessionCostChunk`."""

    timestamp_from: str | None = None
    timestamp_to: str | None = None
    metervalue_from: int | None = None
    """Wh."""
    metervalue_to: int | None = None
    """Wh."""
    cost: money.MoneyAmount | None = None
    category: CostCategory | None = None


class SessionCost(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `session_cost.SessionCost`."""

    session_id: str
    currency: money.Currency
    status: SessionStatus
    """Final only when Finished."""
    id_tag: authorization.ProvidedIdToken | None = None
    cost_chunks: list[SessionCostChunk] | None = None
    idle_price: IdlePrice | None = None
    charging_price: list[ChargingPriceComponent] | None = None
    next_period: NextPeriodPrice | None = None
    message: list[text_message.MessageContent] | None = None
    qr_code: str | None = None
