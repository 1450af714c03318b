"""TLS alerts: their numbers (RFC 8446 clause 6), what each means between car and charger, and the record of one."""

from __future__ import annotations

from enum import IntEnum

from chargebyte_fw.kernel.errors import PeerError

_FATAL = 2


class Alert(IntEnum):
    """An alert description."""

    close_notify = 0
    unexpected_message = 10
    bad_record_mac = 20
    record_overflow = 22
    handshake_failure = 40
    bad_certificate = 42
    unsupported_certificate = 43
    certificate_revoked = 44
    certificate_expired = 45
    certificate_unknown = 46
    illegal_parameter = 47
    unknown_ca = 48
    access_denied = 49
    decode_error = 50
    decrypt_error = 51
    protocol_version = 70
    insufficient_security = 71
    internal_error = 80
    inappropriate_fallback = 86
    user_canceled = 90
    no_renegotiation = 100
    missing_extension = 109
    unsupported_extension = 110
    unrecognized_name = 112
    bad_certificate_status_response = 113
    unknown_psk_identity = 115
    certificate_required = 116
    no_application_protocol = 120


_MEANING = {
    Alert.handshake_failure: "no common cipher suite, group or signature algorithm",
    Alert.protocol_version: "no common TLS version",
    Alert.insufficient_security: "what is offered is too weak for the peer",
    Alert.bad_certificate: "our certificate is unreadable or its signature is wrong: check the chain with `secc certs`",
    Alert.unsupported_certificate: "our kind of certificate or key is not accepted: install a chain with another key",
    Alert.certificate_revoked: "our certificate is revoked: install a new chain",
    Alert.certificate_expired: "our certificate is expired or not yet valid by the peer's clock: check dates and clock",
    Alert.certificate_unknown: "our certificate is not accepted: check the chain with `secc certs`",
    Alert.unknown_ca: "the peer does not know the root of our chain: install a chain below a root that it has",
    Alert.access_denied: "our certificate is valid, but the peer does not want us",
    Alert.certificate_required: "the peer demands a certificate from us",
    Alert.bad_certificate_status_response: "our OCSP response is not accepted: renew it",
    Alert.decrypt_error: "a signature of our chain or of the handshake is wrong: check the chain with `secc certs`",
    Alert.internal_error: "the peer has a fault of its own",
    Alert.user_canceled: "the peer gave up",
}


class TlsError(PeerError):
    """The TLS connection is over; the text names alert, reason and what to do. `in_order`: by close_notify."""

    def __init__(self, what: str, *, in_order: bool = False) -> None:
        super().__init__("TLS", what)
        self.in_order = in_order


def name_of(code: int) -> str:
    """Return number and name of an alert: `48 unknown_ca`."""
    try:
        return f"{code} {Alert(code).name}"
    except ValueError:
        return f"{code}"


def received(code: int) -> str:
    """Return what an alert of the peer means, for a person."""
    meaning = _MEANING.get(code)  # type: ignore[call-overload]
    return f"alert {name_of(code)}" + (f" ({meaning})" if meaning else "")


def record(alert: Alert) -> bytes:
    """Return the record of a fatal alert before encryption begins."""
    return bytes((21, 3, 3, 0, 2, _FATAL, alert))
