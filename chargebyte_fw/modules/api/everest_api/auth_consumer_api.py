"""auth_consumer_API: shows clients of MQTT the tokens and withdraws authorizations."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.authorization import WithdrawAuthorizationRequest
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, ConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import driven_by_client


class auth_consumer_API(Bridge):
    """Shows clients of MQTT the tokens and withdraws authorizations."""

    Config = ConsumerConfig
    group = "cloud"
    api_type = "auth_consumer"

    main = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    auth = requires(Auth)

    def open(self) -> None:
        """Declare what clients see and may do."""
        self.serve("withdraw_authorization", WithdrawAuthorizationRequest, self.auth.withdraw_authorization)
        self.forward("token_validation_status", self.auth.token_validation_status)
