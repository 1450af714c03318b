"""One clock for everything: real, scaled (N times faster) or virtual (jumps to the next deadline).

The clock is the event loop's own: every `loop.time()`, `asyncio.sleep` and `asyncio.timeout` follows it, so nothing
else in the tree may read `time.monotonic()`. A virtual loop never waits; it needs every wire to be in memory.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

VIRTUAL_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Stalled(RuntimeError):
    """A virtual loop has nothing ready and nothing scheduled: a deadlock."""


class _Pace(selectors.DefaultSelector):
    """A selector whose time-outs are in the loop's seconds."""

    loop: ClockLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        return self.loop.pace(super().select, timeout)


class ClockLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own. `speed` None means virtual."""

    def __init__(self, speed: float | None = 1.0) -> None:
        selector = _Pace()
        selector.loop = self
        self.speed = speed
        self._virtual_s = 0.0
        self._started_s = time.monotonic()
        self._started_at = VIRTUAL_EPOCH if speed is None else datetime.now(UTC)
        self.on_wall_set: list[Callable[[], None]] = []
        """Called when the wall time of this clock is set."""
        super().__init__(selector)

    def time(self) -> float:
        """Monotonic seconds of this loop's clock."""
        if self.speed is None:
            return self._virtual_s
        return (time.monotonic() - self._started_s) * self.speed

    def wall(self) -> datetime:
        """Wall time as this loop's clock sees it (aware, UTC)."""
        return self._started_at + timedelta(seconds=self.time())

    def set_wall(self, at: datetime) -> None:
        """Set the wall time, as NTP or a person does; `time()` goes on as if nothing had happened."""
        self._started_at += at - self.wall()
        for call in tuple(self.on_wall_set):
            self.call_soon(call)

    async def shutdown_default_executor(self, *limit_s: Any) -> None:
        """Wait for the threads; on a virtual clock without the limit (Python 3.12), which would be over at once."""
        await super().shutdown_default_executor(*(() if self.speed is None else limit_s))

    def pace(self, select: Any, timeout: float | None) -> list[Any]:
        """Wait for descriptors for `timeout` seconds of this clock; a virtual clock jumps there instead."""
        if self.speed is not None:
            return list(select(None if timeout is None else timeout / self.speed))
        if timeout == 0:
            # Callbacks are ready: descriptors, of which a simulation has next to none, wait until they have run.
            return []
        ready = list(select(0))
        if ready:
            return ready
        if timeout is None:
            # Only descriptors (the loop's own wake-up pipe, a helper thread) can still wake the loop.
            ready = list(select(1.0))
            if not ready:
                raise Stalled("nothing is ready and nothing is scheduled on the virtual clock")
            return ready
        self._virtual_s += timeout
        return ready


def new_loop(speed: float | None = 1.0) -> asyncio.AbstractEventLoop:
    """Make an event loop: `speed` 1 is real time, N runs N times faster, None is virtual (no waiting at all)."""
    return asyncio.SelectorEventLoop() if speed == 1.0 else ClockLoop(speed)


def run(main: Coroutine[Any, Any, T], *, speed: float | None = 1.0) -> T:
    """Run `main` to its end on a loop of the given clock, like `asyncio.run`."""
    with asyncio.Runner(loop_factory=lambda: new_loop(speed)) as runner:
        return runner.run(main)


def loop_speed() -> float | None:
    """Return the running loop's speed: 1.0 real, N scaled, None virtual."""
    loop = asyncio.get_running_loop()
    return loop.speed if isinstance(loop, ClockLoop) else 1.0


def real_seconds() -> float:
    """Return real monotonic seconds: only for a watchdog, which must not follow the loop that it watches."""
    return time.monotonic()


def utc_now() -> datetime:
    """Return the wall time, aware and in UTC; follows the running loop's clock."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return datetime.now(UTC)
    return loop.wall() if isinstance(loop, ClockLoop) else datetime.now(UTC)


def rfc3339(at: datetime) -> str:
    """Return a time in EVerest's form: `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def read_at(text: str) -> datetime | None:
    """Read an RFC 3339 time (UTC where it names no zone); None when it cannot be read."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
