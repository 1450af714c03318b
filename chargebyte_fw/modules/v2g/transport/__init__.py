"""The seam between a V2G connection and what carries its bytes: TCP or a wire in memory, plain or with TLS.

A carrier makes a `Transport` for each car that connects and gives it to the engine's `accept`. Nothing behind the seam
knows which carrier it is: the machine gets bytes, how they are secured (`Security`), and the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from chargebyte_fw.modules.v2g.security import Security


class Transport(Protocol):
    """A car's connection. Who accepts it sets `on_data` and `on_closed`; both are silent before and after."""

    on_data: Callable[[bytes], None]
    """Bytes from the car."""
    on_closed: Callable[[str], None]
    """The connection is closed, once; the argument is the reason, empty where the car closed it in good order."""

    @property
    def peer(self) -> str:
        """Address and port of the car, for the log."""

    @property
    def security(self) -> Security:
        """How the connection is secured; it does not change while it lives."""

    def send(self, data: bytes) -> None:
        """Send bytes; without effect once closed."""

    def shut_down(self) -> None:
        """Close our side: what was sent still arrives, and the car's own end is waited for."""

    def abort(self) -> None:
        """Close at once."""


Accept = Callable[[Transport], bool]
"""Take a car's connection, or refuse it: then its carrier closes it."""


class Carrier(Transport, Protocol):
    """A transport without TLS, which TLS may be put on."""

    @property
    def peer_port(self) -> int:
        """The TCP port of the car."""


class Layer(Protocol):
    """What an endpoint puts on its carriers before the owner gets them: TLS."""

    def offered(self) -> bool:
        """Return whether a car may be sent to the endpoint now."""

    def renew(self) -> asyncio.Task[None] | None:
        """Find out again whether it can be offered; None where that is known to be current."""

    @property
    def missing(self) -> str:
        """Why it is not offered."""

    def acceptor(self, admit: Accept, accept: Accept, *, plain: Accept | None, failed: Callable[[], None]) -> Accept:
        """Return what takes a connection of a carrier: `admit` at its beginning, `accept` once it can be used.

        `plain` gets a carrier whose car does not use the layer; None: it is refused. `failed` is called when a
        connection is lost that `accept` has not had, unless the owner closed it.
        """

    def close(self, reason: str) -> None:
        """Give up what the owner has not accepted yet."""


def nothing(*_: object) -> None:
    """Stand in for a callback that is not set."""
