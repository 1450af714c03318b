"""Starts a failed module again, alone, while all others go on: one of group `cloud`, or a program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.redaction import redact
from chargebyte_fw.manager.assembly import FAILURE, Assembly

START_LIMIT_S = 60.0
"""How long one module may take to become ready."""
PAUSES_S = doubling(1.0, 60.0)
"""Between a failure of a module and its next start."""
STEADY_S = 300.0
"""A run of so many seconds is followed by the first pause again."""
CANCEL_LIMIT_S = 0.5
FAILURES = 10
"""Failures in a row after which a module is not started again."""


class ModuleRestarts:
    """Watches those modules of one assembly that fail alone, from `begin` to `cancel`.

    A module that fails is stopped, and replaced after a pause that grows while it fails again (`PAUSES_S`). Its fault
    stands until the new instance is ready; after a repeated failure until it has run for as long as the last pause.
    After so many `failures` in a row (0: never) it is not started again, and its fault stays with that reason.
    """

    def __init__(
        self,
        assembly: Assembly,
        log: ModuleLog,
        made: Callable[[Module], None] = lambda _: None,
        initialised: Callable[[Module], None] = lambda _: None,
        failed: Callable[[str, str], None] = lambda _id, _text: None,
        failures: int = FAILURES,
    ) -> None:
        self._failures = failures
        self._assembly = assembly
        self._log = log
        self._made = made
        self._initialised = initialised
        self._failed = failed
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Watch from now on; a module that has failed during the start is taken up at once."""
        for module_id in self._assembly.failures:
            task = asyncio.get_running_loop().create_task(self._watch(module_id), name=f"watch {module_id}")
            self._tasks.append(task)

    def cancel(self) -> None:
        """Begin to end: nothing is started any more."""
        for task in self._tasks:
            task.cancel()

    async def closed(self) -> None:
        """Wait until nothing runs any more (after `cancel`)."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, module_id: str) -> None:
        loop = asyncio.get_running_loop()
        pauses = Backoff(PAUSES_S, STEADY_S)
        await self._finish_start(self._assembly.modules[module_id])
        began_s = loop.time()
        while True:
            text = await self._failure(module_id)
            pause_s = pauses.fail(loop.time() - began_s)
            repeated = pauses.failures > 1
            await self._assembly.retire(self._assembly.modules[module_id])
            if 0 < self._failures <= pauses.failures:
                self._give_up(module_id, f"{module_id} is out of service after {pauses.failures} failures ({text})")
                return
            await asyncio.sleep(pause_s)
            began_s = loop.time()
            try:
                module = self._assembly.renew(module_id, keep=not repeated)
                self._made(module)
            except Exception as error:
                log_failure(self._log, module_id, error, "it cannot be made again yet")
                continue
            await module.possible()
            await self._within_limit(module, self._assembly.bring_up(module, self._initialised))
            if repeated and not module.failed.done():
                await asyncio.wait({module.failed}, timeout=pause_s)
            if not module.failed.done():
                self._assembly.mark_present(module_id)
                self._assembly.failures[module_id].clear(FAILURE)
                self._log.info("%s is back", module_id)
            # An instance that failed is not held on to while the next one runs.
            del module

    async def _finish_start(self, module: Module) -> None:
        """Wait for a module that was not ready when the others were."""
        if module.id in self._assembly.late:
            await self._within_limit(module, self._assembly.finish_start(module, self._initialised))
            if not module.failed.done():
                self._log.info("%s is ready now", module.id)

    async def _within_limit(self, module: Module, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, a part of the module's start; a module that takes too long has failed."""
        task = asyncio.get_running_loop().create_task(work, name=f"start {module.id}")
        try:
            ends: set[asyncio.Future[Any]] = {task, module.failed}
            await asyncio.wait(ends, timeout=START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=CANCEL_LIMIT_S)
                error: BaseException | None = TimeoutError(f"it is not ready after {START_LIMIT_S:g} s")
            else:
                error = Unavailable("its start was broken off") if task.cancelled() else task.exception()
        except asyncio.CancelledError:
            task.cancel()
            raise
        if error is not None and not module.failed.done():
            module.crash(error)

    def _give_up(self, module_id: str, text: str) -> None:
        self._log.error("%s", text)
        self._assembly.modules[module_id].out_of_service = True
        self._assembly.mark_present(module_id)
        self._assembly.mark_absent(module_id, text, lasting=True)
        self._assembly.failures[module_id].clear(FAILURE)
        self._assembly.failures[module_id].raise_fault(FAILURE, text, severity=Severity.Medium)

    async def _failure(self, module_id: str) -> str:
        """Wait until the module fails; log it and raise the fault, of which the recorder saves the trace.

        Returns why, in a line.
        """
        module = self._assembly.modules[module_id]
        error = await asyncio.shield(module.failed)
        module.away = True
        log_failure(self._log, module_id, error, "it is started again alone")
        text = shorten(redact(f"{type(error).__name__}: {error}"))
        follows = f"{module_id} has failed ({text}) and is being started again"
        self._assembly.mark_absent(module_id, follows)
        self._failed(module_id, follows)
        self._assembly.failures[module_id].raise_fault(FAILURE, follows, severity=Severity.Medium)
        return text


def log_failure(log: ModuleLog, module_id: str, error: BaseException, what_follows: str) -> None:
    """Log why a module ends: with a traceback only where the cause is a defect of ours."""
    if isinstance(error, PeerError | Unavailable | TimeoutError):
        log.error("%s failed: %s; %s", module_id, error, what_follows)
    else:
        log.error("%s failed; %s", module_id, what_follows, exc_info=error)
