"""What a session takes in and what it asks its owner to do."""

from __future__ import annotations

from typing import Any

import msgspec

# -- events


class Opened(msgspec.Struct, frozen=True):
    """A car has connected."""


class Received(msgspec.Struct, frozen=True):
    """Bytes from the car."""

    data: bytes


class Disconnected(msgspec.Struct, frozen=True):
    """The car's end of the connection is gone."""


class LinkLost(msgspec.Struct, frozen=True):
    """The charger takes the connection away: the data link is gone, the cable was pulled, the module stops."""

    reason: str


class FactsChanged(msgspec.Struct, frozen=True):
    """A fact of the charger changed; a response that waits for it may now go out."""


# -- effects


class Send(msgspec.Struct, frozen=True):
    """Send these bytes; `message` names them."""

    data: bytes
    message: str


class Publish(msgspec.Struct, frozen=True):
    """Publish a variable of `ISO15118_charger`, or of `iso15118_extensions` where `extension` says so."""

    name: str
    value: Any = None
    extension: bool = False


class ShutDown(msgspec.Struct, frozen=True):
    """Shut down our side of the connection: the car may still read what was sent."""


class Abort(msgspec.Struct, frozen=True):
    """Let go of the connection now."""


class Seen(msgspec.Struct, frozen=True):
    """A message crossed the wire: its name, the whole frame, the decoded message (None: not decoded)."""

    name: str
    frame: bytes
    message: Any = None


class Note(msgspec.Struct, frozen=True):
    """One line for the log's story."""

    text: str


class Broken(msgspec.Struct, frozen=True):
    """The car broke a rule: one warning line, nothing else."""

    what: str


class AskService(msgspec.Struct, frozen=True):
    """Ask the provider of a value-added service for its parameter sets and write them into the facts."""

    service_id: int


class ServicesSelected(msgspec.Struct, frozen=True):
    """The car chose value-added services: (service id, parameter set id) each."""

    selected: tuple[tuple[int, int], ...]


class Ended(msgspec.Struct, frozen=True):
    """The session is over and the connection with it: `terminate`, `pause` or `error`."""

    how: str
