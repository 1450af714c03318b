"""session_cost_consumer_API: shows clients of MQTT prices and cost."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, ConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class session_cost_consumer_API(Bridge):
    """Shows clients of MQTT prices and cost."""

    Config = ConsumerConfig
    group = "cloud"
    api_type = "session_cost_consumer"

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    session_cost = requires(SessionCost)

    def open(self) -> None:
        """Declare what clients see and may do."""
        self.forward("default_price", self.session_cost.default_price)
        self.forward("tariff_message", self.session_cost.tariff_message)
        self.forward("session_cost", self.session_cost.session_cost)
