"""generic_error_raiser_API: a client of MQTT raises and clears faults of its own."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class generic_error_raiser_API(Bridge):
    """A client of MQTT raises and clears faults of its own."""

    group = "cloud"
    api_type = "generic_error_raiser"
    errors_at = ("main",)
    enable_global_errors = True

    main = provides(driven_by_client(GenericError, {}), description="The faults of the client.")
