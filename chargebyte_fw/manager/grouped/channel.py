"""What the manager and a group's process exchange, over a pair of sockets that no broker is needed for.

The start, the heartbeat, the absence of other processes and what is kept for the next start go this way: the group
between car and contactor depends on nothing that another program does.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel.last_frame import LastFrame

LONGEST_BYTES = 128 * 1024
"""Of one message; a longer report is left out."""


class Alive(msgspec.Struct, frozen=True, tag=True):
    """From the group: its event loop runs."""


class Initialised(msgspec.Struct, frozen=True, tag=True):
    """From the group: `init` of every module is done."""


class Running(msgspec.Struct, frozen=True, tag=True):
    """From the group: `ready` of every module is done."""

    modules: dict[str, str]


class Report(msgspec.Struct, frozen=True, tag=True):
    """From the group: its part of the status file, and what its modules answer to `secc`."""

    faults: list[str]
    about: dict[str, str]
    on_broker: bool
    answers: list[str]


class ToKeep(msgspec.Struct, frozen=True, tag=True):
    """From the group: a configuration value for the next start."""

    number: int
    """Of this process; the answer repeats it."""
    module_id: str
    implementation_id: str
    """`!module`: the module's own."""
    name: str
    value: Any


class Failed(msgspec.Struct, frozen=True, tag=True):
    """From the group, before it ends: which module failed, and why."""

    module_id: str
    reason: str
    configuration: bool = False
    """Whether it cannot use its configuration: starting again does not help."""


class Begin(msgspec.Struct, frozen=True, tag=True):
    """From the manager: every process is initialised."""


class Absent(msgspec.Struct, frozen=True, tag=True):
    """From the manager: the process of these modules has ended; `lasting`: it is out of service."""

    modules: list[str]
    text: str
    lasting: bool = False


class Present(msgspec.Struct, frozen=True, tag=True):
    """From the manager: the process of these modules is ready (again)."""

    modules: list[str]


class WasKept(msgspec.Struct, frozen=True, tag=True):
    """From the manager: a value is written, or `against` has the reason why it is not."""

    number: int
    against: str = ""


class End(msgspec.Struct, frozen=True, tag=True):
    """From the manager: stop, the safe state first; the second one: in a hurry."""

    why: str


FromGroup = Alive | Initialised | Running | Report | ToKeep | Failed | LastFrame
FromManager = Begin | Absent | Present | WasKept | End


class Channel:
    """One end. `take(message)` is called from the loop; `ended()` once, when the other process has gone."""

    def __init__(
        self, sock: socket.socket, kinds: Any, take: Callable[[Any], None], ended: Callable[[], None] = lambda: None
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._decoder = msgspec.json.Decoder(kinds)
        self._take = take
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)
        self._open = True

    def send(self, message: FromGroup | FromManager) -> bool:
        """Send a message; return False if the other process does not read, or has gone."""
        if not self._open:
            return False
        encoded = msgspec.json.encode(message)
        if len(encoded) > LONGEST_BYTES:
            return False
        try:
            self._sock.send(encoded)
        except OSError:
            # A full buffer: the other process hangs, which its heartbeat shows.
            return False
        return True

    def _read(self) -> None:
        try:
            octets = self._sock.recv(LONGEST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.close()
            self._ended()
            return
        self._take(self._decoder.decode(octets))

    def close(self) -> None:
        """Close this end."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._sock)
            self._sock.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends: of the manager, of the group. A message is received as it was sent."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
