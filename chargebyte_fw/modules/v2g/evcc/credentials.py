"""What a car can prove: its contract, the identity its maker gave it, and the roots that it trusts. Plain data.

Certificates are DER, leaf first and without the root; keys are PEM (PKCS #8, not encrypted). A contract on Ed448 that
came over a charger has its key as a scalar (`evcc/ed448.py`): hexadecimal digits after `SCALAR_KEY`.
"""

from __future__ import annotations

import msgspec

SCALAR_KEY = b"Ed448 scalar: "


class Identity(msgspec.Struct, frozen=True):
    """A certificate chain and the private key of its leaf."""

    chain: tuple[bytes, ...]
    key_pem: bytes
    exchange_key_pem: bytes = b""
    """The X448 key of the alternate public key in an OEM provisioning certificate on Ed448."""

    @property
    def certificate(self) -> bytes:
        """The leaf (DER)."""
        return self.chain[0]


class Credentials(msgspec.Struct, frozen=True):
    """What the car has for one standard: P-256 for ISO 15118-2, P-521 or Ed448 for -20. None: the car has none."""

    contract: Identity | None = None
    """Contract with a mobility operator."""
    provisioning: Identity | None = None
    """OEM provisioning certificate: with it the car asks for a contract."""
    vehicle: Identity | None = None
    """Vehicle certificate: the client's in TLS 1.3."""
    roots: tuple[bytes, ...] = ()
    """V2G roots (DER): the anchors of the charger's chain and of the provisioning service's."""


class KeyStore(msgspec.Struct, frozen=True):
    """The car's credentials by standard."""

    iso2: Credentials = Credentials()
    iso20: Credentials = Credentials()
