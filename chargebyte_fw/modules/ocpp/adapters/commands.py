"""Commands of a station to other modules: to whom they go, one after the other for each provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.ocpp.station.effects import Command
from chargebyte_fw.modules.ocpp.station.events import CommandDone, CommandFailed


def ends(module: Module) -> Iterator[Contract]:
    """Return what a module is connected to, in the order of its requirements."""
    for requirement in module.requirements.values():
        found = getattr(module, requirement.attribute)
        if requirement.many:
            yield from found
        elif found is not None:
            yield found


class Commands:
    """Sends commands, and feeds the station with what became of them.

    `evse_ids` has the EVSE of each `evse_manager`; other providers are mapped to theirs by the configuration.
    """

    def __init__(self, module: Module, feed: Callable[[Any], None], evse_ids: Mapping[int, int]) -> None:
        self._module = module
        self._feed = feed
        self._evse_ids = evse_ids
        self._providers: dict[str, list[Contract]] = {}
        for provider in ends(module):
            self._providers.setdefault(provider.interface, []).append(provider)
        self._turns: dict[int, asyncio.Lock] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._failing = LastingConditions(module.log)
        self._closed = False

    def evse_of(self, provider: Contract) -> int | None:
        """Return the EVSE that a provider belongs to; 0 is the station, None is nowhere."""
        known = self._evse_ids.get(id(provider))
        if known is not None:
            return known
        return provider.mapping.evse if provider.mapping is not None else None

    def send(self, command: Command) -> None:
        """Send a command: to the provider of its EVSE, or to every one of the interface."""
        if self._closed:
            return
        providers = self._providers.get(command.call.interface, [])
        if command.evse_id is not None:
            only = len(providers) == 1
            fits = (command.evse_id, None) if only else (command.evse_id,)
            providers = [one for one in providers if self.evse_of(one) in fits]
        task = self._module.spawn(self._run(command, providers), command.call.command)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def idle(self) -> None:
        """Wait until every command that was sent so far has its answer."""
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    def close(self) -> None:
        """Send no more: the others may have stopped already. Log what was only counted."""
        self._closed = True
        self._failing.close()

    async def _run(self, command: Command, providers: list[Contract]) -> None:
        if not providers:
            where = "" if command.evse_id is None else f" for EVSE {command.evse_id}"
            self._feed(CommandFailed(command.command_id, f"no module provides {command.call.interface}{where}"))
            return
        result: Any = None
        failure = ""
        for provider in providers:
            try:
                result = await self._one(command, provider)
            except CommandError as error:
                failure = str(error)
        self._feed(CommandFailed(command.command_id, failure) if failure else CommandDone(command.command_id, result))

    async def _one(self, command: Command, provider: Contract) -> Any:
        turn = self._turns.setdefault(id(provider), asyncio.Lock())
        name = command.call.command
        about = f"{provider.module_id}.{name}"
        async with turn:
            try:
                result = await getattr(provider, name)(*command.call.args)
            except CommandError as error:
                self._failing.set(about, True, f"{provider.module_id} did not carry out {name}: {error}")
                raise
        self._failing.set(about, False, f"{provider.module_id} carries out {name} again")
        return result
