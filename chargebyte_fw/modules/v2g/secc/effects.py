"""Events and effects of a connection. Values of the contract are `kernel/effects.py`'s `Publish`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from chargebyte_fw.modules.v2g.security import PLAIN, Security

SessionEnd = Literal["terminate", "pause", "error"]
"""How a session ends: as agreed, to be resumed, or otherwise. Names of EVerest's `dlink_...` variables."""

# -- events


class Connected(msgspec.Struct, frozen=True):
    """A car has connected, and the TLS handshake is over where there is TLS."""

    security: Security = PLAIN


class Received(msgspec.Struct, frozen=True):
    """Bytes from the car."""

    data: bytes


class Disconnected(msgspec.Struct, frozen=True):
    """The connection is closed, by the car or below it."""


class LinkLost(msgspec.Struct, frozen=True):
    """The charger takes the connection away: the data link is gone, the cable was pulled, the module stops."""

    reason: str


class FactsChanged(msgspec.Struct, frozen=True):
    """A fact of the charger changed; a response that waits for it may now go out."""


# -- effects


class Send(msgspec.Struct, frozen=True):
    """Send these bytes; `message` is the name of the response."""

    data: bytes
    message: str


class ShutDown(msgspec.Struct, frozen=True):
    """Shut down our side of the connection: the car may still read what was sent."""


class Abort(msgspec.Struct, frozen=True):
    """Close the connection now."""


class MessageExchanged(msgspec.Struct, frozen=True):
    """A message crossed the wire: its name, the whole frame, the decoded message (None: not decoded)."""

    name: str
    frame: bytes
    message: Any = None


class Log(msgspec.Struct, frozen=True):
    """Log one line about the session's course."""

    text: str


class ProtocolViolation(msgspec.Struct, frozen=True):
    """The car broke a rule: log one warning."""

    text: str


class GetServiceParameters(msgspec.Struct, frozen=True):
    """Get the parameter sets of a value-added service from its provider and write them into the session's facts."""

    service_id: int


class VerifyContract(msgspec.Struct, frozen=True):
    """Have the certificate store verify a contract chain; its answer is `contract_verification` of the session."""

    chain: tuple[bytes, ...]
    """DER, the contract certificate first."""


class SelectServices(msgspec.Struct, frozen=True):
    """Pass on the value-added services that the car chose: (service id, parameter set id) each."""

    selected: tuple[tuple[int, int], ...]


class Ended(msgspec.Struct, frozen=True):
    """The session is over and the connection with it."""

    how: SessionEnd
