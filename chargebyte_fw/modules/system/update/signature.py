"""The signature that a signed update carries: base64, over the whole file, by the certificate's key (OCPP L01)."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

CHUNK = 1 << 20


def certificate_trouble(pem: str, at: datetime) -> str:
    """Return why the first certificate of `pem` cannot vouch for a file at time `at`, empty when it can."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        certificate = _certificate(pem)
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        return f"not readable: {error}"
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return "its key is neither RSA nor on an elliptic curve"
    if at < _not_before(certificate):
        return f"not valid before {_not_before(certificate):%Y-%m-%d}"
    if at > _not_after(certificate):
        return f"expired on {_not_after(certificate):%Y-%m-%d}"
    return ""


def signature_trouble(path: Path, pem: str, signature: str, *, pkcs1: bool = False) -> str:
    """Return why `signature` is not the one of the file under the certificate, empty when it is.

    RSA: PSS with SHA-256 and any salt length, or PKCS#1 v1.5 where `pkcs1` allows it; elliptic curves: ECDSA with
    SHA-256. Blocks while it reads the file.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    try:
        given = base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        return f"it is not base64: {error}"
    digest = hashes.Hash(hashes.SHA256())
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    hashed, algorithm = digest.finalize(), utils.Prehashed(hashes.SHA256())
    try:
        key = _certificate(pem).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            try:
                key.verify(given, hashed, salted, algorithm)
            except InvalidSignature:
                if not pkcs1:
                    raise
                key.verify(given, hashed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(given, hashed, ec.ECDSA(algorithm))
        else:
            return "the certificate's key cannot check it"
    except InvalidSignature:
        return "it does not fit the file"
    except ValueError as error:
        return str(error)
    return ""


def _certificate(pem: str) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem.encode())


def _not_before(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_before_utc.astimezone(UTC)


def _not_after(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc.astimezone(UTC)
