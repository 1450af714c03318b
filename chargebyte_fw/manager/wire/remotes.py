"""The modules of other processes that those of this one are connected to, or whose faults they follow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chargebyte_fw.contracts.errors import errors_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Fault, Faults, Origin
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import faults_of
from chargebyte_fw.manager.manifest import variable_types
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.remote import RemoteModule, proxy

SEEN = 64
"""Values of one variable by which is known what was seen and what was missed."""


class Remotes:
    """Their proxies. `absence_comes_in`: a manager behind the broker publishes that one has ended."""

    def __init__(
        self, carrier: Carrier, runtime: Runtime, plans: Sequence[ModulePlan], *, absence_comes_in: bool = False
    ) -> None:
        self._carrier = carrier
        self._runtime = runtime
        self._plans = plans
        self._absence_comes_in = absence_comes_in
        self.modules: dict[str, Remote] = {}

    def declare(self, everyone: Iterable[ModulePlan]) -> None:
        """Make the proxies of all modules that do not run here, before those that do are wired.

        What no module here is connected to is there for its faults, where one follows those of all.
        """
        ours = {plan.id for plan in self._plans}
        for plan in self._plans:
            for name, ends in plan.connections.items():
                for end in (end for end in ends if end.module_id not in ours):
                    contract = plan.module.requirements[name].contract.declaration()
                    self.find(end.module_id, end.implementation_id, contract)
        follows_all = any(plan.module.enable_global_errors for plan in self._plans)
        for plan in (plan for plan in everyone if plan.id not in ours):
            if follows_all:
                for name, provision in plan.module.provisions.items():
                    self._module(plan.id).implementation(name, provision.implementation.declaration())
            if plan.id in self.modules:
                self.modules[plan.id].mapped(plan)
                self.modules[plan.id].of_a_program = plan.module.is_program

    def _module(self, module_id: str) -> Remote:
        module = self.modules.get(module_id)
        if module is None:
            module = self.modules[module_id] = Remote(module_id, self._runtime, self._carrier)
            module.absence_comes_in = self._absence_comes_in
        return module

    def find(self, module_id: str, implementation_id: str, contract: type[Contract]) -> Contract:
        """Return the proxy of an implementation that a module here is connected to."""
        module = self._module(module_id)
        if implementation_id not in module.connected:
            module.connected[implementation_id] = [
                plan.id
                for plan in self._plans
                for ends in plan.connections.values()
                if any((end.module_id, end.implementation_id) == (module_id, implementation_id) for end in ends)
            ]
        return module.implementation(implementation_id, contract)

    def on_taken(self, call: Callable[[], None]) -> None:
        """Call this for each value that is taken in."""
        for module in self.modules.values():
            module.taken = call

    def books(self) -> list[Faults]:
        """Return their faults."""
        return [one.faults for module in self.modules.values() for one in module.implementations().values()]

    def listen(self) -> None:
        """Take in what they publish from now on."""
        client = self._carrier.client
        for module in self.modules.values():
            module.listen(self._carrier)
        client.on_down.append(self._broker_went)
        client.on_up.append(self._broker_came)

    def unlisten(self) -> None:
        """Take in nothing any more."""
        client = self._carrier.client
        for module in self.modules.values():
            module.stopped = True
            module.unlisten()
        if self._broker_went in client.on_down:
            client.on_down.remove(self._broker_went)
            client.on_up.remove(self._broker_came)

    def mark_absent(self, module_id: str, text: str, *, lasting: bool = False) -> None:
        """Note that the process of a module has ended: commands fail at once, a fault stands in its place."""
        module = self.modules.get(module_id)
        if module is not None:
            module.away = True
            module.begins_again()
            module.forget()
            module.raise_absence(text, lasting=lasting)

    def mark_present(self, module_ids: Iterable[str]) -> None:
        """Note that it is ready again."""
        for module_id in module_ids:
            module = self.modules.get(module_id)
            if module is not None:
                module.away = False
                module.clear_absence()

    def _broker_went(self) -> None:
        # Whoever drives something only over the broker drives nothing now.
        for module in self.modules.values():
            if module.of_a_program and module.drives:
                module.raise_absence("the broker is away")

    def _broker_came(self) -> None:
        for module in self.modules.values():
            if module.of_a_program and module.drives and not module.away:
                module.clear_absence()


class Remote(RemoteModule):
    """One module, as far as it is used here."""

    def __init__(self, module_id: str, runtime: Runtime, carrier: Carrier) -> None:
        super().__init__()
        self.id = module_id
        self.of_a_program = False
        self.runtime = runtime
        self.carrier = carrier
        self.log = ModuleLog(module_id)
        self.connected: dict[str, list[str]] = {}
        """By implementation the modules of this process that are connected to it."""
        self.callers = self.connected
        self._proxies: dict[str, Contract] = {}
        self._seen: dict[tuple[str, str], deque[bytes]] = {}
        self._held: dict[str, list[tuple[str, bytes]]] = {}
        self.taken: Callable[[], None] = lambda: None

    def implementation(self, name: str, contract: type[Contract]) -> Contract:
        """Return the proxy of one implementation."""
        found = self._proxies.get(name)
        if found is None:
            found = self._proxies[name] = proxy(contract)()
            bus.prepare(found, self.id, name)
            found.module = self
            book = faults_of(self.runtime, Origin(self.id, name), frozenset(errors_of(contract)))
            found.faults = found.endpoint.faults = book
            self.runtime.all_faults.append(book)
        return found

    def mapped(self, plan: ModulePlan) -> None:
        """Take the tier mappings of the plan."""
        for name, implementation in self._proxies.items():
            implementation.mapping = plan.implementation_mappings.get(name, plan.mapping)

    def implementations(self) -> dict[str, Contract]:
        """Return the proxies by the names of the implementations."""
        return self._proxies

    def is_used(self, name: str) -> bool:
        """Return whether a module here is connected to it."""
        return name in self.connected

    @property
    def drives(self) -> bool:
        """Whether a module here drives something by it (an interface with one user)."""
        return any(self._proxies[name].one_user for name in self.connected)

    def forget(self) -> None:
        """Forget what was seen: the next process publishes its own values."""
        self._seen.clear()

    def raise_absence(self, text: str, *, lasting: bool = False) -> None:
        """Raise the fault that it is absent; no power flows with a part of its path."""
        for implementation in self._proxies.values():
            bus.raise_absence(implementation.faults, text, drives=bool(implementation.one_user), lasting=lasting)

    def clear_absence(self) -> None:
        """Clear it."""
        for implementation in self._proxies.values():
            bus.clear_absence(implementation.faults)

    # What was missed (`catching_up.py`).

    def hold(self, name: str, limit_s: float | None = None) -> None:
        """Keep what comes from an implementation until it is known what was published before; within the limit."""
        self._held.setdefault(name, [])
        if limit_s is not None:
            asyncio.get_running_loop().call_later(limit_s, self._give_up, name)

    def _give_up(self, name: str) -> None:
        for variable, payload in self._held.pop(name, []):
            self._deliver(name, variable, payload)

    def catch_up(self, name: str, rows: dict[str, list[bytes]], faults: Sequence[Fault]) -> None:
        """Take in the messages of what was missed, then what was held, each value once; then the faults."""
        held = self._held.pop(name, [])
        for variable, offered in rows.items():
            for payload in unseen(self._seen.get((name, variable), ()), offered):
                self._deliver(name, variable, payload)
        for variable in dict.fromkeys(variable for variable, _ in held):
            came = [payload for one, payload in held if one == variable]
            for payload in unseen(rows.get(variable, ()), came):
                self._deliver(name, variable, payload)
        book = self._proxies[name].faults
        active = {(fault.type, fault.sub_type) for fault in faults}
        for fault in book.active:
            if fault.sub_type != bus.ABSENT and (fault.type, fault.sub_type) not in active:
                book.take_clear(fault)
        for fault in faults:
            if fault.type in book.allowed and fault.sub_type != bus.ABSENT:
                book.take_raise(fault)

    def _on_variable(self, implementation: Contract, name: str, kind: Any, topic: str, payload: bytes) -> None:
        held = self._held.get(implementation.implementation_id)
        if held is not None:
            held.append((name, payload))
            return
        self._note(implementation.implementation_id, name, payload)
        super()._on_variable(implementation, name, kind, topic, payload)

    def _deliver(self, implementation_id: str, name: str, payload: bytes) -> None:
        implementation = self._proxies[implementation_id]
        kind = variable_types(implementation.declaration()).get(name)
        if kind is not None:
            self._note(implementation_id, name, payload)
            super()._on_variable(implementation, name, kind, f"{self.id}.{implementation_id}.{name}", payload)

    def _note(self, implementation_id: str, name: str, payload: bytes) -> None:
        key = implementation_id, name
        if key not in self._seen:
            self._seen[key] = deque(maxlen=SEEN)
        self._seen[key].append(payload)
        self.taken()


def unseen(seen: Iterable[bytes], offered: Sequence[bytes]) -> Sequence[bytes]:
    """Return what of `offered` goes on from `seen`: all of it unless its beginning is the end of what was seen."""
    before = list(seen)
    for length in range(min(len(before), len(offered)), 0, -1):
        if before[-length:] == list(offered[:length]):
            return offered[length:]
    return offered
