"""EVerest interface `auth`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import authorization
from chargebyte_fw.kernel.contract import Contract, Var


class Auth(Contract, interface="auth", errors=("generic",)):
    """Authorization coordinator."""

    token_validation_status: Var[authorization.TokenValidationStatusMessage]

    @abstractmethod
    async def set_connection_timeout(self, connection_timeout: Annotated[int, Meta(ge=10, le=300)]) -> None:
        """S."""

    @abstractmethod
    async def set_master_pass_group_id(self, master_pass_group_id: Annotated[str, Meta(max_length=36)]) -> None:
        """Tokens with this parent may only stop transactions; empty string = off."""

    @abstractmethod
    async def withdraw_authorization(
        self, request: authorization.WithdrawAuthorizationRequest
    ) -> authorization.WithdrawAuthorizationResult:
        """EVerest command `withdraw_authorization`."""
