"""What a codec raises: ExiError (a PeerError) for what arrived, EncodeError for what we were about to send."""

from __future__ import annotations

from chargebyte_fw.kernel.errors import PeerError


class ExiError(PeerError):
    """A stream that breaks the grammar, ends too early, or carries a value beyond its facets."""

    def __init__(self, what: str, path: str = "", bit: int | None = None) -> None:
        self.path = path
        """Where in the message: `V2G_Message.Body.CurrentDemandReq.EVTargetCurrent.Unit`."""
        self.bit = bit
        """Which bit of the payload, counted from 0."""
        place = f"{path}: " if path else ""
        at = "" if bit is None else f" at bit {bit}"
        super().__init__("EXI", f"{place}{what}{at}")


class EncodeError(ValueError):
    """A message of ours that cannot be written: names the path of the field and why."""

    def __init__(self, what: str, path: str = "") -> None:
        self.path = path
        super().__init__(f"{path}: {what}" if path else what)


class Deviation(Exception):
    """Raised while reading: `left` bits from the end of the stream something is wrong. The codec adds the path."""

    def __init__(self, what: str, left: int) -> None:
        self.what = what
        self.left = left
        super().__init__(what)


class Refused(Exception):
    """Raised while writing: a value may not be written. The codec adds the path."""
