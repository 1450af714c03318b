"""Commands from MQTT to modules of this process: one after the other for each command, within bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.decoding import convert, shorten
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.manager.manifest import command_types, everest_name
from chargebyte_fw.manager.wire import envelope

CALLS_WAITING_LIMIT = 100
"""Calls of one command that may wait for those before them; EVerest's dispatcher begins to warn there."""
WAITING_LIMIT_BYTES = 4 << 20
"""Octets of all calls together that may wait."""
Send = Callable[[str, bytes], None]


class Calls:
    """The calls of all commands. `send(topic, payload)` publishes an answer."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.log = ModuleLog("wire")
        self.lines: dict[str, Line] = {}
        self.waiting_bytes = 0
        """Octets of the calls that wait, of all commands together."""

    def take(self, topic: str, call: envelope.CallData, provider: Contract, name: str, octets: int) -> None:
        """Carry out the command `name` of `provider` when its turn comes."""
        line = self.lines.get(topic)
        if line is None:
            line = self.lines[topic] = Line(self, topic, provider.module_id)
        line.take(call, provider, name, octets)

    def forget(self, module_id: str) -> None:
        """Refuse what waits for this module: another instance has taken its place."""
        for topic in [topic for topic, line in self.lines.items() if line.module_id == module_id]:
            self.lines.pop(topic).close()

    def answer(self, topic: str, call: envelope.CallData, payload: bytes) -> None:
        """Publish the answer to a call on the topic of its origin."""
        self.send(f"{topic}/response/{call.origin}", payload)


class Line:
    """The calls of one command: one after the other, in the order of their arrival (EVerest)."""

    def __init__(self, calls: Calls, topic: str, module_id: str) -> None:
        self._calls = calls
        self._topic = topic
        self.module_id = module_id
        self._waiting: deque[tuple[envelope.CallData, Contract, str, int]] = deque()
        self._busy = False

    def take(self, call: envelope.CallData, provider: Contract, name: str, octets: int) -> None:
        """Answer the call when its turn comes; at once when too many wait."""
        if len(self._waiting) >= CALLS_WAITING_LIMIT:
            self._refuse(call, "NotReady", f"{CALLS_WAITING_LIMIT} calls wait already")
            return
        if self._calls.waiting_bytes + octets > WAITING_LIMIT_BYTES:
            self._refuse(call, "NotReady", "the calls that wait are too large together")
            return
        self._calls.waiting_bytes += octets
        self._waiting.append((call, provider, name, octets))
        if not self._busy:
            self._busy = True
            provider.module.spawn(self._work(), f"wire {name}")

    async def _work(self) -> None:
        try:
            while self._waiting:
                call, provider, name, octets = self._waiting.popleft()
                self._calls.waiting_bytes -= octets
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
            self._calls.waiting_bytes -= octets
            self._refuse(call, "Shutdown", f"{self.module_id} is shutting down")

    async def _carry_out(self, call: envelope.CallData, provider: Contract, name: str) -> None:
        try:
            arguments = arguments_of(provider, name, call.args or {})
            trace = provider.module.runtime.trace
            value = await bus.run_command(provider, name, (), arguments, trace=trace, caller=call.origin, outside=True)
            payload = envelope.result(call, self.module_id, value)
        except msgspec.ValidationError as error:
            self._refuse(call, "MessageParsingError", str(error))
        except CommandError as error:
            self._refuse(call, error.kind, error.message)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # A value that JSON cannot express: the call fails, the charger goes on.
            self._calls.log.error("%s: the answer cannot be written: %s", self._topic, shorten(str(error)))
            self._refuse(call, "HandlerException", "the answer cannot be written")
        else:
            self._calls.answer(self._topic, call, payload)

    def _refuse(self, call: envelope.CallData, kind: str, text: str) -> None:
        self._calls.answer(self._topic, call, envelope.failure(call, self.module_id, kind, shorten(text)))


def attribute_of(provider: Contract, command: str) -> str | None:
    """Return the attribute of a command by EVerest's name, None for an unknown one."""
    return next((name for name in provider.commands if everest_name(name) == command), None)


def arguments_of(provider: Contract, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Turn the call's arguments into those of the contract; raises msgspec.ValidationError."""
    kinds, _ = command_types(provider.declaration(), name)
    missing = [argument for argument in kinds if argument not in given]
    if missing:
        raise msgspec.ValidationError(f"missing argument {', '.join(missing)}")
    unknown = [argument for argument in given if argument not in kinds]
    if unknown:
        raise msgspec.ValidationError(f"unknown argument {', '.join(unknown)}")
    return {argument: convert(given[argument], kind) for argument, kind in kinds.items()}
