"""The modules of one process: built from plans, wired by contract, started, stopped in the safe order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from functools import partial
from logging import DEBUG, ERROR
from typing import Any

from chargebyte_fw.contracts.errors import description_of, errors_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.faults import Fault, Faults, FaultState, FaultsView, Origin, Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.runtime import Configurations, Runtime
from chargebyte_fw.kernel.scope import ScopedMqtt
from chargebyte_fw.manager.groups import CHARGE, fails_alone, groups_of
from chargebyte_fw.manager.order import stop_order
from chargebyte_fw.manager.plan import Connection, ModulePlan, config_issues

RECORDED_AS_FRAMES = frozenset(("v2g_messages",))
"""Variables that repeat frames which the recorder has anyway."""
CLOUD_START_S = 5.0
"""How long the start waits for all modules of `cloud` together; one that is not ready then becomes so later."""
LEAST_START_S = 0.2
"""How long it waits for each of them when the others have used that up."""
STOP_LIMIT_S = 5.0
"""How long one module may take to reach its safe state before the next is stopped anyway."""
HURRY_LIMIT_S = 0.5
"""The same after a second signal."""
FAILURE = "generic/CommunicationFault"
"""Raised for a module of `cloud` from its failure until it is back."""
WHOLE_MODULE = "!module"
"""EVerest's pseudo implementation for what concerns a module as a whole."""


