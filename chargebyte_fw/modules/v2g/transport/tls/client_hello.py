"""The car's ClientHello, read before OpenSSL gets it (RFC 5246 7.4.1.2, RFC 8446 4.1.2). Pure: bytes in, a value out.

The server chooses protocol version, certificate chain, group and whether it demands a client certificate by what the
car offers, and stock OpenSSL shows Python nothing of it. The bytes themselves go to OpenSSL unchanged afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.transport.tls.alerts import Alert, name_of

LONGEST_HELLO = 32_768
"""A ClientHello longer than this is no car's (keys of every group and a list of authorities are about 6 kB)."""
_RECORD_HEADER = 5
_LONGEST_RECORD = 16_384
_MOST_RECORDS = 512
"""A hello in more pieces than this is meant to keep the parser busy."""
_RECORD_HANDSHAKE = 22
_RECORD_ALERT = 21
_CLIENT_HELLO = 1

_TRUSTED_CA_KEYS = 3
_STATUS_REQUEST = 5
_SUPPORTED_GROUPS = 10
_SIGNATURE_ALGORITHMS = 13
_STATUS_REQUEST_V2 = 17
_SESSION_TICKET = 35
_PRE_SHARED_KEY = 41
_EARLY_DATA = 42
_SUPPORTED_VERSIONS = 43
_CERTIFICATE_AUTHORITIES = 47
_KEY_SHARE = 51

