"""EVerest interface `auth_token_validator`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import authorization
from chargebyte_fw.kernel.contract import Contract, Var


class AuthTokenValidator(Contract, interface="auth_token_validator", errors=("generic",)):
    """Checks tokens."""

    validate_result_update: Var[authorization.ValidationResultUpdate]
    """Asynchronous change of an earlier result."""

    @abstractmethod
    async def validate_token(self, provided_token: authorization.ProvidedIdToken) -> authorization.ValidationResult:
        """EVerest command `validate_token`."""
