"""One process under the manager: started, watched, and started again alone with growing pauses."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.manager.plan import ModulePlan

START_LIMIT_S = 60.0
"""How long a process may take to become ready."""
PAUSES_S = (0.0, *doubling(1.0, 60.0))
"""Between its end and the next start: at first none, which has the board in its safe state again the soonest."""
STEADY_S = 300.0
"""After a run of so many seconds failures are counted from the first again."""

OUT_OF_SERVICE = "out of service"
"""State of a unit that is not started again."""


class Overseer(Protocol):
    """What a unit needs of its manager."""

    everyone: asyncio.Event
    """Set once the processes are initialised: from then on everybody may call everybody."""
    failures: int
    together: bool
    """Whether all are started again when one has failed: then none is alone."""

    def went(self, unit: Unit, text: str) -> None:
        """Note that a unit has failed, before anything else is done about it."""

    def may_be_called(self, unit: Unit) -> None:
        """Note that its modules are initialised: they take commands before they publish what asks for some."""

    def came(self, unit: Unit) -> None:
        """Note that it is ready."""

    def cannot_be_configured(self, text: str) -> None:
        """End everything: in the first start a module has refused its configuration."""


class Unit(ABC):
    """A group of ours, or a program; `run` lasts until `stop`."""

    charge = False
    """Whether it is between car and contactor."""

    def __init__(self, name: str, plans: Sequence[ModulePlan], overseer: Overseer, memory_MB: int) -> None:
        self.name = name
        self.plans = list(plans)
        self.memory_MB = memory_MB
        self.state = "starting"
        """`starting`, `running`, `waiting` for its next start, `out of service`, `stopped`; for the status file."""
        self.restarts = 0
        """How often it was started again."""
        self.reason = ""
        """Why it failed last, while it does not run."""
        self.initialised = asyncio.Event()
        """Set as well once it has failed: no start waits for it."""
        self.ready = asyncio.Event()
        """Set when it runs for the first time; for one of `cloud` also once it has failed."""
        self.log = ModuleLog(name)
        self._overseer = overseer
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def ids(self) -> list[str]:
        """The ids of its modules."""
        return [plan.id for plan in self.plans]

    @property
    @abstractmethod
    def pid(self) -> int:
        """Its process, 0 without one."""

    @abstractmethod
    async def start(self) -> None:
        """Start the process and wait until it is initialised; raises Unavailable, OSError, ConfigError."""

    async def begin(self) -> None:
        """Wait until it is ready, now that everybody is initialised; a program has reported it already."""
        return

    @abstractmethod
    async def end(self, why: str, *, kill: bool) -> None:
        """End the process: the safe state first, or at once."""

    async def possible(self) -> None:
        """Wait until it makes sense to start it once more."""
        return

    def fail(self, text: str) -> None:
        """End this run: the process has ended, hangs, or takes too much."""
        if not self._over.done():
            self._over.set_result(text)

    async def run(self) -> None:
        """Start, watch and start again, until the task is cancelled or it is out of service."""
        loop = asyncio.get_running_loop()
        pauses = Backoff(PAUSES_S, STEADY_S)
        while True:
            began_s = loop.time()
            self.state = "starting"
            self._over = loop.create_future()
            reason = await self._once(first=pauses.failures == 0)
            pause_s = pauses.fail(loop.time() - began_s)
            last = 0 < self._overseer.failures <= pauses.failures
            follows = f"is out of service after {pauses.failures} failures" if last else "is being started again"
            self.state = OUT_OF_SERVICE if last else "waiting"
            self.reason = reason
            self._overseer.went(self, f"{self.name} has failed ({reason}) and {follows}")
            await self.end(reason, kill=self.hangs(reason))
            self.initialised.set()
            if not self.charge:
                self.ready.set()
            if last or self._overseer.together:
                return
            await asyncio.sleep(pause_s)
            await self.possible()
            self.restarts += 1

    def hangs(self, _reason: str) -> bool:
        """Return whether it would not take notice of a request to end."""
        return False

    async def _once(self, *, first: bool) -> str:
        """Start and watch; returns why it is over."""
        starting = asyncio.get_running_loop().create_task(self._start())
        try:
            ends: set[asyncio.Future[Any]] = {starting, self._over}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            starting.cancel()
        if not self._over.done() and not starting.cancelled() and (error := starting.exception()) is not None:
            if isinstance(error, ConfigError) and first and not self._overseer.everyone.is_set():
                self._overseer.cannot_be_configured(str(error))
            return str(error) or type(error).__name__
        if not self._over.done():
            self.state, self.reason = "running", ""
            self.ready.set()
            self._overseer.came(self)
        return await self._over

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(START_LIMIT_S if not self.is_standalone else None):
                await self.start()
        except TimeoutError:
            raise TimeoutError(f"it is not ready after {START_LIMIT_S:g} s") from None
        self.initialised.set()
        await self._overseer.everyone.wait()
        self._overseer.may_be_called(self)
        async with asyncio.timeout(START_LIMIT_S):
            await self.begin()

    @property
    def is_standalone(self) -> bool:
        """Whether it is started from outside: it is waited for without a limit."""
        return any(plan.standalone for plan in self.plans)
