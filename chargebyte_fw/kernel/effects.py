"""Typed effects: a command or a value of a contract as plain data, checked by mypy where it is made.

`call(EvseBoardSupport.allow_power_on, order)` asks the owner of a machine for the command, `publish(Slac.dlink_ready,
True)` for the value. The owner carries them out with whatever implements the interface, or is connected to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
import msgspec.structs

from chargebyte_fw.kernel.contract import Variable

C = TypeVar("C")
P = ParamSpec("P")
T = TypeVar("T")


class Call(msgspec.Struct, frozen=True):
    """Effect: a command to the provider of an interface."""

    interface: str
    """EVerest's name of the interface."""
    command: str
    args: tuple[Any, ...] = ()
    urgent: bool = False
    """Overtake, and drop, what still waits for this provider."""
    latest: bool = False
    """Replace a command of the same name that still waits."""

    def urgently(self) -> Call:
        """Return the command as one that overtakes, and drops, what still waits for the provider."""
        return msgspec.structs.replace(self, urgent=True)

    def latest_only(self) -> Call:
        """Return the command as one that replaces a waiting one of the same name."""
        return msgspec.structs.replace(self, latest=True)


class Publish(msgspec.Struct, frozen=True):
    """Effect: a value of a variable of an interface that the owner provides."""

    interface: str
    variable: str
    value: Any = None


def call(command: Callable[Concatenate[C, P], Awaitable[Any]], *args: P.args, **kwargs: P.kwargs) -> Call:
    """Return the effect that sends `command`, an unbound method of a contract, with positional arguments."""
    if kwargs:
        raise TypeError(f"{command.__name__}: commands in effects take positional arguments")
    return Call(command.interface, command.__name__, args)  # type: ignore[attr-defined]


def publish(variable: Variable[T], value: T) -> Publish:
    """Return the effect that publishes `value`; `variable` is the attribute of the contract's class."""
    return Publish(variable.interface, variable.name, value)
