"""The versions of OCPP, and the WebSocket sub-protocols that select them."""

from __future__ import annotations

from enum import StrEnum


class Version(StrEnum):
    """A version of OCPP, later ones are greater; the value is the name that stands in Sec-WebSocket-Protocol."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"

    @property
    def is_2(self) -> bool:
        """Whether it is 2.0.1 or 2.1."""
        return self is not Version.V16


def of_subprotocol(name: str | None) -> Version | None:
    """Return the version that a WebSocket sub-protocol selects, None for any other name."""
    for version in Version:
        if version == name:
            return version
    return None
