"""The hashes by which a CSMS names a certificate, as the store has them, in both generations (M03, M04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chargebyte_fw.contracts.types import evse_security as security

if TYPE_CHECKING:
    # A station of one generation does not load the messages of the other one.
    from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType as HashData2
    from chargebyte_fw.modules.ocpp.messages.v16.security import CertificateHashDataType as HashData16


def of_store(data: HashData16 | HashData2) -> security.CertificateHashData:
    """Return the hashes of a message as the store takes them."""
    return security.CertificateHashData(
        hash_algorithm=security.HashAlgorithm(data.hash_algorithm.value),
        issuer_name_hash=data.issuer_name_hash,
        issuer_key_hash=data.issuer_key_hash,
        serial_number=data.serial_number,
    )
