"""GuestList: who is on the list may charge."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ProvidedIdToken, ValidationResult
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides


class ListConfig(ModuleConfig):
    """The list."""

    guests: Annotated[str, Meta(description="The guests' tokens, with blanks between them.")]


class Validator(AuthTokenValidator):
    """Looks a token up."""

    module: GuestList
    config: ListConfig

    async def validate_token(self, provided_token: ProvidedIdToken) -> ValidationResult:
        """Accept who is on the list."""
        known = provided_token.id_token.value in self.config.guests.split()
        self.module.log.info("a guest" if known else "nobody that is on the list")
        status = AuthorizationStatus.Accepted if known else AuthorizationStatus.Invalid
        return ValidationResult(authorization_status=status, tariff_messages=[])


class GuestList(Module):
    """Lets those charge whose token is on a list."""

    main = provides(Validator, config=ListConfig, description="The list.")
