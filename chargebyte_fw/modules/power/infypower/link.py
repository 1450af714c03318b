"""The link of the Infypower group: its CAN bus, opened again for ever when it is missing, goes, or is bus-off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.can_bus import EXTENDED, CanCallbacks, CanFrame, CanPort, open_port, split
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.trace import FullTape, Trace
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.interface import set_up
from chargebyte_fw.modules.power.infypower.limits import Options
from chargebyte_fw.modules.power.infypower.machine import InfypowerGroup
from chargebyte_fw.modules.power.infypower.timing import AGAIN_S, Times

TRACE_KIND = "can"
FOREIGN = ".foreign"
"""Behind the device in the trace: frames of another controller with our address."""
DESTINATION_MASK, SOURCE_MASK, COMMAND_MASK = 0xFF00, 0x00FF, 0x3F_0000


def wanted_by(options: Options) -> list[tuple[int, int]]:
    """Return which frames the group must get, as ids with masks: those for us, and those of another controller that has
    our address, or commands our group or everyone.
    """
    command = m.Command.WRITE << 16
    return [
        (options.source << 8 | EXTENDED, DESTINATION_MASK),
        (options.source | EXTENDED, SOURCE_MASK),
        (command | options.destination << 8 | EXTENDED, COMMAND_MASK | DESTINATION_MASK),
        (command | m.BROADCAST << 8 | EXTENDED, COMMAND_MASK | DESTINATION_MASK),
    ]


class CanTape(FullTape):
    """Records what the group receives: frames as they are, everything else as events.

    What it wants done is in the trace already: frames, facts, faults.
    """

    __slots__ = ("_foreign", "_frame", "_ours", "_wanted")

    def __init__(
        self, trace: Trace, source: str, device: str, options: Options, times: Times, group: InfypowerGroup
    ) -> None:
        begins = {"device": device, "options": options, "times": times}
        super().__init__(trace, source, begins, (group,), elsewhere=(CanFrame,))
        self._frame = trace.channel(TRACE_KIND, device)
        self._foreign = trace.channel(TRACE_KIND, f"{device}{FOREIGN}")
        self._ours = options.source
        self._wanted = wanted_by(options)

    def fed(self, event: Any, now: float) -> None:
        """Record an event; a frame only if it is one for this group."""
        super().fed(event, now)
        if isinstance(event, CanFrame) and any(event.id & mask == wanted & mask for wanted, mask in self._wanted):
            # What this controller sends is in the trace with its address, too.
            (self._foreign if event.id & SOURCE_MASK == self._ours else self._frame)(event.encode(), now)

    def produced(self, event: Any, effects: list[Any], now: float) -> None:
        """Record nothing: what carries an effect out records it."""


class InfypowerLink:
    """Frames to and from the group. Calls `up()` and `down(why)` when the bus opens and fails."""

    def __init__(
        self,
        device: str,
        bitrate: int,
        options: Options,
        runtime: Runtime,
        log: ModuleLog,
        *,
        up: Callable[[], None],
        received: Callable[[CanFrame], None],
        down: Callable[[str], None],
    ) -> None:
        self._device, self._bitrate, self._options = device, bitrate, options
        self._runtime, self._log = runtime, log
        self._up, self._received, self._down = up, received, down
        self._port: CanPort | None = None
        self._gone: asyncio.Future[Unavailable]
        self._missing = False

    async def keep(self) -> None:
        """Keep the bus open until cancelled."""
        while True:
            try:
                await self._use()
            except Unavailable as error:
                if not self._missing:
                    self._missing = True
                    self._log.warning("%s, waiting for it", error)
                self._down(str(error))
            await asyncio.sleep(AGAIN_S)

    async def _use(self) -> None:
        """Open the bus and raise Unavailable when it is gone."""
        self._gone = asyncio.get_running_loop().create_future()
        wired = self._runtime.wires.find(f"can:{self._device}") is not None
        if split(self._device)[0] == "socketcan" and not wired:
            # pyroute2 brings an event loop of its own, which does not stand another one in its thread.
            for text in await asyncio.to_thread(set_up, self._device, self._bitrate):
                self._log.info("%s", text)
        callbacks = CanCallbacks(self._arrive, self._lose)
        wanted = wanted_by(self._options)
        self._port = open_port(self._device, self._runtime.wires, callbacks, bitrate=self._bitrate, wanted=wanted)
        if self._missing:
            self._missing = False
            self._log.info("CAN device %s is there", self._device)
        self._up()
        raise await self._gone

    def send(self, frame: CanFrame) -> None:
        """Send one frame; without a bus it is lost."""
        if self._port is not None:
            self._runtime.trace.record(TRACE_KIND, self._device, frame.encode())
            self._port.send(frame)

    def close(self) -> None:
        """Let go of the bus."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _arrive(self, frame: CanFrame) -> None:
        self._received(frame)

    def _lose(self, error: Unavailable) -> None:
        self._port = None
        self._runtime.trace.record("port", self._device, "lost")
        if not self._gone.done():
            self._gone.set_result(error)
