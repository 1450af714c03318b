"""The modules of one process: built from plans, wired by contract, started, stopped in the safe order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from logging import DEBUG, ERROR

from chargebyte_fw.contracts.errors import description_of, errors_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.faults import Fault, Faults, FaultState, Mapping, Origin, Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.order import stop_order
from chargebyte_fw.manager.plan import ModulePlan, config_issues

RECORDED_AS_FRAMES = frozenset(("v2g_messages",))
"""Variables that repeat what the recorder has from the wire."""
STOP_LIMIT_S = 5.0
"""How long one module may take to reach its safe state before the next is stopped anyway."""
HURRY_LIMIT_S = 0.5
"""The same when somebody insists."""


class Assembly:
    """Modules by id. `implementations` holds each provided implementation by (module id, implementation id).

    `remote` is asked for an implementation that no module here provides (one behind MQTT).
    """

    def __init__(self, runtime: Runtime, remote: Callable[[str, str], Contract] | None = None) -> None:
        self.runtime = runtime
        self.modules: dict[str, Module] = {}
        self.implementations: dict[tuple[str, str], Contract] = {}
        self.plans: list[ModulePlan] = []
        self._remote = remote
        self._started: list[Module] = []
        self._hurry = asyncio.Event()
        self.starting = ""
        """The module whose `init` or `ready` runs, for the message when it fails or hangs."""
        self.log = ModuleLog("manager")

    def build(self, plans: Iterable[ModulePlan]) -> None:
        """Make every module and its implementations, then connect the requirements."""
        self.runtime.require_safe_chance()
        self.plans = list(plans)
        for plan in self.plans:
            self._make(plan)
        for plan in self.plans:
            self._wire(plan)

    def _make(self, plan: ModulePlan) -> None:
        module = plan.module()
        module.id = plan.id
        module.runtime = self.runtime
        module.config = plan.config
        module.mapping = plan.mapping
        module.log = ModuleLog(plan.id)
        module.failed = asyncio.get_running_loop().create_future()
        for name, provision in plan.module.provisions.items():
            implementation = provision.implementation()
            bus.prepare(implementation, plan.id, name)
            mapping = plan.implementation_mappings.get(name, plan.mapping)
            implementation.mapping = mapping
            implementation.faults = self._fault_book(implementation, mapping)
            implementation.module = module
            implementation.config = plan.implementation_configs.get(name) or provision.config()
            setattr(module, name, implementation)
            self.implementations[plan.id, name] = implementation
            if self.runtime.trace.contracts:
                self._record(implementation)
        self.modules[plan.id] = module

    def _record(self, implementation: Contract) -> None:
        """Let the black box hear every fact and fault."""
        record = self.runtime.trace.record
        names = [name for name in implementation.variables if name not in RECORDED_AS_FRAMES]
        for variable in (getattr(implementation, name) for name in names):
            variable.recorder = self.runtime.trace.channel("var", variable.name)
        at = f"{implementation.module_id}.{implementation.implementation_id}"
        implementation.faults.subscribe(partial(record, "fault", at), partial(record, "fault", at))

    def _fault_book(self, implementation: Contract, mapping: Mapping | None) -> Faults:
        origin = Origin(implementation.module_id, implementation.implementation_id, mapping)

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
                uuid=self.runtime.new_uuid(),
            )

        book = Faults(frozenset(errors_of(implementation.declaration())), make)
        self.runtime.all_faults.append(book)
        return book

    def _wire(self, plan: ModulePlan) -> None:
        module = self.modules[plan.id]
        for name, requirement in plan.module.requirements.items():
            ends = []
            for connection in plan.connections.get(name, []):
                provider = self.provider(connection.module_id, connection.implementation_id)
                ends.append(bus.consumer(provider, module.crash, self.runtime.trace, plan.id, module.group == "cloud"))
            setattr(module, name, ends if requirement.many else (ends[0] if ends else None))

    def provider(self, module_id: str, implementation_id: str) -> Contract:
        """Return an implementation: one of ours, or the face of one behind MQTT."""
        found = self.implementations.get((module_id, implementation_id))
        if found is None and self._remote is not None:
            return self._remote(module_id, implementation_id)
        if found is None:
            raise KeyError(f"{module_id} provides no {implementation_id}")
        return found

    async def start(self, initialised: Callable[[], None] = lambda: None) -> None:
        """Run `init` of every module, then `ready` of every module, in the order of the configuration.

        `initialised` is called in between: from then on everybody may call everybody. Raises ConfigError, with nothing
        started, for plans that cannot work (a plan that did not come from a file was not asked before).
        """
        against = [
            Finding(f"{plan.id}.{one.about}", one.what, one.hint)
            for plan, one in config_issues(self.plans)
            if one.severity == "error"
        ]
        if against:
            raise ConfigError(against)
        for module in self.modules.values():
            self.starting = module.id
            self._started.append(module)
            await module.init()
        initialised()
        for module in self.modules.values():
            self.starting = module.id
            await module.ready()
        self.starting = ""

    async def failure(self) -> tuple[str, BaseException]:
        """Wait until a module fails; returns its id and the reason."""
        futures = {module.failed: module.id for module in self.modules.values() if module.failed is not None}
        done, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        first = next(iter(done))
        return futures[first], first.result()

    async def stop(self) -> None:
        """Bring everything into its safe state, the power first (`order.py`).

        A module that hangs or fails does not keep the others from it; one that has stopped refuses commands.
        """
        started, self._started = self._started, []
        for module in self.modules.values():
            # One that never began has nothing to carry a command out with.
            module.stopped = module not in started
        for module in stop_order(started, self.plans):
            await self._stop_one(module)

    def hurry(self) -> None:
        """Give each module that is still to stop only a moment."""
        self._hurry.set()

    async def _stop_one(self, module: Module) -> None:
        stopping = asyncio.ensure_future(module.stop())
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
            # What never came up completely may lack what its `stop` wants to close; why it failed is told already.
            half_way = module.id == self.starting
            self.log.log(DEBUG if half_way else ERROR, "%s failed while stopping", module.id, exc_info=error)
        module.stopped = True
        await module.cancel_tasks()
