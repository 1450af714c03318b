"""Lines of the product's log, from the journal or from a file, as they were logged: time, level, module, session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.decoding import decode_json

LEVELS = ("debug", "info", "warning", "error", "critical")
"""From the least to the most severe."""
INDENT = "    "
"""What further lines of one record begin with (kernel/log.py)."""
_OF_PRIORITY = {0: "critical", 1: "critical", 2: "critical", 3: "error", 4: "warning", 5: "info", 6: "info", 7: "debug"}
"""Levels of syslog's priorities (RFC 5424, 6.2.1)."""
_HEAD = re.compile(r"(?P<module>[\w.-]{1,64})(?: \[(?P<session>[^\]\s]{1,40})\])?: (?P<text>.*)", re.DOTALL)
_TIMED = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) (?P<level>[A-Z]+) +(?P<rest>.*)", re.DOTALL)
_LEVELLED = re.compile(r"<(?P<priority>[0-7])>(?P<rest>.*)", re.DOTALL)


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line; a traceback belongs to the line above it."""

    text: str
    time: datetime | None = None
    level: str = "info"
    module: str = ""
    """Id of the module; empty where the line is of none: a program of another vendor, an interpreter's last words."""
    session: str = ""
    """Identifier of the charging session, or its first eight characters."""

    def belongs_to(self, session: str) -> bool:
        """Return whether this line is of a session, by as much of its identifier as is known."""
        return bool(self.session) and (self.session.startswith(session[:40]) or session.startswith(self.session))

    def as_json(self) -> dict[str, Any]:
        """Return the line as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        if self.time is not None:
            plain["time"] = rfc3339(self.time)
        return plain


def from_text(lines: Iterable[str]) -> Iterator[Line]:
    """Yield the lines of a file that `secc run` wrote: with time and level, or with `<level>` as a service has them.

    What begins with a blank goes on with the line before it.
    """
    begun: Line | None = None
    for given in lines:
        raw = given.rstrip("\r\n")
        if begun is not None and raw[:1] in (" ", "\t"):
            begun = msgspec.structs.replace(begun, text=f"{begun.text}\n{raw.removeprefix(INDENT)}")
            continue
        if begun is not None:
            yield begun
        begun = _line(raw) if raw.strip() else None
    if begun is not None:
        yield begun


def _line(raw: str) -> Line:
    time, level, rest = None, "info", raw
    if (timed := _TIMED.fullmatch(raw)) is not None:
        time, level, rest = _moment(timed["time"]), timed["level"].lower(), timed["rest"]
    elif (levelled := _LEVELLED.fullmatch(raw)) is not None:
        level, rest = _OF_PRIORITY[int(levelled["priority"])], levelled["rest"]
    head = _HEAD.fullmatch(rest)
    known = level if level in LEVELS else "info"
    if head is None:
        return Line(rest, time, known)
    return Line(head["text"], time, known, head["module"], head["session"] or "")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def from_journal(entries: Iterable[str]) -> Iterator[Line]:
    """Yield the entries of `journalctl --output=json`; what is no entry is left out."""
    for entry in entries:
        try:
            fields = decode_json(entry, dict[str, Any])
        except ValueError:
            continue
        message = _message(fields.get("MESSAGE"))
        head = _HEAD.fullmatch(message) if "SECC_MODULE" in fields else None
        yield Line(
            head["text"] if head is not None else message,
            _wall(fields.get("__REALTIME_TIMESTAMP")),
            _OF_PRIORITY.get(_integer(fields.get("PRIORITY")), "info"),
            str(fields.get("SECC_MODULE", "")),
            str(fields.get("SECC_SESSION", "")),
        )


def _message(value: Any) -> str:
    """Return a message; what is not text comes as a list of octets (systemd: Journal JSON Format)."""
    if isinstance(value, list):
        return bytes(one for one in value if isinstance(one, int) and 0 <= one < 256).decode("utf-8", "replace")
    return "" if value is None else str(value)


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def _wall(microseconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(_integer(microseconds) / 1e6, UTC) if microseconds is not None else None
    except (OverflowError, OSError, ValueError):
        return None
