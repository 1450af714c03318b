"""The host's side of the boot loader's protocol: handshake, then one order at a time; no port, no clock.

Every packet of the host is answered by one of the loader, so whatever is unexpected ends the order: the flash may then
be half written, and doing the same once more from the start repairs it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.events import (
    CLAUSE,
    AskArea,
    AskSignature,
    Begin,
    BytesReceived,
    Erase,
    Failed,
    Finished,
    Progress,
    Read,
    Refused,
    SetBaud,
    Silent,
    Transmit,
    Write,
)
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on


class Step(Enum):
    """Where the conversation is."""

    OFF = auto()
    SETTLING = auto()
    """The port is set to the first rate."""
    PULSING = auto()
    """The first of two zero bytes, which show the loader our rate, is sent."""
    CONNECTING = auto()
    """Both are sent; the loader acknowledges with one."""
    GREETING = auto()
    """The generic code is sent; the loader answers with its boot code."""
    INQUIRING = auto()
    RAISING_RATE = auto()
    SWITCHING_RATE = auto()
    CHECKING_RATE = auto()
    READY = auto()
    ASKING_SIGNATURE = auto()
    ASKING_AREA = auto()
    ERASING = auto()
    BEGINNING_WRITE = auto()
    WRITING = auto()
    READING = auto()


_S = Step
_ANSWERED_BY_PACKETS = (
    _S.INQUIRING,
    _S.RAISING_RATE,
    _S.CHECKING_RATE,
    _S.ASKING_SIGNATURE,
    _S.ASKING_AREA,
    _S.ERASING,
    _S.BEGINNING_WRITE,
    _S.WRITING,
    _S.READING,
)
_NO_ANSWER = "is the boot mode line wired, and does the controller have power?"


@dataclass(slots=True)
class Work:
    """One order; replaced whole by the next."""

    start: int = 0
    data: bytes = b""
    """To be written."""
    length: int = 0
    done: int = 0
    read: bytearray = field(default_factory=bytearray)


class LoaderMachine(Machine):
    """One conversation; feed Begin, then orders, each after the Finished of the one before."""

    initial = Step.OFF

    def __init__(self) -> None:
        super().__init__()
        self._packets = m.Packets(m.SOD_DATA)
        self._command = m.Command.INQUIRY
        self._work = Work()
        self._acknowledged = False
        """The loader has answered the first zero byte already."""

    # The handshake: two zero bytes, the generic code, a higher rate.

    @on(*Step, event=Begin, to=_S.SETTLING)
    def _begin(self, _: Begin, now: float) -> list[Any]:
        """Set the first rate."""
        self._packets.reset()
        self._acknowledged = False
        self.start("settle", now + timing.SETTLE_S)
        return self.enter(_S.SETTLING, SetBaud(timing.FIRST_BAUD))

    @on(_S.SETTLING, timer="settle", to=_S.PULSING)
    def _settled(self, now: float) -> list[Any]:
        """Send the first zero byte; setting the rate again drops what the application sent before the reset."""
        self.start("pulse", now + timing.PULSE_PAUSE_S)
        return self.enter(_S.PULSING, SetBaud(timing.FIRST_BAUD), Transmit(m.LOW_PULSE))

    @on(_S.OFF, _S.SETTLING, _S.SWITCHING_RATE, _S.READY, event=BytesReceived)
    def _ignore(self, _: BytesReceived, now: float) -> None:
        """Ignore bytes that are not asked for."""

    @on(_S.PULSING, event=BytesReceived)
    def _early(self, event: BytesReceived, now: float) -> None:
        """Take note of an acknowledgement after the first zero byte."""
        self._acknowledged = m.LOW_PULSE in event.data

    @on(_S.PULSING, timer="pulse", to=(_S.CONNECTING, _S.GREETING))
    def _pulse_again(self, now: float) -> list[Any]:
        """Send the second zero byte."""
        self._expect_reply(now)
        effects = self.enter(_S.CONNECTING, Transmit(m.LOW_PULSE))
        return effects + (self._greet(now) if self._acknowledged else [])

    @on(_S.CONNECTING, event=BytesReceived, to=(_S.GREETING, _S.OFF))
    def _connected(self, event: BytesReceived, now: float) -> list[Any]:
        """Send the generic code."""
        if m.LOW_PULSE not in event.data:
            return self._fail(_unexpected("the first byte", event.data))
        return self._greet(now)

    def _greet(self, now: float) -> list[Any]:
        self._expect_reply(now)
        return self.enter(_S.GREETING, Transmit(m.GENERIC_CODE))

    @on(_S.GREETING, event=BytesReceived, to=(_S.INQUIRING, _S.OFF))
    def _greeted(self, event: BytesReceived, now: float) -> list[Any]:
        """Inquire; a loader that received both zero bytes acknowledges both."""
        code = event.data.lstrip(m.LOW_PULSE)
        if not code:
            return []
        if code[0] != m.BOOT_CODE:
            return self._fail(_unexpected("the greeting", code))
        return self._send(_S.INQUIRING, m.Command.INQUIRY, b"", now)

    @on(_S.INQUIRING, event=m.Packet, to=(_S.RAISING_RATE, _S.OFF))
    def _inquired(self, packet: m.Packet, now: float) -> list[Any]:
        """Ask for the higher rate."""
        baud = struct.pack(">I", timing.BAUD)
        return self._if_ok(packet, lambda: self._send(_S.RAISING_RATE, m.Command.BAUD_RATE, baud, now))

    @on(_S.RAISING_RATE, event=m.Packet, to=(_S.SWITCHING_RATE, _S.OFF))
    def _rate_raised(self, packet: m.Packet, now: float) -> list[Any]:
        """Set the higher rate and give the loader a moment."""
        self.start("switch", now + timing.SWITCH_S)
        return self._if_ok(packet, lambda: self.enter(_S.SWITCHING_RATE, SetBaud(timing.BAUD)))

    @on(_S.SWITCHING_RATE, timer="switch", to=_S.CHECKING_RATE)
    def _switched(self, now: float) -> list[Any]:
        """Inquire at the higher rate."""
        return self._send(_S.CHECKING_RATE, m.Command.INQUIRY, b"", now)

    # Orders.

    @on(_S.READY, event=AskSignature, to=_S.ASKING_SIGNATURE)
    def _ask_signature(self, _: AskSignature, now: float) -> list[Any]:
        """Ask for the signature."""
        return self._send(_S.ASKING_SIGNATURE, m.Command.SIGNATURE, b"", now)

    @on(_S.READY, event=AskArea, to=_S.ASKING_AREA)
    def _ask_area(self, order: AskArea, now: float) -> list[Any]:
        """Ask for an area."""
        return self._send(_S.ASKING_AREA, m.Command.AREA_INFO, bytes((order.number,)), now)

    @on(_S.READY, event=Erase, to=_S.ERASING)
    def _erase(self, order: Erase, now: float) -> list[Any]:
        """Erase."""
        addresses = m.address_range(order.start, order.end)
        return self._send(_S.ERASING, m.Command.ERASE, addresses, now, timing.ERASE_S)

    @on(_S.READY, event=Write, to=_S.BEGINNING_WRITE)
    def _write(self, order: Write, now: float) -> list[Any]:
        """Announce what is to be written."""
        self._work = Work(order.start, order.data, len(order.data))
        addresses = m.address_range(order.start, order.start + len(order.data) - 1)
        return self._send(_S.BEGINNING_WRITE, m.Command.WRITE, addresses, now)

    @on(_S.READY, event=Read, to=_S.READING)
    def _read(self, order: Read, now: float) -> list[Any]:
        """Ask for the first packet."""
        self._work = Work(order.start, length=order.length)
        addresses = m.address_range(order.start, order.start + order.length - 1)
        return self._send(_S.READING, m.Command.READ, addresses, now)

    def _send(
        self, step: Step, command: m.Command, data: bytes, now: float, wait_s: float = timing.REPLY_S
    ) -> list[Any]:
        self._command = command
        self._packets.reset()
        self.start("reply", now + wait_s)
        return self.enter(step, Transmit(m.command(command, data)))

    def _expect_reply(self, now: float) -> None:
        self.start("reply", now + timing.REPLY_S)

    # Answers.

    @on(*_ANSWERED_BY_PACKETS, event=BytesReceived, to=_S.OFF)
    def _received(self, event: BytesReceived, now: float) -> list[Any]:
        """Cut packets; each has a row of its own."""
        effects: list[Any] = []
        for packet in self._packets.feed(event.data):
            if isinstance(packet, m.Damaged):
                what = f"{packet.what} came in answer to {self._command.text}"
                return effects + self._fail(PeerError(CLAUSE, what))
            if packet.code != self._command:
                return effects + self._fail(self._error_of(packet))
            effects += self.feed(packet, now)
            if self.state in (_S.OFF, _S.READY):
                break
        return effects

    def _error_of(self, packet: m.Packet) -> PeerError:
        if packet.code == self._command | m.ERROR_BIT and len(packet.data) == 1:
            return Refused(self._command, m.Status(packet.data[0]))
        return _unexpected(self._command.text, bytes((packet.code,)) + packet.data)

    def _if_ok(self, packet: m.Packet, then: Callable[[], list[Any]]) -> list[Any]:
        """Go on if the packet is the status OK."""
        if packet.data == b"\0":
            return then()
        return self._fail(_unexpected(self._command.text, packet.data))

    @on(_S.CHECKING_RATE, _S.ERASING, event=m.Packet, to=(_S.READY, _S.OFF))
    def _done(self, packet: m.Packet, now: float) -> list[Any]:
        """Finish."""
        return self._if_ok(packet, lambda: self.enter(_S.READY, Finished()))

    @on(_S.ASKING_SIGNATURE, event=m.Packet, to=(_S.READY, _S.OFF))
    def _signature(self, packet: m.Packet, now: float) -> list[Any]:
        """Finish with the signature."""
        return self._unpacked(m.Signature.unpack, packet.data)

    @on(_S.ASKING_AREA, event=m.Packet, to=(_S.READY, _S.OFF))
    def _area(self, packet: m.Packet, now: float) -> list[Any]:
        """Finish with the area."""
        return self._unpacked(m.Area.unpack, packet.data)

    def _unpacked(self, unpack: Callable[[bytes], m.Signature | m.Area], data: bytes) -> list[Any]:
        try:
            return self.enter(_S.READY, Finished(unpack(data)))
        except ValueError as error:
            return self._fail(PeerError(CLAUSE, f"{self._command.text} answered with {error}"))

    @on(_S.BEGINNING_WRITE, event=m.Packet, to=(_S.WRITING, _S.READY, _S.OFF))
    def _write_begun(self, packet: m.Packet, now: float) -> list[Any]:
        """Send the first data packet."""
        return self._if_ok(packet, lambda: self._write_more(0, [], now))

    @on(_S.WRITING, event=m.Packet, to=(_S.READY, _S.OFF))
    def _written(self, packet: m.Packet, now: float) -> list[Any]:
        """Send the next data packet."""
        done = min(self._work.done + m.DATA_LIMIT, self._work.length)
        return self._if_ok(packet, lambda: self._write_more(done, [Progress(done)], now))

    def _write_more(self, done: int, progress: list[Any], now: float) -> list[Any]:
        work = self._work
        work.done = done
        if done == work.length:
            return self.enter(_S.READY, *progress, Finished())
        self._expect_reply(now)
        packet = Transmit(m.data_packet(m.Command.WRITE, work.data[done : done + m.DATA_LIMIT]))
        return self.enter(_S.WRITING, packet, *progress)

    @on(_S.READING, event=m.Packet, to=(_S.READY, _S.OFF))
    def _read_more(self, packet: m.Packet, now: float) -> list[Any]:
        """Acknowledge a data packet; finish with the last one, which is not acknowledged."""
        work, data = self._work, packet.data
        if not data or len(work.read) + len(data) > work.length:
            return self._fail(PeerError(CLAUSE, f"read answered with {len(data)} bytes that were not asked for"))
        work.read += data
        work.done = len(work.read)
        if work.done == work.length:
            return self.enter(_S.READY, Progress(work.done), Finished(bytes(work.read)))
        self._expect_reply(now)
        return [Transmit(m.status_packet(m.Command.READ)), Progress(work.done)]

    # Silence and errors.

    @on(_S.CONNECTING, timer="reply", to=_S.OFF)
    def _no_acknowledgement(self, now: float) -> list[Any]:
        """Fail: there is no boot loader."""
        return self._fail(Silent("to the first byte", _NO_ANSWER))

    @on(_S.GREETING, timer="reply", to=_S.OFF)
    def _no_boot_code(self, now: float) -> list[Any]:
        """Fail: there is no boot loader."""
        return self._fail(Silent("to the greeting", _NO_ANSWER))

    @on(_S.CHECKING_RATE, timer="reply", to=_S.OFF)
    def _lost_at_the_rate(self, now: float) -> list[Any]:
        """Fail."""
        return self._fail(Silent(f"at {timing.BAUD} baud"))

    @on(_S.BEGINNING_WRITE, _S.WRITING, _S.READING, timer="reply", to=_S.OFF)
    def _lost_in_the_middle(self, now: float) -> list[Any]:
        """Fail, with how far it came."""
        work = self._work
        return self._fail(Silent(f"{self._command.text}, after {work.done} of {work.length} bytes"))

    @on(
        _S.INQUIRING, _S.RAISING_RATE, _S.ASKING_SIGNATURE, _S.ASKING_AREA, _S.ERASING, timer="reply", to=_S.OFF
    )  # fmt: skip
    def _silent(self, now: float) -> list[Any]:
        """Fail."""
        return self._fail(Silent(self._command.text))

    def _fail(self, error: Exception) -> list[Any]:
        return self.enter(_S.OFF, Failed(error))


def _unexpected(after: str, data: bytes) -> PeerError:
    shown = data[:8].hex(" ") + (" ..." if len(data) > 8 else "")
    return PeerError(CLAUSE, f"unexpected answer to {after}: {shown}")
