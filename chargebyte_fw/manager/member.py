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

from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.manager.wire.remotes import Remotes


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
    """Publishes the modules of this process; metadata, configuration and the announcement are the manager's.

    `awaited` are the implementations that modules of other processes are connected to: their variables are delivered as
    EVerest promises (QoS 2), those of the others are for onlookers. None: all are.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        commands_from: Collection[str] | None = None,
        awaited: Collection[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(carrier, commands_from=commands_from)
        self._awaited = None if awaited is None else frozenset(awaited)

    def join(self, assembly: Assembly) -> None:
        """Publish these modules and take their commands."""
        self._assembly = assembly
        for (module_id, name), implementation in assembly.implementations.items():
            qos = 2 if self._awaited is None or (module_id, name) in self._awaited else 0
            self._show(f"{self.prefix}modules/{module_id}/impl/{name}/", implementation, qos)
        for module_id in assembly.modules:
            commands = f"{self.prefix}modules/{module_id}/impl/+/cmd/+"
            self._stops.append(self.client.subscribe(commands, self._on_call))

    def _announce(self) -> None:
        if self._assembly is not None and self.client.online:
            self._announce_modules(self._assembly)


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
        self.remotes = Remotes(carrier, runtime, self.plans, absence_comes_in=True)
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
