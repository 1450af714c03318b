"""Modules of this process whose manager is elsewhere, joined to the others over EVerest's MQTT protocol.

One of our modules as a process of its own, under any manager of EVerest::

    client = MqttClient(BrokerAddress("localhost", 1883))
    carrier = Carrier(client, "everest/", dialect=Dialect.V2026_10)
    client.start()
    await carrier.online()
    plan = await plan_of(carrier, "imd", find)          # wire/requesting.py: Get/Module, one retry
    member = Member(carrier, Runtime(), [plan], ManagerOnWire(carrier))
    await member.start()                                # `init`, reports ready, waits for all, `ready`
    failed_id, error = await member.failure()           # or until a signal comes
    await member.stop()                                 # safe state; the client is the caller's to stop

`find` returns the class of a module name, such as `lambda name: discover(...).by_name[name][0].load()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Protocol

from chargebyte_fw.contracts.errors import errors_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.manager.wire.remote import RemoteModule, proxy


class ManagerElsewhere(Protocol):
    """What a member needs of its manager."""

    async def all_are_ready(self) -> None:
        """Wait until every module of the configuration is initialised; those of this process have reported it."""


class ManagerOnWire:
    """A manager behind the broker (framework: 3.4)."""

    def __init__(self, carrier: Carrier) -> None:
        self._announced = asyncio.Event()
        self._stop = carrier.client.subscribe(f"{carrier.prefix}ready", lambda *_: self._announced.set())

    async def all_are_ready(self) -> None:
        """Wait for the manager's announcement, without a limit: a standalone module may come at any time."""
        await self._announced.wait()
        self._stop()


class MemberPublisher(Publisher):
    """Publishes the modules of this process; metadata, configuration and the announcement are the manager's."""

    def join(self, assembly: Assembly) -> None:
        """Publish these modules and take their commands."""
        self._assembly = assembly
        for (module_id, name), implementation in assembly.implementations.items():
            self._show(f"{self.prefix}modules/{module_id}/impl/{name}/", implementation, 2)
        for module_id in assembly.modules:
            commands = f"{self.prefix}modules/{module_id}/impl/+/cmd/+"
            self._stops.append(self.client.subscribe(commands, self._on_call))

    def _announce(self) -> None:
        if self._assembly is not None and self.client.online:
            self._announce_modules(self._assembly)


class Remotes:
    """The modules of other processes that those of this one are connected to."""

    def __init__(self, carrier: Carrier, runtime: Runtime, plans: Sequence[ModulePlan]) -> None:
        self._carrier = carrier
        self._runtime = runtime
        self._plans = plans
        self.modules: dict[str, Remote] = {}

    def find(self, module_id: str, implementation_id: str, contract: type[Contract]) -> Contract:
        """Return the proxy of an implementation, a new one where it is the first that is connected to it."""
        module = self.modules.get(module_id)
        if module is None:
            module = self.modules[module_id] = Remote(module_id, self._runtime, self._carrier)
        callers = [
            plan.id
            for plan in self._plans
            for ends in plan.connections.values()
            if any((end.module_id, end.implementation_id) == (module_id, implementation_id) for end in ends)
        ]
        return module.implementation(implementation_id, contract, callers)

    def listen(self) -> None:
        """Take in what they publish from now on."""
        for module in self.modules.values():
            module.listen(self._carrier)

    def unlisten(self) -> None:
        """Take in nothing any more."""
        for module in self.modules.values():
            module.stopped = True
            module.unlisten()


class Remote(RemoteModule):
    """A module of another process, as far as it is used here."""

    absence_comes_in = True

    def __init__(self, module_id: str, runtime: Runtime, carrier: Carrier) -> None:
        super().__init__()
        self.id = module_id
        self.runtime = runtime
        self.carrier = carrier
        self.log = ModuleLog(module_id)
        self._used: dict[str, Contract] = {}
        self._callers: dict[str, list[str]] = {}
        self.callers = self._callers

    def implementation(self, name: str, contract: type[Contract], callers: Sequence[str]) -> Contract:
        """Return the proxy of one implementation."""
        found = self._used.get(name)
        if found is None:
            found = self._used[name] = proxy(contract)()
            bus.prepare(found, self.id, name)
            found.module = self
            found.faults = found.endpoint.faults = Faults(frozenset(errors_of(contract)))
            self.runtime.all_faults.append(found.faults)
            self._callers[name] = list(callers)
        return found

    def implementations(self) -> dict[str, Contract]:
        """Return the proxies by the names of the implementations."""
        return self._used


class Member:
    """The modules of these plans in this process, from `start` to `stop`.

    `commands_from` are the origins whose commands are taken: None accepts every module, as EVerest does. `together`:
    whichever module fails is returned by `failure`; else those of group `cloud` are for `ModuleRestarts`.
    """

    def __init__(
        self,
        carrier: Carrier,
        runtime: Runtime,
        plans: Sequence[ModulePlan],
        manager: ManagerElsewhere,
        *,
        commands_from: Collection[str] | None = None,
        together: bool = True,
    ) -> None:
        self.plans = list(plans)
        self.remotes = Remotes(carrier, runtime, self.plans)
        self.assembly = Assembly(runtime, self.remotes.find, together=together)
        self.publisher = MemberPublisher(carrier, commands_from=commands_from)
        self._manager = manager

    async def start(self) -> None:
        """Build, run `init`, report ready, wait for all others, run `ready`; raises what a module raises."""
        self.assembly.build(self.plans)
        self.remotes.listen()
        self.publisher.join(self.assembly)
        await self.assembly.start(self.publisher.announce_ready, self._manager.all_are_ready)

    async def failure(self) -> tuple[str, BaseException]:
        """Wait until a module fails; returns its id and the reason."""
        return await self.assembly.failure()

    async def stop(self) -> None:
        """Bring the modules into their safe state, and leave the wire."""
        await self.assembly.stop()
        self.publisher.leave()
        self.remotes.unlisten()
