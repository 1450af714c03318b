"""The UART while the controller is serviced: nothing that is sent is lost on a line that is slow to take it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargebyte_fw.board.flash.link import Port
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime

PACKET = bytes(range(256)) * 64
"""More than a pseudo-terminal takes at once."""


@pytest.fixture
def line() -> Iterator[tuple[int, Path]]:
    """The far end of a pseudo-terminal, and the name of the near one."""
    master, slave = os.openpty()
    yield master, Path(os.ttyname(slave))
    os.close(master)
    os.close(slave)


async def read(master: int, count: int) -> bytes:
    """Return so many bytes of the far end."""
    loop, data, more = asyncio.get_running_loop(), b"", asyncio.Event()
    loop.add_reader(master, more.set)
    try:
        async with asyncio.timeout(5.0):
            while len(data) < count:
                more.clear()
                await more.wait()
                data += os.read(master, 4096)
    finally:
        loop.remove_reader(master)
    return data


def test_what_the_line_does_not_take_at_once_goes_out_in_order_when_it_does(
    line: tuple[int, Path], runtime: Runtime
) -> None:
    master, path = line

    async def main() -> None:
        port = Port(path, None, runtime.trace)
        port.open()
        try:
            port.send(PACKET)
            assert await read(master, len(PACKET)) == PACKET
            port.send(PACKET)
            port.send(b"the next one")
            assert await read(master, len(PACKET) + 12) == PACKET + b"the next one"
            port.send(b"and one on a line that is free again")
            assert await read(master, 36) == b"and one on a line that is free again"
        finally:
            port.close()

    clock.run(main(), speed=1.0)


def test_a_far_end_that_goes_away_is_reported_once_and_nothing_is_sent_any_more(
    line: tuple[int, Path], runtime: Runtime
) -> None:
    async def main() -> None:
        master, slave = os.openpty()
        port = Port(Path(os.ttyname(slave)), None, runtime.trace)
        broken: list[Exception] = []
        port.broken = broken.append
        port.open()
        os.close(slave)
        port.send(PACKET)
        os.close(master)
        async with asyncio.timeout(5.0):
            while not broken:
                await asyncio.sleep(0.01)
        port.send(b"to nobody")
        await asyncio.sleep(0.05)
        (error,) = broken
        assert str(port.path) in str(error)

    clock.run(main(), speed=1.0)
