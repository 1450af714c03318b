"""ExampleUser: EVerest's example of a module that uses another one."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.example import Example
from chargebyte_fw.contracts.interfaces.example_user import ExampleUser as ExampleUserContract
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides, requires


class _User(ExampleUserContract):
    """The user."""


class ExampleUser(Module):
    """EVerest's example: calls a command of `Example`."""

    group = "cloud"

    example_user = provides(_User, description="The user.")
    example = requires(Example)

    async def ready(self) -> None:
        """Call the example."""
        self.spawn(self._use(), "example")

    async def _use(self) -> None:
        try:
            used = await self.example.uses_something("hello_there")
        except CommandError as error:
            self.log.warning("the example failed: %s", error)
        else:
            self.log.info("the example has %s under hello_there", "a value" if used else "nothing")