class Assembly:
    """Modules by id. `implementations` holds each provided implementation by (module id, implementation id).

    Variables and faults belong to the assembly: a module of `cloud` that is replaced (`retire`, `renew`, `bring_up`)
    takes over those of the instance before it.

    `remote` is asked for an implementation that no module here provides (one behind MQTT), with the contract that the
    requirement names. `everyone`: all modules of the configuration where some are elsewhere; `access` may be to any
    of them. `together`: no module fails alone (EVerest). `out_of_service`: why nothing of `charge` is
    started; its modules are there for those of `cloud`, with faults that give this reason.
    """

    def __init__(
        self,
        runtime: Runtime,
        remote: Callable[[str, str, type[Contract]], Contract] | None = None,
        *,
        everyone: Sequence[ModulePlan] | None = None,
        together: bool = False,
        out_of_service: str = "",
    ) -> None:
        self.runtime = runtime
        self.modules: dict[str, Module] = {}
        self.implementations: dict[tuple[str, str], Contract] = {}
        self.plans: list[ModulePlan] = []
        self.failures: dict[str, Faults] = {}
        """For each module that is started again alone the fault that it has failed."""
        self.late: dict[str, tuple[asyncio.Task[None], bool]] = {}
        """Modules of `cloud` for which the start did not wait: what runs, and whether `ready` is still to come."""
        self.restarts: dict[str, int] = {}
        """How often each module was started again alone."""
        self._groups: dict[str, str] = {}
        self._alone: set[str] = set()
        self._together = together
        self._out_of_service = out_of_service
        self._kept: dict[str, dict[str, Any]] = {}
        self._remote = remote
        self._everyone = everyone
        self._started: list[Module] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()
        self.starting = ""
        """The module whose `init` or `ready` runs, for the message when it fails or hangs."""
        self.log = ModuleLog("manager")

    def build(self, plans: Iterable[ModulePlan]) -> None:
        """Make every module and its implementations, then connect the requirements."""
        self.runtime.require_unpredictable()
        self.plans = list(plans)
        self._groups = groups_of(self.plans)
        self._alone = set() if self._together else fails_alone(self.plans, self._groups)
        for plan in self.plans:
            self._make(plan)
        for plan in self.plans:
            if plan.id in self._alone:
                origin = Origin(plan.id, WHOLE_MODULE, plan.mapping)
                self.failures[plan.id] = self._faults_of(origin, frozenset((FAILURE,)))
        for plan in self.plans:
            self._wire(plan)
        if self._out_of_service:
            self._leave_out_charge(self._out_of_service)

    def _leave_out_charge(self, why: str) -> None:
        for module in (module for module in self.modules.values() if module.group == CHARGE):
            module.away = module.stopped = module.out_of_service = True
            self._alone.discard(module.id)
            self.failures.pop(module.id, None)
        for implementation in self.implementations.values():
            if implementation.module.stopped:
                bus.raise_absence(implementation.faults, why, drives=bool(implementation.one_user), lasting=True)

    def _make(self, plan: ModulePlan) -> Module:
        module = plan.module()
        module.id = plan.id
        module.group = self._groups[plan.id]
        module.standalone = plan.standalone
        module.awaited = plan.awaited
        module.capabilities = plan.capabilities
        module.away = plan.id in self.modules
        module.config = plan.config
        module.mapping = plan.mapping
        module.log = ModuleLog(plan.id)
        module.kept = self._kept.setdefault(plan.id, {})
        for name, provision in plan.module.provisions.items():
            self._provide(plan, module, name, provision.implementation(), provision.config)
        self.modules[plan.id] = module
        return module

    def _provide(
        self, plan: ModulePlan, module: Module, name: str, implementation: Contract, config: Callable[[], Any]
    ) -> None:
        before = self.implementations.get((plan.id, name))
        bus.prepare(implementation, plan.id, name, None if before is None else before.endpoint)
        implementation.mapping = plan.implementation_mappings.get(name, plan.mapping)
        implementation.module = module
        implementation.config = plan.implementation_configs.get(name) or config()
        setattr(module, name, implementation)
        self.implementations[plan.id, name] = implementation
        if before is not None:
            implementation.faults = implementation.endpoint.faults
            return
        origin = Origin(plan.id, name, implementation.mapping)
        implementation.faults = self._faults_of(origin, frozenset(errors_of(implementation.declaration())))
        implementation.endpoint.faults = implementation.faults
        if self.runtime.trace.contracts:
            self._record(implementation)

    def _record(self, implementation: Contract) -> None:
        """Record every variable and fault."""
        record = self.runtime.trace.record
        names = [name for name in implementation.variables if name not in RECORDED_AS_FRAMES]
        for variable in (getattr(implementation, name) for name in names):
            variable.recorder = self.runtime.trace.channel("var", variable.name)
        at = f"{implementation.module_id}.{implementation.implementation_id}"
        implementation.faults.subscribe(partial(record, "fault", at), partial(record, "fault", at))

    def _faults_of(self, origin: Origin, allowed: frozenset[str]) -> Faults:
        book = faults_of(self.runtime, origin, allowed)
        self.runtime.all_faults.append(book)
        return book

    def _wire(self, plan: ModulePlan) -> None:
        module = self.modules[plan.id]
        scope, trace = module.scope, self.runtime.trace
        books: list[Faults] = [FaultsView(book, scope) for book in self.runtime.all_faults]
        mqtt = ScopedMqtt(self.runtime.mqtt, scope)
        module.runtime = replace(
            self.runtime,
            mqtt=mqtt,
            all_faults=books if module.enable_global_errors else [],
            configurations=self._configurations_for(plan),
        )
        for name, requirement in plan.module.requirements.items():
            ends = []
            for connection in plan.connections.get(name, []):
                provider = self._provider(connection, requirement.contract)
                # An error in `charge` that a module of `cloud` causes fails its command and ends no session.
                outside = module.group != CHARGE and self._groups.get(connection.module_id) == CHARGE
                ends.append(bus.consumer(provider, scope, trace, plan.id, outside))
            found = ends if requirement.many else (ends[0] if ends else None)
            setattr(module, requirement.attribute or name, found)

    def _configurations_for(self, plan: ModulePlan) -> Configurations | None:
        if plan.access is None:
            return None
        # Imported only where it is used.
        from chargebyte_fw.manager.configuration.of_others import OtherConfigurations

        return OtherConfigurations(plan, self._everyone or self.plans, self.runtime.keep_value)

    def _provider(self, end: Connection, contract: type[Contract]) -> Contract:
        if self._remote is not None and end.module_id not in self.modules:
            return self._remote(end.module_id, end.implementation_id, contract.declaration())
        return self.provider(end.module_id, end.implementation_id)

    def provider(self, module_id: str, implementation_id: str) -> Contract:
        """Return an implementation of a module of this assembly."""
        found = self.implementations.get((module_id, implementation_id))
        if found is None:
            raise KeyError(f"{module_id} provides no {implementation_id}")
        return found

    async def start(
        self,
        initialised: Callable[[], None] = lambda: None,
        others: Callable[[], Awaitable[None]] | None = None,
        *,
        outside_next: Callable[[], None] = lambda: None,
    ) -> None:
        """Run `init` of every module, then `ready` of every module, in the order of the configuration.

        `initialised` is called in between: from then on everybody may call everybody; `others` then waits for the
        modules of other processes. `outside_next` is called when only programs that are started from outside are still
        to come. Raises ConfigError, with nothing started, for plans that cannot work (a plan that did not come from a
        file was not asked before).
        """
        against = [
            Finding(f"{plan.id}.{one.about}", one.what, one.hint, number=one.number)
            for plan, one in config_issues(self.plans)
            if one.severity == "error"
        ]
        if against:
            raise ConfigError(against)
        give_up_s = asyncio.get_running_loop().time() + CLOUD_START_S
        starting = [module for module in self.modules.values() if not module.stopped]
        for module in starting:
            self._started.append(module)
            await self._start_step(module, module.init(), give_up_s, ready_follows=True)
        programs = [module for module in starting if module.is_program]
        outside = [module for module in programs if module.standalone and module.awaited]
        for module in [*(module for module in programs if not module.standalone), *outside]:
            if outside and module is outside[0]:
                outside_next()
            if module.id not in self.late and not module.failed.done():
                await self._start_step(module, module.joined(), give_up_s, ready_follows=True)
        initialised()
        if others is not None:
            await others()
        for module in starting:
            if module.id not in self.late and not module.failed.done():
                await self._start_step(module, module.ready(), give_up_s, ready_follows=False)
        self.starting = ""

    async def _start_step(
        self, module: Module, work: Coroutine[Any, Any, None], give_up_s: float, *, ready_follows: bool
    ) -> None:
        self.starting = module.id
        step = _in_context(module, work)
        if module.standalone or module.id not in self._alone:
            await step
            return
        if module.group == CHARGE:
            await self._start_program(module, step)
            return
        try:
            patience_s = max(give_up_s - asyncio.get_running_loop().time(), LEAST_START_S)
            await asyncio.wait({step}, timeout=patience_s)
        except asyncio.CancelledError:
            step.cancel()
            raise
        if not step.done():
            self.log.warning("%s takes its time to start; charging does not wait for it", module.id)
            module.away = True
            self.late[module.id] = step, ready_follows
        elif not step.cancelled() and (error := step.exception()) is not None:
            if isinstance(error, ConfigError):
                raise error
            module.away = True
            module.crash(error)

    async def _start_program(self, module: Module, step: asyncio.Task[None]) -> None:
        """Wait for a program of `charge` until it has a step behind it; without it the others start all the same."""
        ends: set[asyncio.Future[Any]] = {step, module.failed}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            step.cancel()
        await asyncio.wait({step})
        error = None if step.cancelled() else step.exception()
        if isinstance(error, ConfigError):
            raise error
        if error is not None and not module.failed.done():
            module.crash(error)
        if module.failed.done():
            module.away = True
            self.mark_absent(module.id, f"{module.id} cannot be started: {module.failed.result()}")

    async def finish_start(self, module: Module, initialised: Callable[[Module], None]) -> None:
        """Wait for what `start` did not wait for (`late`), and run the rest."""
        step, ready_follows = self.late.pop(module.id)
        await step
        if ready_follows:
            await module.joined()
            initialised(module)
            await _in_context(module, module.ready())
        module.away = False

    async def failure(self) -> tuple[str, BaseException]:
        """Wait until a module fails that takes the others with it; returns its id and the reason."""
        futures = {module.failed: module.id for module in self.modules.values() if module.id not in self._alone}
        if not futures:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        first = next(iter(done))
        return futures[first], first.result()

    def mark_absent(self, module_id: str, text: str, *, lasting: bool = False) -> None:
        """Raise a fault at each implementation of a program that has failed; no power flows with a part of its path."""
        for (owner, _), implementation in self.implementations.items():
            if owner == module_id and implementation.is_remote:
                faults: Faults = implementation.endpoint.faults
                bus.raise_absence(faults, text, drives=bool(implementation.one_user), lasting=lasting)

    def mark_present(self, module_id: str) -> None:
        """Clear what `mark_absent` has raised."""
        for (owner, _), implementation in self.implementations.items():
            if owner == module_id:
                bus.clear_absence(implementation.endpoint.faults)

    async def retire(self, module: Module) -> None:
        """Stop one module while the others go on; its place stays empty until `renew`."""
        module.away = True
        task = asyncio.get_running_loop().create_task(self._retire(module), name=f"retire {module.id}")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        await asyncio.shield(task)

    async def _retire(self, module: Module) -> None:
        if module in self._started:
            self._started.remove(module)
            await self._stop_one(module)
        module.cancel_handlers()
        module.scope.close()
        for name in module.provisions:
            bus.retire(getattr(module, name))

    def renew(self, module_id: str, *, keep: bool) -> Module:
        """Make another instance in the place of one that was retired; `keep`: it begins with what that one kept."""
        if not keep:
            self._kept.pop(module_id, None)
        self.restarts[module_id] = self.restarts.get(module_id, 0) + 1
        plan = next(plan for plan in self.plans if plan.id == module_id)
        module = self._make(plan)
        self._wire(plan)
        return module

    async def bring_up(self, module: Module, initialised: Callable[[Module], None]) -> None:
        """Run `init` and `ready` of a renewed module, then give it the commands again."""
        self._started.append(module)
        await _in_context(module, module.init())
        await _in_context(module, module.joined())
        initialised(module)
        await _in_context(module, module.ready())
        module.away = False

    async def stop(self) -> None:
        """Bring everything into its safe state, the power first (`order.py`).

        A module that hangs or fails does not keep the others from it; one that has stopped refuses commands.
        """
        started, self._started = self._started, []
        for step, _ in self.late.values():
            step.cancel()
        for module in self.modules.values():
            # A module that never began cannot carry out a command.
            module.stopped = module not in started
        order = stop_order(started, self.plans)
        last = max((at for at, module in enumerate(order, 1) if module.group == CHARGE), default=0)
        for module in order[:last]:
            await self._stop_one(module)
        # The order of the others does not matter: they are stopped at the same time.
        await asyncio.gather(*(self._stop_one(module) for module in order[last:]))
        if self._retiring:
            await asyncio.wait(self._retiring)

    def hurry(self) -> None:
        """Shorten the time of each module that has not stopped yet."""
        self._hurry.set()

    async def _stop_one(self, module: Module) -> None:
        stopping = _in_context(module, module.stop())
        hurried = asyncio.ensure_future(self._hurry.wait())
        if not self._hurry.is_set():
            await asyncio.wait({stopping, hurried}, timeout=STOP_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done() and self._hurry.is_set():
            await asyncio.wait({stopping}, timeout=HURRY_LIMIT_S)
        hurried.cancel()
        if not stopping.done():
            self.log.error("%s did not reach its safe state in time", module.id)
            stopping.cancel()
            await asyncio.wait({stopping}, timeout=HURRY_LIMIT_S)
        elif not stopping.cancelled() and (error := stopping.exception()) is not None:
            # A module that never started may lack what its `stop` closes; why it failed is logged already.
            half_way = module.id == self.starting
            self.log.log(DEBUG if half_way else ERROR, "%s failed while stopping", module.id, exc_info=error)
        module.stopped = True
        await module.cancel_tasks()


def faults_of(runtime: Runtime, origin: Origin, allowed: frozenset[str]) -> Faults:
    """Return the faults of an implementation, complete with origin, time and uuid."""

    def make(type: str, sub_type: str, message: str, severity: Severity) -> Fault:
        return Fault(
            type=type,
            sub_type=sub_type,
            message=message,
            description=description_of(type),
            severity=severity,
            origin=origin,
            state=FaultState.Active,
            timestamp=rfc3339(utc_now()),
            uuid=runtime.new_uuid(),
        )

    return Faults(allowed, make)


def _in_context(module: Module, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run a step of a module in its context, so that its callbacks and tasks are known as its own."""
    return asyncio.get_running_loop().create_task(work, name=f"{module.id}:step", context=module.scope.context.copy())
