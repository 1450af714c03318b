"""The virtual boot loader on its UART, byte by byte at the pace of the baud rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.board.flash import timing
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.sim.bootloader import BootLoader, BytesReceived, SetBaud, Speed, Transmit, Trouble
from chargebyte_fw.sim.chip import Chip
from chargebyte_fw.sim.mcu_hardware import Hardware

BITS_PER_BYTE = 10


class FlashPort:
    """Starts the loader or lets the application start, by the levels of the lines."""

    def __init__(self, chip: Chip, transmit: Callable[[bytes], None], trouble: Trouble | None = None) -> None:
        self.chip = chip
        self.trouble = trouble or Trouble()
        self.speed = Speed()
        self.mode_high = True
        """Level of the boot mode line."""
        self.host_baud: int | None = None
        """The rate that the host has set; None where that cannot be seen."""
        self.wire_s = 0.0
        """How long bytes of a loader were under way, all together."""
        self._transmit = transmit
        self._pump: Pump | None = None
        self._baud = timing.FIRST_BAUD
        self._free_in_s = self._free_out_s = 0.0
        self._now_s: float | None = None
        """When the last byte of what is being taken arrived: a timer calls a little after that."""

    @property
    def runs(self) -> bool:
        """Whether the loader is there, and not the application."""
        return self._pump is not None

    def reset(self) -> None:
        """The reset line is pulled: everything that was going on ends."""
        if self._pump is not None:
            self._pump.close()
        self._pump = None
        self._baud = timing.FIRST_BAUD

    def release(self, hardware: Hardware) -> bool:
        """The reset line is released: start the loader, or return whether there is an application that starts."""
        self.reset()
        if not self.mode_high:
            self._pump = Pump(BootLoader(self.chip, self.trouble, self.speed), self._act, _broken)
            return False
        identity = self.chip.identity
        if identity is None:
            return False
        hardware.firmware, hardware.git_hash = identity
        trouble = self.chip.parameter_trouble(hardware.firmware)
        hardware.parameter_mismatch = trouble is not None and trouble[0] == 6
        hardware.error_messages = [] if trouble is None else [("MW_PARAM", *trouble)]
        return True

    def received(self, data: bytes) -> None:
        """Take bytes from the host; the loader has them when the line has carried them."""
        if self.host_baud not in (None, self._baud):
            return  # at another rate there is nothing that looks like a byte
        self._free_in_s = self._later(self._free_in_s, data, self._feed)

    def _feed(self, pump: Pump | None, data: bytes, at_s: float) -> None:
        if pump is self._pump and pump is not None:
            self._now_s = at_s
            pump.feed(BytesReceived(data))
            self._now_s = None

    def _act(self, effect: Any) -> None:
        match effect:
            case Transmit(data):
                self._free_out_s = self._later(self._free_out_s, data, self._send)
            case SetBaud(baud):
                self._baud = baud

    def _send(self, pump: Pump | None, data: bytes, _: float) -> None:
        if pump is self._pump:
            self._transmit(data)

    def _later(self, free_s: float, data: bytes, call: Callable[[Pump | None, bytes, float], None]) -> float:
        loop = asyncio.get_running_loop()
        now_s = loop.time() if self._now_s is None else self._now_s
        lasts_s = len(data) * BITS_PER_BYTE / self._baud
        self.wire_s += lasts_s
        free_s = max(free_s, now_s) + lasts_s
        loop.call_at(free_s, call, self._pump, data, free_s)
        return free_s


def _broken(error: BaseException) -> None:
    raise error
