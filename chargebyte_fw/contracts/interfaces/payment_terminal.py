"""EVerest interface `payment_terminal`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import authorization, payment_terminal
from chargebyte_fw.kernel.contract import Contract, Var


class PaymentTerminal(Contract, interface="payment_terminal", errors=("payment_terminal",)):
    """Terminal for bank cards and RFID tokens."""

    bank_transaction_summary: Var[payment_terminal.BankTransactionSummary]
    """After each transaction with the bank."""

    @abstractmethod
    async def enable_card_reading(
        self, supported_cards: list[authorization.AuthorizationType], connector_id: int
    ) -> None:
        """Accept these kinds of cards for a connector; an empty list accepts none."""

    @abstractmethod
    async def allow_all_cards_for_every_connector(self) -> None:
        """Accept every kind of card for every connector."""
