"""The black box's files: where they lie, how many are kept, and how one is read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.trace import Trace

FOLDER = "/var/lib/secc/traces"
KEPT = 10


def save(trace: Trace, root: Root, why: str) -> tuple[Path, int]:
    """Write the ring into a new file, let go of the oldest; returns file and entries. OSError is the caller's."""
    name = f"{rfc3339(utc_now()).replace(':', '')}-{why.replace(' ', '-').replace('/', '-')}.cbor"
    target = root.write(f"{FOLDER}/{name}")
    entries = trace.save(target)
    for old in files(root)[:-KEPT]:
        old.unlink()
    return target, entries


def files(root: Root) -> list[Path]:
    """Return the saved traces, oldest first."""
    return sorted((root.state / FOLDER.lstrip("/")).glob("*.cbor"))


def read(path: Path) -> Iterator[tuple[float, str, str, Any]]:
    """Yield the entries of a file `[t_s, kind, source, data]`; one that ends in the middle of an entry ends there.

    Raises ValueError when it holds something else, OSError when it cannot be read.
    """
    import cbor2

    with path.open("rb") as file:
        while True:
            try:
                entry = cbor2.load(file)
            except cbor2.CBORDecodeEOF:
                # The end, or what a power cut has left of the last entry.
                return
            except cbor2.CBORDecodeError as error:
                raise ValueError(f"{path} is no trace: {error}") from error
            if not (isinstance(entry, list) and len(entry) == 4 and isinstance(entry[0], int | float)):
                raise ValueError(f"{path} is no trace: an entry is {type(entry).__name__}")
            yield float(entry[0]), str(entry[1]), str(entry[2]), entry[3]
