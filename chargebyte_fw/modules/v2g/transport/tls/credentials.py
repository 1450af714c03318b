"""What a TLS server or client shows and trusts: chains with keys and OCSP responses, roots. Immutable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from chargebyte_fw.contracts.types.evse_security import CertificateInfo
from chargebyte_fw.kernel.errors import in_words

if TYPE_CHECKING:
    from cryptography import x509

OCSP_WITHOUT_END = timedelta(days=7)
"""How long a response without nextUpdate is used."""
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class CredentialError(Exception):
    """A chain, key or root cannot be used; the text has the reason and the file."""


class Root(msgspec.Struct, frozen=True):
    """What names a trust anchor."""

    certificate: bytes
    """DER."""
    subject: bytes
    """The distinguished name (DER)."""
    public_key: bytes
    """The bits of the public key."""


class OcspResponse(msgspec.Struct, frozen=True):
    """A stored OCSP response."""

    data: bytes
    """DER."""
    this_update: datetime
    next_update: datetime | None
    where: str
    serial_number: int
    """Of the certificate that it is about."""

    def fault(self, at: datetime) -> str:
        """Return why it must not be stapled at this time; empty if it may."""
        until = self.next_update or self.this_update + OCSP_WITHOUT_END
        if self.this_update <= at <= until:
            return ""
        return f"it is valid from {_date(self.this_update)} to {_date(until)}"


class Chain(msgspec.Struct, frozen=True):
    """A leaf with its sub-CAs and its private key."""

    name: str
    """Subject and serial number of the leaf, for the log."""
    certificates: tuple[bytes, ...]
    """DER, leaf first, without the root."""
    key: bytes
    """The private key (PKCS#8, DER)."""
    key_kind: str
    """`P-256`, `P-384`, `P-521`, `Ed448`, or OpenSSL's name of another kind."""
    not_before: datetime
    """From when on the whole chain is valid."""
    not_after: datetime
    root: Root | None = None
    names: frozenset[bytes] = frozenset()
    """The distinguished names of everyone who issued a certificate of the chain (DER)."""
    ocsp: OcspResponse | None = None
    """About the leaf."""
    serial_number: int = 0
    """Of the leaf."""

    def is_valid(self, at: datetime) -> bool:
        """Return whether every certificate of the chain is valid at this time."""
        return self.not_before <= at <= self.not_after


class Credentials(msgspec.Struct, frozen=True):
    """Everything a server needs; replaced as a whole when the certificate store changes."""

    chains: tuple[Chain, ...] = ()
    anchors: tuple[bytes, ...] = ()
    """Roots of client certificates (DER): V2G and OEM ([V2G20-2331], [V2G20-2401])."""

    def valid(self, at: datetime) -> tuple[Chain, ...]:
        """Return the chains that are valid at this time."""
        return tuple(chain for chain in self.chains if chain.is_valid(at))


def load_chain(info: CertificateInfo) -> Chain:
    """Return the chain that the certificate store describes, without OCSP responses; raises CredentialError."""
    path = Path(info.certificate or info.certificate_single or "")
    return make_chain(_read(path), _read(Path(info.key)), password=info.password, root=info.certificate_root or "")


def load_staple(info: CertificateInfo) -> OcspResponse | None:
    """Return the OCSP response about the leaf; None without one. Raises CredentialError."""
    path = info.ocsp[0].ocsp_path if info.ocsp else None
    return load_ocsp(_read(Path(path)), path) if path else None


def make_chain(pem: bytes, key_pem: bytes, *, password: str | None = None, root: str | bytes = b"") -> Chain:
    """Return a chain from PEM (leaf first; a root among the certificates is left out); raises CredentialError."""
    try:
        return _make_chain(pem, key_pem, password, root.encode() if isinstance(root, str) else root)
    except unreadable() as error:
        raise CredentialError(f"a certificate cannot be read: {error}") from None


def _make_chain(pem: bytes, key_pem: bytes, password: str | None, root: bytes) -> Chain:
    from cryptography.hazmat.primitives import serialization

    found = certificates(pem)
    if not found:
        raise CredentialError("there is no certificate in the chain")
    leaf, *others = found
    chain = [leaf, *(each for each in others if each.issuer != each.subject)]
    try:
        key = serialization.load_pem_private_key(key_pem, password.encode() if password else None)
    except unreadable() as error:
        raise CredentialError(
            f"the private key of {_name(leaf)} cannot be read ({error}): check private_key_password"
        ) from None
    if _public_bytes(key.public_key()) != _public_bytes(leaf.public_key()):
        raise CredentialError(f"the private key does not belong to {_name(leaf)}")
    roots = certificates(root)
    return Chain(
        _name(leaf),
        tuple(_der(each) for each in chain),
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        key_kind(leaf),
        max(each.not_valid_before_utc for each in chain),
        min(each.not_valid_after_utc for each in chain),
        make_root(roots[0]) if roots else None,
        frozenset(each.issuer.public_bytes() for each in chain),
        serial_number=leaf.serial_number,
    )


def make_chain_of(chain: Sequence[bytes], key_pem: bytes) -> Chain:
    """Return a chain from certificates in DER, leaf first, and the leaf's key; raises CredentialError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        pem = b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in chain)
    except unreadable() as error:
        raise CredentialError(f"a certificate cannot be read: {error}") from None
    return make_chain(pem, key_pem)


def make_root(certificate: x509.Certificate) -> Root:
    """Return what names a root."""
    from cryptography.hazmat.primitives import serialization

    key = certificate.public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Root(_der(certificate), certificate.subject.public_bytes(), _bits_of(info))


def load_ocsp(data: bytes, where: str) -> OcspResponse | None:
    """Return a response; None for one that does not confirm anything. Raises CredentialError."""
    from cryptography.x509 import ocsp

    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        if hasattr(response, "this_update_utc"):
            begin, end = response.this_update_utc, response.next_update_utc
        else:  # cryptography 42 has the times without a zone
            begin, end = response.this_update.replace(tzinfo=UTC), response.next_update
            end = end.replace(tzinfo=UTC) if end else None
        return OcspResponse(data, begin, end, where, response.serial_number)
    except unreadable() as error:
        raise CredentialError(f"{where} is no OCSP response: {error}") from None


def load_anchors(paths: Sequence[str]) -> tuple[bytes, ...]:
    """Return every self-signed certificate in these files or folders (DER), each once; raises CredentialError."""
    found: dict[bytes, None] = {}
    try:
        for path in map(Path, paths):
            files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
            for file in files:
                for certificate in certificates(_read(file)):
                    if certificate.issuer == certificate.subject:
                        found[_der(certificate)] = None
    except unreadable(OSError) as error:
        raise CredentialError(f"the roots of cars cannot be read: {in_words(error)}") from None
    return tuple(found)


def certificates(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates in PEM text; raises CredentialError."""
    from cryptography import x509

    if b"-----BEGIN CERTIFICATE-----" not in pem:
        return []
    try:
        return x509.load_pem_x509_certificates(pem)
    except unreadable() as error:
        raise CredentialError(f"a certificate cannot be read: {error}") from None


def key_kind(certificate: x509.Certificate) -> str:
    """Return the kind of a certificate's key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448

    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, key.curve.name)
    return "Ed448" if isinstance(key, ed448.Ed448PublicKey) else type(key).__name__


def describe(der: bytes) -> str:
    """Return subject, serial number and validity of a certificate for the log."""
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        return (
            f"{_name(certificate)}, valid from {_date(certificate.not_valid_before_utc)} "
            f"to {_date(certificate.not_valid_after_utc)}"
        )
    except unreadable() as error:
        return f"a certificate that cannot be read ({error})"


def unreadable(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return what cryptography raises for certificates, keys and responses that it does not read, and `others`."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    return ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, *others


def _name(certificate: x509.Certificate) -> str:
    return f"{certificate.subject.rfc4514_string()} (serial {certificate.serial_number:X})"


def _date(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror or error}") from None


def _der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _public_bytes(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]


def _bits_of(info: bytes) -> bytes:
    """Return the bits of the public key in a SubjectPublicKeyInfo: what RFC 6066 hashes."""
    at = 0
    at, _ = _content(info, at)
    _, end = _content(info, at)
    begin, end = _content(info, end)
    return info[begin + 1 : end]


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the DER value at `at` begins and ends."""
    length = der[at + 1]
    begin = at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[begin : begin + size], "big")
        begin += size
    return begin, begin + length
