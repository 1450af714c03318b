"""A module: what it provides and requires, its configuration, and its tasks.

A module is a class; manifest, validation and manual derive from it::

    class EvseSlac(Module):
        \"\"\"One sentence that becomes the manifest's description.\"\"\"

        class Config(ModuleConfig):
            device: Annotated[str, Meta(description="Network interface of the modem")] = "eth1"

        config: Config
        main = provides(Main, config=MainConfig)         # implementation id = attribute name
        meter = requires_optional(Powermeter)            # requirement id = attribute name

`init` may not talk to others (subscribe, open files); `ready` runs when every module is there; `stop` goes to the safe
state. Tasks started with `spawn` belong to the module. An exception that nothing catches, in a task, a callback, a
timer or a command, fails the module: all of group `charge` with it, a module of `cloud` alone (`Module.group`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from collections.abc import Mapping as Map
from typing import Any, ClassVar, TypeVar, cast

import msgspec
import msgspec.structs

from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Mapping
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.scope import Scope
from chargebyte_fw.kernel.wall_watch import WallWatch

C = TypeVar("C", bound=Contract)


class ModuleConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of a module's or an implementation's configuration; a field without default is mandatory."""


class NoConfig(ModuleConfig):
    """No configuration."""


class Provision(msgspec.Struct, frozen=True):
    """One provided implementation: its class, its configuration class, one sentence."""

    implementation: type[Contract]
    config: type[ModuleConfig] = NoConfig
    description: str = ""

    @property
    def interface(self) -> str:
        """EVerest's name of the interface."""
        return self.implementation.declaration().interface


class Requirement(msgspec.Struct, frozen=True):
    """One requirement: the contract and how many connections it may have."""

    contract: type[Contract]
    minimum: int
    maximum: int
    many: bool
    id: str = ""
    """EVerest's id of the requirement, where it is not the attribute's name."""
    attribute: str = ""
    """Where the module has what it is connected to."""
    only_reads: bool = False
    """The module sends no command: it is no user in the sense of `Contract.one_user`."""

    @property
    def interface(self) -> str:
        """EVerest's name of the interface."""
        return self.contract.declaration().interface


class End(msgspec.Struct, frozen=True):
    """The module at the other end of a requirement, as planned: no module runs yet."""

    module_id: str
    config: ModuleConfig
    mapping: Mapping | None = None
    ends: Map[str, Sequence[End]] = {}
    """What that module is connected to, by its requirement; two modules deep."""


ITSELF = ""
"""Instead of a requirement's name: the module itself."""


class ConfigIssue(msgspec.Struct, frozen=True):
    """What is wrong with a configuration whose values are all allowed: the key or requirement, what, what to do."""

    about: str
    what: str
    hint: str = ""
    severity: str = "error"
    """`error` stops the start, `warning` does not."""
    number: str = ""
    """As in `Finding`; a module of others has none."""


class Claim(msgspec.Struct, frozen=True):
    """A resource that a module uses alone, or in a way on which all users have to agree."""

    kind: str
    """`serial port`, `database file`: as in "both use the serial port /dev/ttyLP2"."""
    name: str
    about: str
    """The configuration key that names it."""
    value: str = ""
    """What must be equal for every user; empty: no other module may use it."""
    hint: str = ""


def provides(implementation: type[C], *, config: type[ModuleConfig] = NoConfig, description: str = "") -> C:
    """Declare a provided implementation; the attribute's name is the implementation id."""
    return cast(C, Provision(implementation, config, description))


def requires(contract: type[C], *, id: str = "") -> C:
    """Declare a requirement with exactly one connection.

    `id` is the requirement's id where an implementation has it, too, so that the attribute needs another name.
    """
    return cast(C, Requirement(contract, 1, 1, many=False, id=id))


def requires_optional(contract: type[C], *, id: str = "", only_reads: bool = False) -> C | None:
    """Declare a requirement with no or one connection; the attribute is None without one.

    `id` is the requirement's id where an implementation has it, too, so that the attribute needs another name.
    `only_reads`: the module sends no command there, so that another one may be the user.
    """
    return cast("C | None", Requirement(contract, 0, 1, many=False, id=id, only_reads=only_reads))


def requires_many(contract: type[C], minimum: int = 0, maximum: int = 128) -> list[C]:
    """Declare a requirement with several connections, in the configuration's order."""
    return cast("list[C]", Requirement(contract, minimum, maximum, many=True))


