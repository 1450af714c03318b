"""The bus in the process: gives a consumer an object of the contract's class whose commands run in the provider.

Each command runs in a task of its own with a deadline: the caller may give up or be cancelled, the handler still ends
what it began. A handler that fails for a reason of ours brings down its own module, never the caller.

What consumers hold of an implementation outlives the instance that provides it: variables and faults belong to its
`Endpoint`, and commands go to the instance that the endpoint has now.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from functools import cache
from typing import Any, TypeVar, cast

from chargebyte_fw.kernel.contract import Contract, Guard, Variable
from chargebyte_fw.kernel.errors import CommandError, CommandTimeout, PeerError, Unavailable
from chargebyte_fw.kernel.faults import Faults, FaultsView, Severity
from chargebyte_fw.kernel.scope import Scope
from chargebyte_fw.kernel.trace import Trace

C = TypeVar("C", bound=Contract)
K = TypeVar("K")

CALLER: ContextVar[str] = ContextVar("caller", default="")
"""Whose command a handler carries out: the id of the calling module. It is set for programs alone, which pass it on."""

ABSENT = "Absent"
"""Sub-type of the fault that an implementation's program has failed: it lasts until the next one is ready."""
COMMAND_DEADLINE_S = 30.0
"""How long a command may take when the caller sets no limit of its own."""


class View(Variable[Any]):
    """A provider's variable as one consumer sees it: the same values, the consumer's own scope."""

    __slots__ = ("_scope", "_source")

    def __init__(self, source: Variable[Any], scope: Scope) -> None:
        super().__init__(source.name)
        self._source = source
        self._scope = scope

    @property
    def value(self) -> Any:
        """The provider's last value."""
        return self._source.value

    @property
    def known(self) -> bool:
        """Whether the provider has published."""
        return self._source.known

    @known.setter
    def known(self, _value: bool) -> None:
        """Ignore it: the provider decides."""

    def publish(self, value: Any) -> None:
        """Raise TypeError: only the provider publishes."""
        raise TypeError(f"{self.name} belongs to its provider; a consumer cannot publish it")

    def subscribe(
        self,
        callback: Callable[[Any], None],
        *,
        replay: bool = True,
        guard: Guard | None = None,
        context: Context | None = None,
    ) -> Callable[[], None]:
        """Subscribe until the consumer's scope ends; returns what ends it earlier."""
        scope = self._scope
        end = self._source.subscribe(
            callback, replay=replay, guard=guard or scope.fail, context=context or scope.context
        )
        return scope.hold(end)


class Endpoint:
    """One provided implementation as long as the configuration runs, whichever instance of its module provides it."""

    __slots__ = ("faults", "implementation", "variables")

    faults: Faults

    def __init__(self, implementation: Contract, module_id: str, implementation_id: str) -> None:
        self.variables = {
            name: Variable[Any](f"{module_id}.{implementation_id}.{name}") for name in implementation.variables
        }
        self.implementation = implementation


def prepare(
    implementation: Contract, module_id: str, implementation_id: str, endpoint: Endpoint | None = None
) -> Endpoint:
    """Give an implementation its variables: new ones, or those of the instance before it, whose `endpoint` it takes.

    The owner adds `faults`, `module` and `config`.
    """
    endpoint = endpoint or Endpoint(implementation, module_id, implementation_id)
    endpoint.implementation = implementation
    implementation.endpoint = endpoint
    implementation.module_id = module_id
    implementation.implementation_id = implementation_id
    for name, variable in endpoint.variables.items():
        setattr(implementation, name, variable)
    return endpoint


def retire(implementation: Contract) -> None:
    """Disconnect an instance that was stopped and is replaced from its consumers; clear the faults that it raised."""
    for fault in tuple(implementation.faults.active):
        if fault.sub_type != ABSENT:
            implementation.faults.clear(fault.type, fault.sub_type)
    implementation.faults = Faults(implementation.faults.allowed)
    for name in implementation.variables:
        setattr(implementation, name, Variable(getattr(implementation, name).name))


def absence_of(faults: Faults) -> str | None:
    """Return the type of fault by which an implementation reports that it is away; None if its interface has none."""
    return _first_of(faults, "CommunicationFault", "VendorError")


def raise_absence(faults: Faults, text: str, *, drives: bool, lasting: bool = False) -> None:
    """Raise the fault that an implementation is away; no power flows with a part of its path (`drives`).

    `lasting`: it is out of service, which an EVSE reports as inoperative.
    """
    kinds = (absence_of(faults), _first_of(faults, "Inoperative") if lasting else None)
    for kind in (kind for kind in kinds if kind is not None):
        severity = Severity.High if drives else Severity.Medium
        faults.raise_fault(kind, text, sub_type=ABSENT, severity=severity)


def clear_absence(faults: Faults) -> None:
    """Clear what `raise_absence` has raised."""
    for fault in [fault for fault in faults.active if fault.sub_type == ABSENT]:
        faults.clear(fault.type, ABSENT)


