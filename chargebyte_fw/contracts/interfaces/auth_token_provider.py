"""EVerest interface `auth_token_provider`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import authorization
from chargebyte_fw.kernel.contract import Contract, Var


class AuthTokenProvider(Contract, interface="auth_token_provider", errors=("generic",)):
    """Source of tokens (RFID, app, PnC …)."""

    provided_token: Var[authorization.ProvidedIdToken]
