"""Where `secc watch` shows what it gets: on a terminal with keys, as lines of text, as lines of JSON."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any, TextIO

import msgspec

from chargebyte_fw.cli.keys import Painter, ended_by, keys_of
from chargebyte_fw.cli.status_view import Look
from chargebyte_fw.cli.terminal import sign_of_a_cut, size, styled, wants_colour
from chargebyte_fw.cli.watch_screen import WatchScreen
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.manager.status.changes import Change, changes
from chargebyte_fw.manager.status.model import Status

Pictures = AsyncIterator[Status | str]
"""The status again and again; in its place the reason why there is none."""
RESIZE_S = 0.5
"""In which a terminal of another size is noticed."""


class Output(ABC):
    """One way to show it."""

    @abstractmethod
    async def show(self, first: Status | str, pictures: Pictures) -> None:
        """Show until the reader has enough."""


class Screen(Output):
    """A screen, redrawn where it has changed, and keys."""

    def __init__(self, keyboard: TextIO, terminal: TextIO) -> None:
        self._keyboard = keyboard
        self._terminal = terminal
        self._screen = WatchScreen()
        self._painter = Painter()
        self._colour = wants_colour(terminal)
        self._over = asyncio.Event()

    async def show(self, first: Status | str, pictures: Pictures) -> None:
        """Show until `q`, a signal, or the end of the terminal."""
        descriptor = self._keyboard.fileno() if self._keyboard is not None else -1
        try:
            with ended_by(self._over.set), keys_of(descriptor, self._press, self._over.set):
                self._take(first)
                following = asyncio.ensure_future(self._follow(pictures))
                resizing = asyncio.ensure_future(self._resize())
                over = asyncio.ensure_future(self._over.wait())
                try:
                    await asyncio.wait((following, resizing, over), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in (following, resizing, over):
                        task.cancel()
                    ends = await asyncio.gather(following, resizing, over, return_exceptions=True)
                for error in ends:
                    if isinstance(error, Exception):
                        raise error
        finally:
            self._write(self._painter.leave())

    async def _follow(self, pictures: Pictures) -> None:
        async for picture in pictures:
            self._take(picture)

    async def _resize(self) -> None:
        last = size(self._terminal)
        while True:
            await asyncio.sleep(RESIZE_S)
            if (now := size(self._terminal)) != last:
                last = now
                self._draw()

    def _take(self, picture: Status | str) -> None:
        if isinstance(picture, str):
            self._screen.lose(picture)
        else:
            self._screen.take(picture)
        self._draw()

    def _press(self, key: str) -> None:
        if key == "stop":
            self._write(self._painter.leave())
            return
        if key == "continue":
            self._painter.forget()
        self._screen.press(key)
        if self._screen.over:
            self._over.set()
        else:
            self._draw()

    def _draw(self) -> None:
        columns, rows = size(self._terminal)
        # A character in the last column makes some terminals begin another line.
        look = Look(columns - 1, sign_of_a_cut(self._terminal))
        shown = self._screen.lines(look, rows)
        lines = [styled(line.text, line.style) if self._colour else line.text for line in shown]
        self._write(self._painter.paint(lines, (columns, rows)))

    def _write(self, text: str) -> None:
        if text:
            self._terminal.write(text)
            self._terminal.flush()


class _Lines(Output):
    """A line for each change; ends after `count` of them (0: never)."""

    def __init__(self, stream: TextIO, count: int) -> None:
        self._stream = stream
        self._left = count
        self._endless = count == 0
        self._before: Status | None = None

    async def show(self, first: Status | str, pictures: Pictures) -> None:
        """Write the first status, then what changes."""
        self._take(first)
        async for picture in pictures:
            if not self._endless and self._left <= 0:
                return
            self._take(picture)

    def _take(self, picture: Status | str) -> None:
        if isinstance(picture, str):
            if self._before is not None:
                self._before = None
                self._put(self.lost(picture))
        elif self._before is None:
            self._before = picture
            self._put(self.whole(picture))
        else:
            found = changes(self._before, picture)
            self._before = picture
            for change in found if self._endless else found[: self._left]:
                self._left -= 1
                self._put(self.line(picture, change))

    def _put(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    @abstractmethod
    def whole(self, status: Status) -> str:
        """Return the line of the first status, and of one that is there again."""

    @abstractmethod
    def line(self, status: Status, change: Change) -> str:
        """Return the line of a change."""

    @abstractmethod
    def lost(self, reason: str) -> str:
        """Return the line of a charger that does not answer any more."""


class JsonLines(_Lines):
    """One JSON object a line: `status`, then `what`, `was` and `now`, or `lost`."""

    def whole(self, status: Status) -> str:
        """Return the line of the first status, and of one that is there again."""
        return _json({"time": status.time, "status": msgspec.to_builtins(status)})

    def line(self, status: Status, change: Change) -> str:
        """Return the line of a change."""
        return _json({"time": status.time, **msgspec.to_builtins(change)})

    def lost(self, reason: str) -> str:
        """Return the line of a charger that does not answer any more."""
        return _json({"time": rfc3339(utc_now()), "lost": reason})


class TextLines(_Lines):
    """One line of text a change, for a log or a pipe."""

    def whole(self, status: Status) -> str:
        """Return the line of the first status, and of one that is there again."""
        states = ", ".join(f"EVSE {evse.number} {evse.state.value}" for evse in status.evses)
        return f"{status.time}  {status.source}: {states or 'no EVSE'}, faults: {len(status.faults)}"

    def line(self, status: Status, change: Change) -> str:
        """Return the line of a change."""
        return f"{status.time}  {change.what}: {_short(change.was)} -> {_short(change.now)}"

    def lost(self, reason: str) -> str:
        """Return the line of a charger that does not answer any more."""
        return f"{rfc3339(utc_now())}  {reason}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    text = "-" if value in (None, "") else value if isinstance(value, str) else _json(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
