"""The event log of a session, as a table for people (HTML) and for programs (CSV)."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import IO

from chargebyte_fw.kernel.clock import rfc3339

HEAD = (
    "<html><head><title>EVerest log session {name}</title><style>"
    ".log{{font-family:Arial,Helvetica,sans-serif;border-collapse:collapse;width:100%}}"
    ".log td,.log th{{border:1px solid #ddd;padding:8px;vertical-align:top}}"
    ".log tr.CAR{{background-color:#E4E6F2}}.log tr.EVSE{{background-color:#F2F0E4}}"
    ".log tr.SYS{{background-color:#ECECEC}}"
    "</style></head><body><table class='log'>\n"
    "<tr><th>Time</th><th>Origin</th><th>EVSE</th><th>CAR</th><th>XML</th><th>EXI hex</th><th>EXI base64</th></tr>\n"
)
TAIL = "</table></body></html>\n"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As `html.escape` has them, without its table of 2,231 names (0.5 MB)."""


def folder_name(at: datetime, suffix: str) -> str:
    """Name the folder of a session: time and suffix; raises ValueError for a suffix that is more than a name."""
    if not suffix or "/" in suffix or "\\" in suffix or ".." in suffix:
        raise ValueError(f"{suffix!r} is not a plain name")
    return f"{rfc3339(at)}-{suffix}"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


FULL = "This log is as large as it may become: messages of the EV and to it are left out from here on."
RESERVE_BYTES = 65_536
"""What plain lines may take beyond the allowance; after that only the end of the session is written."""


class SessionLog:
    """The log of one session; raises OSError where the file system does.

    Beyond `allowance` bytes what carries a message's content is left out, beyond RESERVE_BYTES more all but the end.
    """

    def __init__(self, folder: Path, shown: str, allowance: int) -> None:
        self.shown = shown
        """The folder's path as the configuration's owner knows it."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._csv: IO[str] = (folder / "incomplete-eventlog.csv").open("w", encoding="utf-8", newline="")
        self._html: IO[str] = (folder / "incomplete-eventlog.html").open("w", encoding="utf-8")
        self._lines: list[tuple[datetime, str, str, str, str, str, str]] = []
        self._html.write(HEAD.format(name=_escaped(folder.name)))
        self._left = allowance

    def record(
        self, at: datetime, origin: str, target: str, text: str, *, xml: str = "", hex: str = "", base64: str = ""
    ) -> None:
        """Take one line: who (`EVSE`, `CAR`, `SYS`) to whom, what. It is written with the next flush."""
        last = origin == "SYS"
        if (self._left < 0 and (xml or hex or base64)) or (self._left < -RESERVE_BYTES and not last):
            return
        self._lines.append((at, origin, target, text, xml, hex, base64))

    def flush(self) -> None:
        """Write what was taken and hand it to the file system."""
        lines, self._lines = self._lines, []
        for at, origin, target, text, xml, hex, base64 in lines:
            time = rfc3339(at)
            row = ",".join(map(_quoted, (time, origin, text, xml))) + "\n"
            where = _escaped(f"{origin}>{target}" if target else origin)
            shown = _escaped(text)
            evse, car = (shown, "") if origin != "CAR" else ("", shown)
            cells = (time, where, evse, car, f"<pre>{_escaped(xml)}</pre>" if xml else "", hex, base64)
            table_row = f"<tr class='{origin}'><td>" + "</td><td>".join(cells) + "</td></tr>\n"
            self._csv.write(row)
            self._html.write(table_row)
            was, self._left = self._left, self._left - len(row) - len(table_row)
            if was >= 0 > self._left:
                self._lines.append((at, "SYS", "", FULL, "", "", ""))
        self._csv.flush()
        self._html.flush()

    def close(self) -> None:
        """End the log and give the files their final names."""
        self.flush()
        self._html.write(TAIL)
        self._csv.close()
        self._html.close()
        for kind in ("csv", "html"):
            os.replace(self._folder / f"incomplete-eventlog.{kind}", self._folder / f"eventlog.{kind}")

    def abandon(self) -> None:
        """Let go of the files after the file system failed."""
        for file in (self._csv, self._html):
            try:
                file.close()
            except OSError:
                # What could not be written is lost; the descriptor is closed all the same.
                continue
