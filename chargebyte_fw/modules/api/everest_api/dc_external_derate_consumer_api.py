"""dc_external_derate_consumer_API: takes limits of the DC output from clients of MQTT."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.dc_external_derate import DcExternalDerate
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, ConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class dc_external_derate_consumer_API(Bridge):
    """Takes limits of the DC output from clients of MQTT."""

    Config = ConsumerConfig
    group = "cloud"
    api_type = "dc_external_derate_consumer"
    watched = ("generic_error", "generic/CommunicationFault")

    generic_error = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    derate = requires(DcExternalDerate)

    def open(self) -> None:
        """Declare what clients see and may do."""
        self.serve("set_external_derating", ExternalDerating, self.derate.set_external_derating, replies=False)
        self.forward("plug_temperature_C", self.derate.plug_temperature_C)