def _first_of(faults: Faults, *names: str) -> str | None:
    found = (type for name in names for type in sorted(faults.allowed) if type.endswith(f"/{name}"))
    return next(found, None)


def consumer(provider: C, scope: Scope, trace: Trace | None = None, caller: str = "", outside: bool = False) -> C:
    """Return the consumer's object for `provider`: same class, same facts, commands through the bus.

    `outside`: the consumer passes on what others ask for, see `run_command`.
    """
    consumer_object = object.__new__(_consumer_class(provider.declaration()))
    for name in provider.variables:
        setattr(consumer_object, name, View(getattr(provider, name), scope))
    consumer_object.faults = FaultsView(provider.faults, scope)
    consumer_object.module_id = provider.module_id
    consumer_object.implementation_id = provider.implementation_id
    consumer_object.mapping = provider.mapping
    vars(consumer_object)["_bus"] = (provider.endpoint, trace, caller, outside)
    return cast(C, consumer_object)


def implementation_here(consumer_object: Contract, kind: type[K]) -> K | None:
    """Return the implementation behind a consumer's object if it is a `kind` in this process, else None.

    It is for two modules of one house that have more to exchange than the contract has words for, such as an open
    connection: the configuration connects them, and with a module in another process the contract is all there is.
    `kind` may also be what an implementation is beside its contract.
    """
    endpoint = vars(consumer_object)["_bus"][0]
    return endpoint.implementation if isinstance(endpoint.implementation, kind) else None


@cache
def _consumer_class(contract: type[Contract]) -> type[Contract]:
    members = {name: _command(name) for name in contract.commands}
    return type(f"{contract.__name__}Consumer", (contract,), dict(members))


def _command(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        endpoint, trace, caller, outside = self._bus
        return await run_command(
            endpoint.implementation, name, args, kwargs, trace=trace, caller=caller, outside=outside
        )

    call.__name__ = name
    return call


async def run_command(
    provider: Contract,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    deadline_s: float = COMMAND_DEADLINE_S,
    trace: Trace | None = None,
    caller: str = "",
    outside: bool = False,
) -> Any:
    """Run one command of `provider` in a task of its own; raises CommandError (CommandTimeout after `deadline_s`).

    `outside`: whoever is on a wire asked, so that a handler that fails costs the caller its answer, not the charger
    its session. The command is recorded when it begins to run: that is its place among what else the provider
    takes in.
    """
    module = getattr(provider, "module", None)
    if module is not None and module.away:
        follows = "is out of service" if module.out_of_service else "is being started again"
        raise CommandError("NotReady", f"{provider.module_id} has failed and {follows}")
    if module is not None and module.stopped:
        raise CommandError("Shutdown", f"{provider.module_id} has stopped")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not done.done():
            done.set_result(None)

    def over(task: asyncio.Task[Any]) -> None:
        # Marks an error as known: a caller that has given up does not ask for it any more.
        _ = task.cancelled() or task.exception()
        wake()

    # The handler itself wakes the caller (one turn of the loop less); the callback is for a task that never began.
    work = _guarded(provider, name, args, kwargs, wake, trace, caller, outside)
    task: asyncio.Task[Any] = (
        loop.create_task(work, name=f"cmd {name}") if module is None else module.run_handler(work, f"cmd {name}")
    )
    task.add_done_callback(over)
    timer = loop.call_later(deadline_s, wake)
    try:
        await done
    finally:
        timer.cancel()
        if module is not None:
            module.handler_over(task)
    if not task.done():
        raise CommandTimeout(f"{provider.module_id}.{provider.implementation_id}.{name}: no answer in {deadline_s:g} s")
    if task.cancelled():
        raise CommandError("Shutdown", f"{provider.module_id} is shutting down")
    return task.result()


@cache
def _argument_names(kind: type[Contract], name: str) -> tuple[str, ...]:
    return tuple(inspect.signature(getattr(kind.declaration(), name)).parameters)[1:]


async def _guarded(
    provider: Contract,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    wake: Callable[[], None],
    trace: Trace | None,
    caller: str,
    outside: bool,
) -> Any:
    if trace is not None and trace.contracts:
        given = dict(zip(_argument_names(type(provider), name), args), **kwargs) if args else kwargs
        trace.record("cmd", f"{provider.module_id}.{provider.implementation_id}.{name}", [caller, given])
    if provider.is_remote:
        CALLER.set(caller)
    try:
        return await getattr(provider, name)(*args, **kwargs)
    except CommandError:
        raise
    except (PeerError, Unavailable, ValueError) as error:
        raise CommandError("HandlerException", str(error)) from error
    except Exception as error:
        module = getattr(provider, "module", None)
        if outside and module is not None:
            module.log.error("%s asked from outside by %s failed", name, caller, exc_info=error)
        elif module is not None:
            module.crash(error)
        raise CommandError("HandlerException", f"{type(error).__name__}: {error}") from error
    finally:
        wake()
