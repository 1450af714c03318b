"""error_history_consumer_API: shows clients of MQTT the faults of all modules."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.error_history import ErrorHistory
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.error_history import FilterArguments, State
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, ConsumerConfig, Latched
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class error_history_consumer_API(Bridge):
    """Shows clients of MQTT the faults of all modules."""

    Config = ConsumerConfig
    group = "cloud"
    api_type = "error_history_consumer"
    enable_global_errors = True

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    error_history = requires(ErrorHistory)

    def open(self) -> None:
        """Declare what clients see and may ask."""
        self.serve("get_errors", FilterArguments, self._errors)
        self.serve("active_errors", Any, lambda _: self._errors(FilterArguments(state_filter=State.Active)))
        raised, cleared = Latched(self, "error_raised"), Latched(self, "error_cleared")
        for faults in self.runtime.all_faults:
            faults.subscribe(partial(Latched.publish, raised), partial(Latched.publish, cleared))

    async def _errors(self, filters: FilterArguments) -> dict[str, Any]:
        return {"errors": await self.error_history.get_errors(filters)}
