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


def issuing_root(result: security.GetInstalledCertificatesResult) -> security.CertificateHashData | None:
    """Return the V2G root that a new certificate of the station is to lead to (2.1, A02, A03).

    It is that of the installed chains where they have one in common, without a chain the only root; otherwise None.
    """
    kinds = security.CertificateType
    chains = result.certificate_hash_data_chain
    roots = [one.certificate_hash_data for one in chains if one.certificate_type is kinds.V2GRootCertificate]
    own = [one for one in chains if one.certificate_type is kinds.V2GCertificateChain]
    tops = [(one.child_certificate_hash_data or [one.certificate_hash_data])[-1] for one in own]
    found = [root for root in roots if not tops or any(_is_issuer(root, top) for top in tops)]
    return found[0] if len(found) == 1 else None


def _is_issuer(root: security.CertificateHashData, of: security.CertificateHashData) -> bool:
    """Whether a certificate has the name and key of a root as its issuer; a root is its own issuer."""
    return (root.hash_algorithm, root.issuer_name_hash, root.issuer_key_hash) == (
        of.hash_algorithm,
        of.issuer_name_hash,
        of.issuer_key_hash,
    )
