"""EVerest interface `bank_session_token_provider`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import payment_terminal
from chargebyte_fw.kernel.contract import Contract


class BankSessionTokenProvider(Contract, interface="bank_session_token_provider"):
    """Source of session tokens for a payment terminal."""

    @abstractmethod
    async def get_bank_session_token(self) -> payment_terminal.BankSessionToken:
        """Return a new token; without a token the terminal cannot begin a transaction."""
