"""Whether a contract was revoked: a question for which EVerest's interface `evse_security` has no command.

Its `verify_certificate` has no such result. A certificate store in the same process may answer nevertheless; with one
of another vendor the revocation of contracts is the back end's (OCPP: `certificateStatus` of Authorize).
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class RevocationCheck(ABC):
    """What the implementation of a certificate store may be as well."""

    @abstractmethod
    async def revoked(self, certificate_chain: str) -> str:
        """Return why a contract's chain (PEM, leaf first) counts as revoked; empty where nothing is known of it."""
