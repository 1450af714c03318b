"""Keys of contract issuers, with which prices for their contracts are signed where the charger has them.

A car with a contract believes prices that its contract's issuer has signed, the sub-CA of the mobility operator (ISO
15118-2 clause 8.5.2.15: SalesTariff; -20: price schedules). EVerest's interfaces carry no such signature. A charger
whose operator is the issuer, as in a fleet or a home, may have its key in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from chargebyte_fw.modules.v2g.secc.contracts import Contract

_BEGIN = b"-----BEGIN "


def read_price_keys(pem: bytes) -> tuple[PrivateKeyTypes, ...]:
    """Return the private keys of a PEM file, which are not encrypted; raises ValueError with the reason."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    keys = []
    for part in pem.split(_BEGIN)[1:]:
        if b"PRIVATE KEY" not in part.partition(b"\n")[0]:
            continue
        try:
            keys.append(load_pem_private_key(_BEGIN + part, None))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(f"key {len(keys) + 1} cannot be read: {error}") from error
    if not keys:
        raise ValueError("there is no private key in it")
    return tuple(keys)


def key_of_issuer(contract: Contract | None, keys: Sequence[PrivateKeyTypes]) -> Any:
    """Return the key that belongs to the issuer of a contract, None where it is not among these."""
    if contract is None or not keys:
        return None
    from cryptography import x509

    certificates = [x509.load_der_x509_certificate(der) for der in contract.chain]
    for issuer in certificates[1:]:
        if issuer.subject == certificates[0].issuer:
            return next((key for key in keys if key.public_key() == issuer.public_key()), None)
    return None
