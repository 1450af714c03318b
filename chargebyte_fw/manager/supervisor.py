"""The process: start, report ready, watch, stop with the safe state first, start again, end on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec

from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.faults import Faults, Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.redaction import redact
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import gc_tuning
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.control import SOCKET, Control
from chargebyte_fw.manager.instance_lock import InstanceLock
from chargebyte_fw.manager.module_restarts import FAILURES, ModuleRestarts, log_failure
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.operator import Operator
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.process import age_s, notify_systemd
from chargebyte_fw.manager.recording import Recorder
from chargebyte_fw.manager.status_file import StatusFile
from chargebyte_fw.manager.stray import StrayErrors
from chargebyte_fw.manager.watchdog import feed
from chargebyte_fw.manager.wire.publisher import Publisher

START_LIMIT_S = 60.0
"""How long all modules together may take to become ready."""
PAUSES_S = doubling(1.0, 60.0)
"""Between a failure and the next start."""
STEADY_S = 300.0
"""A run of so many seconds is followed by the first pause again."""
NOTICES_LIMIT = 10
"""Faults of what was set aside: a file with a hundred wrong lines needs a look in any case."""


class Failure(msgspec.Struct, frozen=True):
    """Why a run ended."""

    module_id: str
    error: BaseException


class Supervisor:
    """All modules of a configuration in one process, until `request_stop`."""

    control_socket = SOCKET

    def __init__(
        self,
        plans: Sequence[ModulePlan],
        runtime: Runtime,
        mqtt: MqttClient | None = None,
        publisher: Publisher | None = None,
        *,
        configuration: str = "",
        notices: Sequence[str] = (),
        together: bool = False,
        failures: int = FAILURES,
    ) -> None:
        """`together`: whichever module fails, all are started again, as by EVerest's manager.

        `failures`: after so many in a row what fails alone is not started again (0: it always is): a module, or all of
        `charge`.
        """
        self._failures = failures
        self._together = together
        self.plans = list(plans)
        self.notices = list(notices)
        """What was set aside so that the start went on: raised as a fault that does not block charging."""
        self.status_file = StatusFile(runtime.root)
        self.status_file.now.configuration = configuration
        self.status_file.now.notices = self.notices
        self.runtime = runtime
        self.mqtt = mqtt
        self.publisher = publisher
        self.log = ModuleLog("manager")
        self.recorder = Recorder(runtime, self.log)
        self.assembly: Assembly | None = None
        self._stop = asyncio.Event()
        self._backoff = Backoff(PAUSES_S, STEADY_S)
        self._strays = StrayErrors(self.log)
        self._out_of_service = ""

    async def run(self) -> int:
        """Run until a signal comes; returns 0.

        Raises ConfigError when a module cannot use its configuration, Unavailable when another charger runs here.
        """
        lock = InstanceLock(self.runtime.root, self.log)
        lock.take()
        try:
            return await self._run()
        finally:
            lock.release()

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._strays.take)
        # A hang-up that is ignored (nohup) stays ignored.
        hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
        ends = (signal.SIGTERM, signal.SIGINT, *hang_up)
        for number in ends:
            loop.add_signal_handler(number, self.request_stop, number.name)
        loop.add_signal_handler(signal.SIGUSR1, self.recorder.save_soon, "request")
        self.runtime.operator["call"] = Operator(lambda: self.assembly).call
        self.runtime.operator["status"] = self._answer_status
        control = Control(self.runtime.root, self.recorder, self.log, self.runtime.operator, self.control_socket)
        await control.start()
        aside = [loop.create_task(work) for work in self._aside()]
        try:
            if self.mqtt is not None:
                self.mqtt.start()
            while not self._stop.is_set():
                began_s = loop.time()
                failure = await self._run_once()
                if failure is not None and not self._stop.is_set():
                    await self._after(failure, loop.time() - began_s)
        finally:
            for task in aside:
                task.cancel()
            self.status_file.remove()
            await control.stop()
            await self.recorder.close()
            self._strays.close()
            if self.mqtt is not None:
                await self.mqtt.stop()
            for number in (*ends, signal.SIGUSR1):
                loop.remove_signal_handler(number)
        self.log.info("stopped")
        return 0

    def _aside(self) -> list[Coroutine[Any, Any, None]]:
        """Return what runs beside the modules."""
        aside = [feed(), self.status_file.keep(self._present_status)]
        if self.publisher is not None:
            # Imported only where there is a broker.
            from chargebyte_fw.manager.status.publishing import publish_status

            aside.append(publish_status(self.publisher.client, self.publisher.prefix, self._answer_status))
        return aside

    async def _after(self, failure: Failure, held_s: float) -> None:
        """Do what follows the end of a run that had lasted for `held_s` seconds."""
        pause_s = self._backoff.fail(held_s=held_s)
        if 0 < self._failures <= self._backoff.failures and not self._together and not self._out_of_service:
            why = shorten(redact(f"{failure.module_id}: {type(failure.error).__name__}: {failure.error}"))
            self._out_of_service = f"out of service after {self._backoff.failures} failures ({why})"
            self.log.error("%s; only what does not charge is started from now on", self._out_of_service)
        await self._pause(pause_s)

    def request_stop(self, why: str = "request") -> None:
        """Begin to stop; the second time, hurry."""
        if not self._stop.is_set():
            self.log.info("stopping (%s): safe state first", why)
            notify_systemd("STOPPING=1")
            self._stop.set()
        elif self.assembly is not None:
            self.log.warning("stopping in a hurry (%s)", why)
            self.assembly.hurry()

    async def _run_once(self) -> Failure | None:
        """Build, start, watch, stop; returns why it ended unless it was asked to."""
        loop = asyncio.get_running_loop()
        stray = self._strays.renew()
        self.runtime.all_faults.clear()
        self.assembly = assembly = self._new_assembly()
        restarts = self._restarts(assembly)
        ended: list[asyncio.Future[Any]] = []
        failure: Failure | None = None
        try:
            assembly.build(self.plans)
            self.recorder.watch(self._books())
            ended = [loop.create_task(assembly.failure()), loop.create_task(self._stop.wait()), stray]
            failure = await self._start(assembly, ended)
            if failure is None and not self._stop.is_set():
                self._report_ready()
                restarts.begin()
                await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
                failure = self._reason(ended)
        finally:
            if failure is not None:
                self._log_failure(failure)
            self.status_file.write(ready=False)
            restarts.cancel()
            await assembly.stop()
            await restarts.closed()
            self._leave()
            if isinstance(self.runtime.mqtt, External):
                self.runtime.mqtt.forget()
            for waiting in ended:
                waiting.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
            self.assembly = None
        if failure is not None:
            self.recorder.save_now(failure.module_id)
            if isinstance(failure.error, ConfigError):
                raise failure.error
        return failure

    def _new_assembly(self) -> Assembly:
        return Assembly(self.runtime, together=self._together, out_of_service=self._out_of_service)

    def _books(self) -> list[Faults]:
        """Return the faults of the modules of this process."""
        return self.runtime.all_faults

    def _leave(self) -> None:
        if self.publisher is not None:
            self.publisher.leave()

    def _restarts(self, assembly: Assembly) -> ModuleRestarts:
        if self.publisher is None:
            return ModuleRestarts(assembly, self.log, failures=self._failures)
        wire = self.publisher
        return ModuleRestarts(
            assembly, self.log, wire.adopt, wire.announce_to, wire.refuse_calls, failures=self._failures
        )

    async def _start(self, assembly: Assembly, ended: list[asyncio.Future[Any]]) -> Failure | None:
        starting = asyncio.get_running_loop().create_task(self._begin(assembly))
        # EVerest's manager waits without a limit for what is started from outside.
        limit_s = None if any(plan.standalone for plan in self.plans) else START_LIMIT_S
        await asyncio.wait([starting, *ended], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait([starting])
            hangs = Failure(assembly.starting, TimeoutError(f"it is not ready after {START_LIMIT_S:g} s"))
            return self._reason(ended) or (None if self._stop.is_set() else hangs)
        error = asyncio.CancelledError() if starting.cancelled() else starting.exception()
        return None if error is None else Failure(assembly.starting, error)

    async def _begin(self, assembly: Assembly) -> None:
        if self.publisher is None:
            await assembly.start()
        else:
            self.publisher.join(assembly)
            await assembly.start(self.publisher.announce_ready)

    def _reason(self, ended: list[asyncio.Future[Any]]) -> Failure | None:
        failed, _, stray = ended
        if failed.done() and not failed.cancelled() and failed.exception() is None:
            return Failure(*failed.result())
        if stray.done() and not stray.cancelled():
            return Failure("a callback", stray.result())
        return None

    def _report_ready(self) -> None:
        self.log.info("ready in %.2f s: %d modules", age_s(), len(self.plans))
        self._raise_notices()
        self.status_file.watch(self._books())
        self.status_file.write(ready=True, modules={plan.id: plan.module.module_name() for plan in self.plans})
        notify_systemd(f"READY=1\nSTATUS={len(self.plans)} modules run")
        gc_tuning.settle()

    def _present_status(self) -> dict[str, Any]:
        """Return what changes without a fault: the broker, what modules know of their devices."""
        modules = self.assembly.modules.values() if self.assembly is not None else ()
        about = {key: text for module in modules for key, text in getattr(module, "about", {}).items()}
        if self.mqtt is None:
            return {"about": about}
        address = self.mqtt.address
        at = address.socket_path or f"{address.host}:{address.port}"
        return {"about": about, "broker": at, "on_broker": self.mqtt.online}

    async def _answer_status(self, _: dict[str, Any]) -> dict[str, Any]:
        # Imported only where one looks.
        from chargebyte_fw.manager.status.answering import answer, csms_of

        csms = await csms_of(self.runtime)
        given = answer(self.assembly, self.runtime.all_faults, self.status_file.now, csms)
        plain: dict[str, Any] = msgspec.to_builtins(given)
        return plain

    def _raise_notices(self) -> None:
        """Raise what was set aside as the first warning that a module of this configuration can raise."""
        warnings = [(book, type) for book in self.runtime.all_faults for type in sorted(book.allowed)]
        fitting = [(book, type) for book, type in warnings if type.endswith("/VendorWarning")]
        for notice in self.notices:
            self.log.error("%s", notice)
        # Modules have logged what they left out.
        modules = self.assembly.modules.values() if self.assembly is not None else ()
        notices = [*self.notices, *(notice for module in modules for notice in module.set_aside)]
        for number, notice in enumerate(notices[:NOTICES_LIMIT]):
            if fitting:
                book, type = fitting[0]
                book.raise_fault(type, notice, sub_type=f"SetAside{number or ''}", severity=Severity.Low)

    def _log_failure(self, failure: Failure) -> None:
        error = failure.error
        if isinstance(error, ConfigError):
            # Starting again does not help; the caller prints the findings.
            self.log.error("%s cannot use its configuration: safe state, then the end", failure.module_id)
        else:
            log_failure(self.log, failure.module_id, error, "safe state, then start again")

    async def _pause(self, pause_s: float) -> None:
        self.log.info("starting again in %g s", pause_s)
        notify_systemd(f"STATUS=starting again in {pause_s:g} s")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
