"""Contract chains of ISO 15118-2 for tests: P-256, made in memory, with whatever is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMAID = "DE-KL2-C00012345-U"


class Issued(msgspec.Struct, frozen=True):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of this name, the same in a whole test run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def issue(
    name: str,
    issuer: Issued | None,
    *,
    ca: bool = False,
    since: datetime = NOW - timedelta(days=30),
    until: datetime = NOW + timedelta(days=365),
    ocsp: str | None = None,
    padding: int = 0,
) -> Issued:
    """Sign a certificate with the common name `name`; without an issuer it is a root."""
    own = key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if ocsp is not None:
        url = x509.UniformResourceIdentifier(ocsp)
        access = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url)]
        builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    if padding:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, bytes(padding)), critical=False)
    return Issued(builder.sign(own if issuer is None else issuer.key, hashes.SHA256()), own)


class Chain(msgspec.Struct, frozen=True):
    """A contract with its sub-CAs and root."""

    leaf: Issued
    subs: tuple[Issued, ...]
    root: Issued

    @property
    def der(self) -> tuple[bytes, ...]:
        return (self.leaf.der, *(one.der for one in self.subs))


@cache
def chain(emaid: str = EMAID, **leaf: Any) -> Chain:
    """A contract, two sub-CAs, a root."""
    root = issue("MO root", None, ca=True)
    sub1 = issue("MO sub 1", root, ca=True, ocsp="http://ocsp.example/1")
    sub2 = issue("MO sub 2", sub1, ca=True, ocsp="http://ocsp.example/2")
    leaf.setdefault("ocsp", "http://ocsp.example/leaf")
    return Chain(issue(emaid, sub2, **leaf), (sub2, sub1), root)
