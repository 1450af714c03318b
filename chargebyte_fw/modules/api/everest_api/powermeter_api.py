"""powermeter_API: a client of MQTT is the meter."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.types import powermeter
from chargebyte_fw.contracts.types.powermeter import (
    TransactionRequestStatus,
    TransactionStartResponse,
    TransactionStopResponse,
)
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, RequestConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, driven_by_client

_FAILED, _SILENT = TransactionRequestStatus.UNEXPECTED_ERROR, "no reply of the meter"
_COMMANDS = {
    "start_transaction": Ask(
        "start_transaction", TransactionStartResponse, TransactionStartResponse(status=_FAILED, error=_SILENT)
    ),
    "stop_transaction": Ask(
        "stop_transaction", TransactionStopResponse, TransactionStopResponse(status=_FAILED, error=_SILENT)
    ),
}


class powermeter_API(Bridge):
    """A client of MQTT is the meter."""

    Config = RequestConfig
    api_type = "powermeter"
    watched = ("main", "powermeter/CommunicationFault")

    main = provides(driven_by_client(Powermeter, _COMMANDS), description="The meter.")

    def open(self) -> None:
        """Declare what the meter reports."""
        self.take("powermeter_values", powermeter.Powermeter, self.main.powermeter.publish)
        self.take("public_key_ocmf", str, self.main.public_key_ocmf.publish)
