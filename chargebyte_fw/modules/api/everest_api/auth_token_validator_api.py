"""auth_token_validator_API: a client of MQTT decides about tokens."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult, ValidationResultUpdate
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, RequestConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, driven_by_client

_INVALID = ValidationResult(authorization_status=AuthorizationStatus.Invalid, tariff_messages=[])


class auth_token_validator_API(Bridge):
    """A client of MQTT decides about tokens."""

    Config = RequestConfig
    api_type = "auth_token_validator"

    main = provides(
        driven_by_client(AuthTokenValidator, {"validate_token": Ask("validate_token", ValidationResult, _INVALID)}),
        description="The decisions.",
    )

    def open(self) -> None:
        """Declare what the client reports later."""
        self.take("validate_result_update", ValidationResultUpdate, self.main.validate_result_update.publish)
