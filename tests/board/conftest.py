"""A world in memory for each test, run on a virtual clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.sim.mcu_hardware import Hardware
from tests.board.world import World

Story = Callable[[World], Awaitable[None]]


@pytest.fixture
def play(run: Any, assemble: Any, runtime: Any) -> Callable[..., None]:
    """Build a world, start it (`enable` False: leave the port off), tell `story`, stop it."""

    def tell(story: Story, hardware: Hardware | None = None, *, enable: bool = True, **config: Any) -> None:
        async def main() -> None:
            world = World(assemble, runtime, hardware, **config)
            await world.start(enable)
            await story(world)
            assert world.mcu.failure is None
            failed = world.driver.failed
            assert failed is not None
            assert not failed.done(), failed.result()
            await world.stop()

        run(main())

    return tell
