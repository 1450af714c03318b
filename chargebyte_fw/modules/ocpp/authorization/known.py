"""What is known about a token: the version-neutral form of `IdTagInfo` (1.6) and `IdTokenInfoType` (2.x)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargebyte_fw.contracts.types.authorization import AuthorizationStatus


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of a CSMS about a token."""

    status: AuthorizationStatus
    expires_at: datetime | None = None
    """`expiryDate` (1.6), `cacheExpiryDateTime` (2.x)."""
    parent: str | None = None
    """`parentIdTag` (1.6), `groupIdToken.idToken` (2.x)."""
    parent_type: str = ""
    """Type of the group's token, 2.x."""
    evse_ids: tuple[int, ...] = ()
    """The EVSEs that the token may use; none given: all."""
    language: str = ""
    """`language1`, 2.x."""
    language2: str = ""
    priority: int = 0
    """`chargingPriority`, 2.x."""
    message: str = ""
    """`personalMessage`, 2.x, with its format and its language."""
    message_format: str = ""
    message_language: str = ""

    def holds(self, utc: datetime) -> bool:
        """Return whether the entry is still valid at a time."""
        return self.expires_at is None or utc < self.expires_at

    @property
    def accepted(self) -> bool:
        """Whether the token may charge."""
        return self.status is AuthorizationStatus.Accepted


def folded(token: str) -> str:
    """Return a token as it is compared and stored.

    IdToken is a CiString20Type (1.6) or an identifierString (2.x): both ignore case.
    """
    return token.lower()
