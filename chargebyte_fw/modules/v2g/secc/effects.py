"""What a session takes in and what it asks its owner to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes from the car."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone (the car closed it, the link is down)."""

    reason: str


@dataclass(frozen=True, slots=True)
class FactsChanged:
    """A fact of the charger changed; a response that waits for it may now go out."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes; `message` names them for the trace."""

    data: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a variable of the `ISO15118_charger` contract."""

    name: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection: `after_s` later, so that the car can read the last response and close first."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message crossed the wire (for the trace and for the log)."""

    direction: str
    name: str
    message: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """The car broke a rule: one warning line, nothing else."""

    what: str
