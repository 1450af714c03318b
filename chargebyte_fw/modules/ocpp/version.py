"""The versions of OCPP, and the WebSocket sub-protocols that select them."""

from __future__ import annotations

from enum import StrEnum


class Version(StrEnum):
    """A version of OCPP."""

    V1_6 = "1.6"
    V2_0_1 = "2.0.1"
    V2_1 = "2.1"

    @property
    def subprotocol(self) -> str:
        """The name that stands in Sec-WebSocket-Protocol."""
        return f"ocpp{self.value}"

    @property
    def is_2(self) -> bool:
        """Whether it is 2.0.1 or 2.1."""
        return self is not Version.V1_6


def of_subprotocol(name: str | None) -> Version | None:
    """Return the version that a WebSocket sub-protocol selects, None for any other name."""
    for version in Version:
        if version.subprotocol == name:
            return version
    return None
