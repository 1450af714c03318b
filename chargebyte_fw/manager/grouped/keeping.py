"""Configuration values that a module of a group changes: the manager alone writes them, in the user's overlay.

Two processes that write one file would each undo what the other has written. A value is on its way between the
two over their own sockets (`channel.py`): no broker is needed, nor the group of the module that it is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from chargebyte_fw.kernel.runtime import KeepValue
from chargebyte_fw.manager.grouped.channel import ToKeep, WasKept

ANSWER_LIMIT_S = 10.0
"""How long the manager may take to write a value."""
WRITES_LIMIT = 50
"""Values of one group that are being written at a time; more are refused."""


class Asking:
    """The group's end: `keep` is `Runtime.keep_value` of its modules. `send` returns False for what cannot be sent."""

    def __init__(self, send: Callable[[ToKeep], bool]) -> None:
        self._send = send
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def keep(self, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Have a value written for the next start; raises OSError with the reason where it is not."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if not self._send(ToKeep(number, module_id, implementation_id, name, msgspec.to_builtins(value))):
                raise OSError("the value does not reach the manager")
            async with asyncio.timeout(ANSWER_LIMIT_S):
                against = await answer
        except TimeoutError:
            raise OSError(f"the manager has not answered within {ANSWER_LIMIT_S:g} s") from None
        finally:
            del self._waiting[number]
        if against:
            raise OSError(against)

    def take(self, answer: WasKept) -> None:
        """Take the manager's answer; one that is too late is left."""
        waiting = self._waiting.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.against)


class Keeping:
    """The manager's end: writes with `keep`, and answers each value of a group."""

    def __init__(self, keep: KeepValue) -> None:
        self._keep = keep
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, wanted: ToKeep, answer: Callable[[WasKept], object]) -> None:
        """Write a value by the side; then call `answer`."""
        if len(self._tasks) >= WRITES_LIMIT:
            answer(WasKept(wanted.number, "too many values are being written"))
            return
        task = asyncio.get_running_loop().create_task(self._write(wanted, answer), name="keep configuration")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, wanted: ToKeep, answer: Callable[[WasKept], object]) -> None:
        against = ""
        try:
            await self._keep(wanted.module_id, wanted.implementation_id, wanted.name, wanted.value)
        except (OSError, ValueError) as error:
            against = str(error)[:1000] or type(error).__name__
        answer(WasKept(wanted.number, against))
