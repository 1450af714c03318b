"""What a session takes in and what it asks its owner to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# -- events


@dataclass(frozen=True, slots=True)
class Opened:
    """A car has connected."""


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes from the car."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The car's end of the connection is gone."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The charger takes the connection away: the data link is gone, the cable was pulled, the module stops."""

    reason: str


@dataclass(frozen=True, slots=True)
class FactsChanged:
    """A fact of the charger changed; a response that waits for it may now go out."""


# -- effects


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes; `message` names them."""

    data: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a variable of `ISO15118_charger`, or of `iso15118_extensions` where `extension` says so."""

    name: str
    value: Any = None
    extension: bool = False


@dataclass(frozen=True, slots=True)
class ShutDown:
    """Shut down our side of the connection: the car may still read what was sent."""


@dataclass(frozen=True, slots=True)
class Abort:
    """Let go of the connection now."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message crossed the wire: its name, the whole frame, the decoded message (None: not decoded)."""

    name: str
    frame: bytes
    message: Any = None


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the log's story."""

    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The car broke a rule: one warning line, nothing else."""

    what: str


@dataclass(frozen=True, slots=True)
class AskService:
    """Ask the provider of a value-added service for its parameter sets and write them into the facts."""

    service_id: int


@dataclass(frozen=True, slots=True)
class ServicesSelected:
    """The car chose value-added services: (service id, parameter set id) each."""

    selected: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over and the connection with it: `terminate`, `pause` or `error`."""

    how: str