VERSION_NAMES = {0x0300: "SSL 3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}


class HelloError(PeerError):
    """What came is no ClientHello that can be answered; `alert` is the answer, None where the peer speaks no TLS."""

    def __init__(self, what: str, alert: Alert | None = Alert.decode_error) -> None:
        answer = "" if alert is None else f"; refused with alert {name_of(alert)}"
        super().__init__("TLS ClientHello", f"{what}{answer}")
        self.alert = alert


class TrustedAuthority(msgspec.Struct, frozen=True):
    """An entry of trusted_ca_keys (RFC 6066 clause 6)."""

    kind: int
    """0 agreed before, 1 SHA-1 of the public key, 2 subject (DER), 3 SHA-1 of the certificate."""
    value: bytes = b""


class ClientHello(msgspec.Struct, frozen=True):
    """What a client offers; numbers are IANA's."""

    legacy_version: int = 0x0303
    cipher_suites: tuple[int, ...] = ()
    versions: tuple[int, ...] = ()
    """supported_versions; empty where the extension is missing (then `legacy_version` counts)."""
    groups: tuple[int, ...] = ()
    key_shares: tuple[int, ...] = ()
    signature_algorithms: tuple[int, ...] = ()
    trusted_authorities: tuple[TrustedAuthority, ...] = ()
    certificate_authorities: tuple[bytes, ...] = ()
    """Distinguished names (DER)."""
    status_request: bool = False
    status_request_v2: bool = False
    early_data: bool = False
    resumption: bool = False
    """A session id of TLS 1.2, a ticket or a pre-shared key is offered."""

    def __str__(self) -> str:
        """Return what is offered, for the log."""
        extras = [name for name in ("status_request", "early_data", "resumption") if getattr(self, name)]
        numbers = (
            f"{name} {' '.join(f'{value:04X}' for value in values) or 'none'}"
            for name, values in (
                ("suites", self.cipher_suites),
                ("groups", self.groups),
                ("signatures", self.signature_algorithms),
            )
        )
        return f"the car offers TLS {', '.join(self.tls_versions) or '?'}; {'; '.join([*numbers, *extras])}"

    @property
    def tls_versions(self) -> tuple[str, ...]:
        """The versions that are offered and known here, newest first."""
        newest = min(self.legacy_version, 0x0303)
        offered = self.versions or tuple(version for version in VERSION_NAMES if version <= newest)
        return tuple(VERSION_NAMES[each] for each in sorted(set(offered), reverse=True) if each in VERSION_NAMES)


class HelloReader:
    """Collects a ClientHello from a stream of bytes, over record and segment boundaries."""

    def __init__(self) -> None:
        self.data = b""
        """Everything that came, for OpenSSL."""
        self._message = bytearray()
        self._at = 0
        self._records = 0

    def feed(self, data: bytes) -> ClientHello | None:
        """Take bytes; return the hello once it is complete, None before. Raises HelloError."""
        self.data += data
        if self.data and self.data[0] != _RECORD_HANDSHAKE:
            if self.data[0] == _RECORD_ALERT:
                raise HelloError("the peer sent an alert instead", None)
            first = self.data[0]
            plain = "V2GTP without TLS" if first == v2gtp.VERSION else f"no TLS (first byte 0x{first:02X})"
            raise HelloError(f"the peer speaks {plain}", None)
        while (record := self._next_record()) is not None:
            self._message += record
            hello = self._hello()
            if hello is not None:
                return hello
        if len(self.data) > LONGEST_HELLO + _MOST_RECORDS * _RECORD_HEADER:
            raise HelloError(f"more than {LONGEST_HELLO} bytes", Alert.illegal_parameter)
        return None

    def _next_record(self) -> bytes | None:
        header = self.data[self._at : self._at + _RECORD_HEADER]
        if len(header) < _RECORD_HEADER:
            return None
        length = int.from_bytes(header[3:5], "big")
        if header[0] != _RECORD_HANDSHAKE:
            raise HelloError(f"a record of type {header[0]} within the hello", Alert.unexpected_message)
        if header[1] != 3:
            raise HelloError(f"record version {header[1]}.{header[2]}", Alert.protocol_version)
        if not 0 < length <= _LONGEST_RECORD:
            raise HelloError(f"a record of {length} bytes", Alert.record_overflow if length else Alert.decode_error)
        self._records += 1
        if self._records > _MOST_RECORDS:
            raise HelloError(f"more than {_MOST_RECORDS} records", Alert.illegal_parameter)
        begin = self._at + _RECORD_HEADER
        if len(self.data) < begin + length:
            self._records -= 1
            return None
        self._at = begin + length
        return self.data[begin : self._at]

    def _hello(self) -> ClientHello | None:
        message = self._message
        if message[0] != _CLIENT_HELLO:
            raise HelloError(f"handshake message {message[0]} comes first", Alert.unexpected_message)
        if len(message) < 4:
            return None
        length = int.from_bytes(message[1:4], "big")
        if length > LONGEST_HELLO:
            raise HelloError(f"{length} bytes announced, more than {LONGEST_HELLO}", Alert.illegal_parameter)
        if len(message) < 4 + length:
            return None
        if len(message) > 4 + length:
            raise HelloError(f"{len(message) - 4 - length} bytes after the hello", Alert.unexpected_message)
        return parse(bytes(message[4:]))


class _Fields:
    """Reads the vectors of a TLS structure; a vector that ends early is a HelloError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise HelloError(f"{count} bytes are announced where {self.left} are left")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> _Fields:
        """Return the content of a vector whose length has `size` bytes."""
        return _Fields(self.take(self.number(size)))

    def numbers(self, size: int = 2) -> Iterator[int]:
        while self.left:
            yield self.number(size)

    def finish(self, what: str) -> None:
        if self.left:
            raise HelloError(f"{self.left} bytes are left over in {what}")


def parse(body: bytes) -> ClientHello:
    """Return the ClientHello in the body of its handshake message; raises HelloError."""
    fields = _Fields(body)
    version = fields.number(2)
    fields.take(32)
    session_id = fields.vector(1)
    if session_id.left > 32:
        raise HelloError(f"a session id of {session_id.left} bytes")
    suites = tuple(fields.vector(2).numbers())
    if not suites:
        raise HelloError("no cipher suites")
    if not fields.vector(1).left:
        raise HelloError("no compression methods")
    found: dict[int, _Fields] = {}
    if fields.left:
        extensions = fields.vector(2)
        while extensions.left:
            number = extensions.number(2)
            if number in found:
                raise HelloError(f"extension {number} twice", Alert.illegal_parameter)
            found[number] = extensions.vector(2)
        fields.finish("the hello")
    versions = _list(found, _SUPPORTED_VERSIONS, length_size=1)
    if _SUPPORTED_VERSIONS in found and not versions:
        raise HelloError("supported_versions is empty")
    ticket = found.get(_SESSION_TICKET)
    # TLS 1.3 sends a session id for the sake of middleboxes: there it offers no session.
    resumption = _PRE_SHARED_KEY in found or (ticket is not None and ticket.left > 0)
    return ClientHello(
        version,
        suites,
        versions,
        _list(found, _SUPPORTED_GROUPS),
        _key_shares(found.get(_KEY_SHARE)),
        _list(found, _SIGNATURE_ALGORITHMS),
        _trusted_authorities(found.get(_TRUSTED_CA_KEYS)),
        _names(found.get(_CERTIFICATE_AUTHORITIES)),
        _STATUS_REQUEST in found,
        _STATUS_REQUEST_V2 in found,
        _EARLY_DATA in found,
        resumption or (session_id.left > 0 and 0x0304 not in versions),
    )


def _list(found: dict[int, _Fields], extension: int, *, length_size: int = 2) -> tuple[int, ...]:
    fields = found.get(extension)
    if fields is None:
        return ()
    numbers = tuple(fields.vector(length_size).numbers())
    fields.finish(f"extension {extension}")
    return numbers


def _key_shares(fields: _Fields | None) -> tuple[int, ...]:
    groups = []
    if fields is not None:
        shares = fields.vector(2)
        while shares.left:
            groups.append(shares.number(2))
            shares.vector(2)
        fields.finish("key_share")
    return tuple(groups)


def _trusted_authorities(fields: _Fields | None) -> tuple[TrustedAuthority, ...]:
    found = []
    if fields is not None:
        entries = fields.vector(2)
        while entries.left:
            kind = entries.number(1)
            match kind:
                case 0:
                    value = b""
                case 1 | 3:
                    value = entries.take(20)
                case 2:
                    value = entries.take(entries.number(2))
                case _:
                    raise HelloError(f"trusted_ca_keys with an identifier of type {kind}", Alert.illegal_parameter)
            found.append(TrustedAuthority(kind, value))
        fields.finish("trusted_ca_keys")
    return tuple(found)


def _names(fields: _Fields | None) -> tuple[bytes, ...]:
    found = []
    if fields is not None:
        entries = fields.vector(2)
        while entries.left:
            found.append(entries.take(entries.number(2)))
        fields.finish("certificate_authorities")
    return tuple(found)
