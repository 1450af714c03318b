"""external_energy_limits_consumer_API: takes limits of the energy from clients of MQTT."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, ConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class external_energy_limits_consumer_API(Bridge):
    """Takes limits of the energy from clients of MQTT."""

    Config = ConsumerConfig
    group = "cloud"
    api_type = "external_energy_limits_consumer"

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    energy_node = requires(ExternalEnergyLimits)

    def open(self) -> None:
        """Declare what clients see and may do."""
        self.serve("set_external_limits", ExternalLimits, self.energy_node.set_external_limits, replies=False)
        self.forward("capabilities", self.energy_node.capabilities)
