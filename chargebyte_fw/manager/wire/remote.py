"""A module of another process: what it publishes and raises comes in over MQTT, commands to it go out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.kernel.bus import ABSENT, CALLER
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.decoding import convert, shorten
from chargebyte_fw.kernel.errors import CommandError, CommandTimeout
from chargebyte_fw.kernel.faults import FaultState
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.manager.manifest import command_types, everest_name, variable_types
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier

CALL_LIMIT_S = 300.0
"""EVerest's own limit for a command."""
FAULTS_LIMIT = 100
"""Errors of one implementation that are active at a time."""
SUB_TYPE_LIMIT = 200
FAULT_TEXT_LIMIT = 1000
NO_MODULE = "manager"
"""Origin of a call that no module makes: one of the command line."""


class RemoteModule(Module):
    """The proxy of a module that runs elsewhere: its implementations are of the classes that `proxy` makes."""

    carrier: Carrier | None = None
    callers: Mapping[str, Sequence[str]] = {}
    """By implementation the modules of this process that may call it: the origins of their calls."""
    absence_comes_in = False
    """Whether the manager is elsewhere and publishes that the module is absent; else it is known here."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[str, asyncio.Future[Any]] = {}
        self._stops: list[Callable[[], None]] = []
        self._complaints: RateLimitedLog | None = None

    def implementations(self) -> dict[str, Contract]:
        """Return the proxies by the names of the implementations."""
        return {name: getattr(self, name) for name in self.provisions}

    def is_used(self, _name: str) -> bool:
        """Return whether variables of this implementation are taken in; its faults always are."""
        return True

    def listen(self, carrier: Carrier) -> None:
        """Subscribe to everything that the module publishes."""
        at = f"{carrier.prefix}modules/{self.id}/"
        carrier.client.on_down.append(self._broker_gone)
        self._stops.append(partial(carrier.client.on_down.remove, self._broker_gone))
        for name, implementation in self.implementations().items():
            kinds = variable_types(implementation.declaration()) if self.is_used(name) else {}
            for variable, kind in kinds.items():
                take = partial(self._on_variable, implementation, variable, kind)
                self._stops.append(carrier.client.subscribe(f"{at}impl/{name}/var/{variable}", take))
            take_fault = partial(self._on_fault, implementation)
            self._stops.append(carrier.client.subscribe(f"{at}impl/{name}/error/#", take_fault))
            for caller in (*self.callers.get(name, ()), NO_MODULE) if self.is_used(name) else ():
                answers = f"{at}impl/{name}/cmd/+/response/{caller}"
                self._stops.append(carrier.client.subscribe(answers, self._on_answer))

    def _on_variable(self, implementation: Contract, name: str, kind: Any, topic: str, payload: bytes) -> None:
        try:
            value = convert(envelope.read_variable(payload), kind)
        except msgspec.MsgspecError as error:
            self._complain("%s does not fit the contract: %s", topic, error)
            return
        getattr(implementation, name).publish(value)

    def _on_fault(self, implementation: Contract, topic: str, payload: bytes) -> None:
        try:
            fault = envelope.read_error(payload)
        except msgspec.MsgspecError as error:
            self._complain("%s is no error of EVerest: %s", topic, error)
            return
        if fault.sub_type == ABSENT and not self.absence_comes_in:
            # Published here in its place, or claimed: whether it is away is known from the process.
            return
        if fault.type not in implementation.faults.allowed:
            self._complain("%s is not an error of this interface", shorten(fault.type))
        elif fault.state is not FaultState.Active:
            implementation.faults.take_clear(fault)
        elif len(implementation.faults.active) >= FAULTS_LIMIT or len(fault.sub_type) > SUB_TYPE_LIMIT:
            self._complain("%s: more than %d errors, or a sub_type of unusual length", topic, FAULTS_LIMIT)
        else:
            texts = {name: shorten(getattr(fault, name), FAULT_TEXT_LIMIT) for name in ("message", "description")}
            implementation.faults.take_raise(msgspec.structs.replace(fault, **texts))

    def _on_answer(self, topic: str, payload: bytes) -> None:
        try:
            call_id, answer = envelope.read_result(payload)
        except msgspec.MsgspecError as error:
            self._complain("%s is no answer of EVerest: %s", topic, error)
            return
        waiting = self._calls.get(call_id)
        if waiting is None or waiting.done():
            return
        if isinstance(answer, CommandError):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)

    def _complain(self, text: str, *values: Any) -> None:
        if self._complaints is None:
            self._complaints = RateLimitedLog(self.log, "%d more messages did not fit within %g s")
        self._complaints.write(text, *values)

    async def call(
        self, implementation: Contract, command: str, arguments: dict[str, Any], result: Any, caller: str
    ) -> Any:
        """Send a command of the module `caller` to the program and wait for its answer."""
        carrier = self.carrier
        if carrier is None or not carrier.client.online:
            raise CommandError("NotReady", f"{self.id} has no broker")
        call_id = self.runtime.new_uuid()
        waiting = self._calls[call_id] = asyncio.get_running_loop().create_future()
        topic = f"{carrier.prefix}modules/{self.id}/impl/{implementation.implementation_id}/cmd/{command}"
        origin = caller if caller in self.callers.get(implementation.implementation_id, ()) else NO_MODULE
        try:
            payload = envelope.call(call_id, origin, arguments)
            carrier.client.publish(topic, payload, wait=False, qos=2)
            async with asyncio.timeout(CALL_LIMIT_S):
                answer = await waiting
            # Where the interface has no result, what is returned is not looked at (EVerest).
            return None if result in (None, type(None)) else convert(answer, result)
        except TimeoutError:
            raise CommandTimeout(f"{topic}: no answer in {CALL_LIMIT_S:g} s") from None
        except msgspec.ValidationError as error:
            raise CommandError("MessageParsingError", f"{topic}: {error}") from error
        finally:
            del self._calls[call_id]

    def begins_again(self) -> None:
        """Forget the faults and calls of the program before it: it was started again from outside."""
        for implementation in self.implementations().values():
            implementation.faults.clear_all()
        self._refuse_calls("Shutdown", f"{self.id} has been started again")

    def _broker_gone(self) -> None:
        # Call and answer do not outlive a connection.
        self._refuse_calls("NotReady", "the broker has gone")

    def _refuse_calls(self, kind: str, text: str) -> None:
        for waiting in self._calls.values():
            if not waiting.done():
                waiting.set_exception(CommandError(kind, text))

    def unlisten(self) -> None:
        """End every subscription, and the calls that wait."""
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._refuse_calls("Shutdown", f"{self.id} is shutting down")


def proxy(contract: type[Contract]) -> type[Contract]:
    """Return the class of an implementation elsewhere: its commands are sent by the module that owns it."""

    def command(attribute: str) -> Any:
        kinds, result = command_types(contract, attribute)

        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            given = {**dict(zip(kinds, args)), **kwargs}
            if given.keys() != kinds.keys():
                # A C++ module ends on a missing argument.
                raise TypeError(f"{attribute} takes the arguments {', '.join(kinds)}")
            arguments = {key: msgspec.to_builtins(value) for key, value in given.items()}
            return await self.module.call(self, everest_name(attribute), arguments, result, CALLER.get())

        return call

    commands = {name: command(name) for name in contract.commands}
    return type(f"{contract.__name__}Proxy", (contract,), {"is_remote": True, **commands})
