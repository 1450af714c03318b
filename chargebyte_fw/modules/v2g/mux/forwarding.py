"""What the multiplexer provides: commands go to every back end, variables come from the one that has the car."""

from __future__ import annotations

import abc
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.contract import Contract

C = TypeVar("C", bound=Contract)


class Multiplexer(Protocol):
    """What the commands need of it."""

    def data_link(self, ready: bool) -> None:
        """Open for a car with the data link, close without."""

    def restrict(self, names: Sequence[str]) -> bool:
        """Select these protocols alone; return false, and change nothing, where none of them is served."""

    async def forward(self, interface: str, command: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Send a command to every back end; return the answer of the one that has the car."""


class Owner(Protocol):
    """What the commands need of their module."""

    @property
    def multiplexer(self) -> Multiplexer:
        """The multiplexer that the module has configured."""


def _forwarded(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def command(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.module.multiplexer.forward(self.interface, name, args, kwargs)

    command.__name__ = name
    return command


def forwards(implementation: type[C]) -> type[C]:
    """Give a class every command of its contract that it has not itself: it goes to the back ends."""
    for name in implementation.commands:
        if name not in vars(implementation):
            setattr(implementation, name, _forwarded(name))
    return abc.update_abstractmethods(implementation)


@forwards
class ForwardedCharger(Iso15118Charger):
    """The charger's side of all back ends."""

    module: Owner

    async def dlink_ready(self, value: bool) -> None:
        """Open for a car with the data link, close without; the back ends get to know it."""
        multiplexer = self.module.multiplexer
        multiplexer.data_link(value)
        await multiplexer.forward(self.interface, "dlink_ready", (value,), {})

    async def update_supported_app_protocols(self, supported_app_protocols: iso15118.SupportedAppProtocols) -> bool:
        """Restrict what is negotiated; return false, and change nothing, where none of it is served by a back end."""
        multiplexer = self.module.multiplexer
        if not multiplexer.restrict([str(name) for name in supported_app_protocols.app_protocols]):
            return False
        await multiplexer.forward(self.interface, "update_supported_app_protocols", (supported_app_protocols,), {})
        return True


@forwards
class ForwardedExtensions(Iso15118Extensions):
    """The bridge to OCPP of all back ends."""

    module: Owner


@forwards
class ForwardedSchedules(CbIso15118Schedules):
    """The schedules of all back ends that have any."""

    module: Owner
