"""The hands: commands to each neighbour in their order, without the machines ever waiting for one."""

from __future__ import annotations

from collections import deque
from typing import Any

from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting import LastingConditions
from chargebyte_fw.kernel.module import Module


class Line:
    """One neighbour's commands, one after the other. A command that fails, and works again, is one line in the log."""

    def __init__(self, name: str, end: Contract, module: Module) -> None:
        self._name = name
        self._end = end
        self._module = module
        self._waiting: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._busy = False
        self._closed = False
        self._failing = LastingConditions(module.log)

    def send(self, command: str, args: tuple[Any, ...] = (), *, urgent: bool = False, latest: bool = False) -> None:
        """Send a command. `latest`: it replaces one of the same name that still waits.

        `urgent`: it overtakes. What waits is dropped; a command under way cannot be called back, so this one is sent
        at once and again after it.
        """
        if self._closed:
            return
        if urgent:
            self._waiting.clear()
            if self._busy:
                self._module.spawn(self._run(command, args), f"{self._name} {command}")
        elif latest:
            for place, (waiting, _) in enumerate(self._waiting):
                if waiting == command:
                    self._waiting[place] = (command, args)
                    return
        self._waiting.append((command, args))
        if not self._busy:
            self._busy = True
            self._module.spawn(self._work(), self._name)

    async def _work(self) -> None:
        try:
            while self._waiting:
                command, args = self._waiting.popleft()
                await self._run(command, args)
        finally:
            self._busy = False

    async def _run(self, command: str, args: tuple[Any, ...]) -> None:
        try:
            await getattr(self._end, command)(*args)
        except CommandError as error:
            self._failing.set(command, True, f"{self._name} did not carry out {command}: {error}")
        else:
            self._failing.set(command, False, f"{self._name} carries out {command} again")

    def close(self) -> None:
        """Drop what waits and take nothing more."""
        self._closed = True
        self._waiting.clear()
        self._failing.close()
