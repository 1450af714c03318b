"""One end of a TLS connection: OpenSSL between two buffers. Bytes and plaintext in, bytes and plaintext out."""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL, crypto

from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.transport.tls import alerts, bindings
from chargebyte_fw.modules.v2g.transport.tls.alerts import TlsError
from chargebyte_fw.modules.v2g.transport.tls.credentials import describe

_CHUNK = 16_384
_ALERT_READ = 0x4004
_ALERT_WRITTEN = 0x4008
_FATAL = 2
_VERSIONS = {"TLSv1.2": "1.2", "TLSv1.3": "1.3"}
_NO_CERTIFICATE = "peer did not return a certificate"

_REMEDY = {
    10: "it is expired: renew it",
    9: "it is not valid yet: check the clocks",
    18: "it is self-signed: it must be below a root that is installed",
    19: "its root is not installed: install it as V2G root, or OEM root of vehicles",
    20: "its issuer is not installed: install the root (V2G, or OEM of vehicles), or let the peer send its sub-CAs",
    21: "its issuer is missing in the chain: let the peer send its sub-CAs",
    22: "the chain is longer than the standard allows",
    24: "an issuer in the chain is no CA",
    26: "it is not made for this purpose (extended key usage)",
    7: "its signature is wrong",
}
"""What to do, by OpenSSL's result of the verification."""


class OpenSslEnd:
    """OpenSSL on buffers in memory."""

    def __init__(self, context: SSL.Context, *, server: bool, staple: bytes = b"") -> None:
        self.staple = staple
        """The OCSP response for a client that asks for one; empty: none."""
        self.check_ocsp: Callable[[bytes], bool] = lambda response: True
        """Judges the OCSP response of the server; empty: it sent none."""
        self.problem = ""
        """Why the peer's chain is refused."""
        self.peer_port = 0
        """The TCP port of the peer, for the key log."""
        self._received: int | None = None
        self._sent: int | None = None
        self._connection = SSL.Connection(context, None)
        self._connection.set_app_data(self)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    def request_ocsp(self) -> None:
        """Ask the server for an OCSP response."""
        self._connection.request_ocsp()

    # -- callbacks of OpenSSL

    def informed(self, where: int, code: int) -> None:
        """Keep the description of a fatal alert."""
        if code >> 8 != _FATAL:
            return
        if where == _ALERT_READ:
            self._received = code & 0xFF
        elif where == _ALERT_WRITTEN:
            self._sent = code & 0xFF

    def verified(self, certificate: crypto.X509, code: int, depth: int) -> None:
        """Keep why a certificate of the peer is refused."""
        if code and not self.problem:
            der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
            remedy = _REMEDY.get(code, bindings.get_error_name(code))
            self.problem = f"the peer's certificate {depth} ({describe(der)}) is refused: {remedy}"

    # -- bytes

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        view = memoryview(data)
        while view:
            view = view[self._connection.bio_write(bytes(view)) :]

    def take(self) -> bytes:
        """Return the bytes for the wire."""
        parts = []
        while True:
            try:
                parts.append(self._connection.bio_read(_CHUNK))
            except SSL.WantReadError:
                return b"".join(parts)

    # -- handshake and data

    def handshake(self) -> bool:
        """Go on with the handshake; return whether it is complete. Raises TlsError."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise self._failed(error) from None
        return True

    def read(self) -> bytes:
        """Return the plaintext that arrived, empty if none did. Raises TlsError once everything before it is read."""
        parts: list[bytes] = []
        while True:
            try:
                parts.append(self._connection.recv(_CHUNK))
            except SSL.WantReadError:
                return b"".join(parts)
            except SSL.ZeroReturnError:
                if parts:
                    return b"".join(parts)
                raise TlsError("", in_order=True) from None
            except SSL.Error as error:
                raise self._failed(error) from None

    def write(self, data: bytes) -> None:
        """Encrypt plaintext. Raises TlsError."""
        try:
            self._connection.sendall(data)
        except SSL.Error as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Send close_notify."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return  # the handshake is not complete: there is nothing to close

    @property
    def security(self) -> Security:
        """How the connection is secured."""
        chain = self._connection.get_verified_chain() or []
        shown = [one for one in chain if one.get_subject() != one.get_issuer()] or chain[:1]
        return Security(
            _VERSIONS.get(self._connection.get_protocol_version_name(), ""),
            self._connection.get_cipher_name() or "",
            tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, each) for each in shown),
        )

    def _failed(self, error: SSL.Error) -> TlsError:
        if self._received:
            return TlsError(f"the peer ended it with {alerts.received(self._received)}")
        reasons = [reason for entry in (error.args[0] if error.args else ()) if (reason := entry[2])]
        if self.problem:
            why = self.problem
        elif any(_NO_CERTIFICATE in reason for reason in reasons):
            why = "the peer shows no certificate, which TLS 1.3 of ISO 15118-20 demands"
        else:
            why = ", ".join(reasons) or str(error) or "unexpected end"
        answer = f"; answered with alert {alerts.name_of(self._sent)}" if self._sent else ""
        return TlsError(f"{why}{answer}")
