"""Events, orders, effects and errors of a conversation with the boot loader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.kernel.errors import PeerError, Unavailable

CLAUSE = "RA boot loader"


class Refused(PeerError):
    """The boot loader answered with an error status."""

    def __init__(self, command: m.Command, status: m.Status) -> None:
        self.command = command
        self.status = status
        super().__init__(f"{CLAUSE}, status 0x{status.value:02X}", f"{command.text} refused: {status.text}")


class Silent(Unavailable):
    """The boot loader did not answer; `step`: at which step."""

    def __init__(self, step: str, hint: str = "") -> None:
        self.step = step
        super().__init__(f"the safety controller's boot loader does not answer ({step}){hint and ': ' + hint}")


@dataclass(frozen=True, slots=True)
class Begin:
    """Event: the controller was reset into its boot loader; shake hands."""


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Event: bytes from the loader."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AskSignature:
    """Order: what the chip is. Finished with a Signature."""


@dataclass(frozen=True, slots=True)
class AskArea:
    """Order: where area `number` is. Finished with an Area."""

    number: int


@dataclass(frozen=True, slots=True)
class Erase:
    """Order: erase from `start` to `end` (included)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Write:
    """Order: write `data` from `start` on."""

    start: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """Order: read `length` bytes from `start` on. Finished with bytes."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class SetBaud:
    """Effect: set the rate of our port and drop what was received."""

    baud: int


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send bytes to the loader."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """Effect: so many bytes of the order are done."""

    done: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Effect: handshake or order are done."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Effect: handshake or order ended with an error; begin again from the reset."""

    error: Exception
