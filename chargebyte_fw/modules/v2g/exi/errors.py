"""What a codec may raise: PeerError for what arrived, EncodeError for what we were about to send."""

from __future__ import annotations

from chargebyte_fw.kernel.errors import PeerError


class ExiError(PeerError):
    """A stream that breaks the grammar, ends too early, or carries a value beyond its facets."""

    def __init__(self, what: str) -> None:
        super().__init__("EXI", what)


class EncodeError(ValueError):
    """A message of ours that cannot be written: names the type and the field."""
