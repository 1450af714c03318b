"""Publishes the modules of this process on MQTT: variables and faults go out, commands come in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.decoding import convert, decode_json, shorten
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.manifest import command_types, everest_name
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier

CALLS_WAITING_LIMIT = 100
"""Calls of one command that may wait for those before them; EVerest's dispatcher begins to warn there."""
WAITING_LIMIT_BYTES = 4 << 20
"""Octets of all calls together that may wait."""


class Publisher:
    """Publishes one assembly at a time under EVerest's prefix. Without the broker that costs a comparison a value.

    Commands are accepted from the modules of the configuration that run as processes of their own, and from
    `commands_from`. The origin is what the caller writes into its message: the broker's ACL has to keep others from
    using it.
    """

    def __init__(self, carrier: Carrier, *, retain_topics: bool = False, commands_from: Collection[str] = ()) -> None:
        self.carrier = carrier
        self.client = client = carrier.client
        self.prefix = carrier.prefix
        self.log = ModuleLog("wire")
        self._complaints = RateLimitedLog(self.log, "%d more messages made no sense within %g s")
        self._stops: list[Callable[[], None]] = []
        self._assembly: Assembly | None = None
        self._lines: dict[str, _Line] = {}
        self._retain_topics = retain_topics
        self._foreign: set[str] = set()
        self._commands_from = frozenset(commands_from)
        self._undeclared = RateLimitedLog(self.log, "%d more commands of undeclared origins within %g s", lines=1)
        self._ready = False
        self.waiting_bytes = 0
        """Octets of the calls that wait, of all commands together."""
        client.on_up.append(self._came_up)

    def join(self, assembly: Assembly) -> None:
        """Publish these modules; call it after `build` and before `start`, so that no value is missed."""
        self._assembly = assembly
        self._foreign = {module_id for module_id, module in assembly.modules.items() if module.is_program}
        for (module_id, name), implementation in assembly.implementations.items():
            if module_id not in self._foreign:
                self._show(f"{self.prefix}modules/{module_id}/impl/{name}/", implementation)
        self._stops.append(self.client.subscribe(f"{self.prefix}modules/+/impl/+/cmd/+", self._on_call))
        if self._retain_topics or self._foreign:
            # Imported only here: the descriptions of every interface cost time and memory.
            from chargebyte_fw.manager.wire.metadata import Metadata

            Metadata(self.carrier).publish(assembly)
        if self._foreign:
            self._stops.append(self.client.subscribe(f"{self.prefix}config/request", self._on_request))
            for module_id in self._foreign:
                self.adopt(assembly.modules[module_id])

    def adopt(self, module: Module) -> None:
        """Take a new instance of a module: its calls begin anew, a program gets what it needs of the wire."""
        for topic in [topic for topic, line in self._lines.items() if line.module_id == module.id]:
            self._lines.pop(topic).close()
        if module.is_program:
            vars(module)["carrier"] = self.carrier

    def announce_to(self, module: Module) -> None:
        """Announce to a program that was started later that all are ready; others ignore the repetition."""
        if module.is_program:
            self._send(f"{self.prefix}ready", envelope.message("GlobalReady", True))

    def _on_request(self, _topic: str, payload: bytes) -> None:
        from chargebyte_fw.manager.wire.answers import answer

        plans = {plan.id: plan for plan in self._assembly.plans} if self._assembly is not None else {}
        try:
            request = decode_json(payload, dict[str, Any])
        except msgspec.DecodeError as error:
            self._complain("a request for configuration that is none: %s", error)
            return
        found = answer(request.get("data"), plans)
        if found is not None:
            topic = f"{self.prefix}modules/{found[0]}/response"
            self._send(topic, envelope.message("ConfigurationResponse", found[1]))

    def leave(self) -> None:
        """Publish nothing any more."""
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()
        self._lines.clear()
        self._complaints.close()
        self._undeclared.close()
        self._assembly = None
        self._foreign.clear()
        self._ready = False

    def announce_ready(self) -> None:
        """Announce that every module is initialised, as EVerest's modules and manager do."""
        self._ready = True
        self._announce()

    def _came_up(self) -> None:
        if self._ready:
            self._announce()

    def _announce(self) -> None:
        if self._assembly is None or not self.client.online:
            return
        for module_id, module in self._assembly.modules.items():
            if module_id in self._foreign:
                continue
            provides = {name: {"interface": one.interface} for name, one in module.provisions.items()}
            data = {"module": module.module_name(), "provides": provides}
            at = f"{self.prefix}modules/{module_id}"
            self._send(f"{at}/metadata", envelope.message("ConfigurationResponse", data))
            self._send(f"{at}/ready", envelope.message("ModuleReady", True))
        self._send(f"{self.prefix}ready", envelope.message("GlobalReady", True))

    def _send(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, wait=False)

    def _show(self, at: str, implementation: Contract) -> None:
        for name in implementation.variables:
            variable = getattr(implementation, name)
            topic = f"{at}var/{name}"
            self._stops.append(variable.subscribe(partial(self._fact, topic), guard=partial(self._not_shown, topic)))
        self._stops.append(implementation.faults.subscribe(partial(self._fault, at), partial(self._fault, at)))

    def _fact(self, topic: str, value: Any) -> None:
        if self.client.online:
            self.client.publish(topic, envelope.variable(value), wait=False)

    def _not_shown(self, topic: str, error: BaseException) -> None:
        # An onlooker misses a value; charging must not end for that.
        self.log.error("%s cannot be shown: %s: %s", topic, type(error).__name__, error)

    def _fault(self, at: str, fault: Fault) -> None:
        if self.client.online:
            self.client.publish(f"{at}error/{fault.type}", envelope.error(fault), wait=False)

    def _on_call(self, topic: str, payload: bytes) -> None:
        _, module_id, _, implementation_id, _, command = topic.removeprefix(self.prefix).split("/")
        if self._assembly is None or module_id not in self._assembly.modules or module_id in self._foreign:
            return
        try:
            call = envelope.read_call(payload)
        except msgspec.MsgspecError as error:
            self._complain("%s: this is no command of EVerest: %s", topic, error)
            return
        if call.origin not in self._foreign and call.origin not in self._commands_from:
            self._undeclared.write(
                "%s: %s may not command here (--wire-commands-from %s)", topic, call.origin, call.origin
            )
            text = f"commands over MQTT are not taken from {call.origin}"
            self.answer(topic, call, envelope.failure(call, module_id, "HandlerException", text))
            return
        provider = self._assembly.implementations.get((module_id, implementation_id))
        name = None if provider is None else _attribute(provider, command)
        if provider is None or name is None:
            text = f"{topic} is no command here"
            self.answer(topic, call, envelope.failure(call, module_id, "MessageParsingError", text))
            return
        line = self._lines.get(topic)
        if line is None:
            line = self._lines[topic] = _Line(self, topic, module_id)
        line.take(call, provider, name, len(payload))

    def answer(self, topic: str, call: envelope.CallData, payload: bytes) -> None:
        """Publish the answer to a call on the topic of its origin."""
        self.client.publish(f"{topic}/response/{call.origin}", payload, wait=False)

    def _complain(self, text: str, *values: Any) -> None:
        self._complaints.write(text, *values)


