"""EVerest type file `payment_terminal`."""

from __future__ import annotations

import msgspec


class BankSessionToken(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `payment_terminal.BankSessionToken`."""

    token: str | None = None


class BankTransactionSummary(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `payment_terminal.BankTransactionSummary`."""

    session_token: BankSessionToken | None = None
    transaction_data: str | None = None
