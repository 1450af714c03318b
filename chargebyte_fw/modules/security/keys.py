"""Private keys: read with the configured password, compared with certificates, made for a signing request."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from chargebyte_fw.modules.security.layout import read_file

CHUNK_BYTES = 1 << 20
LONGEST_NAME = 64
"""Most characters of an organization and a common name (X.520; cryptography checks it from version 43 on)."""


def public_bytes(certificate: x509.Certificate) -> bytes:
    """Return the certificate's public key in a form that can be compared."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_public(path: Path, password: str) -> bytes | None:
    """Return the public half of a key file, None when it cannot be read with the password or is no key."""
    try:
        data = read_file(path)
    except OSError:
        return None
    return read_public_of(data, password)


def read_public_of(data: bytes, password: str) -> bytes | None:
    """Return the public half of a key (PEM), None when it cannot be read with the password or is no key."""
    for secret in (password.encode() or None, None):
        try:
            key = load_pem_private_key(data, secret)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return None


def new_key_and_request(country: str, organization: str, common: str, password: str) -> tuple[bytes, bytes]:
    """Return a new P-256 key (PKCS#8 PEM, encrypted when there is a password) and a PKCS#10 request for it (PEM).

    The subject is C, O, CN, DC=CPO, in this order (ISO 15118-2, SECC certificate), without C where the country is
    empty: a station of OCPP 1.6 has none to give. Raises ValueError for a bad name.
    """
    for what, value in (("organization", organization), ("common name", common)):
        if not 0 < len(value) <= LONGEST_NAME:
            raise ValueError(f"the {what} has {len(value)} characters, it may have 1 to {LONGEST_NAME}")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            *([x509.NameAttribute(NameOID.COUNTRY_NAME, country)] if country else []),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "CPO"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        key_agreement=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(usage, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    guard: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard), request.public_bytes(Encoding.PEM)


def file_is_signed(path: Path, certificate: x509.Certificate, signature: str) -> bool:
    """Return whether `signature` (base64) over the file's SHA-256 was made with the certificate's key."""
    digest = hashes.Hash(hashes.SHA256())
    try:
        raw = base64.b64decode("".join(signature.split()), validate=True)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except (binascii.Error, OSError):
        return False
    key = certificate.public_key()
    prehashed = Prehashed(hashes.SHA256())
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(raw, digest.finalize(), ec.ECDSA(prehashed))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(raw, digest.finalize(), padding.PKCS1v15(), prehashed)
        else:
            return False
    except InvalidSignature:
        return False
    return True
