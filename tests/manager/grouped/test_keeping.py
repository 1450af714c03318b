"""A value that a module of a group changes: the manager writes it, and answers whether, or why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.runtime import KeepValue
from chargebyte_fw.manager.grouped.channel import Channel, FromGroup, FromManager, ToKeep, WasKept, pair
from chargebyte_fw.manager.grouped.keeping import ANSWER_LIMIT_S, WRITES_LIMIT, Asking, Keeping


async def joined(keep: KeepValue, ask: Callable[[Asking], Awaitable[Any]]) -> Any:
    """Both ends over a pair of sockets."""
    ours, theirs = pair()
    keeping = Keeping(keep)
    manager = Channel(ours, FromGroup, lambda message: keeping.take(message, manager.send))
    group = Channel(theirs, FromManager, lambda message: asking.take(message))
    asking = Asking(group.send)
    try:
        return await ask(asking)
    finally:
        group.close()
        manager.close()


def test_each_value_is_written_by_the_manager_and_answered() -> None:
    written: list[tuple[Any, ...]] = []

    async def keep(*value: Any) -> None:
        await asyncio.sleep(0.01 if value[2] == "first" else 0)
        written.append(value)

    async def ask(asking: Asking) -> None:
        await asyncio.gather(
            asking.keep("connector", "!module", "first", 5.5), asking.keep("imd", "main", "second", "text")
        )

    asyncio.run(joined(keep, ask))
    assert written == [("imd", "main", "second", "text"), ("connector", "!module", "first", 5.5)]


def test_what_cannot_be_written_is_refused_with_the_reason() -> None:
    async def keep(_module: str, _implementation: str, name: str, _value: Any) -> None:
        raise OSError(28, "No space left on device") if name == "full" else ValueError("the overlay cannot be read")

    async def ask(asking: Asking) -> None:
        with pytest.raises(OSError, match="No space left"):
            await asking.keep("connector", "!module", "full", 1)
        with pytest.raises(OSError, match="cannot be read"):
            await asking.keep("connector", "!module", "broken", 1)

    asyncio.run(joined(keep, ask))


def test_a_value_that_is_longer_than_a_message_is_refused() -> None:
    async def keep(*_value: Any) -> None:
        raise AssertionError

    async def ask(asking: Asking) -> None:
        with pytest.raises(OSError, match="does not reach the manager"):
            await asking.keep("connector", "!module", "label", "x" * 200_000)

    asyncio.run(joined(keep, ask))


def test_a_manager_that_does_not_answer_is_waited_for_within_bounds(run: Any) -> None:
    async def main() -> None:
        asking = Asking(lambda _: True)
        began_s = asyncio.get_running_loop().time()
        with pytest.raises(OSError, match="has not answered within 10 s"):
            await asking.keep("connector", "!module", "first", 1)
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(ANSWER_LIMIT_S)

    run(main())


def test_more_values_than_the_disk_takes_are_refused(run: Any) -> None:
    async def main() -> None:
        free = asyncio.Event()

        async def keep(*_value: Any) -> None:
            await free.wait()

        keeping = Keeping(keep)
        answers: list[WasKept] = []
        for number in range(WRITES_LIMIT + 1):
            keeping.take(ToKeep(number, "connector", "!module", "first", number), answers.append)
        assert [(one.number, bool(one.against)) for one in answers] == [(WRITES_LIMIT, True)]
        free.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [one.number for one in answers[1:] if not one.against] == list(range(WRITES_LIMIT))

    run(main())
