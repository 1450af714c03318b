"""The black box: a bounded ring of what happened (frames, contract traffic, states), saved as a CBOR sequence.

Each entry is the CBOR array `[t_s, kind, source, data]`; `t_s` is the loop's monotonic time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Any

RING_ENTRIES = 20_000


class Trace:
    """A ring of entries. `contracts` switches the recording of commands and variables."""

    def __init__(self, entries: int = RING_ENTRIES) -> None:
        self.contracts = True
        self._ring: deque[tuple[float, str, str, Any]] = deque(maxlen=entries)

    def record(self, kind: str, source: str, data: Any) -> None:
        """Keep one entry: `kind` (`uart`, `slac`, `v2g`, `cmd`, `var`, `state`), who, and bytes or plain data."""
        self._ring.append((asyncio.get_running_loop().time(), kind, source, data))

    def __len__(self) -> int:
        return len(self._ring)

    def entries(self) -> list[tuple[float, str, str, Any]]:
        """Return the ring's content, oldest first."""
        return list(self._ring)

    def save(self, path: Path) -> int:
        """Write the ring to `path` as a CBOR sequence; returns the number of entries. OSError is the caller's."""
        import cbor2
        import msgspec

        entries = self.entries()
        with path.open("wb") as file:
            for entry in entries:
                file.write(cbor2.dumps(msgspec.to_builtins(entry, builtin_types=(bytes,), enc_hook=repr)))
        return len(entries)
