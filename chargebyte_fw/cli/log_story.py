"""Sessions in a log: which there are, and the lines that belong to one, those of other modules between them, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from chargebyte_fw.cli.log_lines import LEVELS, Line
from chargebyte_fw.modules.evse.machine.session import OVER

BEFORE = timedelta(seconds=0.5)
"""The plug-in is logged before the session has an identifier."""
BAD = LEVELS[LEVELS.index("warning") :]


class Session(msgspec.Struct):
    """A session as far as the log shows it."""

    id: str
    module: str
    """The EVSE's manager, which logs its begin."""
    began: datetime | None = None
    ended: datetime | None = None
    """None while it goes on, or where its end is not in the log."""
    warnings: int = 0
    errors: int = 0
    last: str = ""
    """What was logged last before its end: how it ended."""

    @property
    def lasted_s(self) -> float | None:
        """Return its duration in s, None while that is not known."""
        return (self.ended - self.began).total_seconds() if self.began and self.ended else None


def sessions(lines: Iterable[Line]) -> list[Session]:
    """Return the sessions in the order of their begins."""
    found: dict[str, Session] = {}
    for line in lines:
        if not line.session:
            continue
        # The journal has the whole identifier, a file its first eight characters.
        session = found.setdefault(line.session[:8], Session(line.session, line.module, line.time))
        session.warnings += line.level == "warning"
        session.errors += line.level in ("error", "critical")
        if line.text == OVER:
            session.ended = line.time
        else:
            session.last = line.text.partition("\n")[0]
    return list(found.values())


def story(lines: Sequence[Line], session: str) -> list[Line]:
    """Return the lines of a session and, from its begin to its end, those that belong to no session at all.

    From shortly before its begin on come the lines of the module that began it: they have the plug-in.
    """
    numbers = [number for number, line in enumerate(lines) if line.belongs_to(session)]
    if not numbers:
        return []
    first, last = numbers[0], numbers[-1]
    begin = lines[first]
    start = first
    for number in range(first - 1, -1, -1):
        line = lines[number]
        if line.session or begin.time is None or line.time is None or begin.time - line.time > BEFORE:
            break
        if line.module == begin.module:
            start = number
    between = [line for line in lines[start : last + 1] if line.belongs_to(session) or not line.session]
    return [line for line in between if line.time is None or begin.time is None or line.time >= begin.time - BEFORE]
