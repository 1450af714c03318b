"""The two kinds of processes under the manager: a group of our modules, and a program of another vendor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from socket import socket
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import real_seconds
from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
from chargebyte_fw.kernel.last_frame import LastFrame
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import KeepValue, Runtime
from chargebyte_fw.manager.grouped.channel import (
    Absent,
    Alive,
    Begin,
    Channel,
    End,
    Failed,
    FromGroup,
    FromManager,
    Initialised,
    Report,
    Running,
    ToKeep,
    pair,
)
from chargebyte_fw.manager.grouped.keeping import Keeping
from chargebyte_fw.manager.grouped.starter import Request
from chargebyte_fw.manager.grouped.unit import Overseer, Unit
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.watched_process import WatchedProcess, exceeds, stopped
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.foreign import ForeignModule

HANG_S = 4.0
"""A group that has not reported for so long hangs; eight of its reports."""
HANGS = "its event loop stands still"
STOPPED = "a signal has stopped its process"
UNDER_WAY_S = 0.02
"""How long a message may be under way: one that was published earlier has been taken in by a process that reports."""
STOP_LIMIT_S = 8.0
"""How long a group may take to its end: longer than one module of it may (`assembly.STOP_LIMIT_S`)."""
KILL_LIMIT_S = 2.0


class GroupUnit(Unit):
    """A group of our modules."""

    def __init__(
        self,
        name: str,
        plans: Sequence[ModulePlan],
        overseer: Overseer,
        memory_MB: int,
        spawn: Callable[[Request, socket], Awaitable[int]],
        changed: Callable[[], None],
        keep: KeepValue,
    ) -> None:
        """`changed` is called after each report; `keep` writes what its modules change in the configuration."""
        super().__init__(name, plans, overseer, memory_MB)
        self.log.extra = {"module_id": "manager"}
        self.report = Report([], {}, False, [])
        self._spawn = spawn
        self._changed = changed
        self._keeping = Keeping(keep)
        self._process: WatchedProcess | None = None
        self._channel: Channel | None = None
        self._watch: list[asyncio.Task[None]] = []
        self._alive_s: float | None = None
        self._initialised = asyncio.Event()
        self._is_up = asyncio.Event()
        self._reason = ""
        self._away: dict[str, Absent] = {}
        self._last_frames: dict[str, LastFrame] = {}

    @property
    def pid(self) -> int:
        """Its process, 0 without one."""
        return 0 if self._process is None else self._process.pid

    async def start(self) -> None:
        """Have the process started, and wait until its modules are initialised."""
        ours, theirs = pair()
        self._initialised, self._is_up, self._reason = asyncio.Event(), asyncio.Event(), ""
        self._channel = channel = Channel(ours, FromGroup, self._take)
        since_s = None if self._alive_s is None else self._alive_s - UNDER_WAY_S
        self._alive_s = real_seconds()
        self._process = process = WatchedProcess(await self._spawn(Request(self.name, since_s), theirs))
        loop = asyncio.get_running_loop()
        works = (
            self._watch_end(process),
            self._watch_heartbeat(),
            self._watch_memory(process),
            self._watch_for_a_stop(process),
        )
        self._watch = [loop.create_task(work, name=f"watch {self.name}") for work in works]
        for absent in self._away.values():
            channel.send(absent)
        await self._initialised.wait()

    async def begin(self) -> None:
        """Let it begin, and wait until its modules are ready."""
        self.post(Begin())
        await self._is_up.wait()

    def post(self, message: FromManager) -> None:
        """Send a message to the process, if there is one."""
        if self._channel is not None:
            self._channel.send(message)

    def absent(self, module_id: str, text: str, *, lasting: bool = False) -> None:
        """Let it know that a module of another process is absent; also the process that is started next."""
        self._away[module_id] = Absent([module_id], text, lasting)
        self.post(self._away[module_id])

    def hurry(self, why: str) -> None:
        """Ask a process that ends to be quick."""
        self.post(End(why))

    def present(self, module_id: str) -> None:
        """Forget that; the message itself is for several modules at once."""
        self._away.pop(module_id, None)

    def hangs(self, reason: str) -> bool:
        """Return whether the process would not take notice of a request to end."""
        return reason in (HANGS, STOPPED)

    async def end(self, why: str, *, kill: bool) -> None:
        """End the process: it brings its modules into their safe state, within bounds."""
        for task in self._watch:
            task.cancel()
        process, self._process = self._process, None
        if process is not None and not kill:
            self.post(End(why))
            if not await process.ended_within(STOP_LIMIT_S):
                self.log.error("%s does not end; killing it", self.name)
        if process is not None and not process.ended.is_set():
            process.send(signal.SIGKILL)
            await process.ended_within(KILL_LIMIT_S)
        if process is not None:
            process.close()
        self._write_last_frames()
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        self.report = Report([], {}, False, [])

    def _write_last_frames(self) -> None:
        """Bring into the safe state what the process has left: its successor may have to wait."""
        frames, self._last_frames = self._last_frames, {}
        for one in frames.values():
            try:
                one.write()
            except OSError as error:
                # The device's own time-out remains.
                self.log.warning("%s cannot be brought into its safe state: %s", one.path, error)

    async def _watch_end(self, process: WatchedProcess) -> None:
        await process.ended.wait()
        # Its last words may still be in the channel.
        await asyncio.sleep(0)
        self.fail(self._reason or "its process has ended")

    async def _watch_heartbeat(self) -> None:
        silent_s = 0.0
        while silent_s < HANG_S:
            await asyncio.sleep(HANG_S / 8)
            silent_s = real_seconds() - (self._alive_s or 0.0)
        self.fail(HANGS)

    async def _watch_for_a_stop(self, process: WatchedProcess) -> None:
        """End it at once: its successor has the board in the safe state before the controller's own time-out."""
        await stopped(process.pid)
        self.fail(STOPPED)

    async def _watch_memory(self, process: WatchedProcess) -> None:
        self.fail(await exceeds(process.pid, self.memory_MB))

    def _take(self, message: Any) -> None:
        self._alive_s = real_seconds()
        match message:
            case Alive():
                pass
            case Initialised():
                self._initialised.set()
            case Running():
                self._is_up.set()
            case LastFrame(path, _, frame):
                self._last_frames.pop(path, None)
                if frame:
                    self._last_frames[path] = message
            case Report():
                self.report = message
                self._changed()
            case ToKeep() if self._channel is not None:
                # Answered to this process, not to the one that may have taken its place by then.
                self._keeping.take(message, self._channel.send)
            case Failed(module_id, reason, configuration):
                self._reason = f"{module_id}: {reason}" if module_id else reason
                if configuration and not self._overseer.everyone.is_set():
                    self._overseer.cannot_be_configured(reason)


