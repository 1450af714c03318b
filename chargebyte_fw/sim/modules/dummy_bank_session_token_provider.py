"""DummyBankSessionTokenProvider: the token of a bank's session that no bank knows."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.bank_session_token_provider import BankSessionTokenProvider
from chargebyte_fw.contracts.types.payment_terminal import BankSessionToken
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides


class TokenConfig(ModuleConfig):
    """The token."""

    token: Annotated[str, Meta(description="Token that is returned.")] = "DummyBankSessionToken"
    randomize: Annotated[bool, Meta(description="Return a new UUID each time instead.")] = False


class _Tokens(BankSessionTokenProvider):
    """The tokens."""

    module: DummyBankSessionTokenProvider
    config: TokenConfig

    async def get_bank_session_token(self) -> BankSessionToken:
        """Return the token."""
        token = self.module.runtime.new_uuid() if self.config.randomize else self.config.token
        return BankSessionToken(token=token)


class DummyBankSessionTokenProvider(Module):
    """Returns a configured token of a bank's session, or a new one each time."""

    group = "cloud"
    main = provides(_Tokens, config=TokenConfig, description="The tokens.")
