"""The serial port and its thread: the cycle goes on while the event loop is busy, and turns safe when it is stuck.

A thread, because control frames must be sent on time, whatever the event loop does; it shares nothing with
the loop but the cycle (see cycle.py), a queue of frames to send, and `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
import os
import select
import sys
import termios
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.carriers import BAUD, CarrierListener
from chargebyte_fw.board.link.cycle import Cycle
from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.board.link.messages.framing import Receiver
from chargebyte_fw.kernel.clock import loop_speed, real_seconds

READ_BYTES = 4096
REAL_TIME_PRIORITY = 10
JOIN_S = 1.0
SWITCH_INTERVAL_S = 0.0001
"""How long the link's thread waits for the interpreter before it insists.

A busy event loop lets go of the interpreter for an instant in each `select` and takes it back before a waiting thread
has woken up; each such instant begins the wait anew. With the usual 5 ms the thread can starve for hundreds of ms.
"""


class SerialCarrier:
    """A serial port (or pseudo-terminal) at `path()`, 115200 8N1, owned by this process alone while it is open."""

    def __init__(self, path: Callable[[], Path], listener: CarrierListener) -> None:
        self._path = path
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._speed = loop_speed() or 1.0
        period_s = timing.period(timing.CYCLE_S, self._speed) / self._speed
        self._cycle = Cycle(period_s, timing.DEAD_MAN_S)
        self._session: _Session | None = None
        self._heartbeat: asyncio.TimerHandle | None = None
        self._usual_switch_s = sys.getswitchinterval()

    def open(self) -> None:
        path = self._path()
        port = serial.Serial(str(path), BAUD, timeout=0, exclusive=True)
        if not str(path.resolve()).startswith("/dev/pts/"):
            # Beside the lock of polite programs: keeps every other program from opening the port.
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
        port.reset_input_buffer()
        sys.setswitchinterval(min(self._usual_switch_s, SWITCH_INTERVAL_S))
        self._session = _Session(port, self._cycle, self._listener, self._loop)
        self._session.start()

    def close(self) -> None:
        self.end()
        if self._session is not None:
            self._session.close()

    async def closed(self) -> None:
        if self._session is not None:
            await self._loop.run_in_executor(None, self._session.thread.join, JOIN_S)
        sys.setswitchinterval(self._usual_switch_s)

    def discard(self) -> None:
        if self._session is not None:
            self._session.discard()

    def send(self, frame: bytes) -> None:
        if self._session is not None:
            self._session.send(frame)

    def begin(self) -> int:
        self._cycle.start(real_seconds())
        self._prove()
        if self._session is not None:
            self._session.wake()
        return self._cycle.epoch

    def end(self) -> None:
        self._cycle.stop()
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = None

    def set_image(self, control: ChargeControl, epoch: int) -> bytes:
        frame = self._cycle.set_image(control, epoch)
        if self._session is not None:
            self._session.wake()
        return frame

    def _prove(self) -> None:
        self._cycle.prove(real_seconds())
        self._heartbeat = self._loop.call_later(timing.HEARTBEAT_S * self._speed, self._prove)


class _Session:
    """One opening of the port and the thread that owns it until it is closed again."""

    def __init__(self, port: Any, cycle: Cycle, listener: CarrierListener, loop: asyncio.AbstractEventLoop) -> None:
        self._port = port
        self._fd: int = port.fileno()
        self._cycle = cycle
        self._listener = listener
        self._loop = loop
        self._outbox: deque[bytes] = deque()
        self._discard = False
        self._closing = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self.thread = threading.Thread(target=self._run, name="mcu-link", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def wake(self) -> None:
        """Make the thread look at what changed (called by the loop only, never after `close`)."""
        if not self._closing:
            self._ring()

    def _ring(self) -> None:
        # A full pipe wakes as well; a broken one means that the thread has ended and reported why.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._wake_write, b"\0")

    def send(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self.wake()

    def discard(self) -> None:
        self._discard = True

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._ring()
            os.close(self._wake_write)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # on time even when every core is busy, where the system allows it
            os.sched_setscheduler(
                threading.get_native_id(), os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(REAL_TIME_PRIORITY)
            )
        try:
            self._serve()
        except OSError as error:
            self._post(self._listener.failed, error.strerror or str(error))
        finally:
            os.close(self._wake_read)
            self._port.close()

    def _serve(self) -> None:
        cycle, receiver = self._cycle, Receiver()
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        epoch = cycle.epoch
        while not self._closing:
            wait_ms = max(0, math.ceil((cycle.next_due - real_seconds()) * 1000)) if cycle.running else None
            ready = dict(poll.poll(wait_ms))
            if self._closing:
                return
            frame = cycle.due(real_seconds())
            if frame is not None:
                self._write(frame)
                if cycle.epoch != epoch:
                    epoch = cycle.epoch
                    self._post(self._listener.tripped, epoch)
            if self._wake_read in ready:
                os.read(self._wake_read, READ_BYTES)
            while self._outbox:
                self._write(self._outbox.popleft())
            if self._fd in ready:
                self._read(receiver)

    def _write(self, frame: bytes) -> None:
        try:
            os.write(self._fd, frame)
        except BlockingIOError:
            return  # the line takes nothing: the silence in the other direction is noticed
        if self._listener.tap is not None:
            self._listener.tap(True, frame)

    def _read(self, receiver: Receiver) -> None:
        data = os.read(self._fd, READ_BYTES)
        if not data:
            raise OSError("the port hung up")
        if self._discard:
            self._discard = False
            receiver.reset()
        if self._listener.tap is not None:
            self._listener.tap(False, data)
        frames = receiver.feed(data)
        if frames:
            self._post(self._listener.frames, frames)

    def _post(self, call: Callable[[Any], None], value: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, call, value)
        except RuntimeError:
            self._closing = True  # the loop is closed: the handle is not held any more

    def _deliver(self, call: Callable[[Any], None], value: Any) -> None:
        if not self._closing:
            call(value)
