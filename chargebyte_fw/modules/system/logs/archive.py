"""Gathers the sources into one `.tar.gz`, bounded in size and time; secrets do not leave the charger."""

from __future__ import annotations

import asyncio
import io
import os
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.system.logs.secrets import redact
from chargebyte_fw.modules.system.logs.sources import COMMANDS, FILES, FOLDERS, JOURNAL
from chargebyte_fw.modules.system.transfer.threads import in_thread

COMMAND_LIMIT_S = 10.0
OUTPUT_LIMIT, JOURNAL_LIMIT = 1 << 20, 8 << 20
"""Of a longer output, of a longer journal, the beginning is left out."""
MOST_READ = 64 << 20
"""A command with more output than this is stopped."""
FILE_LIMIT = 16 << 20
"""The beginning of a longer file is left out: what happened last matters."""
TOTAL_LIMIT = 128 << 20
"""Of all files before compression; beyond it files are named, not packed."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is asked for; None: open."""

    oldest: datetime | None = None
    latest: datetime | None = None

    def has(self, at_s: float) -> bool:
        """Return whether a file changed then may have lines of the time (its lines are older than its change)."""
        return self.oldest is None or at_s >= self.oldest.timestamp()


def name_of(kind: str | None, at: datetime) -> str:
    """Return the archive's name: `<type>_<time in UTC>.tar.gz`."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", kind or "") or "diagnostics"
    return f"{safe}_{at:%Y-%m-%dT%H-%M-%SZ}.tar.gz"


async def gather(root: Root, target: Path, span: Span) -> list[str]:
    """Write the archive; returns what was left out. Raises Unavailable when it cannot be written."""
    output = await _run_all(span)
    try:
        return await in_thread(lambda: _pack(root, target, span, output), lambda: None, "pack logs")
    except OSError as error:
        raise Unavailable(f"{target}: {error.strerror or error}") from error


async def _run_all(span: Span) -> list[tuple[Sequence[str], bytes]]:
    journal = list(JOURNAL)
    if span.oldest is not None:
        journal.append(f"--since=@{span.oldest.timestamp():.0f}")
    if span.latest is not None:
        journal.append(f"--until=@{span.latest.timestamp():.0f}")
    outputs: list[tuple[Sequence[str], bytes]] = [(command, await run_command(command)) for command in COMMANDS]
    return [*outputs, (journal, await run_command(journal, JOURNAL_LIMIT))]


async def run_command(command: Sequence[str], most: int | None = None) -> bytes:
    """Return the end of the output of the command, at most `most` (OUTPUT_LIMIT) bytes, and why it ended."""
    most = OUTPUT_LIMIT if most is None else most
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        return f"({error.strerror or error})\n".encode()
    kept = bytearray()
    lost = 0
    end = ""
    try:
        async with asyncio.timeout(COMMAND_LIMIT_S):
            while process.stdout is not None and (chunk := await process.stdout.read(1 << 16)):
                kept += chunk
                if len(kept) > 2 * most:
                    # The last lines of a journal are the ones that matter.
                    lost += len(kept) - most
                    del kept[:-most]
                if lost > MOST_READ:
                    end = f"\n(stopped after {lost + len(kept)} bytes)\n"
                    break
            else:
                await process.wait()
    except TimeoutError:
        end = f"\n(no end within {COMMAND_LIMIT_S:g} s)\n"
    finally:
        if process.returncode is None:
            await _end(process)
    lost += max(len(kept) - most, 0)
    begin = f"(the first {lost} bytes are left out)\n" if lost else ""
    return begin.encode() + bytes(kept[-most:]) + end.encode()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what does not end and read what is left of its output."""
    try:
        process.kill()
        async with asyncio.timeout(1.0):
            await process.communicate()
    except (ProcessLookupError, TimeoutError):
        # It has just ended by itself, or a child of it holds the pipe: nothing that we wait for.
        return


def _pack(root: Root, target: Path, span: Span, output: list[tuple[Sequence[str], bytes]]) -> list[str]:
    left_out: list[str] = []
    room = TOTAL_LIMIT
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        commands = b"".join(b"### " + " ".join(command).encode() + b"\n" + text + b"\n" for command, text in output)
        _add(archive, "commands.log", redact(commands))
        for name in FILES:
            path = root.read(name)
            if path.is_file():
                room -= _add_file(archive, name, path, room, left_out)
        for folder in FOLDERS:
            for path in _files_in(root.read(folder), span):
                name = f"{folder}/{path.relative_to(root.read(folder))}"
                room -= _add_file(archive, name, path, room, left_out)
        if left_out:
            _add(archive, "left-out.txt", "\n".join(left_out).encode() + b"\n")
    return left_out


def _files_in(folder: Path, span: Span) -> list[Path]:
    """Return the folder's files of the time, the latest first; links are not followed out of it."""
    found: list[tuple[float, Path]] = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            try:
                status = path.lstat()
            except OSError:
                # Rotated away while we looked.
                continue
            if path.is_file() and not path.is_symlink() and span.has(status.st_mtime):
                found.append((status.st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def _add_file(archive: tarfile.TarFile, name: str, path: Path, room: int, left_out: list[str]) -> int:
    """Add a file, its end if it is large; returns the bytes it took."""
    try:
        size = path.stat().st_size
        taken = min(size, FILE_LIMIT)
        if taken > room:
            left_out.append(f"{name}: {size} bytes, the archive is full")
            return 0
        with path.open("rb") as file:
            file.seek(size - taken)
            data = file.read(taken)
    except OSError as error:
        left_out.append(f"{name}: {error.strerror or error}")
        return 0
    if taken < size:
        left_out.append(f"{name}: the first {size - taken} bytes")
    # A binary file is left as it is: its lengths would no longer fit.
    _add(archive, name.lstrip("/"), data if b"\0" in data[:4096] else redact(data))
    return taken


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = int(utc_now().timestamp())
    info.mode = 0o644
    archive.addfile(info, io.BytesIO(data))
