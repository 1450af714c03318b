"""Where the product's log comes from: systemd's journal on a charger, a file of `secc run 2>FILE` elsewhere."""

from __future__ import annotations

import contextlib
import itertools
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chargebyte_fw.cli.log_lines import Line, from_journal, from_text
from chargebyte_fw.kernel.errors import Unavailable

IDENTIFIER = "secc"
"""SYSLOG_IDENTIFIER of the charger's entries (kernel/journal.py, everest.service)."""
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
DESK = "on a desk: `secc run 2>charger.log`, then `secc logs --file charger.log`"


def moment(text: str, now: datetime) -> datetime:
    """Read a point in time: `15m` ago, `13:45` of today, or a date with or without time, in UTC; raises ValueError."""
    if (ago := _AGO.fullmatch(text.strip())) is not None:
        with contextlib.suppress(OverflowError):
            return now - timedelta(seconds=float(ago[1]) * _SECONDS[ago[2]])
    try:
        if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
            text = f"{now:%Y-%m-%d}T{text}"
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write 15m (ago), 2h, 1d, 13:45 or 2026-03-01T13:45 (UTC)") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def of_file(path: Path) -> Iterator[Line]:
    """Yield the lines of a file, or of standard input for `-`: text, or `journalctl -o json`; raises OSError."""
    if str(path) == "-":
        yield from _lines(sys.stdin)
        return
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        yield from _lines(file)


def _lines(given: Iterable[str]) -> Iterator[Line]:
    rest = iter(given)
    first = next(rest, "")
    yield from (from_journal if first.startswith("{") else from_text)(itertools.chain([first], rest))


def of_journal(since: datetime | None, until: datetime | None, *, last: int | None = None) -> Iterator[Line]:
    """Yield the entries of this machine's journal; raises Unavailable where there are none."""
    options = ["--no-pager", *([] if last is None else [f"--lines={last}"])]
    if since is not None:
        options.append(f"--since=@{since.timestamp():.6f}")
    if until is not None:
        options.append(f"--until=@{until.timestamp():.6f}")
    yield from _journal(options)


def followed(last: int) -> Iterator[Line]:
    """Yield the last entries of the journal and then each new one, without an end; raises Unavailable."""
    yield from _journal(["--follow", f"--lines={last}"])


def _journal(options: list[str]) -> Iterator[Line]:
    command = ["journalctl", "--output=json", "--quiet", f"--identifier={IDENTIFIER}", *options]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    except FileNotFoundError:
        raise Unavailable(f"there is no systemd journal here (no journalctl); {DESK}") from None
    assert process.stdout is not None and process.stderr is not None
    try:
        yield from from_journal(process.stdout)
        reason = process.stderr.read().strip().partition("\n")[0]
        if process.wait():
            raise Unavailable(f"journalctl failed: {reason or f'exit status {process.returncode}'}; {DESK}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
