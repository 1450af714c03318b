"""OCSP responses (RFC 6960): what one states of a certificate, whether cars believe it, the files that keep them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from chargebyte_fw.contracts.types.evse_security import CertificateHashData, HashAlgorithm
from chargebyte_fw.modules.security.certificates import NO_EXTENSION, NOT_SIGNED, Certificate, is_issued_by
from chargebyte_fw.modules.security.layout import OCSP_FOLDER, files_in, read_file

KNOWN_FILES = 256
LASTS_WITHOUT_END = timedelta(days=7)
"""How long a response without nextUpdate is used."""


class Status(StrEnum):
    """What a response states of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Response(msgspec.Struct, frozen=True):
    """What a response states of one certificate, since when it is known and until when it holds."""

    status: Status
    this_update: datetime
    until: datetime
    revoked_at: datetime | None = None

    def is_current(self, at: datetime) -> bool:
        """Return whether a car would take it at this time."""
        return self.this_update <= at <= self.until


def read_response(data: bytes, certificate: Certificate) -> Response:
    """Return what a response (DER) states of a certificate; raises ValueError with the reason if nothing."""
    for entry in _entries(_load(data)):
        if entry.serial_number == certificate.serial_number:
            this_update, end = _time(entry, "this_update"), _time(entry, "next_update")
            if this_update is None:
                continue
            status = Status[entry.certificate_status.name]
            revoked_at = _time(entry, "revocation_time")
            return Response(status, this_update, end or this_update + LASTS_WITHOUT_END, revoked_at)
    raise ValueError("it is about another certificate")


def check_response(data: bytes, certificate: Certificate, issuer: Certificate) -> Response:
    """Return what a response states if the issuer, or a responder that it has named, signed it; raises ValueError."""
    response = _load(data)
    read = read_response(data, certificate)
    for signer in (issuer, *_delegates(response, issuer)):
        if _is_signed_by(response, signer):
            return read
    raise ValueError("its signature is not of the issuer, nor of a responder that the issuer has named")


def _load(data: bytes) -> ocsp.OCSPResponse:
    response = ocsp.load_der_ocsp_response(data)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError(f"the responder answered {response.response_status.name.lower()}")
    return response


def _entries(response: ocsp.OCSPResponse) -> Iterator[Any]:
    yield from response.responses


def _time(entry: Any, name: str) -> datetime | None:
    """Return a time in UTC; cryptography 42 has it without a zone."""
    if hasattr(entry, f"{name}_utc"):
        found: datetime | None = getattr(entry, f"{name}_utc")
        return found
    plain: datetime | None = getattr(entry, name)
    return plain.replace(tzinfo=UTC) if plain is not None else None


def _delegates(response: ocsp.OCSPResponse, issuer: Certificate) -> list[Certificate]:
    found = []
    for certificate in response.certificates:
        try:
            usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except NO_EXTENSION:
            continue
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and is_issued_by(certificate, issuer):
            found.append(certificate)
    return found


def _is_signed_by(response: ocsp.OCSPResponse, signer: Certificate) -> bool:
    signature, signed = response.signature, response.tbs_response_bytes
    try:
        key, algorithm = signer.public_key(), response.signature_hash_algorithm
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(algorithm, hashes.HashAlgorithm):
            key.verify(signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(algorithm, hashes.HashAlgorithm):
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ed448.Ed448PublicKey | ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except NOT_SIGNED:
        return False
    return True


def hash_lines(name: CertificateHashData) -> bytes:
    """Write a certificate's name as the four lines of a `.hash` file."""
    parts = (name.hash_algorithm.value, name.issuer_name_hash, name.issuer_key_hash, name.serial_number)
    return "".join(f"{part}\n" for part in parts).encode()


def file_of(folder: Path, name: CertificateHashData) -> Path | None:
    """Return the file of the response for a certificate, kept beside the certificates of `folder`."""
    for path in files_in(folder / OCSP_FOLDER, ".hash"):
        response = path.with_suffix(".der")
        if _read_hash(path) == name and response.is_file():
            return response
    return None


def _read_hash(path: Path) -> CertificateHashData | None:
    """Return what a `.hash` file names; it is parsed again only when it has changed."""
    try:
        found = path.stat()
        return _parsed_hash(path, found.st_mtime_ns, found.st_size)
    except (OSError, ValueError, IndexError):
        return None


@lru_cache(maxsize=KNOWN_FILES)
def _parsed_hash(path: Path, _time_ns: int, _size: int) -> CertificateHashData:
    lines = read_file(path).decode("ascii").split()
    return CertificateHashData(
        hash_algorithm=HashAlgorithm(lines[0]),
        issuer_name_hash=lines[1].lower(),
        issuer_key_hash=lines[2].lower(),
        serial_number=lines[3].lower().lstrip("0") or "0",
    )
