"""auth_token_provider_API: a client of MQTT presents tokens."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class auth_token_provider_API(Bridge):
    """A client of MQTT presents tokens."""

    api_type = "auth_token_provider"

    main = provides(driven_by_client(AuthTokenProvider, {}), description="The tokens.")

    def open(self) -> None:
        """Declare what the client presents."""
        self.take("provided_token", ProvidedIdToken, self.main.provided_token.publish)
