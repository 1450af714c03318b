"""An address that people and back ends write, and what can go wrong with a transfer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address
from unicodedata import normalize
from urllib.parse import SplitResult, quote, unquote, urlsplit

from chargebyte_fw.kernel.errors import Unavailable

DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}
LONGEST = 8192
SHORTEST_SECRET = 3
"""A shorter one would match other words."""
_UNREADABLE = "<unreadable URL>"
_HINT = "in user and password write %23 for #, %2F for /, %3F for ?, %40 for @"


class Failure(StrEnum):
    """Why a transfer ended without success."""

    ADDRESS = "address"
    """The address is none, or its host has no address."""
    SCHEME = "scheme"
    """No such protocol here."""
    DENIED = "denied"
    """The server, or our check of it, refuses."""
    SIZE = "size"
    """Larger than allowed, or than there is room for."""
    BROKEN = "broken"
    """Anything that may be better next time."""


class TransferError(Unavailable):
    """A transfer ended early. `final`: another try cannot help."""

    def __init__(self, trouble: Failure, what: str, *, final: bool = False) -> None:
        self.trouble = trouble
        self.final = final
        super().__init__(what)

    def without(self, secret: str) -> TransferError:
        """Return the error without a secret that the other side repeated."""
        if len(secret) < SHORTEST_SECRET or secret not in str(self):
            return self
        return TransferError(self.trouble, str(self).replace(secret, "***"), final=self.final)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts; `str` shows it without the password."""

    scheme: str
    host: str
    """In ASCII (RFC 3490), an IPv6 address without brackets."""
    port: int
    path: str
    """Decoded, begins with `/`."""
    raw_path: str
    """As it was written: to HTTP `a%2Fb` and `a/b` are two names."""
    query: str | None = None
    """As it was written; None: there is none, not even an empty one."""
    user: str = ""
    password: str = ""
    ambiguous: bool = False
    """It may have been meant otherwise: there is an `@` behind the host."""

    def __str__(self) -> str:
        # Who forgets to escape `/`, `?` or `#` in a password has its rest, up to the `@`, in the path or the query.
        if self.ambiguous:
            return f"{self.scheme}://{_UNREADABLE}"
        # A query may hold a signature that opens the store behind it.
        query = "?..." if self.query else ""
        return f"{self.scheme}://{self._where()}{self.raw_path}{query}"

    def _where(self) -> str:
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without user and password."""
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.scheme}://{self._where()}{self.raw_path}{query}"

    def child(self, name: str) -> Address:
        """Return the address of `name` in the folder that this address names."""
        path, raw_path = f"{self.path.rstrip('/')}/{name}", f"{self.raw_path.rstrip('/')}/{quote(name)}"
        return replace(self, path=path, raw_path=raw_path)


def address_of(text: str) -> Address:
    """Return the parts of a URL; raises TransferError (final) when it is none or of a protocol we do not speak.

    The error never shows a part of what cannot be read: it may be a password.
    """
    if len(text) > LONGEST:
        raise _no_address(f"has more than {LONGEST} characters")
    try:
        text.encode()
        parts: SplitResult = urlsplit(text.strip())
        host, port = unquote(parts.hostname or ""), parts.port
    except ValueError:
        # The library's own words show what it could not read.
        raise _no_address(f"is no URL; {_HINT}") from None
    if not parts.scheme:
        raise _no_address("names no protocol")
    if parts.scheme not in DEFAULT_PORTS:
        known = ", ".join(DEFAULT_PORTS)
        raise TransferError(Failure.SCHEME, f"the protocol is none of {known}", final=True)
    path = unquote(parts.path) or "/"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path + host + user + password):
        raise _no_address("has characters that no address has")
    if port == 0:
        raise _no_address("names port 0")
    before_fragment, _, fragment = text.strip().partition("#")
    query = parts.query if "?" in before_fragment else None
    return Address(
        parts.scheme,
        _host_of(host),
        port or DEFAULT_PORTS[parts.scheme],
        path,
        _sendable(parts.path or "/"),
        None if query is None else _sendable(query),
        user,
        password,
        ambiguous="@" in normalize("NFKC", f"{parts.path}{parts.query}{fragment}"),
    )


def _sendable(text: str) -> str:
    """Escape what no request line can carry; everything else stays as it was written (a signature may cover it)."""
    return "".join(one if "!" <= one <= "~" else quote(one) for one in text)


def one_line(error: BaseException | str, most: int = 200) -> str:
    """Return the text of an error, without line breaks and not too long."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def _host_of(host: str) -> str:
    """Return the host's name as it is looked up; raises TransferError (final)."""
    if not host:
        raise _no_address("names no host")
    try:
        if ":" in host:
            return str(ip_address(host))
        # Empty labels and labels of more than 63 letters are refused here.
        name = host.encode("idna").decode()
    except ValueError:
        raise _no_address(f"names no host that there can be; {_HINT}") from None
    if any(letter in name for letter in " /\\<>\"'"):
        raise _no_address(f"names no host that there can be; {_HINT}")
    return name


def _no_address(what: str) -> TransferError:
    return TransferError(Failure.ADDRESS, f"the address {what}", final=True)