class ProgramUnit(Unit):
    """A program, started as by EVerest's manager."""

    def __init__(
        self,
        plan: ModulePlan,
        overseer: Overseer,
        memory_MB: int,
        carrier: Carrier,
        runtime: Runtime,
        shut_down: Callable[[], None] | None,
        admit: Callable[[str], Any],
    ) -> None:
        super().__init__(plan.id, [plan], overseer, memory_MB)
        self._admit = admit
        self._carrier = msgspec.structs.replace(carrier, program_memory_MB=memory_MB)
        self._runtime = runtime
        self._shut_down = shut_down
        self._module: ForeignModule | None = None
        self._watch: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """Its process, 0 without one."""
        return 0 if self._module is None or self._module.pid is None else self._module.pid

    async def start(self) -> None:
        """Start the program and wait until it reports ready."""
        plan = self.plans[0]
        kind = plan.module
        if not issubclass(kind, ForeignModule):
            raise ConfigError([Finding(f"module {plan.id}", "this is no program", number="C214")])
        module = self._module = kind()
        module.id, module.log = plan.id, ModuleLog(plan.id)
        module.standalone, module.capabilities = plan.standalone, plan.capabilities
        module.runtime, module.carrier, module.shut_down = self._runtime, self._carrier, self._shut_down
        module.takes_in = False
        if self._overseer.everyone.is_set():
            self._admit(self.name)
        await module.init()
        loop = asyncio.get_running_loop()
        self._watch = [loop.create_task(self._watch_end(module), name=f"watch {self.name}")]
        await module.joined()

    async def end(self, why: str, *, kill: bool) -> None:
        """End the program: SIGTERM first, then SIGKILL."""
        for task in self._watch:
            task.cancel()
        module, self._module = self._module, None
        if module is not None:
            await module.stop()
            module.scope.close()

    async def _watch_end(self, module: ForeignModule) -> None:
        error = await asyncio.shield(module.failed)
        self.fail(str(error) if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}")

    async def possible(self) -> None:
        """Wait for the broker, without which no program can be started."""
        await self._carrier.online()
