"""Where the broker is."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import msgspec

from chargebyte_fw.kernel.paths import Root

DEFAULT_PORT = 1883
SHIPPED_SOCKET = "/run/mosquitto/everest.socket"
"""Socket of the shipped broker (etc/mosquitto) for the charging stack, with more rights than other clients have."""


class BrokerAddress(msgspec.Struct, frozen=True):
    """A TCP port or, when `socket_path` is set, a Unix socket."""

    host: str = "localhost"
    port: int = DEFAULT_PORT
    socket_path: str | None = None

    def __str__(self) -> str:
        if self.socket_path is not None:
            return f"unix://{self.socket_path}"
        return f"{self.host}:{self.port}"


def usual(root: Root) -> BrokerAddress:
    """Return the default address: the shipped broker's socket if it can be used, else port 1883."""
    path = root.read(SHIPPED_SOCKET)
    if path.is_socket() and os.access(path, os.W_OK):
        return BrokerAddress(socket_path=str(path))
    return BrokerAddress()


def parse_address(text: str) -> BrokerAddress:
    """Read `mqtt://host:port`, `host:port`, `host` or `unix:///path`; raises ValueError with a sentence."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path:
            raise ValueError("unix:// needs the path of a socket")
        return BrokerAddress(socket_path=path)
    parts = urlsplit(text if "://" in text else f"mqtt://{text}")
    if parts.scheme not in ("mqtt", "tcp"):
        raise ValueError(f"{parts.scheme}:// is not spoken here; use mqtt://host:port or unix:///path")
    if not parts.hostname:
        raise ValueError("the broker's host is missing; use mqtt://host:port or unix:///path")
    return BrokerAddress(parts.hostname, parts.port or DEFAULT_PORT)
