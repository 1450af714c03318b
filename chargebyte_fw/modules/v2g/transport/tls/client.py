"""The car's TLS, sans-IO: what it offers, what it shows, whom it trusts, and in words why it refuses a charger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.transport.tls.alerts import TlsError
from chargebyte_fw.modules.v2g.transport.tls.connection import TlsClientConnection
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain, unreadable
from chargebyte_fw.modules.v2g.transport.tls.policy import Profile

TIMEOUT_S = 15.0


class TlsClient(msgspec.Struct, frozen=True):
    """A car's TLS: `connection` makes a machine for each connection, which is fed as a server's is."""

    anchors: tuple[bytes, ...]
    """V2G roots (DER)."""
    versions: tuple[str, ...] = ("1.3", "1.2")
    chain: Chain | None = None
    """The vehicle certificate, shown where the charger demands one (ISO 15118-20)."""
    profile: Profile = "interoperable"
    groups: tuple[int, ...] = ()
    """What is offered; one elliptic curve where OpenSSL takes no list. Empty: what OpenSSL has."""
    ocsp: bool = True
    """Ask for an OCSP response; one that has the charger's certificate as revoked is a reason to refuse it."""
    demand_ocsp: bool = False
    """Refuse a charger that sends no OCSP response ([V2G2-875], [V2G20-2388])."""
    timeout_s: float = TIMEOUT_S

    def connection(self, at: datetime, key_log: Callable[[bytes], None] | None = None) -> TlsClientConnection:
        """Return the machine of a new connection; certificates are verified at the time `at`. Raises TlsError."""
        from OpenSSL import SSL, crypto

        from chargebyte_fw.modules.v2g.transport.tls import bindings, contexts
        from chargebyte_fw.modules.v2g.transport.tls.openssl_end import OpenSslEnd

        log: Callable[[Any, bytes], None] | None = None
        if key_log is not None:
            write = key_log
            log = lambda end, line: write(line)  # noqa: E731
        try:
            context = contexts.client_context(self.versions, self.profile, self.chain, self.anchors, self.groups, log)
        except unreadable(bindings.OpenSslError, SSL.Error, crypto.Error) as error:
            raise TlsError(f"OpenSSL does not take the car's certificates: {error}") from None
        contexts.set_time(context, at)
        end = OpenSslEnd(context, server=False)
        if self.ocsp or self.demand_ocsp:
            end.request_ocsp()
            end.check_ocsp = lambda response: self._check(end, response, at)
        return TlsClientConnection(end, self.timeout_s)

    def _check(self, end: Any, response: bytes, at: datetime) -> bool:
        """Return whether the OCSP response lets the charger pass; its reason is the end's problem."""
        if not response:
            if self.demand_ocsp:
                end.problem = "the charger sends no OCSP response"
            return not self.demand_ocsp
        end.problem = revocation(response, at)
        return not end.problem


def revocation(response: bytes, at: datetime) -> str:
    """Return why an OCSP response speaks against a certificate; empty where it does not."""
    from cryptography.x509 import ocsp

    try:
        read = ocsp.load_der_ocsp_response(response)
        if read.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return f"the OCSP response has the status {read.response_status.name}"
        status, number = read.certificate_status, read.serial_number
        if status is ocsp.OCSPCertStatus.REVOKED:
            return f"the charger's certificate with serial {number:X} is revoked: the operator must install a new one"
        return ""
    except unreadable() as error:
        return f"the OCSP response cannot be read ({error})"
