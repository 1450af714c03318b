"""session_cost_API: a client of MQTT counts the cost of a session."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.interfaces.session_cost import SessionCost
from chargebyte_fw.contracts.types import session_cost
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class session_cost_API(Bridge):
    """A client of MQTT counts the cost of a session."""

    group = "cloud"
    api_type = "session_cost"
    watched = ("generic_error", "generic/CommunicationFault")

    main = provides(driven_by_client(SessionCost, {}), description="The cost.")
    generic_error = provides(driven_by_client(GenericError, {}), description="Faults of the client.")

    def open(self) -> None:
        """Declare what the client reports."""
        self.take("tariff_message", session_cost.TariffMessage, self.main.tariff_message.publish)
        self.take("session_cost", session_cost.SessionCost, self.main.session_cost.publish)
