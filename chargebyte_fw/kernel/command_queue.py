"""Commands to one provider, one after the other, sent by who cannot wait for them: a machine and its effects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import Module

Report = Callable[[str, CommandError | None], None]
"""Called with the command and, when it failed, the error."""


class CommandQueue:
    """Sends commands to `provider` in the order of `send`, each after the answer to the one before.

    Whether a command fails or works again is logged once, with `name` for the provider, or given to `report` instead.
    """

    def __init__(self, name: str, provider: Contract, module: Module, report: Report | None = None) -> None:
        self._name = name
        self._provider = provider
        self._module = module
        self._waiting: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._busy = False
        self._closed = False
        self._failing = LastingConditions(module.log)
        self._report = report or self._log_outcome

    def send(self, command: str, args: tuple[Any, ...] = (), *, urgent: bool = False, latest: bool = False) -> None:
        """Send a command. `latest`: it takes the place of one of the same name that still waits.

        `urgent`: it overtakes, and drops, what waits. A command under way cannot be called back, so an urgent one is
        sent at once and again after it.
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

    def close(self) -> None:
        """Drop what waits and take nothing more; a command under way is not interrupted."""
        self._closed = True
        self._waiting.clear()
        self._failing.close()

    async def _work(self) -> None:
        try:
            while self._waiting:
                command, args = self._waiting.popleft()
                await self._run(command, args)
        finally:
            self._busy = False

    async def _run(self, command: str, args: tuple[Any, ...]) -> None:
        try:
            await getattr(self._provider, command)(*args)
        except CommandError as error:
            self._report(command, error)
        else:
            self._report(command, None)

    def _log_outcome(self, command: str, error: CommandError | None) -> None:
        failed = error is not None
        text = f"did not carry out {command}: {error}" if failed else f"carries out {command} again"
        self._failing.set(command, failed, f"{self._name} {text}")
