"""EVerest interface `session_cost`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import session_cost
from chargebyte_fw.kernel.contract import Contract, Var


class SessionCost(Contract, interface="session_cost"):
    """Cost and tariff publication."""

    default_price: Var[session_cost.DefaultPrice]
    """At start-up and on change."""
    tariff_message: Var[session_cost.TariffMessage]
    session_cost: Var[session_cost.SessionCost]