class Module:
    """Base of every module. The manager fills `id`, `runtime`, `config`, the implementations and the requirements."""

    provisions: ClassVar[dict[str, Provision]] = {}
    requirements: ClassVar[dict[str, Requirement]] = {}
    Config: ClassVar[type[ModuleConfig]] = NoConfig
    enable_external_mqtt: ClassVar[bool] = False
    enable_global_errors: ClassVar[bool] = False
    enable_telemetry: ClassVar[bool] = False
    """Whether EVerest's module of this name publishes telemetry: a flag of its manifest, which tools read."""
    is_program: ClassVar[bool] = False
    """Whether it stands for a program of its own, which the manager starts (`manager/wire/foreign.py`)."""
    own_manifest: ClassVar[dict[str, Any] | None] = None
    """A program's manifest with EVerest's defaults; None: it is made from the class."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Optional packages that it needs, by the names that are imported (kernel/extras.py)."""
    group: str = "charge"
    """`charge`: between car and contactor. One that fails takes all modules with it: safe state, then a new start.
    `cloud`: charging goes on without it. One that fails is stopped and started again alone; commands to it fail
    meanwhile. A program of another vendor declares none, see `manager/groups.py`."""

    id: str
    runtime: Runtime
    config: Any
    mapping: Mapping | None = None
    stopped: bool = False
    """Whether the manager has stopped it: from then on its commands are refused."""
    standalone: bool = False
    """Whether the program that it stands for is started from outside."""
    awaited: bool = True
    """Whether the others wait for such a program."""
    capabilities: Sequence[str] = ()
    """Linux capabilities of the program that it stands for, by name."""
    away: bool = False
    """Whether it has failed and is being started again alone: commands to it fail at once."""
    out_of_service: bool = False
    """Whether it is away for good: it is not started again."""
    log: ModuleLog

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.provisions = {**cls.provisions, **{k: v for k, v in vars(cls).items() if isinstance(v, Provision)}}
        cls.requirements = {
            **cls.requirements,
            **{
                v.id or k: msgspec.structs.replace(v, attribute=k)
                for k, v in vars(cls).items()
                if isinstance(v, Requirement)
            },
        }

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._handlers: set[asyncio.Task[Any]] = set()
        self._wall_watches: list[WallWatch] = []
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Is done, with the reason, once the module has failed."""
        self.scope = Scope(self.crash)
        self.kept: dict[str, Any] = {}
        """What the next instance of this module begins with when it is started again alone. The manager empties it when
        the module fails again soon: the cause may lie in it."""
        self.set_aside: list[str] = []
        """What the start went on without, in a sentence each: raised as a fault that does not block charging."""

    @classmethod
    def module_name(cls) -> str:
        """EVerest's name of the module: the class name."""
        return cls.__name__

    @classmethod
    def missing_program(cls) -> str:
        """Return what is missing to start it as a process of its own; nothing for a module of this process."""
        return ""

    @classmethod
    def config_issues(cls, config: Any, ends: Map[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Return what of a configuration cannot work, before anything starts.

        `ends` are by requirement; under `ITSELF` the module finds its own id and mapping.
        """
        return ()

    @classmethod
    def claims(cls, config: Any, implementations: Map[str, Any]) -> Iterable[Claim]:
        """Return the resources of this module: ports, files, addresses. `implementations` are their configurations."""
        return ()

    async def init(self) -> None:
        """Prepare: open files, subscribe. May not call commands of others."""

    def begins_again(self) -> None:
        """Forget what belongs to the program before: the one that this module stands for was started again."""

    async def possible(self) -> None:
        """Wait until it makes sense to start the program that this module stands for once more."""

    async def joined(self) -> None:
        """Wait until the program that this module stands for is initialised, too."""

    async def ready(self) -> None:
        """Begin: every module is initialised; publish initial values, start tasks."""

    async def stop(self) -> None:
        """Go to the safe state and release everything; called however the module ends."""

    def report_status(self) -> Any:
        """Return what `secc status` shows beside variables and faults, None for nothing; asked only while one looks."""
        return None

    def crash(self, error: BaseException) -> None:
        """Report an error of the program: the manager stops this module, or its whole group, and starts it again."""
        if not self.failed.done():
            self.failed.set_result(error)
        else:
            self.log.error("failed again while going down: %r", error)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Start a task that belongs to this module; its failure is the module's failure."""
        context = self.scope.context.copy()
        task = asyncio.get_running_loop().create_task(work, name=f"{self.id}:{name or 'task'}", context=context)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def run_handler(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a command of this module for the bus, which calls `handler_over` when it waits no longer."""
        task = asyncio.get_running_loop().create_task(work, name=name, context=self.scope.context.copy())
        self._handlers.add(task)
        return task

    def handler_over(self, task: asyncio.Task[Any]) -> None:
        """Release a command that has ended, one that goes on when it does."""
        if task.done():
            self._handlers.discard(task)
        else:
            task.add_done_callback(self._handlers.discard)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crash(error)

    async def cancel_tasks(self) -> None:
        """Cancel every task of this module and wait for them (the manager calls this after `stop`)."""
        for watch in self._wall_watches:
            watch.close()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5.0)

    def cancel_handlers(self) -> None:
        """Cancel the commands that run here: their callers get CommandError."""
        for task in tuple(self._handlers):
            task.cancel()

    def on_wall_set(self, call: Callable[[], None]) -> None:
        """Call `call` each time the wall clock was set, until the module is stopped; its failure is the module's."""

        def guarded() -> None:
            try:
                call()
            except Exception as error:
                self.crash(error)

        self._wall_watches.append(WallWatch(guarded))

    def after(self, delay_s: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call `call` after `delay_s` seconds of the loop's clock; its failure is the module's failure.

        Once the module has stopped it is not called any more.
        """

        def guarded() -> None:
            if self.stopped:
                return
            try:
                call()
            except Exception as error:
                self.crash(error)

        return asyncio.get_running_loop().call_later(delay_s, guarded)
