"""Chains for TLS: V2G and OEM roots with sub-CAs, SECC leaves and vehicles of each kind of key; made on demand."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain, load_ocsp, make_chain

DAY = timedelta(days=1)
KINDS: dict[str, Callable[[], Any]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed448": ed448.Ed448PrivateKey.generate,
}
HASHES: dict[str, Any] = {"P-256": hashes.SHA256(), "P-384": hashes.SHA384(), "P-521": hashes.SHA512(), "Ed448": None}


@dataclass(frozen=True)
class Party:
    certificate: x509.Certificate
    key: Any
    kind: str
    issuer: Party | None = None

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def root(self) -> Party:
        return self if self.issuer is None else self.issuer.root

    @property
    def chain_pem(self) -> bytes:
        """Leaf first, without the root."""
        return b"" if self.issuer is None else self.pem + self.issuer.chain_pem

    def chain(self, staple: bytes = b"") -> Chain:
        chain = make_chain(self.chain_pem, self.key_pem, root=self.root.pem)
        if staple:
            from msgspec.structs import replace

            chain = replace(chain, ocsp=load_ocsp(staple, "ocsp/leaf.der"))
        return chain


def issue(
    common: str,
    issuer: Party | None = None,
    *,
    kind: str = "P-256",
    ca: bool = True,
    begin: datetime = VIRTUAL_EPOCH - DAY,
    end: datetime = VIRTUAL_EPOCH + 365 * DAY,
    key: Any = None,
) -> Party:
    key = key or KINDS[kind]()
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "T")]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(issuer.key if issuer else key, HASHES[issuer.kind if issuer else kind])
    )
    return Party(certificate, key, kind, issuer)


def cas(title: str = "V2G", kind: str = "P-256") -> Party:
    """Return the lower of two sub-CAs below a root."""
    return _cas(title, kind)


@functools.cache
def _cas(title: str, kind: str) -> Party:
    root = issue(f"{title} root {kind}", kind=kind)
    return issue(f"{title} sub 2", issue(f"{title} sub 1", root, kind=kind), kind=kind)


def leaf(common: str = "SECC", title: str = "V2G", kind: str = "P-256") -> Party:
    return _leaf(common, title, kind)


@functools.cache
def _leaf(common: str, title: str, kind: str) -> Party:
    return issue(common, cas(title, kind), kind=kind, ca=False)


def vehicle(kind: str = "P-256", title: str = "V2G") -> Party:
    return leaf("WMIV0A1B2C3D4E5F60", title, kind)


def staple(
    party: Party,
    this_update: datetime = VIRTUAL_EPOCH - DAY,
    next_update: datetime | None = VIRTUAL_EPOCH + 6 * DAY,
    *,
    revoked: bool = False,
) -> bytes:
    """Return the OCSP response about a certificate, signed by its issuer."""
    assert party.issuer is not None
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=party.certificate,
        issuer=party.issuer.certificate,
        algorithm=hashes.SHA256(),
        cert_status=status,
        this_update=this_update,
        next_update=next_update,
        revocation_time=this_update if revoked else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, party.issuer.certificate)
    return builder.sign(party.issuer.key, HASHES[party.issuer.kind]).public_bytes(Encoding.DER)
