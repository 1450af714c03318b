"""Issues certificates and OCSP responses: the authorities of a test PKI. A charger issues nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

from chargebyte_fw.modules.security.certificates import to_pem

RESPONSE_BEFORE = timedelta(hours=1)
"""How long ago the status of an OCSP response was known to be right."""
PADDING_OID = ObjectIdentifier("1.3.6.1.4.1.99999.15118.1")
"""An extension that makes a certificate larger and means nothing."""
ALTERNATE_KEY_OID = ObjectIdentifier("2.5.29.72")
"""Extension with an alternate public key of the subject (X.509 of 2019, clause 9.8.2)."""
ED448 = "Ed448"
"""In place of a curve."""
Curve = ec.EllipticCurve | str
PrivateKey = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed448.Ed448PublicKey
_ATTRIBUTES = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "DC": NameOID.DOMAIN_COMPONENT}


class Party(msgspec.Struct, frozen=True, eq=False):
    """A certificate, its private key, and who issued it (None: itself)."""

    certificate: x509.Certificate
    key: PrivateKey
    issuer: Party | None = None
    exchange_key: x448.X448PrivateKey | None = None
    """The key of the alternate public key in the certificate."""

    @property
    def chain(self) -> list[x509.Certificate]:
        """Itself first, then its sub-CAs; without the root, unless it is the root."""
        found, party = [self.certificate], self.issuer
        while party is not None and party.issuer is not None:
            found.append(party.certificate)
            party = party.issuer
        return found

    @property
    def root(self) -> Party:
        """Return the authority at the top."""
        return self if self.issuer is None else self.issuer.root

    @property
    def der(self) -> bytes:
        """Return the certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """Return the certificate in PEM."""
        return to_pem([self.certificate])

    @property
    def chain_pem(self) -> bytes:
        """Return the chain in PEM, leaf first."""
        return to_pem(self.chain)

    def key_pem(self, password: str = "") -> bytes:
        """Return the private key in PEM (PKCS#8), encrypted when there is a password."""
        guard: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, guard)

    @property
    def exchange_key_pem(self) -> bytes:
        """Return the second private key in PEM (PKCS#8), empty without one."""
        key = self.exchange_key
        return b"" if key is None else key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def name_of(common: str, organization: str, domain: str) -> x509.Name:
    """Return a distinguished name: CN, O, C and, where there is one, DC (ISO 15118-2, Annex F)."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    for short, value in (("O", organization), ("C", "DE"), ("DC", domain)):
        if value:
            attributes.append(x509.NameAttribute(_ATTRIBUTES[short], value))
    return x509.Name(attributes)


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA512 | None:
    """Return the hash algorithm that belongs to a key: SHA-512 to P-521, none to Ed448, else SHA-256."""
    if isinstance(key, ed448.Ed448PrivateKey):
        return None
    return hashes.SHA512() if isinstance(key.curve, ec.SECP521R1) else hashes.SHA256()


def _new_key(curve: Curve | None, issuer: Party | None) -> PrivateKey:
    if curve is None and issuer is not None:
        curve = ED448 if isinstance(issuer.key, ed448.Ed448PrivateKey) else issuer.key.curve
    if curve == ED448:
        return ed448.Ed448PrivateKey.generate()
    assert not isinstance(curve, str), curve
    return ec.generate_private_key(curve or ec.SECP256R1())


def issue(
    subject: x509.Name,
    issuer: Party | None,
    *,
    begin: datetime,
    end: datetime,
    curve: Curve | None = None,
    key: PrivateKey | None = None,
    public_key: PublicKey | None = None,
    exchange_key: x448.X448PrivateKey | None = None,
    ca: bool = False,
    path_length: int | None = None,
    ocsp_url: str = "",
    key_agreement: bool = False,
    padding_bytes: int = 0,
) -> Party:
    """Issue a certificate for a new key of `curve` (default: the issuer's, else P-256), for `key` or for `public_key`.

    Without an issuer it signs itself. `exchange_key` is the key of an alternate public key; `padding_bytes` makes the
    certificate that much larger.
    """
    own = key or _new_key(curve, issuer)
    public = public_key or own.public_key()
    signer = issuer.key if issuer else own
    usage = x509.KeyUsage(
        digital_signature=not ca,
        key_agreement=key_agreement,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ocsp_url:
        responder = x509.UniformResourceIdentifier(ocsp_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, responder)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if exchange_key is not None:
        alternate = exchange_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        builder = builder.add_extension(x509.UnrecognizedExtension(ALTERNATE_KEY_OID, alternate), critical=False)
    if padding_bytes:
        extension = x509.UnrecognizedExtension(PADDING_OID, bytes(padding_bytes))
        builder = builder.add_extension(extension, critical=False)
    return Party(builder.sign(signer, digest_for(signer)), own, issuer, exchange_key)


def ocsp_response(
    party: Party, *, now: datetime, revoked: bool = False, this_update: datetime | None = None, next_days: float = 7
) -> bytes:
    """Return an OCSP response (DER) about a certificate, signed by its issuer. `next_days` 0: without nextUpdate."""
    issuer = party.issuer or party
    updated = this_update or now - RESPONSE_BEFORE
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=party.certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=updated,
            next_update=updated + timedelta(days=next_days) if next_days else None,
            revocation_time=updated if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
        .sign(issuer.key, digest_for(issuer.key))
    )
    return response.public_bytes(Encoding.DER)


def answer_ocsp(request: bytes, parties: Sequence[Party], revoked: Sequence[Party], *, now: datetime) -> bytes:
    """Answer an OCSP request (DER) as the responder of these parties does; one about an unknown certificate is refused.

    Raises ValueError for bytes that are no request.
    """
    asked = ocsp.load_der_ocsp_request(request)
    for party in parties:
        issuer = party.issuer or party
        if party.certificate.serial_number != asked.serial_number:
            continue
        builder = ocsp.OCSPRequestBuilder()
        own = builder.add_certificate(party.certificate, issuer.certificate, asked.hash_algorithm).build()
        if own.issuer_key_hash == asked.issuer_key_hash:
            return ocsp_response(party, now=now, revoked=party in revoked)
    refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    return refused.public_bytes(Encoding.DER)