class _Line:
    """The calls of one command: one after the other, in the order of their arrival (EVerest)."""

    def __init__(self, publisher: Publisher, topic: str, module_id: str) -> None:
        self._publisher = publisher
        self._topic = topic
        self.module_id = module_id
        self._waiting: deque[tuple[envelope.CallData, Contract, str, int]] = deque()
        self._busy = False

    def take(self, call: envelope.CallData, provider: Contract, name: str, octets: int) -> None:
        """Answer the call when its turn comes; at once when too many wait."""
        if len(self._waiting) >= CALLS_WAITING_LIMIT:
            self._refuse(call, "NotReady", f"{CALLS_WAITING_LIMIT} calls wait already")
            return
        if self._publisher.waiting_bytes + octets > WAITING_LIMIT_BYTES:
            self._refuse(call, "NotReady", "the calls that wait are too large together")
            return
        self._publisher.waiting_bytes += octets
        self._waiting.append((call, provider, name, octets))
        if not self._busy:
            self._busy = True
            provider.module.spawn(self._work(), f"wire {name}")

    async def _work(self) -> None:
        try:
            while self._waiting:
                call, provider, name, octets = self._waiting.popleft()
                self._publisher.waiting_bytes -= octets
                try:
                    await self._carry_out(call, provider, name)
                except asyncio.CancelledError:
                    self._refuse(call, "Shutdown", f"{self.module_id} is shutting down")
                    raise
        finally:
            self._busy = False
            self.close()

    def close(self) -> None:
        """Refuse what waits."""
        while self._waiting:
            call, _, _, octets = self._waiting.popleft()
            self._publisher.waiting_bytes -= octets
            self._refuse(call, "Shutdown", f"{self.module_id} is shutting down")

    async def _carry_out(self, call: envelope.CallData, provider: Contract, name: str) -> None:
        try:
            arguments = _arguments(provider, name, call.args or {})
            trace = provider.module.runtime.trace
            value = await bus.run_command(provider, name, (), arguments, trace=trace, caller=call.origin, outside=True)
            payload = envelope.result(call, self.module_id, value)
        except msgspec.ValidationError as error:
            self._refuse(call, "MessageParsingError", str(error))
        except CommandError as error:
            self._refuse(call, error.kind, error.message)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # A value that JSON cannot express: the call fails, the charger goes on.
            self._publisher.log.error("%s: the answer cannot be written: %s", self._topic, shorten(str(error)))
            self._refuse(call, "HandlerException", "the answer cannot be written")
        else:
            self._answer(call, payload)

    def _refuse(self, call: envelope.CallData, kind: str, text: str) -> None:
        self._answer(call, envelope.failure(call, self.module_id, kind, shorten(text)))

    def _answer(self, call: envelope.CallData, payload: bytes) -> None:
        self._publisher.answer(self._topic, call, payload)


def _attribute(provider: Contract, command: str) -> str | None:
    return next((name for name in provider.commands if everest_name(name) == command), None)


def _arguments(provider: Contract, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Turn the call's arguments into those of the contract; raises msgspec.ValidationError."""
    kinds, _ = command_types(provider.declaration(), name)
    missing = [argument for argument in kinds if argument not in given]
    if missing:
        raise msgspec.ValidationError(f"missing argument {', '.join(missing)}")
    unknown = [argument for argument in given if argument not in kinds]
    if unknown:
        raise msgspec.ValidationError(f"unknown argument {', '.join(unknown)}")
    return {argument: convert(given[argument], kind) for argument, kind in kinds.items()}
