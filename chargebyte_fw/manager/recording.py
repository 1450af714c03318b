"""Files of the recorder: when one is saved, where, how many are kept, and how one is read."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.clock import loop_speed, rfc3339, utc_now
from chargebyte_fw.kernel.faults import Fault, Faults, Severity
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.trace import Entry, Trace

FOLDER = "/var/lib/secc/traces"
KEPT = 10
KEPT_BYTES = 160 << 20
"""Size of all files together, the newest one not counted."""
LATEST_S = 1e9
"""Largest valid time of an entry, in s: thirty years."""
AFTERMATH_S = 2.0
"""From a fault until its trace is saved, in s: what follows from it is in the trace, too."""
PAUSES_S = doubling(60.0, 3600.0)
"""From one trace of a fault to the next at least; it grows while faults go on."""


class Recorder:
    """Saves the ring at faults and on request; without a disk to save to that is one line in the log."""

    def __init__(self, runtime: Runtime, log: ModuleLog) -> None:
        self._runtime = runtime
        self._log = log
        self._backoff = Backoff(PAUSES_S)
        self._not_before_s = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._why = ""
        self._saving: set[asyncio.Task[object]] = set()

    def watch(self, books: Iterable[Faults]) -> None:
        """Save AFTERMATH_S after each fault of these implementations."""
        for book in books:
            book.subscribe(self._raised, lambda _: None)

    def _raised(self, fault: Fault) -> None:
        if fault.severity is Severity.Low or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now > self._not_before_s + PAUSES_S[-1]:
            self._backoff.reset()
        at_s = max(now + AFTERMATH_S, self._not_before_s)
        self._not_before_s = at_s + self._backoff.fail()
        self._why = f"{fault.origin.module_id}-{fault.type}"
        self._timer = loop.call_at(at_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self.save_soon(self._why)

    def save_soon(self, why: str) -> None:
        """Save in the background."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(self.try_to_save(why), name="trace")
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def try_to_save(self, why: str) -> tuple[Path, int] | None:
        """Save and log it; None, with a line in the log, when that fails for any reason."""
        try:
            return self._log_saved(*await self.save(why))
        except Exception as error:
            self._failed(error)
            return None

    async def save(self, why: str) -> tuple[Path, int]:
        """Write the ring into a new file while the charger goes on; returns file and entries.

        Raises OSError, or ModuleNotFoundError without cbor2.
        """
        if loop_speed() is None:
            return save(self._runtime.trace, self._runtime.root, why)
        snapshot = self._runtime.trace.snapshot(why)
        target = _target(self._runtime.root, why)
        entries = await asyncio.get_running_loop().run_in_executor(None, snapshot.write, target)
        _remove_old(self._runtime.root, target)
        return target, entries

    def save_now(self, why: str) -> None:
        """Save synchronously: for when no module runs any more."""
        try:
            self._log_saved(*save(self._runtime.trace, self._runtime.root, why))
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._log.error("the trace could not be saved: %s", reason(error))

    def _log_saved(self, target: Path, entries: int) -> tuple[Path, int]:
        self._log.info("trace of %d entries saved to %s", entries, target)
        return target, entries

    async def close(self) -> None:
        """Save what is due, wait for what is being saved."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.save_now(self._why)
        if self._saving:
            await asyncio.wait(self._saving)


def reason(error: Exception) -> str:
    """Return why a trace cannot be saved, in one line."""
    if isinstance(error, ImportError) and (line := extras.missing(error)):
        return line
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def save(trace: Trace, root: Root, why: str) -> tuple[Path, int]:
    """Write the ring into a new file, remove the oldest; returns file and entries. Raises OSError."""
    target = _target(root, why)
    entries = trace.save(target, why)
    _remove_old(root, target)
    return target, entries


def _target(root: Root, why: str) -> Path:
    name = "".join(character if character.isalnum() or character in "-_." else "-" for character in why)[:80]
    return root.write(f"{FOLDER}/{rfc3339(utc_now()).replace(':', '')}-{name}.cbor")


def _remove_old(root: Root, latest: Path) -> None:
    """Remove the oldest files, never `latest`: files from before may have later times in their names."""
    total = 0
    newest_first = [latest, *(path for path in reversed(files(root)) if path.name != latest.name)]
    for kept, path in enumerate(newest_first, 1):
        total += path.stat().st_size
        if kept > KEPT or (total > KEPT_BYTES and kept > 1):
            path.unlink()


def files(root: Root) -> list[Path]:
    """Return the saved traces, oldest first."""
    return sorted((root.state / FOLDER.lstrip("/")).glob("*.cbor"))


class Recording(msgspec.Struct):
    """The content of a file. `remark`: where it breaks off, empty when it is whole."""

    entries: list[Entry]
    remark: str = ""


def read(path: Path) -> Recording:
    """Read a file, up to where it is cut off or damaged.

    Raises ValueError when it does not begin as a trace, OSError when it cannot be read.
    """
    import cbor2

    octets = path.read_bytes()
    stream = io.BytesIO(octets)
    decoder = cbor2.CBORDecoder(stream)
    entries: list[Entry] = []
    begin = 0
    while (begin := stream.tell()) < len(octets):
        remark = f"{path} is cut off at octet {begin} of {len(octets)}"
        try:
            entry = decoder.decode()
        except cbor2.CBORDecodeEOF:
            break
        except (ValueError, TypeError, OverflowError, RecursionError, cbor2.CBORError) as error:
            remark = f"{path} is damaged at octet {begin}: {str(error) or type(error).__name__}"
            break
        if not _is_entry(entry):
            remark = f"{path} is damaged at octet {begin}: this is no entry"
            break
        entries.append((float(entry[0]), entry[1], entry[2], entry[3]))
    else:
        return Recording(entries)
    if not entries:
        raise ValueError(
            f"{path} is no trace" if "damaged" in remark else f"{path} is no trace, or nothing is left of it"
        )
    return Recording(entries, f"{remark}; {len(entries)} entries before that")


def _is_entry(entry: object) -> bool:
    if not (isinstance(entry, list) and len(entry) == 4):
        return False
    t_s, kind, source, _ = entry
    if not (isinstance(t_s, int | float) and isinstance(kind, str) and isinstance(source, str)):
        return False
    return abs(t_s) < LATEST_S
