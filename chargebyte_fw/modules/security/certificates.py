"""X.509: reading certificates, naming them as OCSP does, and building the path from a leaf to a root."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from chargebyte_fw.contracts.types.evse_security import CertificateHashData, CertificateValidationResult, HashAlgorithm

Certificate = x509.Certificate
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
UNREADABLE: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate, or a part of it, can raise."""
NOT_SIGNED: tuple[type[Exception], ...] = (*UNREADABLE, InvalidSignature)
NO_EXTENSION: tuple[type[Exception], ...] = (*UNREADABLE, x509.ExtensionNotFound)
MAX_CHAIN = 16
"""A chain with more certificates is not looked at (ISO 15118 allows a leaf and two sub-CAs)."""
KNOWN_SIGNATURES = 512
"""So many checked signatures are remembered: one on P-521 takes milliseconds on a charger."""
MAX_LOOKS = 200
"""So many signatures are checked for one path: certificates that sign each other in circles lead nowhere soon."""
CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_HASHES: dict[HashAlgorithm, hashes.HashAlgorithm] = {
    HashAlgorithm.SHA256: hashes.SHA256(),
    HashAlgorithm.SHA384: hashes.SHA384(),
    HashAlgorithm.SHA512: hashes.SHA512(),
}


def parse(data: bytes) -> list[Certificate]:
    """Return the certificates of PEM text or of one DER value, in their order; raises ValueError for anything else.

    Text around the PEM blocks, and blocks that are no certificates, count for nothing.
    """
    if not data.strip():
        return []
    if _BEGIN in data:
        blocks = (part.partition(_END) for part in data.split(_BEGIN)[1:])
        return [_load(_BEGIN + body + end, x509.load_pem_x509_certificate) for body, end, _ in blocks]
    return [_load(data, x509.load_der_x509_certificate)]


def _load(data: bytes, load: Callable[[bytes], Certificate]) -> Certificate:
    """Return a certificate; raises ValueError also when only a part that is read later cannot be read."""
    try:
        certificate = load(data)
        certificate.public_key()
        # Each is decoded when it is first read.
        _ = certificate.subject, certificate.issuer, certificate.serial_number
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return certificate


def parse_leniently(data: bytes) -> tuple[list[Certificate], str]:
    """Return the certificates of a file that can be read, and what is wrong with it (empty: nothing)."""
    if b"-----BEGIN" not in data:
        try:
            return parse(data), ""
        except ValueError as error:
            return [], f"holds no certificate: {error}"
    found: list[Certificate] = []
    wrong = 0
    blocks = data.split(_BEGIN)[1:]
    for block in blocks:
        body, end, _ = block.partition(_END)
        try:
            found.append(_load(_BEGIN + body + end, x509.load_pem_x509_certificate))
        except ValueError:
            wrong += 1
    if not blocks:
        return [], "holds no certificate"
    return found, f"has {wrong} of {len(blocks)} certificates that cannot be read" if wrong else ""


def to_pem(certificates: Iterable[Certificate]) -> bytes:
    """Write certificates one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def fingerprint(certificate: Certificate) -> bytes:
    """Return what no other certificate has."""
    return certificate.fingerprint(hashes.SHA256())


@lru_cache(maxsize=KNOWN_SIGNATURES)
def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether `issuer` has signed the certificate (names and signature)."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except NOT_SIGNED:
        return False
    return True


class Issuers:
    """Certificates that may have signed others, found by name so that a large store does not try each with each."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._by_subject: dict[x509.Name, list[Certificate]] = {}
        for certificate in certificates:
            self._by_subject.setdefault(certificate.subject, []).append(certificate)

    def of(self, certificate: Certificate) -> Certificate | None:
        """Return the one that has signed this certificate."""
        candidates = self._by_subject.get(certificate.issuer, [])
        return next((each for each in candidates if is_issued_by(certificate, each)), None)


def is_self_signed(certificate: Certificate) -> bool:
    """Return whether it is a root."""
    return certificate.issuer == certificate.subject and is_issued_by(certificate, certificate)


def is_ca(certificate: Certificate) -> bool:
    """Return whether it may sign others (basic constraints)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except NO_EXTENSION:
        return False


def has_expired(certificate: Certificate, at: datetime) -> bool:
    """Return whether its time is over."""
    return at > certificate.not_valid_after_utc


def is_valid(certificate: Certificate, at: datetime) -> bool:
    """Return whether `at` is within its time."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def describe(certificate: Certificate) -> str:
    """Return the common name and the serial number (hexadecimal, as OCSP writes it)."""
    return f"{common_name(certificate)} (serial {certificate.serial_number:x})"


