"""What carries frames: a serial port with a thread of its own, or a wire in memory on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.cycle import Cycle
from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.board.link.messages.framing import Frame, Receiver
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.memory import WireEnd

BAUD = 115200
Tap = Callable[[bool, bytes], None]
"""Sees all bytes on the line: whether we sent them, and which; may be called in any thread."""


@dataclass
class CarrierListener:
    """Whom a carrier calls, always on the event loop."""

    frames: Callable[[list[Frame]], None]
    failed: Callable[[str], None]
    tripped: Callable[[int], None]
    """The dead man's handle was let go: the new epoch."""
    tap: Tap | None = None


class Carrier(Protocol):
    """One way to the safety controller."""

    def open(self) -> None:
        """Open it; raises OSError."""

    def close(self) -> None:
        """Close it; nothing is reported any more."""

    def discard(self) -> None:
        """Forget what came in and is no frame yet."""

    def send(self, frame: bytes) -> None:
        """Send one frame now."""

    def begin(self) -> int:
        """Begin the cycle with the image at zero; returns the epoch."""

    def end(self) -> None:
        """End the cycle and forget the image."""

    def set_image(self, control: ChargeControl, epoch: int) -> bytes:
        """Change what the cycle sends, at once; returns the frame."""

    async def closed(self) -> None:
        """Wait until the port is given back."""


class WireCarrier:
    """A wire in memory: the same cycle, in the loop's time and turns."""

    def __init__(self, end: WireEnd, listener: CarrierListener) -> None:
        self._end = end
        self._listener = listener
        self._receiver = Receiver()
        self._timer: asyncio.TimerHandle | None = None
        period_s = timing.period(timing.CYCLE_S, loop_speed())
        self._cycle = Cycle(period_s, timing.patient(timing.DEAD_MAN_S, loop_speed()))

    def open(self) -> None:
        self._end.receive = self._receive

    def close(self) -> None:
        self.end()
        self._end.receive = None

    def discard(self) -> None:
        self._receiver.reset()

    def send(self, frame: bytes) -> None:
        if self._listener.tap is not None:
            self._listener.tap(True, frame)
        self._end.send(frame)

    def begin(self) -> int:
        self._cycle.start(asyncio.get_running_loop().time())
        self._tick()
        return self._cycle.epoch

    def end(self) -> None:
        self._cycle.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def set_image(self, control: ChargeControl, epoch: int) -> bytes:
        frame = self._cycle.set_image(control, epoch)
        if (due := self._cycle.due(asyncio.get_running_loop().time())) is not None:
            self.send(due)
        return frame

    async def closed(self) -> None:
        """A wire has nothing to give back."""

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        # Whoever runs this is the event loop: alive by itself.
        self._cycle.prove(loop.time())
        frame = self._cycle.due(max(loop.time(), self._cycle.next_due))
        if frame is not None:
            self.send(frame)
        self._timer = loop.call_at(self._cycle.next_due, self._tick)

    def _receive(self, data: bytes) -> None:
        if self._listener.tap is not None:
            self._listener.tap(False, data)
        frames = self._receiver.feed(data)
        if frames:
            self._listener.frames(frames)
