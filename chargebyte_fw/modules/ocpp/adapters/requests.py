"""What other modules ask of a station: commands of the interfaces that its module provides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.ocpp.station.effects import Reply, ReplyError
from chargebyte_fw.modules.ocpp.station.events import Served


class Requests:
    """Gives commands to the station and returns its replies."""

    def __init__(self) -> None:
        self._feed: Callable[[Any], None] | None = None
        self._open: dict[str, asyncio.Future[Any]] = {}
        self._ids = count(1)

    def begin(self, feed: Callable[[Any], None]) -> None:
        """The station takes commands from now on."""
        self._feed = feed

    def end(self) -> None:
        """The station takes no commands any more; those that wait fail."""
        self._feed = None
        waiting, self._open = self._open, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(_not_ready())

    async def serve(self, command: Callable[..., Any], *args: Any) -> Any:
        """Return the station's reply to a command, an unbound method of a contract; raises CommandError."""
        if self._feed is None:
            raise _not_ready()
        reply_id = f"command-{next(self._ids)}"
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open[reply_id] = future
        try:
            self._feed(Served(reply_id, command.interface, command.__name__, args))  # type: ignore[attr-defined]
            return await future
        finally:
            self._open.pop(reply_id, None)

    def reply(self, effect: Reply | ReplyError) -> None:
        """Return what the station replied; a caller that has given up gets nothing."""
        future = self._open.get(effect.reply_id)
        if future is None or future.done():
            return
        if isinstance(effect, Reply):
            future.set_result(effect.result)
        else:
            future.set_exception(CommandError("HandlerException", effect.reason))


def _not_ready() -> CommandError:
    return CommandError("NotReady", "the station has not started")
