"""The manager's part of EVerest's protocol where no module runs in its process: for programs, and for onlookers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from chargebyte_fw.contracts.errors import errors_of
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.faults import Faults, Origin
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import faults_of
from chargebyte_fw.manager.configuration.changes import Overlay
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.config_service import ConfigService
from chargebyte_fw.manager.wire.joining import Joining
from chargebyte_fw.manager.wire.open_calls import OpenCalls

AWAY_LIMIT_S = 10.0
"""How long the announcement to a program that is ready again waits for the modules that it is connected to."""


class ManagerWire:
    """Metadata, configuration, readiness and absence, from `begin` to `end`.

    `asked(module_id)` is called when a module asks for its configuration: it begins.
    """

    def __init__(
        self,
        carrier: Carrier,
        runtime: Runtime,
        plans: Sequence[ModulePlan],
        *,
        asked: Callable[[str], None] = lambda _: None,
        retain_topics: bool = False,
        commands_from: Collection[str] = (),
        overlay: Overlay | None = None,
    ) -> None:
        self.carrier = carrier
        self._runtime = runtime
        self._plans = list(plans)
        self._programs = [plan.id for plan in plans if plan.module.is_program]
        self._complaints = RateLimitedLog(ModuleLog("wire"), "%d more messages made no sense within %g s")
        self.joining = Joining(carrier, retain=retain_topics)
        self._asked = asked
        self._configuration = ConfigService(
            carrier, self._on_asked, self._complain, {*self._programs, *commands_from}, overlay
        )
        self._books: dict[str, list[tuple[str, Faults, bool]]] = {}
        self._stops: list[Callable[[], None]] = []
        self._calls = OpenCalls(carrier, plans, [plan.id for plan in plans])
        self._away: set[str] = set()
        self._unannounced: dict[str, asyncio.TimerHandle] = {}
        self._ready = False
        self._shutting_down = False

    def begin(self) -> None:
        """Publish what programs read at their start, and answer them."""
        self._ready = self._shutting_down = False
        self.joining.begin(self._plans, self._programs)
        self._configuration.begin(self._plans)
        self._calls.begin()
        client, prefix = self.carrier.client, self.carrier.prefix
        for module_id in self._programs:
            self._stops.append(client.subscribe(f"{prefix}modules/{module_id}/ready", self._on_ready))
        client.on_up.append(self._came_up)

    def end(self) -> None:
        """Erase the metadata and answer no longer."""
        self._ready = False
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._calls.end()
        self._away.clear()
        for timer in self._unannounced.values():
            timer.cancel()
        self._unannounced.clear()
        if self._came_up in self.carrier.client.on_up:
            self.carrier.client.on_up.remove(self._came_up)
        self._configuration.end()
        self.joining.end()
        self._complaints.close()

    def all_are_ready(self) -> None:
        """Announce that every module is ready."""
        self._ready = True
        self.joining.all_are_ready()
        self._announce()

    def announce_shutdown(self) -> None:
        """Ask every program to end, once (EVerest's `--graceful-shutdown`)."""
        if not self._shutting_down:
            self._shutting_down = True
            self._send("shutdown", b"true")

    def absent(self, plan: ModulePlan, text: str, *, lasting: bool) -> None:
        """Raise a fault at each implementation of a module whose process has ended."""
        for _, book, drives in self._books_of(plan):
            bus.raise_absence(book, text, drives=drives, lasting=lasting)
        self._calls.absent(plan.id, text)
        self._note(plan.id, away=not lasting)

    def present(self, plan: ModulePlan) -> None:
        """Clear these faults."""
        for _, book, _ in self._books_of(plan):
            bus.clear_absence(book)
        self._calls.present(plan.id)
        self._note(plan.id, away=False)

    def faults(self) -> list[Faults]:
        """Return the faults of absence, for the status file."""
        return [book for plan in self._plans for _, book, _ in self._books_of(plan)]

    def _books_of(self, plan: ModulePlan) -> list[tuple[str, Faults, bool]]:
        if plan.id not in self._books:
            self._books[plan.id] = []
            for name, provision in plan.module.provisions.items():
                contract = provision.implementation.declaration()
                origin = Origin(plan.id, name, plan.implementation_mappings.get(name, plan.mapping))
                book = faults_of(self._runtime, origin, frozenset(errors_of(contract)))

                def publish(fault: Any, at: str = f"modules/{plan.id}/impl/{name}/error/") -> None:
                    self._send(at + fault.type, envelope.error(fault))

                book.subscribe(publish, publish)
                self._books[plan.id].append((name, book, bool(contract.one_user)))
        return self._books[plan.id]

    def _complain(self, text: str, *values: Any) -> None:
        self._complaints.write(text, *values)

    def _on_asked(self, module_id: str) -> None:
        if self.joining.admit(module_id):
            self._asked(module_id)

    def _on_ready(self, topic: str, _payload: bytes) -> None:
        module_id = topic.removeprefix(f"{self.carrier.prefix}modules/").partition("/")[0]
        self.joining.arrived(module_id)
        if not self._ready:
            return
        if not self._connected_to(module_id) & self._away:
            # EVerest's manager repeats the announcement for whoever is ready again.
            self._announce()
        elif module_id not in self._unannounced:
            # It calls commands from then on.
            loop = asyncio.get_running_loop()
            self._unannounced[module_id] = loop.call_later(AWAY_LIMIT_S, self._announce_to, module_id)

    def _connected_to(self, module_id: str) -> set[str]:
        plan = next(plan for plan in self._plans if plan.id == module_id)
        return {end.module_id for ends in plan.connections.values() for end in ends} - {module_id}

    def _note(self, module_id: str, *, away: bool) -> None:
        """Note whether a module is away for a while, and announce to those that have waited for the last one."""
        if away:
            self._away.add(module_id)
            return
        self._away.discard(module_id)
        for waiting in [one for one in self._unannounced if not self._connected_to(one) & self._away]:
            self._announce_to(waiting)

    def _announce_to(self, module_id: str) -> None:
        self._unannounced.pop(module_id).cancel()
        self._announce()

    def _came_up(self) -> None:
        if self._ready:
            self._announce()

    def _announce(self) -> None:
        self._send("ready", envelope.message("GlobalReady", True))

    def _send(self, topic: str, payload: bytes) -> None:
        self.carrier.client.publish(f"{self.carrier.prefix}{topic}", payload, wait=False, qos=2)
