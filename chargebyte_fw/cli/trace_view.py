"""How `secc trace` shows an entry: frames by their names and values, contract traffic and states as they are."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chargebyte_fw.board.link.messages.uart_reader import UartReader
from chargebyte_fw.cli.table import HANGING, PIPED_LINE, cut, fold, size
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.modules.power.replay import text_of as can_text
from chargebyte_fw.modules.slac.capture import dissect
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.capture.reading import Reader, Reading, summary
from chargebyte_fw.modules.v2g.capture.traffic import Origin, V2gFrame, of_octets

LONGEST_LIST = 12
LONGEST_START = 200
FLAGS = ("urgent", "latest")
"""How a command waits in its queue: shown where it is unusual."""
CAN_BYTES = 16
SOURCE_COLUMNS = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_of(entries: Sequence[Entry]) -> Callable[[float], datetime]:
    """Return what turns a second of the recorder's clock into wall time: by the head of the trace."""
    at, from_s = EPOCH, 0.0
    for t_s, kind, source, data in entries:
        if (kind, source) == ("trace", "head") and isinstance(data, dict):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                at, from_s = datetime.fromisoformat(data["wall"]).astimezone(UTC), t_s
                break

    def wall(second: float) -> datetime:
        try:
            return at + timedelta(seconds=second - from_s)
        except OverflowError:
            return EPOCH

    return wall


class Timeline:
    """Reads the entries of one trace, which must be given in their order."""

    def __init__(self, entries: Sequence[Entry], *, wall: bool = False) -> None:
        self._wall_of = wall_of(entries)
        self._wall = wall
        self._uart = UartReader()
        self._v2g = Reader()
        self._streams: dict[str, v2gtp.Receiver] = {}

    def read(self, entry: Entry) -> str:
        """Return an entry as text."""
        _, kind, source, data = entry
        if kind == "conn" and isinstance(data, dict) and "opened" in data:
            self._v2g = Reader()
            self._streams = {name: one for name, one in self._streams.items() if not name.startswith(f"{source}.")}
            return f"opened by {data['opened']}, at {data.get('at', '')}"
        if not isinstance(data, bytes):
            return _plain(kind, data)
        if kind == "uart":
            name, fields = self._uart.read(data)
            return f"{name} {_fields(fields)}".strip()
        if kind == "slac":
            found = dissect(data)
            return f"{found.title} {found.error or _fields(found.fields)}".strip()
        if kind == "sdp":
            return self._frame(data)
        if kind == "v2g":
            return self._stream(source, data)
        if kind == "can" and len(data) == CAN_BYTES:
            return can_text(CanFrame.decode(data))
        return data.hex()

    def _stream(self, source: str, data: bytes) -> str:
        receiver = self._streams.setdefault(source, v2gtp.Receiver())
        try:
            frames = receiver.feed(data)
        except PeerError as error:
            del self._streams[source]
            return f"{data.hex()} ({error})"
        if not frames:
            return f"{len(data)} octets of a message that goes on"
        return " | ".join(self._frame(frame.to_bytes()) for frame in frames)

    def _frame(self, data: bytes) -> str:
        item = of_octets(data, Origin("trace"))
        if not isinstance(item, V2gFrame):
            return data.hex()
        reading: Reading = self._v2g.read(item)
        if reading.error:
            return f"{data.hex()} (cannot be read: {reading.error})"
        return f"{reading.message} {summary(reading)}".strip()

    def when(self, t_s: float) -> str:
        """Write a time."""
        return rfc3339(self._wall_of(t_s))[11:-1] if self._wall else f"{t_s:12.3f}"

    def line(self, entry: Entry, text: str, *, full: bool = False) -> str:
        """Write one entry for people: a line that fits the terminal, with `full` as many as it needs."""
        t_s, kind, source, _ = entry
        columns = size(piped=PIPED_LINE).columns
        place = min(SOURCE_COLUMNS, columns // 3)
        line = f"{self.when(t_s)} {kind:<6} {cut(source, place, keeps_end=True):<{place}} {text}".rstrip()
        return "\n".join(fold(line, columns, HANGING)) if full else cut(line, columns)

    def as_json(self, entry: Entry, text: str) -> str:
        """Write one entry for programs; frames with their content as `text`."""
        t_s, kind, source, data = entry
        shown = {"t_s": t_s, "kind": kind, "source": source, "data": _jsonable(data)}
        if isinstance(data, bytes) and text != shown["data"]:
            shown["text"] = text
        return json.dumps(shown)

    def write_json(self, entries: Sequence[Entry], target: Path) -> int:
        """Write every entry, one a line, each with its wall time; returns how many. Raises OSError."""
        file = sys.stdout if target == Path("-") else target.open("w", encoding="utf-8")
        try:
            for entry in entries:
                shown = {"wall": rfc3339(self._wall_of(entry[0])), **json.loads(self.as_json(entry, self.read(entry)))}
                file.write(json.dumps(shown) + "\n")
        finally:
            if file is not sys.stdout:
                file.close()
        return len(entries)


def _jsonable(data: Any) -> Any:
    if isinstance(data, bytes):
        return data.hex()
    if isinstance(data, dict):
        return {key if isinstance(key, str) else str(key): _jsonable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_jsonable(one) for one in data]
    return data if isinstance(data, str | int | float | bool | None) else str(data)


def _plain(kind: str, data: Any) -> str:
    if isinstance(data, str):
        return data
    match kind, data:
        case "cmd", [str(caller), dict(arguments)]:
            given = ", ".join(f"{name}={json.dumps(_jsonable(value))}" for name, value in arguments.items())
            return f"({given}) from {caller}" if caller else f"({given})"
        case "fault", {"type": kind_of, "message": message, "state": state}:
            sub_type = f"/{data['sub_type']}" if data.get("sub_type") else ""
            return f"{state} {data.get('severity', '')} {kind_of}{sub_type}: {message}"
        case "event" | "effect", dict(fields):
            shown = ((name, value) for name, value in fields.items() if not (name in FLAGS and value is False))
            return " ".join(f"{name}={_value(value)}" for name, value in shown)
        case "start", _:
            text = json.dumps(_jsonable(data))
            return text if len(text) <= LONGEST_START else f"{text[:LONGEST_START]} ..."
        case "wake", None:
            return "its deadline has passed"
        case "wake", _:
            return f"its deadline has passed ({json.dumps(_jsonable(data))})"
    return json.dumps(_jsonable(data))


def _value(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{name}: {_value(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list) and value:
        return "[" + ", ".join(map(_value, value)) + "]"
    return value if isinstance(value, str) and value else json.dumps(_jsonable(value))


def _fields(fields: dict[str, Any]) -> str:
    shown = []
    for name, value in fields.items():
        if isinstance(value, list) and len(value) > LONGEST_LIST:
            shown.append(f"{name}=({len(value)} values, {sum(value) / len(value):.1f} on average)")
        elif isinstance(value, str) and value and not value.strip("0"):
            continue
        else:
            shown.append(f"{name}={value}")
    return " ".join(shown)
