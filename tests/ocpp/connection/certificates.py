"""Certificates of a CSMS and of a station, valid by the real clock: made once a session."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates, TlsFiles

Issued = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@cache
def issue(
    common: str, issuer: Issued | None = None, *, names: tuple[str, ...] = (), days: float = 30.0, ca: bool = False
) -> Issued:
    """Issue a certificate; without an issuer it is a root. `names` are DNS names or addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca or issuer is None, path_length=None), critical=True)
    )
    if names:
        found: list[x509.GeneralName] = []
        for name in names:
            try:
                found.append(x509.IPAddress(ip_address(name)))
            except ValueError:
                found.append(x509.DNSName(name))
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def root() -> Issued:
    """The root of every good certificate here."""
    return issue("Root")


def write(folder: Path, name: str, issued: Issued) -> tuple[str, str]:
    """Write a certificate and its key; returns the paths."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(issued[0].public_bytes(Encoding.PEM))
    key.write_bytes(issued[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(certificate), str(key)


def server(folder: Path, issued: Issued, *, wants_client: bool = False) -> ssl.SSLContext:
    """Return the context of a CSMS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write(folder, "server", issued))
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(write(folder, "root", root())[0])
    return context


class Installed(Certificates):
    """What EvseSecurity would have: a root, and a client certificate."""

    def __init__(self, folder: Path, client: Issued | None = None, trusted: Issued | None = None) -> None:
        roots = write(folder, "trusted", trusted or root())[0]
        self.found = TlsFiles(roots, *write(folder, "client", client)) if client else TlsFiles(roots)

    async def files(self) -> TlsFiles:
        """Return it."""
        return self.found
