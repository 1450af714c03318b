"""What a group's process reports to its manager."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.manager.grouped.channel import Alive
from chargebyte_fw.manager.grouped.group import GroupProcess


class Channel:
    """Notes when something is sent."""

    def __init__(self) -> None:
        self.sent_s: list[float] = []

    def send(self, message: Any) -> None:
        assert isinstance(message, Alive)
        self.sent_s.append(round(asyncio.get_running_loop().time(), 3))


def test_the_manager_knows_soon_that_values_were_taken_in(run: Any) -> None:
    """A process that is killed right after an event has it once, not each that came since half a second ago."""

    async def main() -> None:
        group: Any = object.__new__(GroupProcess)
        group._taken, group._channel = asyncio.Event(), Channel()
        began_s = asyncio.get_running_loop().time()
        beating = asyncio.ensure_future(group._beat())
        await asyncio.sleep(1.2)
        for _ in range(10):
            group._taken.set()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.7)
        beating.cancel()
        sent_s = [at - began_s for at in group._channel.sent_s]
        assert sent_s == pytest.approx([0.0, 0.5, 1.0, 1.2, 1.25, 1.3, 1.8])

    run(main())
