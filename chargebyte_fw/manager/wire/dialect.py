"""The two dialects of EVerest's MQTT protocol: names of the messages by which modules are configured (framework: 0)."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """EVerest's release. A C++ module ends on a message type of the other dialect."""

    V2026_02 = "2026.02"
    V2026_10 = "2026.10"

    @property
    def request(self) -> str:
        """Message type of a request for configuration."""
        return "GetConfig" if self is Dialect.V2026_02 else "ConfigurationRequest"

    @property
    def response(self) -> str:
        """Message type of answers, of retained metadata and of a module's `metadata`."""
        return "GetConfigResponse" if self is Dialect.V2026_02 else "ConfigurationResponse"


def dialect_of(request: object) -> Dialect | None:
    """Return the dialect of a request by its message type, None for any other message."""
    return next((dialect for dialect in Dialect if dialect.request == request), None)
