"""Implementations whose work a client of the API does: made from a contract and a table of its commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.kernel.contract import Contract


class Send(msgspec.Struct, frozen=True):
    """A command that is passed on without a reply."""

    topic: str
    shape: Callable[..., Any] = lambda *args: args[0] if args else ""
    """The payload, from the arguments; its type is that of the payload, or the one that it is annotated with."""


class Ask(msgspec.Struct, frozen=True):
    """A command that a client replies to."""

    topic: str
    kind: Any
    """Type of the reply."""
    default: Any
    """What holds without one."""
    shape: Callable[..., Any] = lambda *args: args[0] if args else None


def driven_by_client(contract: type[Contract], commands: Mapping[str, Send | Ask]) -> type[Any]:
    """Return an implementation of `contract` whose commands go to a client as the table, its `orders`, has it."""
    missing = set(contract.commands) - set(commands)
    if missing:
        raise TypeError(f"{contract.interface}: no topic for {', '.join(sorted(missing))}")

    def command(name: str, how: Send | Ask) -> Any:
        # A module of this process gives arguments by place, one of another process by the names of the contract.
        signature = inspect.signature(getattr(contract, name))

        def payload(self: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
            return how.shape(*signature.bind(self, *args, **named).args[1:])

        if isinstance(how, Send):

            async def pass_on(self: Any, *args: Any, **named: Any) -> None:
                self.module.send(how.topic, payload(self, args, named))

            return pass_on

        async def ask(self: Any, *args: Any, **named: Any) -> Any:
            return await self.module.ask(how.topic, payload(self, args, named), how.kind, how.default)

        return ask

    methods = {name: command(name, how) for name, how in commands.items()}
    more = {"orders": dict(commands), "__doc__": "What a client of the API does."}
    return type(f"Client{contract.__name__}", (contract,), {**methods, **more})
