"""evse_security_consumer_API: answers clients of MQTT about certificates."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.evse_security import CaCertificateType, EncodingFormat, LeafCertificateType
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class _LeafRequest(msgspec.Struct):
    certificate_type: LeafCertificateType
    encoding: EncodingFormat
    include_ocsp: bool = False


class evse_security_consumer_API(Bridge):
    """Answers clients of MQTT about certificates."""

    group = "cloud"
    api_type = "evse_security_consumer"

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    evse_security = requires(EvseSecurity)

    def open(self) -> None:
        """Declare what clients may ask."""
        store = self.evse_security
        self.serve("is_ca_certificate_installed", CaCertificateType, store.is_ca_certificate_installed)
        self.serve("get_verify_location", CaCertificateType, store.get_verify_location)
        self.serve("get_leaf_certificate_info", _LeafRequest, self._leaf)

    async def _leaf(self, asked: _LeafRequest) -> Any:
        return await self.evse_security.get_leaf_certificate_info(
            asked.certificate_type, asked.encoding, asked.include_ocsp
        )
