"""Where a wire goes: by default to the operating system, in a simulated world to an object in memory."""

from __future__ import annotations

from typing import Any


class Wires:
    """In-memory ends of wires by name: `serial:/dev/ttyLP2`, `ethernet:eth1`, `v2g:eth1`, `gpio:nSAFETY_RESET_INT`.

    A link asks first here; None means: open the real thing.
    """

    def __init__(self) -> None:
        self._ends: dict[str, Any] = {}

    def plug(self, name: str, end: Any) -> None:
        """Lay the wire `name` to `end` (the object a link of that kind expects)."""
        self._ends[name] = end

    def find(self, name: str) -> Any | None:
        """Return the in-memory end of `name`, or None."""
        return self._ends.get(name)
