"""Errors that nothing caught, from callbacks and lost tasks: whose they are decides what happens."""

from __future__ import annotations

import asyncio
from logging import ERROR
from typing import Any

from chargebyte_fw.kernel.admission import OUT_OF_DESCRIPTORS, descriptors
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.kernel.scope import OWNER, Scope


class StrayErrors:
    """The loop's exception handler: a callback fails the module in whose context it runs, a lost task is logged.

    `unowned` is done with the first error of a callback that is no module's.
    """

    def __init__(self, log: ModuleLog) -> None:
        self._log = log
        self._starved = RateLimitedLog(log, "%d more times without a descriptor within %g s", level=ERROR)
        self.unowned: asyncio.Future[BaseException] | None = None

    def renew(self) -> asyncio.Future[BaseException]:
        """Begin a new run: return a new `unowned`."""
        self.unowned = asyncio.get_running_loop().create_future()
        return self.unowned

    def take(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what the loop reports (`loop.set_exception_handler`)."""
        error = context.get("exception")
        if isinstance(handle := context.get("handle"), asyncio.Handle) and isinstance(error, Exception):
            # `Handle.get_context` exists from Python 3.12 on.
            owner: Scope | None = handle._context.get(OWNER)  # type: ignore[attr-defined]
            if owner is not None:
                owner.fail(error)
            elif self.unowned is not None and not self.unowned.done():
                self.unowned.set_result(error)
            return
        if isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS:
            what = f"{error.strerror}: at most {descriptors()} files and connections may be open"
            self._starved.write("%s; who wants to connect waits", what)
            return
        self._log.error("%s", context.get("message", "unhandled"), exc_info=error)

    def close(self) -> None:
        """Log what the limit has held back."""
        self._starved.close()
