"""Commands of programs to a module whose process ends or is away: refused, since no one else answers them.

A program of EVerest waits 300 s for an answer and does nothing else meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.envelope import CallData

LATE_S = 0.5
"""Until a command is refused that came while its module was away: one that is back by then may answer it."""
OPEN_LIMIT = 100
"""Commands to one module that are known at a time; of more the oldest are forgotten."""


class OpenCalls:
    """Knows which commands of programs to these `callees` wait for an answer, from `begin` to `end`."""

    def __init__(self, carrier: Carrier, plans: Sequence[ModulePlan], callees: Collection[str]) -> None:
        self._carrier = carrier
        self._prefix = f"{carrier.prefix}modules/"
        self._programs = [plan for plan in plans if plan.module.is_program]
        self._callees = frozenset(callees)
        self._open: dict[str, dict[str, tuple[str, CallData]]] = {}
        self._away: dict[str, str] = {}
        self._stops: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Follow the commands of every program, and the answers."""
        subscribe = self._carrier.client.subscribe
        for at in sorted({at for plan in self._programs for at in self._connected(plan)}):
            self._stops.append(subscribe(f"{at}/cmd/+", self._on_call))
        for plan in self._programs:
            for at in self._connected(plan):
                self._stops.append(subscribe(f"{at}/cmd/+/response/{plan.id}", self._on_answer))

    def _connected(self, plan: ModulePlan) -> Iterator[str]:
        ends = {(end.module_id, end.implementation_id) for ends in plan.connections.values() for end in ends}
        return (f"{self._prefix}{one}/impl/{name}" for one, name in sorted(ends) if one in self._callees)

    def end(self) -> None:
        """Follow them no longer."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._open.clear()
        self._away.clear()

    def absent(self, module_id: str, text: str) -> None:
        """Refuse what waits for this module: its process has ended."""
        self._away[module_id] = text
        for call_id in list(self._open.get(module_id, ())):
            self._refuse(module_id, call_id, text)

    def present(self, module_id: str) -> None:
        """Note that it answers again."""
        self._away.pop(module_id, None)

    def _on_call(self, topic: str, payload: bytes) -> None:
        try:
            call = envelope.read_call(payload)
        except msgspec.MsgspecError:
            return  # The module itself refuses it.
        if all(call.origin != plan.id for plan in self._programs):
            return
        module_id = self._callee(topic)
        calls = self._open.setdefault(module_id, {})
        calls[call.id] = topic, call
        if len(calls) > OPEN_LIMIT:
            del calls[next(iter(calls))]
        if module_id in self._away:
            loop = asyncio.get_running_loop()
            loop.call_later(LATE_S, self._refuse, module_id, call.id, self._away[module_id])

    def _on_answer(self, topic: str, payload: bytes) -> None:
        try:
            call_id, _ = envelope.read_result(payload)
        except msgspec.MsgspecError:
            return
        self._open.get(self._callee(topic), {}).pop(call_id, None)

    def _refuse(self, module_id: str, call_id: str, text: str) -> None:
        found = self._open.get(module_id, {}).pop(call_id, None)
        if found is not None:
            topic, call = found
            payload = envelope.failure(call, module_id, "NotReady", text)
            self._carrier.client.publish(f"{topic}/response/{call.origin}", payload, wait=False, qos=2)

    def _callee(self, topic: str) -> str:
        return topic.removeprefix(self._prefix).partition("/")[0]
