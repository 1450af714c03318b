"""The UART while the controller is serviced: one owner, two rates; a boot loader's conversation and inquiries on it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chargebyte_fw.board.flash import events as loader
from chargebyte_fw.board.flash import port_holders, timing
from chargebyte_fw.board.flash.machine import LoaderMachine
from chargebyte_fw.board.link.messages.charge_som import Inquiry
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Receiver, encode_message
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.serial_reading import SerialReading
from chargebyte_fw.kernel.trace import Trace

_TAKEN = (errno.EBUSY, errno.EAGAIN, errno.EACCES)


class Port:
    """The UART at `path`, or a wire in memory; ours alone from `open` to `close`."""

    def __init__(self, path: Path, wire: WireEnd | None, trace: Trace) -> None:
        self.path = path
        self.receive: Callable[[bytes], None] | None = None
        self.broken: Callable[[Exception], None] | None = None
        self._wire = wire
        self._trace = trace
        self._port: Any = None
        self._reading: SerialReading | None = None
        self._unsent = b""

    def open(self) -> None:
        """Take the port; raises Busy when another process has it, Unavailable when it is not there."""
        if self._wire is not None:
            self._wire.receive = self._arrived
            return
        import serial

        try:
            self._port = serial.Serial(str(self.path), timing.BAUD, timeout=0, exclusive=True)
        except OSError as error:
            number = error.errno or getattr(error.__context__, "errno", None)
            if number in _TAKEN:
                held = port_holders.holders(self.path)
                if held or number != errno.EACCES:
                    raise port_holders.Busy(self.path, held) from error
            raise Unavailable(f"{self.path}: {os.strerror(number) if number else error}") from error
        if not str(self.path.resolve()).startswith("/dev/pts/"):
            # Beside the lock of polite programs: keeps every other program from opening the port.
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)
        if others := port_holders.readers(self.path):
            # Opened before us and without a lock (cat, a terminal program): each byte goes to one reader only.
            self._port.close()
            self._port = None
            raise port_holders.Busy(self.path, others, shared=True)
        self._reading = SerialReading(self._port.fileno(), self._arrived, self._lost)

    def set_baud(self, baud: int) -> None:
        """Set the rate and forget what came in."""
        if self._port is not None:
            self._port.baudrate = baud
            self._port.reset_input_buffer()

    def send(self, data: bytes) -> None:
        """Send bytes; they go out as the line takes them."""
        self._trace.record("uart", "host", data)
        if self._wire is not None:
            self._wire.send(data)
        elif self._port is not None:
            if not self._unsent:
                asyncio.get_running_loop().add_writer(self._port.fileno(), self._writable)
            self._unsent += data
            self._writable()

    def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._unsent = self._unsent[os.write(self._port.fileno(), self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._unsent = b""
            self._lost(error)
        if not self._unsent and self._port is not None:
            loop.remove_writer(self._port.fileno())

    def _lost(self, error: OSError) -> None:
        self.close()
        if self.broken is not None:
            self.broken(Unavailable(f"{self.path}: {error.strerror or error}"))

    def _arrived(self, data: bytes) -> None:
        self._trace.record("uart", "mcu", data)
        if self.receive is not None:
            self.receive(data)

    def close(self) -> None:
        """Give the port back."""
        if self._wire is not None:
            self._wire.receive = None
        if self._reading is not None:
            self._reading.close()
            self._reading = None
            asyncio.get_running_loop().remove_writer(self._port.fileno())
            self._port.close()
            self._port = None
            self._unsent = b""


class LoaderLink:
    """One conversation with the boot loader on a port."""

    def __init__(self, port: Port, progress: Callable[[int], None]) -> None:
        self._port = port
        self._progress = progress
        self._pump = Pump(LoaderMachine(), self._act, self._fail)
        self._outcome: asyncio.Future[Any] | None = None
        port.receive = lambda data: self._pump.feed(loader.BytesReceived(data))
        port.broken = self._fail

    async def do(self, order: Any) -> Any:
        """Carry out Begin or an order; returns its result. Raises PeerError or Unavailable."""
        self._outcome = asyncio.get_running_loop().create_future()
        self._pump.feed(order)
        return await self._outcome

    def _act(self, effect: Any) -> None:
        match effect:
            case loader.Transmit(data):
                self._port.send(data)
            case loader.SetBaud(baud):
                self._port.set_baud(baud)
            case loader.Progress(done):
                self._progress(done)
            case loader.Finished(result):
                if self._outcome is not None and not self._outcome.done():
                    self._outcome.set_result(result)
            case loader.Failed(error):
                self._fail(error)
            case _:
                self._fail(PeerError(loader.CLAUSE, "a new conversation is needed first"))

    def _fail(self, error: BaseException) -> None:
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(error)

    def close(self) -> None:
        """End the conversation; the port stays open."""
        self._pump.close()
        self._port.receive = self._port.broken = None


async def ask(port: Port, kind: type[Message]) -> Message | None:
    """Ask the running application for a message; None when it does not answer."""
    answer: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
    receiver = Receiver()

    def received(data: bytes) -> None:
        for frame in receiver.feed(data):
            if frame.com_id == kind.com_id and not answer.done():
                answer.set_result(kind.from_payload(frame.payload))

    def broken(error: Exception) -> None:
        if not answer.done():
            answer.set_exception(error)

    port.set_baud(timing.BAUD)
    port.receive, port.broken = received, broken
    try:
        for _ in range(timing.ANSWER_TRIES):
            port.send(encode_message(Inquiry(kind.com_id)))
            await asyncio.wait([answer], timeout=timing.ANSWER_S)
            if answer.done():
                return answer.result()
        return None
    finally:
        port.receive = port.broken = None
