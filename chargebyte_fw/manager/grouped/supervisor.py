"""The manager of process groups: starts them, has them begin together, watches them, ends them power first."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from chargebyte_fw.kernel.backoff import Backoff
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.kernel.runtime import KeepValue, Runtime
from chargebyte_fw.manager import gc_tuning
from chargebyte_fw.manager.assembly import CLOUD_START_S
from chargebyte_fw.manager.control import Control, ask_soon
from chargebyte_fw.manager.grouped.channel import Present
from chargebyte_fw.manager.grouped.group import control_socket
from chargebyte_fw.manager.grouped.groups_file import Grouping
from chargebyte_fw.manager.grouped.starter import Request, Starter
from chargebyte_fw.manager.grouped.unit import OUT_OF_SERVICE, PAUSES_S, STEADY_S, Unit
from chargebyte_fw.manager.grouped.units import GroupUnit, ProgramUnit
from chargebyte_fw.manager.grouped.wire import ManagerWire
from chargebyte_fw.manager.groups import CHARGE, fails_alone, groups_of
from chargebyte_fw.manager.instance_lock import InstanceLock
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.process import age_s, notify_systemd
from chargebyte_fw.manager.status.publishing import publish_status
from chargebyte_fw.manager.status_file import StatusFile, line_of
from chargebyte_fw.manager.watchdog import feed
from chargebyte_fw.manager.wire.carrier import Carrier

SAVE_TRACE, CALL, STATUS = "save trace", "call", "status"
STATUS_LIMIT_S = 3.0
"""How long a group may take to report its status; it is shown without one that takes longer."""


class GroupedSupervisor:
    """All processes of a configuration, until a signal comes."""

    def __init__(
        self,
        plans: Sequence[ModulePlan],
        grouping: Grouping,
        runtime: Runtime,
        carrier: Carrier,
        starter: Starter,
        renew_starter: Callable[[], Starter],
        wire: Callable[[Callable[[str], None]], ManagerWire],
        keep: KeepValue,
        *,
        configuration: str = "",
        notices: Sequence[str] = (),
        together: bool = False,
    ) -> None:
        """`renew_starter` makes another starter when one has ended; `wire` takes what follows when a module begins.

        `keep` writes what a module changes in the configuration.
        """
        self.plans = list(plans)
        self.grouping = grouping
        self.failures = grouping.failures
        self.everyone = asyncio.Event()
        self.log = ModuleLog("manager")
        self.status_file = StatusFile(runtime.root)
        self.status_file.now.configuration = configuration
        self.status_file.now.notices = list(notices)
        self.units: list[Unit] = []
        self._runtime = runtime
        self._carrier = carrier
        self._starter = starter
        self._renew_starter = renew_starter
        self._keep = keep
        self._wire = wire(self._begins_again)
        self.together = together
        self._backoff = Backoff(PAUSES_S, STEADY_S)
        self._stop = asyncio.Event()
        self._failed = asyncio.Event()
        self._bad: str | None = None
        groups = groups_of(self.plans)
        alone = fails_alone(self.plans, groups)
        self._driving = {plan.id for plan in self.plans if plan.module.is_program and plan.id not in alone}
        self._charge = {module_id for module_id, group in groups.items() if group == CHARGE}

    async def run(self) -> int:
        """Run until a signal comes; returns 0. Raises ConfigError and Unavailable as `Supervisor.run`."""
        lock = InstanceLock(self._runtime.root, self.log)
        lock.take()
        try:
            return await self._run()
        finally:
            lock.release()
            self._starter.close()

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
        ends = (signal.SIGTERM, signal.SIGINT, *hang_up)
        for number in ends:
            loop.add_signal_handler(number, self.request_stop, number.name)
        control = Control(self._runtime.root, None, self.log, _Forwarded(self._ask))
        await control.start()
        works = (
            feed(),
            self.status_file.keep(self._present_status),
            publish_status(self._carrier.client, self._carrier.prefix, self._status),
        )
        aside = [loop.create_task(work) for work in works]
        self._carrier.client.start()
        try:
            while not self._stop.is_set():
                began_s = loop.time()
                await self._run_once()
                if not self._stop.is_set():
                    await self._pause(self._backoff.fail(loop.time() - began_s))
        finally:
            for task in aside:
                task.cancel()
            self.status_file.remove()
            await control.stop()
            await self._carrier.client.stop()
            for number in ends:
                loop.remove_signal_handler(number)
        self.log.info("stopped")
        return 0

    def request_stop(self, why: str = "request") -> None:
        """Begin to stop; the second time, hurry."""
        if not self._stop.is_set():
            self.log.info("stopping (%s): safe state first", why)
            notify_systemd("STOPPING=1")
            self._stop.set()
            return
        self.log.warning("stopping in a hurry (%s)", why)
        for unit in self.groups():
            unit.hurry(why)

    async def _run_once(self) -> None:
        loop = asyncio.get_running_loop()
        self.everyone = asyncio.Event()
        self._failed.clear()
        self._wire.begin()
        self.units = self._make()
        running: list[asyncio.Task[None]] = [
            loop.create_task(unit.run(), name=f"unit {unit.name}") for unit in self.units
        ]
        ends: list[asyncio.Task[Any]] = [loop.create_task(one.wait()) for one in (self._stop, self._failed)]
        beginning = loop.create_task(self._begin_together())
        try:
            while not any(end.done() for end in ends):
                done, _ = await asyncio.wait([*ends, *running], return_when=asyncio.FIRST_COMPLETED)
                # The task of a unit ends when it is out of service; any error of it is one of ours.
                for task in done.intersection(running):
                    running.remove(task)
                    task.result()
        finally:
            self.status_file.write(ready=False)
            for task in (beginning, *ends, *running):
                task.cancel()
            await asyncio.gather(beginning, *ends, *running, return_exceptions=True)
            await self._end_all()
            self._wire.end()
        if self._bad is not None:
            raise ConfigError([Finding("configuration", self._bad)])

    def _make(self) -> list[Unit]:
        by_id = {plan.id: plan for plan in self.plans}
        units: list[Unit] = []
        for name, module_ids in self.grouping.modules.items():
            members = [by_id[module_id] for module_id in module_ids]
            bound_MB = self.grouping.memory_MB[name]
            group = GroupUnit(name, members, self, bound_MB, self._spawn, self._write_status, self._keep)
            group.charge = any(module_id in self._charge for module_id in module_ids)
            units.append(group)
        for plan in (plan for plan in self.plans if plan.module.is_program):
            shut_down = self._wire.announce_shutdown if self._carrier.graceful_shutdown else None
            bound_MB = self.grouping.memory_MB[plan.id]
            program = ProgramUnit(
                plan, self, bound_MB, self._carrier, self._runtime, shut_down, self._wire.joining.admit
            )
            program.charge = plan.id in self._charge
            units.append(program)
        return units

    async def _spawn(self, request: Request, end: socket.socket) -> int:
        try:
            return await self._starter.start(request, end)
        except OSError:
            self._starter.close()
            self._starter = self._renew_starter()
            raise

    def groups(self) -> Iterator[GroupUnit]:
        """Return the groups of our modules."""
        return (unit for unit in self.units if isinstance(unit, GroupUnit))

    async def _begin_together(self) -> None:
        """Wait until all are initialised, for those without which a car charges within bounds."""
        await asyncio.gather(*(unit.initialised.wait() for unit in self.units if unit.charge))
        await self._others([unit.initialised for unit in self.units if not unit.charge])
        self.everyone.set()
        self._wire.all_are_ready()
        await asyncio.gather(*(unit.ready.wait() for unit in self.units if unit.charge))
        await self._others([unit.ready for unit in self.units if not unit.charge])
        self.log.info("ready in %.2f s: %d modules in %d processes", age_s(), len(self.plans), len(self.units))
        gc_tuning.settle_copy()
        names = {plan.id: plan.module.module_name() for plan in self.plans}
        self.status_file.write(ready=True, modules=names)
        notify_systemd(f"READY=1\nSTATUS={len(self.plans)} modules run in {len(self.units)} processes")

    async def _others(self, events: list[asyncio.Event]) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in events]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOUD_START_S)
        for wait in waiting:
            wait.cancel()

    def went(self, unit: Unit, text: str) -> None:
        """Let all others know that a process has failed."""
        self.log.error("%s", text)
        lasting = unit.state == OUT_OF_SERVICE
        for group in self.groups():
            if group is not unit:
                for module_id in unit.ids:
                    group.absent(module_id, text, lasting=lasting)
        for plan in unit.plans:
            self._wire.absent(plan, text, lasting=lasting)
        if any(module_id in self._driving for module_id in unit.ids):
            # Nothing else would switch off what it has driven.
            for group in self.groups():
                if group.charge:
                    group.fail(f"{unit.name}, which drives the power path, has failed")
        self._write_status()
        if self.together:
            self._failed.set()

    def may_be_called(self, unit: Unit) -> None:
        """Let all others know that its modules take commands."""
        for group in self.groups():
            if group is not unit:
                for module_id in unit.ids:
                    group.present(module_id)
                group.post(Present(unit.ids))

    def came(self, unit: Unit) -> None:
        """Note that it is ready."""
        for plan in unit.plans:
            self._wire.present(plan)
        self.log.info("%s runs", unit.name)
        self._write_status()

    def cannot_be_configured(self, text: str) -> None:
        """End everything: in the first start a module has refused its configuration."""
        self._bad = text
        self._stop.set()

    def _begins_again(self, module_id: str) -> None:
        """Take note of a program that is started from outside and asks for its configuration again."""
        for group in self.groups():
            # What it had raised, and what was asked of it, was of the program before.
            group.absent(module_id, f"{module_id} begins again")
            group.present(module_id)
            group.post(Present([module_id]))

    async def _end_all(self) -> None:
        """End every process: the groups that hold the power first, then the programs of the power path, then all."""
        stages: dict[int, list[Unit]] = {}
        for unit in self.units:
            stage = 2 if not unit.charge else 0 if isinstance(unit, GroupUnit) else 1
            stages.setdefault(stage, []).append(unit)
            unit.state = "stopped"
        for _, units in sorted(stages.items()):
            await asyncio.gather(*(unit.end("the manager stops", kill=False) for unit in units))
        self.units = []

    async def _pause(self, pause_s: float) -> None:
        self.log.info("starting again in %g s", pause_s)
        try:
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
        except TimeoutError:
            return

    def _present_status(self) -> dict[str, Any]:
        address = self._carrier.client.address
        about = {key: text for group in self.groups() for key, text in group.report.about.items()}
        return {
            "about": about,
            "broker": address.socket_path or f"{address.host}:{address.port}",
            "on_broker": self._carrier.client.online,
            "groups": {unit.name: f"{unit.state} ({unit.pid})" for unit in self.units},
        }

    def _write_status(self) -> None:
        absent = [line_of(fault) for book in self._wire.faults() for fault in book.active]
        faults = dict.fromkeys([*absent, *(line for group in self.groups() for line in group.report.faults)])
        self.status_file.write(faults=list(faults), **self._present_status())

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Pass a request of `secc` to the group that answers it; each one saves its own trace."""
        asked = request.get("do")
        if asked == CALL:
            return await self._call(request)
        if asked == STATUS:
            return await self._status(request)
        groups = [group for group in self.groups() if asked == SAVE_TRACE or asked in group.report.answers]
        answers = [await ask_soon(self._runtime.root, request, control_socket(group.name)) for group in groups]
        return answers[0] if answers else {"error": "a request that this charger does not know"}

    async def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        # Imported only where one looks.
        from chargebyte_fw.manager.status.grouped import status_of

        units = list(self.groups())
        asked = [
            ask_soon(self._runtime.root, {"do": STATUS}, control_socket(group.name), STATUS_LIMIT_S) for group in units
        ]
        answers = dict(zip((group.name for group in units), await asyncio.gather(*asked), strict=True))
        plain: dict[str, Any] = msgspec.to_builtins(
            status_of(self.plans, self.units, answers, self.status_file.now, self._wire.faults())
        )
        return plain

    async def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Pass a command to the group of its module; every group can answer for its own alone."""
        of = str(request.get("of"))
        module_id = of.partition(".")[0]
        unit = next((unit for unit in self.units if module_id in unit.ids), None)
        if unit is None:
            known = [f"{plan.id}.{name}" for plan in self.plans for name in plan.module.provisions]
            return {"error": f"there is no {of}", "nearest": closest(of, known) or ""}
        if not isinstance(unit, GroupUnit):
            return {"error": f"{module_id} is a program: call it over the broker (--broker)"}
        if unit.state != "running":
            return {"error": f"{module_id} does not run: its group {unit.name} is {unit.state}"}
        return await ask_soon(self._runtime.root, request, control_socket(unit.name))


class _Forwarded(Mapping[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]]):
    """Every request, forwarded."""

    def __init__(self, ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> None:
        self._ask = ask

    def __getitem__(self, key: str) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
        return self._ask

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
