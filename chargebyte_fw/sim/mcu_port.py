"""The virtual safety controller on a line: its machine on a pseudo-terminal or on a wire in memory.

In one process, on a virtual clock::

    ours, theirs = memory.wire()
    runtime.wires.plug("serial:/dev/ttyLP2", ours)
    mcu = McuOnWire(VirtualMcu(pilot), theirs)
    runtime.wires.plug("gpio:nSAFETY_RESET_INT", mcu.reset_line)

In a process of its own::

    mcu = McuOnPty(VirtualMcu(pilot, speed=loop_speed()), state_root / "dev/ttyLP2")
    line = SimulatedLine(state_root, "nSAFETY_RESET_INT", mcu.reset_line)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.sim.bootloader import Trouble
from chargebyte_fw.sim.chip import Chip
from chargebyte_fw.sim.flash_port import FlashPort
from chargebyte_fw.sim.mcu import BytesReceived, InputsChanged, McuState, ResetLine, Transmit, VirtualMcu

READ_BYTES = 4096
_BAUDS = {termios.B9600: 9600, termios.B115200: 115200}


class McuPort:
    """What both kinds of line have in common."""

    def __init__(self, mcu: VirtualMcu, chip: Chip | None = None, trouble: Trouble | None = None) -> None:
        self.mcu = mcu
        self.flash = None if chip is None else FlashPort(chip, self._put, trouble)
        """The boot loader, where the controller has a flash; without one its application runs in any case."""
        self.failure: BaseException | None = None
        """Why the machine broke, if it did."""
        self._pump = Pump(mcu, self._act, self._broken)
        self._cut_until: asyncio.TimerHandle | None = None
        self.is_cut = False
        """Whether the cable is cut: nothing passes, in both directions."""
        mcu.pilot.on_change.append(self.inputs_changed)
        if self.flash is not None and not self.flash.release(mcu.hardware):
            self._pump.feed(ResetLine(False))

    def _broken(self, error: BaseException) -> None:
        self.failure = error
        raise error

    def _act(self, effect: Any) -> None:
        if isinstance(effect, Transmit):
            self._put(effect.data)

    def _put(self, data: bytes) -> None:
        if not self.is_cut:
            self._transmit(data)

    def _transmit(self, data: bytes) -> None:
        raise NotImplementedError

    def _received(self, data: bytes) -> None:
        if self.is_cut:
            return
        if self.flash is not None and self.flash.runs:
            self.flash.received(data)
        else:
            self._pump.feed(BytesReceived(data))

    def inputs_changed(self) -> None:
        """Let the controller look at pilot and hardware again."""
        self._pump.feed(InputsChanged())

    def reset_line(self, high: bool) -> None:
        """Set the level of the reset line; low resets."""
        if self.flash is not None:
            if not high:
                self.flash.reset()
            elif self.flash.runs or self.mcu.state is not McuState.RESET or not self.flash.release(self.mcu.hardware):
                return
        self._pump.feed(ResetLine(high))

    def mode_line(self, high: bool) -> None:
        """Set the level of the boot mode line; low while the reset line is released starts the boot loader."""
        if self.flash is not None:
            self.flash.mode_high = high

    def report_error(self, module: str, reason: int, active: bool = True) -> None:
        """Let the firmware raise or take back an internal error."""
        for effect in self.mcu.report_error(module, reason, active):
            self._act(effect)

    def noise(self, data: bytes) -> None:
        """Put bytes on the line towards the host that the controller did not send."""
        self._transmit(data)

    def cut(self, seconds: float | None = None) -> None:
        """Cut the cable, for `seconds` of the clock or until `mend`."""
        self.is_cut = True
        if self._cut_until is not None:
            self._cut_until.cancel()
            self._cut_until = None
        if seconds is not None:
            self._cut_until = asyncio.get_running_loop().call_later(seconds, self.mend)

    def mend(self) -> None:
        """Join the cable again."""
        self.is_cut = False

    def close(self) -> None:
        """Switch the controller off."""
        self._pump.close()
        if self._cut_until is not None:
            self._cut_until.cancel()
        if self.inputs_changed in self.mcu.pilot.on_change:
            self.mcu.pilot.on_change.remove(self.inputs_changed)
        self.mcu.hardware_is_reset()


class McuOnWire(McuPort):
    """On one end of a wire in memory."""

    def __init__(self, mcu: VirtualMcu, end: WireEnd, chip: Chip | None = None, trouble: Trouble | None = None) -> None:
        super().__init__(mcu, chip, trouble)
        self._end = end
        end.receive = self._received

    def _transmit(self, data: bytes) -> None:
        self._end.send(data)


class McuOnPty(McuPort):
    """On a pseudo-terminal that can be found at `path` (a symbolic link)."""

    def __init__(self, mcu: VirtualMcu, path: Path, chip: Chip | None = None, trouble: Trouble | None = None) -> None:
        super().__init__(mcu, chip, trouble)
        self.path = path
        self._master: int | None = None
        self._slave: int | None = None
        self.replug()

    def replug(self) -> None:
        """Plug the port in: a new pseudo-terminal at the same path."""
        if self._master is not None:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        # We keep the host's end open as well, so that a host that closes its port does not break ours.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def unplug(self) -> None:
        """Pull the port out: the path is gone, and a process that has it open gets an error."""
        if self._master is None or self._slave is None:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = None
        self.path.unlink(missing_ok=True)

    def _read(self) -> None:
        if self._master is None:
            return
        with contextlib.suppress(BlockingIOError):
            if self.flash is not None and self._slave is not None:
                self.flash.host_baud = _baud_of(self._slave)
            self._received(os.read(self._master, READ_BYTES))

    def _transmit(self, data: bytes) -> None:
        if self._master is not None:
            with contextlib.suppress(BlockingIOError):  # not read: the line drops it, as a UART does
                os.write(self._master, data)

    def close(self) -> None:
        """Switch the controller off and pull the port out."""
        super().close()
        self.unplug()


def _baud_of(terminal: int) -> int:
    """Return the rate that the other end has set on a pseudo-terminal; 0: one that is not spoken here."""
    return _BAUDS.get(termios.tcgetattr(terminal)[5], 0)
