"""An address that people and back ends write, and what can go wrong with a transfer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import SplitResult, quote, unquote, urlsplit

from chargebyte_fw.kernel.errors import Unavailable

DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}


class Trouble(StrEnum):
    """Why a transfer ended without success."""

    ADDRESS = "address"
    """The address is none, or its host has no address."""
    SCHEME = "scheme"
    """No such protocol here."""
    DENIED = "denied"
    """The server, or our check of it, says no."""
    SIZE = "size"
    """Larger than allowed, or than there is room for."""
    BROKEN = "broken"
    """Anything that may be better next time."""


class TransferError(Unavailable):
    """A transfer ended early. `final`: another try cannot help."""

    def __init__(self, trouble: Trouble, what: str, *, final: bool = False) -> None:
        self.trouble = trouble
        self.final = final
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts; `str` shows it without the password."""

    scheme: str
    host: str
    port: int
    path: str
    """Decoded, begins with `/`."""
    query: str = ""
    user: str = ""
    password: str = ""

    def __str__(self) -> str:
        # A query may hold a signature that opens the store behind it.
        query = "?..." if self.query else ""
        return f"{self.scheme}://{self._where()}{quote(self.path)}{query}"

    def _where(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without user and password."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self._where()}{quote(self.path)}{query}"

    def child(self, name: str) -> Address:
        """Return the address of `name` in the folder that this address names."""
        return replace(self, path=f"{self.path.rstrip('/')}/{name}")


def address_of(text: str) -> Address:
    """Return the parts of a URL; raises TransferError (final) when it is none or of a protocol we do not speak."""
    try:
        parts: SplitResult = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise TransferError(Trouble.ADDRESS, f"the address is no URL: {error}", final=True) from error
    if not parts.scheme:
        raise TransferError(Trouble.ADDRESS, "the address names no protocol", final=True)
    if parts.scheme not in DEFAULT_PORTS:
        known = ", ".join(DEFAULT_PORTS)
        raise TransferError(Trouble.SCHEME, f"{parts.scheme} is none of {known}", final=True)
    path = unquote(parts.path) or "/"
    if not host or any(ord(letter) < 32 for letter in path + host):
        raise TransferError(
            Trouble.ADDRESS, "the address names no host, or has characters that no address has", final=True
        )
    return Address(
        parts.scheme,
        host,
        port or DEFAULT_PORTS[parts.scheme],
        path,
        parts.query,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )
