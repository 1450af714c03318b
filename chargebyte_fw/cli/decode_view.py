"""How `secc decode` prints what it found: a table for people, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

from chargebyte_fw.cli.table import HANGING, PIPED_LINE, cut, fold, size
from chargebyte_fw.modules.slac.capture import dissect
from chargebyte_fw.modules.v2g.capture.reading import Reader, Reading, summary
from chargebyte_fw.modules.v2g.capture.traffic import HomeplugFrame, Item, Origin, Trouble, V2gFrame
from chargebyte_fw.modules.v2g.exi.rendering import one_line

WIDE = 100
"""From so many columns on there is one for the protocol."""
INDENT = " " * 12
NARROW_MESSAGE = 24
"""Columns of a message's name on a narrow screen."""


class View:
    """What every view does with an item: reads it, counts errors, and knows who sent it when."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.errors = 0
        """How many frames could not be read."""
        self._began: float | None = None

    def read(self, item: V2gFrame | HomeplugFrame) -> Reading:
        """Decode an item."""
        if isinstance(item, V2gFrame):
            reading = self._reader.read(item)
        else:
            found = dissect(item.frame)
            reading = Reading("slac", found.title, found.fields, error=found.error)
        if reading.error:
            self.errors += 1
        return reading

    def remark(self, trouble: Trouble) -> None:
        """Print what could not be read to stderr."""
        self.errors += trouble.is_error
        sys.stdout.flush()
        print(f"{trouble.origin.place}{_way(trouble.origin)}: {trouble.what}", file=sys.stderr)

    def when(self, origin: Origin) -> str:
        """Return the time from the first message on in seconds, or the place of one without a time."""
        if origin.time_s is None:
            return f"{origin.place.removeprefix('line '):>10}"
        if self._began is None:
            self._began = origin.time_s
        return f"{origin.time_s - self._began:10.3f}"

    def who(self, origin: Origin, reading: Reading) -> str:
        """Name the sender by its part, which follows from the message; SLAC frames by what follows an address."""
        if reading.protocol == "slac":
            return origin.source[-8:]
        if reading.message.endswith(("Req", "request")):
            return "car"
        if reading.message.endswith(("Res", "response")):
            return "charger"
        return origin.source[-8:]


class JsonLines(View):
    """One JSON object a message; the keys that `secc decode` itself reads are among them."""

    def lines(self, item: Item) -> list[str]:
        """Return the lines of an item; remarks go to stderr."""
        if isinstance(item, Trouble):
            self.remark(item)
            return []
        reading = self.read(item)
        origin = item.origin
        found: dict[str, Any] = {"place": origin.place, "time_s": origin.time_s}
        found |= {"source": origin.source, "destination": origin.destination}
        found |= {"protocol": reading.protocol, "message": reading.message}
        found |= {"session_id": reading.session_id, "content": reading.content, "error": reading.error}
        found |= {"signature": reading.signature}
        if isinstance(item, V2gFrame):
            found |= {"payload_type": f"0x{item.payload_type:04X}", "frame": item.to_bytes().hex()}
        else:
            found["frame"] = item.frame.hex()
        return [json.dumps({key: value for key, value in found.items() if value not in (None, "")})]


class Table(View):
    """One line a message: when (seconds from the first), sender, protocol, name, content."""

    def __init__(self, reader: Reader, full: bool = False) -> None:
        super().__init__(reader)
        self._full = full
        self._titled = False
        self._width = size(piped=PIPED_LINE).columns
        self._wide = self._width >= WIDE

    def lines(self, item: Item) -> list[str]:
        """Return the lines of an item; remarks go to stderr."""
        if isinstance(item, Trouble):
            self.remark(item)
            return []
        reading = self.read(item)
        head = []
        if not self._titled:
            when = "line" if item.origin.time_s is None else "time_s"
            head = [cut(self._line(f"{when:>10}", "from", "protocol", "message") + "  content", self._width)]
            self._titled = True
        who = self.who(item.origin, reading)
        line = self._line(self.when(item.origin), who, reading.protocol or "?", reading.message)
        if self._full and isinstance(reading.content, dict) and not reading.error:
            signature = [f"{INDENT}signature {reading.signature}"] if reading.signature else []
            below = [*signature, *_tree(reading.content, INDENT)]
            return [*head, line.rstrip(), *(part for one in below for part in fold(one, self._width, INDENT + HANGING))]
        return [*head, cut(f"{line}  {content_of(reading)}".rstrip(), self._width)]

    def _line(self, when: str, who: str, protocol: str, message: str) -> str:
        if self._wide:
            return f"{when}  {who:<8}  {protocol:<12}  {message:<30}"
        return f"{when}  {who:<8}  {cut(message, NARROW_MESSAGE):<{NARROW_MESSAGE}}"


def _way(origin: Origin) -> str:
    return f" ({origin.source} to {origin.destination})" if origin.source else ""


def content_of(reading: Reading) -> str:
    """Return the content of a message in one line."""
    if reading.error:
        return f"cannot be read: {reading.error}"
    if not isinstance(reading.content, dict):
        return str(reading.content or "")
    if reading.protocol != "slac":
        return summary(reading)
    # What is zero in every match, and what is too long for a line.
    shown = {name: value for name, value in reading.content.items() if str(value).strip("0")}
    for name, value in shown.items():
        if isinstance(value, list) and value:
            shown[name] = f"{sum(value) / len(value):.1f} on average of {len(value)} groups"
    return one_line(shown)


def _tree(value: Any, indent: str) -> list[str]:
    lines = []
    for name, entry in value.items():
        if isinstance(entry, dict) and not entry.keys() <= {"value", "unit"}:
            lines += [f"{indent}{name}", *_tree(entry, indent + "  ")]
        elif isinstance(entry, list) and any(isinstance(one, dict) for one in entry):
            for number, one in enumerate(entry):
                lines += [f"{indent}{name}[{number}]", *_tree(one, indent + "  ")]
        else:
            lines.append(f"{indent}{one_line({name: entry})}")
    return lines
