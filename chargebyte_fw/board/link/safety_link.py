"""The link to the safety controller: port, reset line, cycle, and the machine that controls them."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chargebyte_fw.board.can_mirror import CanMirror
from chargebyte_fw.board.gpio import Output
from chargebyte_fw.board.link import events
from chargebyte_fw.board.link.carriers import BAUD, Carrier, CarrierListener, Tap, WireCarrier
from chargebyte_fw.board.link.cycle import SAFE_FRAME
from chargebyte_fw.board.link.machine import LinkMachine, LinkState
from chargebyte_fw.board.link.messages.charge_som import ActionId, ChargeControl, ChargeState, Pt1000State
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.last_frame import LastFrame
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import Tape, Trace

_PERIODIC = (ChargeState.com_id, Pt1000State.com_id)
TRACE_KIND = "uart"
SENT, RECEIVED = "host", "mcu"


class SafetyLink:
    """Keeps the link up without end; `listener` gets the reports (`events.py`).

    The port is a wire in memory (`wire`) or whatever is at `path()` each time it is opened.
    """

    def __init__(
        self,
        *,
        wire: WireEnd | None,
        path: Callable[[], Path],
        reset: Output,
        listener: Callable[[Any], None],
        guard: Callable[[BaseException], None],
        trace: Trace,
        tap: Tap | None = None,
        mirror: CanMirror | None = None,
        leave: Callable[[LastFrame], object] = lambda _: None,
    ) -> None:
        """`leave` takes what is to be written to the port when this process ends while it controls the board."""
        self._leave_frame = leave
        self._machine = LinkMachine(loop_speed())
        self._repeated_s = 0.0
        # A state that is repeated unchanged is not recorded each time; each wake is, with the time of the last one.
        tape = Tape(trace, TRACE_KIND, lambda: self._repeated_s)
        self._pump = Pump(self._machine, self._carry_out, guard, tape)
        self._reset = reset
        self._listener = listener
        self._trace = trace
        self._path = path
        self._epoch = 0
        self._payloads: dict[int, bytes] = {}
        self._image: ChargeControl | None = None
        self._mirror = mirror
        callbacks = CarrierListener(
            self._frames, self._failed, self._tripped, tap if mirror is None else _mirrored(mirror, tap)
        )
        self._carrier: Carrier
        if wire is not None:
            self._carrier = WireCarrier(wire, callbacks)
        else:
            # pyserial and a thread are only wanted where there is a real port.
            from chargebyte_fw.board.link.serial_carrier import SerialCarrier

            self._carrier = SerialCarrier(path, callbacks)

    @property
    def running(self) -> bool:
        """Whether the cycle runs."""
        return self._machine.state is LinkState.RUNNING

    async def readers(self) -> list[str]:
        """Return which other processes have the port open, and so take bytes away; looked up in a thread."""
        if isinstance(self._carrier, WireCarrier):
            return []
        from chargebyte_fw.board.flash.port_holders import readers

        return [str(holder) for holder in await asyncio.to_thread(readers, self._path())]

    def start(self) -> None:
        """Begin to open, reset, inquire. Nothing is raised: a failure is a report."""
        self._trace.record("port", TRACE_KIND, "start")
        self._pump.feed(events.Start())

    async def close(self) -> None:
        """End the cycle and give the port back."""
        self._trace.record("port", TRACE_KIND, "stop")
        self._pump.feed(events.Stop())
        self._pump.close()
        await self._carrier.closed()
        self._reset.close()
        if self._mirror is not None:
            self._mirror.close()

    def set_image(self, control: ChargeControl) -> None:
        """Send `control` now and every 100 ms; without a running cycle the order is dropped."""
        if not self.running:
            return
        frame = self._carrier.set_image(control, self._epoch)
        if control != self._image:
            self._image = control
            self._trace.record(TRACE_KIND, SENT, frame, frame[1])

    def reset(self, why: str) -> None:
        """Reset the controller on purpose."""
        self._pump.feed(events.ResetRequest(why))

    def act(self, action: ActionId) -> None:
        """Ask for an action; the report ActionResult has the outcome."""
        self._pump.feed(events.ActionRequest(action))

    def _frames(self, frames: list[Frame]) -> None:
        now = asyncio.get_running_loop().time()
        for frame in frames:
            if self._mirror is not None:
                self._mirror.send(frame)
            if self._payloads.get(frame.com_id) == frame.payload:
                if frame.com_id == ChargeState.com_id:
                    self._machine.touch(now)
                    self._repeated_s = now
                continue
            if frame.com_id in _PERIODIC:
                self._payloads[frame.com_id] = frame.payload
            self._trace.record(TRACE_KIND, RECEIVED, bytes((frame.com_id,)) + frame.payload, frame.com_id)
            self._pump.feed(events.FrameReceived(frame))

    def _failed(self, why: str) -> None:
        self._fail(f"{self._path()}: {why}")

    def _fail(self, why: str) -> None:
        self._trace.record("port", TRACE_KIND, {"failed": why})
        self._pump.feed(events.PortFailed(why))

    def _tripped(self, epoch: int) -> None:
        self._epoch = epoch
        self._trace.record("port", TRACE_KIND, "tripped")
        self._listener(events.DeadManTripped())

    def _carry_out(self, effect: Any) -> None:
        match effect:
            case events.OpenPort():
                if self._mirror is not None:
                    self._mirror.open()
                try:
                    self._carrier.open()
                except OSError as error:
                    self._fail(f"{self._path()}: {_reason(error, self._path())}")
                else:
                    self._trace.record("port", TRACE_KIND, "opened")
                    self._pump.feed(events.PortOpened())
            case events.ClosePort():
                self._carrier.close()
            case events.HoldReset(active):
                self._reset.set(active)
            case events.DiscardInput():
                self._carrier.discard()
                self._payloads.clear()
            case events.SendFrame(frame):
                self._carrier.send(frame)
                self._trace.record(TRACE_KIND, SENT, frame, frame[1])
            case events.StartCycle():
                self._image = None
                # States received while the firmware was asked for were not reported: a controller that never changes
                # its state again must still be seen.
                self._payloads.clear()
                self._epoch = self._carrier.begin()
                self._leave(SAFE_FRAME)
            case events.StopCycle():
                self._carrier.end()
                self._leave(b"")
                self._payloads.clear()
            case _:
                self._listener(effect)

    def _leave(self, frame: bytes) -> None:
        if not isinstance(self._carrier, WireCarrier):
            self._leave_frame(LastFrame(str(self._path()), BAUD, frame))


def _mirrored(mirror: CanMirror, tap: Tap | None) -> Tap:
    """Copy what we send, in whichever thread sends it; what comes in is copied where it is a frame."""

    def copy(sent: bool, data: bytes) -> None:
        if sent:
            mirror.send(Frame(data[1], data[2:10]))
        if tap is not None:
            tap(sent, data)

    return copy


def _reason(error: OSError, path: Path) -> str:
    """Return why a port cannot be opened, without pyserial's repetition of the path, and which process has it."""
    if error.errno in (errno.EAGAIN, errno.EBUSY):
        from chargebyte_fw.board.flash.port_holders import holders

        if held := holders(path):
            return f"held by {' and '.join(map(str, held))}"
    return os.strerror(error.errno) if error.errno else str(error)