def common_name(certificate: Certificate) -> str:
    """Return the CN of the subject, or the whole subject without one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def domains(certificate: Certificate) -> list[str]:
    """Return the domain components (DC) of the subject: what the certificate is for (ISO 15118-2, Annex F)."""
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)]


def curve(certificate: Certificate) -> str:
    """Return the kind of the public key: the name of the curve, `Ed448`, `RSA`; raises ValueError for a broken one."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVE_NAMES.get(key.curve.name, key.curve.name)
    return type(key).__name__.strip("_").removesuffix("PublicKey")


def hash_data(
    certificate: Certificate, issuer: Certificate, algorithm: HashAlgorithm = HashAlgorithm.SHA256
) -> CertificateHashData:
    """Return the certificate's name as OCSP forms it (RFC 6960, CertID): hashes of its issuer's name and key."""
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _HASHES[algorithm]).build()
    return CertificateHashData(
        hash_algorithm=algorithm,
        issuer_name_hash=request.issuer_name_hash.hex(),
        issuer_key_hash=request.issuer_key_hash.hex(),
        serial_number=f"{certificate.serial_number:x}",
    )


def is_named(certificate: Certificate, issuer: Certificate, name: CertificateHashData) -> bool:
    """Return whether `name` means this certificate; letter case and leading zeros do not matter."""
    own = hash_data(certificate, issuer, name.hash_algorithm)
    return (
        own.issuer_name_hash == name.issuer_name_hash.lower()
        and own.issuer_key_hash == name.issuer_key_hash.lower()
        and own.serial_number == (name.serial_number.lower().lstrip("0") or "0")
    )


def ocsp_url(certificate: Certificate) -> str | None:
    """Return the address of the OCSP responder that the certificate names."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except NO_EXTENSION:
        return None
    for description in access:
        if description.access_method == AuthorityInformationAccessOID.OCSP:
            location = description.access_location
            return location.value if isinstance(location, x509.UniformResourceIdentifier) else None
    return None


def path_to_root(
    leaf: Certificate, others: Sequence[Certificate], roots: Sequence[Certificate]
) -> tuple[CertificateValidationResult, list[Certificate]]:
    """Return the path leaf to root, or why there is none. Self-signed certificates among the others count for nothing.

    Times are not looked at: the clock of a charger may be wrong, and an expired leaf is the caller's question.
    """
    between = [other for other in others if not is_self_signed(other) and is_ca(other)]
    forged = False
    looks = MAX_LOOKS

    def climb(path: list[Certificate]) -> list[Certificate] | None:
        nonlocal forged, looks
        current = path[-1]
        for issuer in [*roots, *between]:
            if issuer in path or issuer.subject != current.issuer or looks <= 0:
                continue
            looks -= 1
            if not is_issued_by(current, issuer):
                forged = True
                continue
            if issuer in roots:
                return [*path, issuer]
            if len(path) < MAX_CHAIN and (found := climb([*path, issuer])) is not None:
                return found
        return None

    if leaf in roots:
        return CertificateValidationResult.Valid, [leaf]
    found = climb([leaf])
    if found is not None:
        return CertificateValidationResult.Valid, found
    reason = CertificateValidationResult.InvalidSignature if forged else CertificateValidationResult.IssuerNotFound
    return reason, []


def name_hash(certificate: Certificate) -> str:
    """Return the eight digits under which OpenSSL looks for a certificate in a folder (`X509_NAME_hash`).

    It is over a canonical form of the subject: UTF-8, lower case, white space collapsed, without the outer sequence.
    """
    content = b""
    for rdn in certificate.subject.rdns:
        pairs = []
        for attribute in rdn:
            value = attribute.value if isinstance(attribute.value, str) else attribute.value.decode("latin-1")
            # Of bytes, because only ASCII letters and spaces count here.
            text = b" ".join(value.encode().split()).lower()
            pairs.append(_der(0x30, _der_oid(attribute.oid.dotted_string) + _der(0x0C, text)))
        content += _der(0x31, b"".join(sorted(pairs)))
    return f"{int.from_bytes(hashlib.sha1(content).digest()[:4], 'little'):08x}"


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _der_oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = b""
    for number in [first * 40 + second, *rest]:
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | (number & 0x7F))
        content += bytes(reversed(septets))
    return _der(0x06, content)
