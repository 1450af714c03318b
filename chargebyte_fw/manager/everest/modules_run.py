"""All modules of a configuration from their start to their end, for EVerest's manager: what ends one ends all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.everest.lifecycle import AllGone, AllReady, ModuleEnded
from chargebyte_fw.manager.module_restarts import log_failure
from chargebyte_fw.manager.mqtt.client import External
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.stray import StrayErrors
from chargebyte_fw.manager.wire.publisher import Publisher


class ModulesRun:
    """One start of all modules; `report` takes AllReady, ModuleEnded and AllGone as they happen."""

    def __init__(
        self,
        plans: Sequence[ModulePlan],
        runtime: Runtime,
        publisher: Publisher,
        report: Callable[[Any], None],
        outside_next: Callable[[], None],
        strays: StrayErrors,
    ) -> None:
        """`outside_next` is called when only modules that are started from outside are awaited."""
        self._plans = list(plans)
        self._runtime = runtime
        self._publisher = publisher
        self._report = report
        self._outside_next = outside_next
        self._log = ModuleLog("manager")
        self._stop = asyncio.Event()
        self._stray = strays.renew()
        self._clean = True
        self.assembly: Assembly | None = None
        self.ready = False
        """Whether every module is initialised."""
        self._reporting: asyncio.Task[None] | None = None
        self._task = asyncio.get_running_loop().create_task(self._run(), name="modules")

    def stop(self) -> None:
        """Bring every module into its safe state; AllGone follows."""
        self._quiet()
        self._stop.set()

    def hurry(self) -> None:
        """Wait no longer for a module that does not end."""
        self._clean = False
        if self.assembly is not None:
            self.assembly.hurry()

    async def gone(self) -> None:
        """Wait until every module has ended."""
        await self._task

    async def _run(self) -> None:
        self._runtime.all_faults.clear()
        assembly = self.assembly = Assembly(self._runtime, together=True)
        try:
            await self._until_stopped(assembly)
        finally:
            await assembly.stop()
            self._publisher.leave()
            if isinstance(self._runtime.mqtt, External):
                self._runtime.mqtt.forget()
            self.assembly = None
            self._report(AllGone(self._clean))

    async def _until_stopped(self, assembly: Assembly) -> None:
        loop = asyncio.get_running_loop()
        stop = loop.create_task(self._stop.wait())
        waiting: list[asyncio.Future[Any]] = [stop, self._stray]
        try:
            assembly.build(self._plans)
            self._publisher.join(assembly)
            waiting.append(loop.create_task(assembly.failure()))
            start = loop.create_task(assembly.start(self._initialised, outside_next=self._outside_next))
            waiting.append(start)
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if start.done() and not start.cancelled() and start.exception() is None:
                waiting.remove(start)
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            elif not start.done():
                start.cancel()
                await asyncio.wait([start])
            self._ended(assembly, waiting[1:])
            await stop
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _initialised(self) -> None:
        self._publisher.announce_ready()
        self._reporting = asyncio.get_running_loop().create_task(self._report_ready())

    async def _report_ready(self) -> None:
        # Whoever reads the status sends commands over MQTT at once, as EVerest's tests do.
        await self._publisher.client.subscribed()
        self.ready = True
        self._report(AllReady())

    def _quiet(self) -> None:
        """Do not report any more that all are ready."""
        self.ready = False
        if self._reporting is not None:
            self._reporting.cancel()

    def _ended(self, assembly: Assembly, waiting: list[asyncio.Future[Any]]) -> None:
        """Report the module that has failed, if any has; all are stopped then."""
        stray, failed, *start = waiting
        module_id, error = "", None
        if failed.done() and not failed.cancelled():
            module_id, error = failed.result()
        elif stray.done() and not stray.cancelled():
            module_id, error = "a callback", stray.result()
        elif start and start[0].done() and not start[0].cancelled():
            module_id, error = assembly.starting, start[0].exception()
        if error is None:
            return
        self._clean = False
        self._quiet()
        if isinstance(error, ConfigError):
            self._log.error("%s cannot use its configuration: %s", module_id, error)
        else:
            log_failure(self._log, module_id, error, "safe state, then as EVerest's manager")
        self._report(ModuleEnded(module_id))
