"""What a message is in a log: one line of text, one row of a table. Tokens, passwords and keys are hidden."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.redaction import redact_value

LONGEST_FRAME = 100_000
"""Characters of a frame that are written."""
STATION, CSMS = "ChargingStation>CSMS", "CSMS>ChargingStation"
KINDS = {2: "Call", 3: "CallResult", 4: "CallError", 5: "CallResultError", 6: "Send"}
HEAD = (
    "<html><head><meta charset='utf-8'><title>OCPP</title><style>"
    ".log{font-family:Arial,Helvetica,sans-serif;border-collapse:collapse;width:100%}"
    ".log td,.log th{border:1px solid #ddd;padding:8px;vertical-align:top}"
    ".log tr.csms{background-color:#E4E6F2}.log tr.station{background-color:#F2F0E4}"
    "</style></head><body><table class='log'>\n"
    "<tr><th>Time</th><th>Direction</th><th>Message</th><th>Id</th><th>Content</th></tr>\n"
)
"""Begin of an HTML log. It has no end, so that it can be read at any time."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As `html.escape` has them, without its table of 2,231 names (0.5 MB)."""


class Shown:
    """A frame, read once for all logs. `actions` has the action of each request by its id."""

    def __init__(self, at: datetime, text: str, *, from_csms: bool, actions: dict[str, str]) -> None:
        self.at = rfc3339(at)
        self.from_csms = from_csms
        self.kind = self.action = self.message_id = ""
        self.content: Any = None
        try:
            frame = json.loads(text) if len(text) <= LONGEST_FRAME else None
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, list) or len(frame) < 3:
            self.raw = f"no frame, or too long: {len(text)} characters"
            return
        frame = redact_value(frame)
        self.raw = json.dumps(frame, ensure_ascii=False)
        self.kind, self.message_id = KINDS.get(frame[0] if isinstance(frame[0], int) else 0, ""), str(frame[1])
        asks = frame[0] in (2, 6)
        self.action = str(frame[2]) if asks else actions.pop(self.message_id, "")
        if asks:
            actions[self.message_id] = self.action
        self.content = frame[3:] if asks else frame[2:]

    @property
    def direction(self) -> str:
        """Who sent it to whom."""
        return CSMS if self.from_csms else STATION

    @property
    def short(self) -> str:
        """Direction, kind and action."""
        return " ".join(part for part in (self.direction, self.kind, self.action) if part)

    def line(self) -> str:
        """Return the line of the text log."""
        return f"{self.at} [{self.short}] {self.raw}\n"

    def raw_line(self) -> str:
        """Return the frame alone, with its time."""
        return f"{self.at} {self.raw}\n"

    def row(self) -> str:
        """Return the row of the HTML log."""
        content = self.raw if self.content is None else json.dumps(self.content, indent=2, ensure_ascii=False)
        cells = [self.at, self.direction, f"{self.kind} {self.action}", self.message_id]
        written = "</td><td>".join(cell.translate(_ESCAPES) for cell in cells)
        kind = "csms" if self.from_csms else "station"
        return f"<tr class='{kind}'><td>{written}</td><td><pre>{content.translate(_ESCAPES)}</pre></td></tr>\n"
