"""A public key infrastructure for tests: roots, sub-CAs, leaves, with times around the virtual clock's beginning."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security import issuing


@dataclass
class Party:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def key_pem(self, password: str = "") -> bytes:
        guard = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard)


def name(common: str, domain: str = "V2G") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test  PKI Ünion"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, domain),
        ]
    )


def issue(
    common: str,
    issuer: Party | None = None,
    *,
    ca: bool = True,
    days: float = 365.0,
    begin_days: float = -1.0,
    public_key: ec.EllipticCurvePublicKey | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    ocsp: str | None = None,
    domain: str = "CPO",
) -> Party:
    """Issue a certificate; without an issuer it signs itself. `domain` is the DC of one that is no CA."""
    subject = name(common, "V2G" if ca else domain)
    own = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public_key or own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VIRTUAL_EPOCH + timedelta(days=begin_days))
        .not_valid_after(VIRTUAL_EPOCH + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if ocsp is not None:
        where = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([where]), critical=False)
    return Party(builder.sign(issuer.key if issuer else own, hashes.SHA256()), own)


@dataclass
class Chain:
    """Root, two sub-CAs and a leaf, as ISO 15118-2 has them."""

    root: Party
    sub1: Party
    sub2: Party
    leaf: Party

    @property
    def pem(self) -> str:
        """Leaf first, without the root."""
        return self.leaf.pem + self.sub2.pem + self.sub1.pem


def chain(title: str = "V2G", root: Party | None = None, **leaf: object) -> Chain:
    root = root or issue(f"{title} root")
    sub1 = issue(f"{title} sub 1", root, ocsp="http://ocsp.test/sub1")
    sub2 = issue(f"{title} sub 2", sub1, ocsp="http://ocsp.test/sub2")
    return Chain(root, sub1, sub2, issue(f"{title} leaf", sub2, ca=False, ocsp="http://ocsp.test/leaf", **leaf))  # type: ignore[arg-type]


def ocsp_about(party: Party, issuer: Party, **how: Any) -> str:
    """An OCSP response (base64 of the DER) signed by the issuer; `how` as in `issuing.ocsp_response`."""
    signer = issuing.Party(issuer.certificate, issuer.key)
    about = issuing.Party(party.certificate, party.key, signer)
    return base64.b64encode(issuing.ocsp_response(about, **{"now": VIRTUAL_EPOCH, **how})).decode()
