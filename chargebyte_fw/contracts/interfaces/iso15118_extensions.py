"""EVerest interface `iso15118_extensions`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.contract import Contract, Var


class Iso15118Extensions(Contract, interface="iso15118_extensions"):
    """Bridge between ISO 15118 and OCPP modules."""

    iso15118_certificate_request: Var[iso15118.RequestExiStreamSchema]
    """EV asks for contract certificate."""
    charging_needs: Var[iso15118.ChargingNeeds]
    """ISO 15118 ChargingNeeds."""
    ev_info: Var[iso15118.EvInformation]
    """Protocols, EVCC id, TLS chain."""
    service_renegotiation_supported: Var[bool]

    @abstractmethod
    async def set_get_certificate_response(self, certificate_response: iso15118.ResponseExiStreamStatus) -> None:
        """Later answer to iso15118_certificate_request."""
