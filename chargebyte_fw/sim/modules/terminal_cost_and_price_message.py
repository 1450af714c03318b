"""TerminalCostAndPriceMessage: costs and prices of a session in the log."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types.session_cost import DefaultPrice, TariffMessage
from chargebyte_fw.contracts.types.session_cost import SessionCost as Cost
from chargebyte_fw.kernel.module import Module, requires


class TerminalCostAndPriceMessage(Module):
    """Shows costs and prices in the log."""

    group = "cloud"
    session_cost = requires(SessionCost)

    async def init(self) -> None:
        """Follow costs and prices."""
        self.session_cost.default_price.subscribe(self._on_price)
        self.session_cost.tariff_message.subscribe(self._on_tariff)
        self.session_cost.session_cost.subscribe(self._on_cost)

    def _on_price(self, price: DefaultPrice) -> None:
        self.log.info("price: %s", "; ".join(one.content for one in price.messages))

    def _on_tariff(self, tariff: TariffMessage) -> None:
        whose = f" for {tariff.identifier_id}" if tariff.identifier_id else ""
        self.log.info("tariff%s: %s", whose, "; ".join(one.content for one in tariff.messages))

    def _on_cost(self, cost: Cost) -> None:
        decimals = cost.currency.decimals or 0
        total = sum(one.cost.value for one in cost.cost_chunks or () if one.cost is not None) / 10**decimals
        text = "; ".join(one.content for one in cost.message or ())
        self.log.info("session %s: %s, %.2f %s %s", cost.session_id, cost.status, total, cost.currency.code or "", text)
