"""A group's process: its modules run as members of the manager's configuration until it asks them to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Sequence
from functools import partial
from socket import socket
from typing import Any

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import gc_tuning
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.control import SOCKET
from chargebyte_fw.manager.grouped.channel import (
    Absent,
    Alive,
    Begin,
    Channel,
    End,
    Failed,
    FromManager,
    Initialised,
    Present,
    Report,
    Running,
    WasKept,
)
from chargebyte_fw.manager.grouped.keeping import Asking
from chargebyte_fw.manager.member import MemberPublisher
from chargebyte_fw.manager.module_restarts import FAILURES
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.status_file import StatusFile
from chargebyte_fw.manager.supervisor import Failure, Supervisor
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.catching_up import CatchingUp, Kept
from chargebyte_fw.manager.wire.remotes import Remotes

HEARTBEAT_S = 0.5
TAKEN_S = 0.05
"""Until the manager knows that values were taken in: what a process takes in twice if it is killed right then."""
FAILED_STATUS = 1


def control_socket(group: str) -> str:
    """Return where a group listens for `secc`, behind the manager."""
    return f"{SOCKET}-{group}"


class GroupProcess(Supervisor):
    """The modules of one group, until the process ends. A failure of a whole group ends it: the manager starts anew."""

    def __init__(
        self,
        group: str,
        plans: Sequence[ModulePlan],
        everyone: Sequence[ModulePlan],
        runtime: Runtime,
        carrier: Carrier,
        end: socket,
        *,
        since_s: float | None = None,
        notices: Sequence[str] = (),
        together: bool = False,
        failures: int = FAILURES,
    ) -> None:
        """`everyone`: all modules of the configuration. `since_s`: when the process before this one was last alive."""
        awaited = _awaited(plans, everyone)
        publisher = MemberPublisher(carrier, commands_from=[plan.id for plan in everyone], awaited=awaited)
        self._publisher = publisher
        super().__init__(
            plans, runtime, carrier.client, publisher, notices=notices, together=together, failures=failures
        )
        self.control_socket = control_socket(group)
        self._group = group
        self._carrier = carrier
        self._awaited = awaited
        self._kept = Kept(carrier)
        self._everyone = everyone
        self._since_s = since_s
        self._begin_now = asyncio.Event()
        self._taken = asyncio.Event()
        self._away: dict[str, Absent] = {}
        self._failed = False
        self._remotes: Remotes | None = None
        self._catching_up: CatchingUp | None = None
        self._channel = Channel(end, FromManager, self._take, partial(self.request_stop, "the manager has ended"))
        self.status_file = _Reporter(runtime.root, self._channel)
        self.log.extra = {"module_id": group}
        runtime.leave_frame = self._channel.send
        self._keeping = Asking(self._channel.send)
        runtime.keep_value = self._keeping.keep

    async def run(self) -> int:
        """Run until the manager asks to stop or a module fails; returns the exit status."""
        # A terminal sends Ctrl-C to each process: the manager decides what follows.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            await self._run()
        except ConfigError as error:
            self._channel.send(Failed("", str(error), configuration=True))
            raise
        finally:
            self._channel.close()
        return FAILED_STATUS if self._failed else 0

    def _aside(self) -> list[Coroutine[Any, Any, None]]:
        return [self._beat(), self.status_file.keep(self._present_status)]

    async def _beat(self) -> None:
        """Report twice a second, and soon after values have come in: what came before is not missed by a successor."""
        while True:
            self._taken.clear()
            self._channel.send(Alive())
            await asyncio.sleep(TAKEN_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S - TAKEN_S):
                    await self._taken.wait()

    async def _after(self, failure: Failure, held_s: float) -> None:
        error = failure.error
        self._channel.send(Failed(failure.module_id, f"{type(error).__name__}: {error}"[:1000]))
        self._failed = True
        self._stop.set()

    def _new_assembly(self) -> Assembly:
        remotes = self._remotes = Remotes(self._carrier, self.runtime, self.plans)
        remotes.declare(self._everyone)
        remotes.on_taken(self._taken.set)
        return Assembly(self.runtime, remotes.find, everyone=self._everyone, together=self._together)

    async def _begin(self, assembly: Assembly) -> None:
        remotes, publisher = self._remotes, self.publisher
        assert remotes is not None and isinstance(publisher, MemberPublisher)
        self._catching_up = CatchingUp(self._carrier, remotes, self._group)
        self._catching_up.listen()
        remotes.listen()
        for module_id, absent in self._away.items():
            remotes.mark_absent(module_id, absent.text, lasting=absent.lasting)
        publisher.join(assembly)
        self._kept.begin(assembly, self._awaited)
        await assembly.start(publisher.announce_ready, self._others)

    async def _others(self) -> None:
        """Wait for the other processes, then for what they have published before this one was there."""
        self._channel.send(Initialised())
        await self._begin_now.wait()
        if self._catching_up is not None:
            await self._catching_up.begin(self._since_s)

    def _books(self) -> list[Faults]:
        remotes = self._remotes.books() if self._remotes is not None else []
        return [book for book in self.runtime.all_faults if not any(book is one for one in remotes)]

    def _leave(self) -> None:
        super()._leave()
        self._kept.end()
        if self._catching_up is not None:
            self._catching_up.end()
        if self._remotes is not None:
            self._remotes.unlisten()

    def _report_ready(self) -> None:
        self.log.info("%d modules run", len(self.plans))
        self._raise_notices()
        self.status_file.watch(self._books())
        self._channel.send(Running({plan.id: plan.module.module_name() for plan in self.plans}))
        gc_tuning.settle_copy()

    def _present_status(self) -> dict[str, Any]:
        return {**super()._present_status(), "answers": sorted(self.runtime.operator)}

    def _take(self, message: Any) -> None:
        match message:
            case Begin():
                self._begin_now.set()
            case Absent(modules, text, lasting):
                for module_id in modules:
                    self._away[module_id] = message
                    if self._remotes is not None:
                        self._remotes.mark_absent(module_id, text, lasting=lasting)
            case Present(modules):
                back = [module_id for module_id in modules if self._away.pop(module_id, None) is not None]
                if self._remotes is not None:
                    self._remotes.mark_present(modules)
                for module_id in back:
                    self._publisher.publish_again(module_id, self._everyone)
            case WasKept():
                self._keeping.take(message)
            case End(why):
                self.request_stop(why)


class _Reporter(StatusFile):
    """In place of the file: reports to the manager, who has the file."""

    def __init__(self, root: Root, channel: Channel) -> None:
        super().__init__(root)
        self._channel = channel
        self.answers: list[str] = []

    def write(self, **changes: Any) -> None:
        """Change and report."""
        self.answers = changes.pop("answers", self.answers)
        for name, value in changes.items():
            setattr(self.now, name, value)
        self._channel.send(Report(self.now.faults, self.now.about, self.now.on_broker, self.answers))

    async def keep(self, status: Any) -> None:
        """Report what has changed, once a second at most."""
        last: dict[str, Any] = {}
        while True:
            present = status()
            if present != last:
                last = present
                self.write(**present)
            await asyncio.sleep(1.0)

    def remove(self) -> None:
        """Leave it to the manager."""


def _awaited(plans: Sequence[ModulePlan], everyone: Sequence[ModulePlan]) -> set[tuple[str, str]]:
    """Return the implementations of this process that a module of another one is connected to."""
    ours = {plan.id for plan in plans}
    return {
        (end.module_id, end.implementation_id)
        for plan in everyone
        if plan.id not in ours
        for ends in plan.connections.values()
        for end in ends
        if end.module_id in ours
    }
