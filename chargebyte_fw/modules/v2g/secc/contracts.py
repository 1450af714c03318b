"""A contract of Plug and Charge: its certificate chain, read and compared, and the token that authorizes with it.

Whether a chain leads to an installed root is the question of the certificate store. A session asks it by the effect
`VerifyContract` (`secc/effects.py`) and finds the answer in `session.contract_verification` (`secc/facts.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from chargebyte_fw.contracts.types import authorization, iso15118
from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult, OCSPRequestData

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

EMAID_CHARACTERS = 15
"""An eMAID with its check digit, without hyphens (ISO 15118-2 annex H); the digit may be left out."""
MOST_PEM_CHARACTERS = 5_500
"""EVerest's token carries no longer chain."""
MOST_HASH_DATA = 4
"""Nor more OCSP data."""


class ContractVerification(msgspec.Struct, frozen=True):
    """The answer of the certificate store about a contract chain."""

    chain: tuple[bytes, ...]
    """The chain in question (DER, leaf first)."""
    result: CertificateValidationResult | None
    """None: the store did not answer."""
    ocsp: tuple[OCSPRequestData, ...] = ()
    """Where the chain's revocation is known; certificates that name no responder are left out."""
    revoked: str = ""
    """Which of its certificates was revoked and when; empty: none, as far as is known here."""


class Contract(msgspec.Struct, frozen=True):
    """A contract chain that could be read."""

    chain: tuple[bytes, ...]
    """DER, the contract certificate first."""
    emaid: str
    """The common name of the contract certificate."""
    not_before: datetime
    not_after: datetime
    public_key: CertificatePublicKeyTypes
    """The key that the car signs with."""

    @property
    def pem(self) -> str:
        """The chain as PEM text."""
        return pem(self.chain)

    def is_of(self, emaid: str) -> bool:
        """Return whether it is the contract of this eMAID."""
        return same_emaid(self.emaid, emaid)

    def out_of_time(self, now: datetime) -> str:
        """Return why the contract certificate is not valid now, or nothing."""
        if now < self.not_before:
            return f"the contract is valid from {self.not_before:%Y-%m-%d %H:%M} UTC on, it is {now:%Y-%m-%d %H:%M}"
        if now > self.not_after:
            return f"the contract has expired on {self.not_after:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M}"
        return ""


def read_contract(chain: Sequence[bytes]) -> Contract:
    """Return the contract of a chain (DER, the contract certificate first); raises ValueError with the reason."""
    if not chain:
        raise ValueError("there is no contract certificate")
    certificates = [_certificate(der, place) for place, der in enumerate(chain)]
    leaf = certificates[0]
    try:
        names = [one.value for rdn in leaf.subject.rdns for one in rdn if one.oid.dotted_string == "2.5.4.3"]
        contract = Contract(
            tuple(chain),
            str(names[0]) if names else "",
            leaf.not_valid_before_utc,
            leaf.not_valid_after_utc,
            leaf.public_key(),
        )
    except Exception as error:  # the library has no common base of what it raises for odd content
        raise ValueError(f"the contract certificate cannot be read: {error}") from error
    if not contract.emaid:
        raise ValueError("the contract certificate has no common name, where the eMAID is")
    if len(contract.pem) > MOST_PEM_CHARACTERS:
        size = f"{len(contract.pem)} characters of PEM text"
        raise ValueError(f"the contract chain has {size}, a token carries {MOST_PEM_CHARACTERS}")
    return contract


def _certificate(der: bytes, place: int) -> x509.Certificate:
    # Only a contract brings the library in: most chargers serve cars without one.
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except Exception as error:  # as above
        raise ValueError(f"certificate {place + 1} of the contract chain cannot be read: {error}") from error


def pem(chain: Iterable[bytes]) -> str:
    """Return certificates (DER) as PEM text."""
    return "".join(_pem(der) for der in chain)


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def normal_emaid(text: str) -> str:
    """Return an eMAID without hyphens and in capitals: its check digit stays as it is."""
    return text.replace("-", "").upper()


def same_emaid(one: str, other: str) -> bool:
    """Return whether two eMAIDs name the same contract: hyphens, case and a missing check digit make no difference."""
    shorter, longer = sorted((normal_emaid(one), normal_emaid(other)), key=len)
    if shorter == longer:
        return True
    return len(longer) == EMAID_CHARACTERS and len(shorter) == EMAID_CHARACTERS - 1 and longer.startswith(shorter)


def contract_token(
    contract: Contract, emaid: str, verification: ContractVerification | None
) -> authorization.ProvidedIdToken:
    """Return the token of a contract, under the eMAID that the car gave."""
    hash_data = [data for one in verification.ocsp if (data := _hash_data(one)) is not None] if verification else []
    return authorization.ProvidedIdToken(
        id_token=authorization.IdToken(value=normal_emaid(emaid), type=authorization.IdTokenType.eMAID),
        authorization_type=authorization.AuthorizationType.PlugAndCharge,
        certificate=contract.pem,
        iso15118CertificateHashData=hash_data[:MOST_HASH_DATA] or None,
    )


def _hash_data(request: OCSPRequestData) -> iso15118.CertificateHashDataInfo | None:
    data = request.certificate_hash_data
    if data is None or request.responder_url is None:
        return None
    return iso15118.CertificateHashDataInfo(
        hashAlgorithm=iso15118.CertificateHashDataInfoHashAlgorithm(str(data.hash_algorithm)),
        issuerNameHash=data.issuer_name_hash,
        issuerKeyHash=data.issuer_key_hash,
        serialNumber=data.serial_number,
        responderURL=request.responder_url,
    )
