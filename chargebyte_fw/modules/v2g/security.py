"""How a connection is secured: what machines know of TLS."""

from __future__ import annotations

import msgspec


class Security(msgspec.Struct, frozen=True):
    """How a connection is secured; all empty without TLS."""

    tls_version: str = ""
    """`1.2` or `1.3`; empty: plain TCP."""
    cipher: str = ""
    """The cipher suite, by OpenSSL's name."""
    peer_chain: tuple[bytes, ...] = ()
    """The certificates that the peer has shown and that were verified (DER), leaf first."""

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's own certificate (DER); None where it has shown none."""
        return self.peer_chain[0] if self.peer_chain else None


PLAIN = Security()
"""Without TLS."""
