"""What EvseV2G and Evse15118D20 have in common: what they use, and the life of their engine."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.energy_price_information import EnergyPriceInformation
from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule
from chargebyte_fw.kernel.module import Module, requires, requires_many
from chargebyte_fw.modules.v2g.engine import V2gEngine
from chargebyte_fw.modules.v2g.secc.prices import read_prices
from chargebyte_fw.modules.v2g.transport.tls.endpoints import Endpoints


class EngineModule(Module):
    """A module that serves cars with an engine of its own."""

    enable_telemetry = True
    security = requires(EvseSecurity)
    iso15118_vas = requires_many(Iso15118Vas)
    energy_prices = requires_many(EnergyPriceInformation, maximum=1)

    engine: V2gEngine
    endpoints: Endpoints

    def prepare(self) -> None:
        """Prepare the engine, and take forecasts of prices from now on."""
        self.engine.prepare()
        for provider in self.energy_prices:
            provider.energy_pricing.subscribe(self._prices)

    def _prices(self, schedule: EnergyPriceSchedule) -> None:
        """Take the forecast."""
        self.engine.facts.prices = read_prices(schedule)

    async def ready(self) -> None:
        """Publish what is served and open the link, unless a multiplexer has it."""
        if self.engine.listens:
            self.endpoints.open(self.engine.link)
        self.engine.open()

    async def stop(self) -> None:
        """Take the power off the car and close the sockets."""
        self.engine.close()
