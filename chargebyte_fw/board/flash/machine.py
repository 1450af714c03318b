"""The host's side of the boot loader's protocol: handshake, then one order at a time; no port, no clock.

Strictly ask and answer, so whatever is unexpected ends the order: the flash may then be half written, and doing the
same once more from the start repairs it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash import timing
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.machine import Machine, Timeout, on

CLAUSE = "RA boot loader"


class Refused(PeerError):
    """The boot loader answered with an error status."""

    def __init__(self, command: m.Command, status: m.Status) -> None:
        self.command = command
        self.status = status
        super().__init__(f"{CLAUSE}, status 0x{status.value:02X}", f"{command.words} refused: {status.text}")


class Silent(Unavailable):
    """The boot loader did not answer; `step` says when."""

    def __init__(self, step: str, hint: str = "") -> None:
        self.step = step
        super().__init__(f"the safety controller's boot loader does not answer ({step}){hint and ': ' + hint}")


class Step(Enum):
    """Where the conversation is."""

    OFF = auto()
    SETTLING = auto()
    KNOCKING = auto()
    CONNECTING = auto()
    GREETING = auto()
    INQUIRING = auto()
    RAISING = auto()
    """The higher baud rate was asked for."""
    SWITCHING = auto()
    CHECKING = auto()
    READY = auto()
    ASKING = auto()
    """A command with a single answer."""
    WRITING = auto()
    READING = auto()


@dataclass(frozen=True, slots=True)
class Begin:
    """Event: the controller was reset into its boot loader; shake hands."""


@dataclass(frozen=True, slots=True)
class Received:
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
    """Effect: set the rate of our port and forget what came in."""

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


_NO_ANSWER = "is the boot mode line wired, and does the controller have power?"


class LoaderMachine(Machine):
    """One conversation; feed Begin, then orders, each after the Finished of the one before."""

    def __init__(self) -> None:
        super().__init__(Step.OFF)
        self._packets = m.Packets(m.SOD_DATA)
        self._order: Any = None
        self._command = m.Command.INQUIRY
        self._done = 0
        self._collected = bytearray()

    @on(event=Begin)
    def _begin(self, _: Begin, now: float) -> list[Any]:
        self._packets.reset()
        return self.enter(Step.SETTLING, SetBaud(timing.FIRST_BAUD), until=now + timing.SETTLE_S)

    @on(Step.SETTLING, event=Timeout)
    def _settled(self, _: Timeout, now: float) -> list[Any]:
        # Setting the rate once more throws away what the application said before the reset.
        knock = [SetBaud(timing.FIRST_BAUD), Transmit(m.KNOCK)]
        return self.enter(Step.KNOCKING, *knock, until=now + timing.KNOCK_PAUSE_S)

    @on(Step.OFF, Step.SETTLING, Step.SWITCHING, Step.READY, event=Received)
    def _noise(self, _: Received, now: float) -> list[Any]:
        return []

    @on(Step.KNOCKING, event=Timeout)
    def _knock_again(self, _: Timeout, now: float) -> list[Any]:
        effects = self.enter(Step.CONNECTING, Transmit(m.KNOCK), until=now + timing.REPLY_S)
        return effects + (self._greet(now) if self._done else [])

    @on(Step.KNOCKING, event=Received)
    def _early(self, event: Received, now: float) -> list[Any]:
        self._done = int(m.KNOCK in event.data)
        return []

    @on(Step.CONNECTING, event=Received)
    def _connected(self, event: Received, now: float) -> list[Any]:
        if m.KNOCK not in event.data:
            return self._fail(_unexpected("the first byte", event.data))
        return self._greet(now)

    def _greet(self, now: float) -> list[Any]:
        self._done = 0
        return self.enter(Step.GREETING, Transmit(m.GREETING), until=now + timing.REPLY_S)

    @on(Step.GREETING, event=Received)
    def _greeted(self, event: Received, now: float) -> list[Any]:
        told = event.data.lstrip(m.KNOCK)
        if not told:
            return []  # it heard both zero bytes
        if told[0] != m.GREETING_REPLY:
            return self._fail(_unexpected("the greeting", told))
        return self._ask(Step.INQUIRING, m.Command.INQUIRY, b"", now)

    def _ask(
        self, step: Step, command: m.Command, data: bytes, now: float, wait_s: float = timing.REPLY_S
    ) -> list[Any]:
        self._command = command
        self._packets.reset()
        return self.enter(step, Transmit(m.command(command, data)), until=now + wait_s)

    @on(Step.READY, event=AskSignature)
    def _ask_signature(self, order: AskSignature, now: float) -> list[Any]:
        self._order = order
        return self._ask(Step.ASKING, m.Command.SIGNATURE, b"", now)

    @on(Step.READY, event=AskArea)
    def _ask_area(self, order: AskArea, now: float) -> list[Any]:
        self._order = order
        return self._ask(Step.ASKING, m.Command.AREA_INFO, bytes((order.number,)), now)

    @on(Step.READY, event=Erase)
    def _erase(self, order: Erase, now: float) -> list[Any]:
        self._order = order
        return self._ask(Step.ASKING, m.Command.ERASE, m.address_range(order.start, order.end), now, timing.ERASE_S)

    @on(Step.READY, event=Write)
    def _write(self, order: Write, now: float) -> list[Any]:
        self._order, self._done = order, -1
        last = order.start + len(order.data) - 1
        return self._ask(Step.WRITING, m.Command.WRITE, m.address_range(order.start, last), now)

    @on(Step.READY, event=Read)
    def _read(self, order: Read, now: float) -> list[Any]:
        self._order = order
        self._collected.clear()
        last = order.start + order.length - 1
        return self._ask(Step.READING, m.Command.READ, m.address_range(order.start, last), now)

    @on(
        Step.INQUIRING, Step.RAISING, Step.CHECKING, Step.ASKING, Step.WRITING, Step.READING, event=Received
    )  # fmt: skip
    def _received(self, event: Received, now: float) -> list[Any]:
        effects: list[Any] = []
        for packet in self._packets.feed(event.data):
            if isinstance(packet, m.Damaged):
                return effects + self._fail(PeerError(CLAUSE, f"{packet.what} came in answer to {self._command.words}"))
            effects += self._answer(packet, now)
            if self.state in (Step.OFF, Step.READY):
                break
        return effects

    def _answer(self, packet: m.Packet, now: float) -> list[Any]:
        if packet.code == self._command | m.ERROR_BIT and len(packet.data) == 1:
            return self._fail(Refused(self._command, m.Status(packet.data[0])))
        if packet.code != self._command:
            return self._fail(_unexpected(self._command.words, bytes((packet.code,)) + packet.data))
        if self.state is Step.READING:
            return self._read_more(packet.data, now)
        if self.state is Step.ASKING and not isinstance(self._order, Erase):
            return self._asked(packet.data)
        if packet.data != b"\0":
            return self._fail(_unexpected(self._command.words, packet.data))
        return self._confirmed(now)

    def _confirmed(self, now: float) -> list[Any]:
        """The last thing we said was taken."""
        match self.state:
            case Step.INQUIRING:
                return self._ask(Step.RAISING, m.Command.BAUD_RATE, struct.pack(">I", timing.BAUD), now)
            case Step.RAISING:
                return self.enter(Step.SWITCHING, SetBaud(timing.BAUD), until=now + timing.SWITCH_S)
            case Step.WRITING:
                return self._write_more(now)
            case _:
                return self.enter(Step.READY, Finished())

    @on(Step.SWITCHING, event=Timeout)
    def _switched(self, _: Timeout, now: float) -> list[Any]:
        return self._ask(Step.CHECKING, m.Command.INQUIRY, b"", now)

    def _asked(self, data: bytes) -> list[Any]:
        kind = m.Signature if isinstance(self._order, AskSignature) else m.Area
        try:
            return self.enter(Step.READY, Finished(kind.unpack(data)))
        except ValueError as error:
            return self._fail(PeerError(CLAUSE, f"{self._command.words} answered with {error}"))

    def _write_more(self, now: float) -> list[Any]:
        order, progress = self._order, []
        if self._done < 0:
            self._done = 0  # the command was taken
        else:
            self._done = min(self._done + m.DATA_LIMIT, len(order.data))
            progress = [Progress(self._done)]
        if self._done == len(order.data):
            return self.enter(Step.READY, *progress, Finished())
        chunk = order.data[self._done : self._done + m.DATA_LIMIT]
        packet = Transmit(m.data_packet(m.Command.WRITE, chunk))
        return self.enter(Step.WRITING, packet, *progress, until=now + timing.REPLY_S)

    def _read_more(self, data: bytes, now: float) -> list[Any]:
        wanted = self._order.length
        if not data or len(self._collected) + len(data) > wanted:
            return self._fail(PeerError(CLAUSE, f"read answered with {len(data)} bytes that were not asked for"))
        self._collected += data
        progress = Progress(len(self._collected))
        if len(self._collected) == wanted:
            return self.enter(Step.READY, progress, Finished(bytes(self._collected)))
        taken = Transmit(m.status_packet(m.Command.READ))
        return self.enter(Step.READING, taken, progress, until=now + timing.REPLY_S)

    @on(event=Timeout)
    def _silent(self, _: Timeout, now: float) -> list[Any]:
        match self.state:
            case Step.CONNECTING:
                return self._fail(Silent("to the first byte", _NO_ANSWER))
            case Step.GREETING:
                return self._fail(Silent("to the greeting", _NO_ANSWER))
            case Step.CHECKING:
                return self._fail(Silent(f"at {timing.BAUD} baud"))
            case Step.WRITING:
                return self._fail(Silent(f"write, after {max(self._done, 0)} of {len(self._order.data)} bytes"))
            case Step.READING:
                return self._fail(Silent(f"read, after {len(self._collected)} of {self._order.length} bytes"))
            case _:
                return self._fail(Silent(self._command.words))

    def _fail(self, error: Exception) -> list[Any]:
        self._order = None
        return self.enter(Step.OFF, Failed(error))


def _unexpected(after: str, data: bytes) -> PeerError:
    shown = data[:8].hex(" ") + (" ..." if len(data) > 8 else "")
    return PeerError(CLAUSE, f"unexpected answer to {after}: {shown}")
