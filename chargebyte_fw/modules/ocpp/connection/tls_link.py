"""TLS towards the CSMS: what it is judged by and what it is shown, and what a failure means (ocpp.md 2.4)."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    EncodingFormat,
    GetCertificateInfoStatus,
    LeafCertificateType,
)
from chargebyte_fw.kernel.errors import CommandError, in_words
from chargebyte_fw.modules.ocpp.connection.settings import ClientFiles, Credentials, TlsSettings
from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed

FAILED_TO_AUTHENTICATE = "FailedToAuthenticateAtCsms"
INVALID_CERTIFICATE = "InvalidCsmsCertificate"
INVALID_VERSION = "InvalidTLSVersion"
INVALID_SUITE = "InvalidTLSCipherSuite"
OF_OUR_CERTIFICATE = (
    "BAD_CERTIFICATE",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "UNSUPPORTED_CERTIFICATE",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
)
"""Alerts by which a CSMS refuses the certificate of the station."""


class TlsFiles(msgspec.Struct, frozen=True):
    """What EvseSecurity has installed, as paths."""

    roots: str = ""
    """A file with roots of CSMSs, or a folder as OpenSSL reads one; empty: none is installed."""
    chain: str = ""
    """The client's certificate chain; empty: none is installed."""
    key: str = ""
    password: str | None = None
    only_root: str = ""
    """PEM of the one root that counts in place of `roots`; empty: those."""

    @property
    def credentials(self) -> Credentials:
        """What the preconditions of the security profiles ask for."""
        return Credentials(csms_root=bool(self.roots), client_certificate=bool(self.chain))


class Certificates(ABC):
    """Where a link asks for files and context, before each attempt with TLS."""

    @abstractmethod
    async def files(self) -> TlsFiles:
        """Return what is installed now."""

    def context(self, settings: TlsSettings, files: TlsFiles, *, with_client_certificate: bool) -> ssl.SSLContext:
        """Return the context of one attempt, called in a thread; raises HandshakeFailed."""
        return context(settings, files, with_client_certificate=with_client_certificate)


class NoCertificates(Certificates):
    """A station without EvseSecurity: the system's roots alone."""

    async def files(self) -> TlsFiles:
        """Return nothing."""
        return TlsFiles()


class InstalledCertificates(Certificates):
    """The certificates of EvseSecurity: the newest valid chain of the station, and the roots for a CSMS."""

    def __init__(self, security: EvseSecurity) -> None:
        self._security = security

    async def files(self) -> TlsFiles:
        """Return what is installed now; nothing while EvseSecurity does not answer."""
        try:
            roots = await self._security.get_verify_location(CaCertificateType.CSMS)
            found = await self._security.get_leaf_certificate_info(LeafCertificateType.CSMS, EncodingFormat.PEM, False)
        except CommandError:
            return TlsFiles()
        info = found.info
        if found.status is not GetCertificateInfoStatus.Accepted or info is None:
            return TlsFiles(roots)
        return TlsFiles(roots, info.certificate or info.certificate_single or "", info.key, info.password)


def discard(files: ClientFiles, kept: ClientFiles) -> None:
    """Delete a client certificate with its key, but nothing that another one has too; OSError is the caller's.

    EVerest's interface of EvseSecurity has no command for it: its `delete_certificate` keeps those of the station.
    """
    for path in (files.single, files.chain, files.key):  # a key without its certificate is no harm
        if path and path not in (kept.single, kept.chain, kept.key):
            Path(path).unlink(missing_ok=True)


def context(settings: TlsSettings, files: TlsFiles, *, with_client_certificate: bool) -> ssl.SSLContext:
    """Return the context of one attempt, from files; raises HandshakeFailed where something of it cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # A00.FR.312: no version below 1.2
    made.check_hostname = settings.check_host_name
    try:
        _trust(made, settings, files)
    except (OSError, ssl.SSLError) as error:
        why = in_words(error, of_file=False)
        raise HandshakeFailed(f"the root certificates of the CSMS in {files.roots} cannot be read: {why}") from None
    if settings.ciphers_tls12:
        try:
            made.set_ciphers(":".join(settings.ciphers_tls12))
        except ssl.SSLError:
            raise HandshakeFailed(f"SupportedCiphers12 has no cipher that is known: {settings.ciphers_tls12}") from None
    choose = getattr(made, "set_ciphersuites", None)  # of Python 3.15; before, OpenSSL's own choice holds
    if settings.ciphers_tls13 and choose is not None:
        try:
            choose(":".join(settings.ciphers_tls13))
        except ssl.SSLError:
            raise HandshakeFailed(f"SupportedCiphers13 has no cipher that is known: {settings.ciphers_tls13}") from None
    if with_client_certificate:
        if settings.use_tpm:
            raise HandshakeFailed("UseTPM: a client key in a TPM is not available; set it to false")
        try:
            made.load_cert_chain(files.chain, files.key, files.password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise HandshakeFailed(
                f"the client certificate {files.chain} cannot be used: {in_words(error, of_file=False)}"
            ) from None
    if settings.key_log:
        made.keylog_filename = settings.key_log
    return made


def _trust(made: ssl.SSLContext, settings: TlsSettings, files: TlsFiles) -> None:
    """Load the roots that a CSMS is judged by."""
    if settings.system_roots:
        made.load_default_certs()
    if settings.partial_chain:
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if files.only_root:
        made.load_verify_locations(cadata=files.only_root)
    elif files.roots:
        is_folder = Path(files.roots).is_dir()
        made.load_verify_locations(None if is_folder else files.roots, files.roots if is_folder else None)


def check_name(certificate: dict[str, object], host: str, settings: TlsSettings) -> None:
    """Raise HandshakeFailed for a certificate that has the host only as a wildcard, where that is not allowed."""
    if not settings.check_host_name or settings.allow_wildcards:
        return
    alternatives: object = certificate.get("subjectAltName", ())
    names = [value for _, value in alternatives]  # type: ignore[attr-defined]
    if not names:
        subject: object = certificate.get("subject", ())
        names = [value for part in subject for key, value in part if key == "commonName"]  # type: ignore[attr-defined]
    if host.casefold() not in (name.casefold() for name in names) and any("*" in name for name in names):
        text = f"the certificate of the CSMS names {host} only as a wildcard (VerifyCsmsAllowWildcards)"
        raise HandshakeFailed(text, INVALID_CERTIFICATE)


def failure(error: ssl.SSLError) -> HandshakeFailed:
    """Return what a failed TLS handshake means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return HandshakeFailed(f"the certificate of the CSMS is refused: {error.verify_message}", INVALID_CERTIFICATE)
    reason = error.reason or str(error)
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason or "DOWNGRADE" in reason:
        return HandshakeFailed("the CSMS offers no version of TLS from 1.2 on", INVALID_VERSION)
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER_FAILURE" in reason:
        return HandshakeFailed("the CSMS does not speak TLS on this port")
    if "HANDSHAKE_FAILURE" in reason or "NO_SHARED_CIPHER" in reason or "NO_CIPHERS" in reason:
        return HandshakeFailed("there is no cipher suite that both sides have", INVALID_SUITE)
    if any(name in reason for name in OF_OUR_CERTIFICATE):
        return HandshakeFailed(f"the CSMS refuses the certificate of the station: {reason}", FAILED_TO_AUTHENTICATE)
    return HandshakeFailed(f"TLS: {reason}")
