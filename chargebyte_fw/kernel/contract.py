"""Contracts between modules: variables are facts, commands are requests, faults are states.

A contract is declared once, as a class::

    class Slac(Contract, interface="slac", errors=("generic",)):
        dlink_ready: Var[bool]

        @abstractmethod
        async def reset(self, enable: bool) -> None: ...

(An attribute with a trailing underscore stands for the name without it: OCPP has a command named like a variable.)
A provider subclasses it and fills in the commands. A consumer is handed an object of the same class, whose other end
may live in this process or behind MQTT.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, ClassVar, Generic, TypeVar, cast

from chargebyte_fw.kernel.faults import Faults, Mapping

T = TypeVar("T")

Callback = Callable[[T], None]
Guard = Callable[[BaseException], None]
Subscriber = tuple[Callback[T], Guard | None, Context]


class Variable(Generic[T]):
    """A fact: the last value is kept, a late subscriber gets it at once.

    Callbacks run one after the other in the order of publication, each from the event loop and never inside `publish`,
    in the subscriber's context. An exception in a callback is given to the subscriber's guard (its module).
    """

    __slots__ = ("_subscribers", "_value", "interface", "known", "name", "recorder")

    def __init__(self, name: str, interface: str = "") -> None:
        self.name = name
        self.interface = interface
        self.known = False
        self._value: T | None = None
        self._subscribers: list[Subscriber[T]] = []
        self.recorder: Callback[T] | None = None
        """Called with each value at once, before the subscribers."""

    @property
    def value(self) -> T | None:
        """The last value published, None before the first."""
        return self._value

    def publish(self, value: T) -> None:
        """Publish a value: every subscriber is called with it."""
        self.known = True
        self._value = value
        if self.recorder is not None:
            self.recorder(value)
        if self._subscribers:
            soon = asyncio.get_running_loop().call_soon
            for entry in self._subscribers:
                soon(self._deliver, entry, value, context=entry[2])

    def _deliver(self, entry: Subscriber[T], value: T) -> None:
        if entry not in self._subscribers:
            return
        callback, guard, _ = entry
        try:
            callback(value)
        except Exception as error:
            if guard is None:
                raise
            guard(error)

    def subscribe(
        self,
        callback: Callback[T],
        *,
        replay: bool = True,
        guard: Guard | None = None,
        context: Context | None = None,
    ) -> Callable[[], None]:
        """Call `callback` with each value, first with the kept one unless `replay` is off; returns a stop.

        `context` is the one it runs in, by default a copy of the present one.
        """
        entry = (callback, guard, copy_context() if context is None else context)
        self._subscribers.append(entry)
        if replay and self.known:
            asyncio.get_running_loop().call_soon(self._deliver, entry, cast(T, self._value), context=entry[2])

        def stop() -> None:
            if entry in self._subscribers:
                self._subscribers.remove(entry)

        return stop

    async def wait_for(self, wanted: Callable[[T], bool] = lambda _: True) -> T:
        """Wait until the value satisfies `wanted` (the kept value counts); wrap in `asyncio.timeout` for a limit."""
        found: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def check(value: T) -> None:
            if not found.done() and wanted(value):
                found.set_result(value)

        stop = self.subscribe(check)
        try:
            return await found
        finally:
            stop()


Var = Variable


class Contract(ABC):
    """Base of every interface: `interface` is EVerest's name, `errors` the error namespaces (or `ns/Name`) allowed."""

    interface: ClassVar[str] = ""
    error_references: ClassVar[tuple[str, ...]] = ()
    variables: ClassVar[tuple[str, ...]] = ()
    commands: ClassVar[tuple[str, ...]] = ()
    one_user: ClassVar[str] = ""
    """An implementation has one user at most, as two would drive what it drives against each other: how a second one is
    taken, `error` or `warning`. Empty: for any number of users."""

    both_ways: ClassVar[bool] = False
    """Two modules may use each other by it: data that goes both ways. Otherwise a ring is a mistake (energy trees)."""

    is_remote: ClassVar[bool] = False
    """Whether it stands for an implementation in another process."""

    faults: Faults
    """The faults of this implementation (provider: raise and clear; consumer: subscribe and ask)."""
    module: Any
    """Provider side: the module that owns this implementation."""
    config: Any
    """Provider side: the values of `config_implementation.<id>`."""
    endpoint: Any
    """Provider side: what outlives this instance, see `bus.Endpoint`."""
    module_id: str
    implementation_id: str
    mapping: Mapping | None = None
    """The EVSE and connector that the configuration assigns to the provider."""

    def __init_subclass__(
        cls,
        interface: str | None = None,
        errors: tuple[str, ...] = (),
        one_user: str = "",
        both_ways: bool = False,
    ) -> None:
        super().__init_subclass__()
        if interface is None:
            return
        cls.interface = interface
        cls.error_references = errors
        cls.one_user = one_user
        cls.both_ways = both_ways
        cls.variables = tuple(name for name, kind in cls.__annotations__.items() if str(kind).startswith("Var["))
        cls.commands = tuple(name for name, method in vars(cls).items() if inspect.iscoroutinefunction(method))
        # What `kernel/effects.py` reads: a command knows its interface, and a variable can be named by its class.
        for name in cls.commands:
            vars(cls)[name].interface = interface
        for name in cls.variables:
            setattr(cls, name, Variable(name, interface))

    @classmethod
    def declaration(cls) -> type[Contract]:
        """Return the class that declares the interface (for an implementation: its contract)."""
        for base in cls.__mro__:
            if "interface" in vars(base) and base is not Contract:
                return base
        raise TypeError(f"{cls.__name__} declares no interface")
