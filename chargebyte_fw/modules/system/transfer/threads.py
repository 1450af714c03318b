"""Blocking libraries (FTP, SFTP) in a thread of their own, which a cancelled caller can break off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

ABORT_WAIT_S = 5.0


class Progress:
    """Counts the steps of a transfer, from any thread. One that stands still is a stalled transfer."""

    def __init__(self) -> None:
        self.count = 0

    def beat(self) -> None:
        """Something moved."""
        self.count += 1


@asynccontextmanager
async def alive(pulse: Progress, limit_s: float) -> AsyncIterator[asyncio.Timeout]:
    """While inside: cancel what runs (TimeoutError, the yielded timeout has expired) after `limit_s` without a beat."""
    loop = asyncio.get_running_loop()

    async def watch(timeout: asyncio.Timeout) -> None:  # noqa: ASYNC109 (the block's own, not a limit for this call)
        seen = pulse.count
        while True:
            await asyncio.sleep(limit_s / 4)
            if pulse.count != seen and not timeout.expired():
                seen = pulse.count
                timeout.reschedule(loop.time() + limit_s)

    async with asyncio.timeout(limit_s) as timeout:
        watching = loop.create_task(watch(timeout), name="watch a transfer")
        try:
            yield timeout
        finally:
            watching.cancel()


async def in_thread(work: Callable[[], T], abort: Callable[[], None], name: str) -> T:
    """Do `work` in a thread; when the caller is cancelled `abort` (closes the sockets) makes it end.

    The thread is a daemon: a name server that does not answer must not hold up the end of the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def body() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            # The loop has closed while we were blocked: no caller waits any more.
            return

    threading.Thread(target=body, name=name, daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        abort()
        await asyncio.wait([done], timeout=ABORT_WAIT_S)
        if done.done():
            # Its failure is our doing.
            done.exception()
        else:
            done.cancel()
        raise
