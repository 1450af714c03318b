"""DummySessionCostProvider: costs of a session that no one pays, to try displays."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types.money import Currency, CurrencyCode, MoneyAmount
from chargebyte_fw.contracts.types.session_cost import CostCategory, SessionCostChunk, SessionStatus
from chargebyte_fw.contracts.types.session_cost import SessionCost as Cost
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides

CENTS_A_PERIOD = 10


class CostConfig(ModuleConfig):
    """Configuration of the costs."""

    period_s: Annotated[int, Meta(ge=1, description="Period in which the costs grow, in s.")] = 5


class _Costs(SessionCost):
    """The costs."""

    config: CostConfig


class DummySessionCostProvider(Module):
    """Publishes costs that grow by 10 cents each period, of a session that does not exist."""

    group = "cloud"
    main = provides(_Costs, config=CostConfig, description="The costs.")

    async def ready(self) -> None:
        """Begin with the first period."""
        self._session_id = self.runtime.new_uuid()
        self._cents = 0
        self._next()

    def _next(self) -> None:
        self._cents += CENTS_A_PERIOD
        chunk = SessionCostChunk(
            timestamp_to=rfc3339(utc_now()), cost=MoneyAmount(value=self._cents), category=CostCategory.Energy
        )
        cost = Cost(
            session_id=self._session_id,
            currency=Currency(code=CurrencyCode.EUR, decimals=2),
            status=SessionStatus.Running,
            cost_chunks=[chunk],
        )
        self.main.session_cost.publish(cost)
        self.after(self.main.config.period_s, self._next)
