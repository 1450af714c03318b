"""Identifiers of tokens and of groups of tokens (OCPP: IdToken, groupIdToken)."""

from __future__ import annotations

import msgspec.structs

from chargebyte_fw.contracts.types.authorization import IdToken, ProvidedIdToken, ValidationResult


def same(a: str, b: str) -> bool:
    """Compare identifiers: letter case does not count (OCPP 2.0.1, IdTokenType.idToken)."""
    return a.casefold() == b.casefold()


def value_of(token: IdToken | None) -> str | None:
    """Return the identifier of an optional token."""
    return token.value if token is not None else None


def named(token: ProvidedIdToken, evse_id: int, result: ValidationResult | None = None) -> ProvidedIdToken:
    """Return the token with its EVSE, and with the group that its validation returned."""
    parent = result.parent_id_token if result is not None and value_of(result.parent_id_token) else None
    return msgspec.structs.replace(token, connectors=[evse_id], parent_id_token=parent or token.parent_id_token)


def described(token: ProvidedIdToken) -> str:
    """Return the kind of a token for the log; its identifier is personal data."""
    return f"{token.authorization_type.value} token"
