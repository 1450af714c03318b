"""Events of the car's machine."""

from __future__ import annotations

import msgspec


class Start(msgspec.Struct, frozen=True):
    """The data link is up: search for the charger."""


class SdpAnswer(msgspec.Struct, frozen=True):
    """A datagram came back."""

    data: bytes


class Connected(msgspec.Struct, frozen=True):
    """The connection asked for with `Connect` is open, with TLS if that was asked for."""

    tls_version: str = ""
    """`1.2` or `1.3`; empty without TLS."""


class Received(msgspec.Struct, frozen=True):
    """Bytes from the charger."""

    data: bytes


class Disconnected(msgspec.Struct, frozen=True):
    """The connection is gone, or could not be made."""

    reason: str = "the charger closed the connection"


class FactsChanged(msgspec.Struct, frozen=True):
    """A wish or a value in the facts changed: do not wait for the next request."""
