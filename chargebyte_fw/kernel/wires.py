"""Where a wire leads: to the operating system, or in a simulation to an object in memory."""

from __future__ import annotations

from typing import Any


class Wires:
    """In-memory ends of wires by name; a link asks here first, None means: open the device.

    `serial:/dev/ttyLP2` and `ethernet:eth1` are a `memory.WireEnd`, `ip:eth1` is a `memory.Host`,
    `gpio:nSAFETY_RESET_INT` is a callable that takes the level (True: high), `ocsp:<url>` one that takes a request.
    """

    def __init__(self) -> None:
        self._ends: dict[str, Any] = {}

    def plug(self, name: str, end: Any) -> None:
        """Connect the wire `name` to `end`, an object that a link of that kind expects."""
        self._ends[name] = end

    def find(self, name: str) -> Any | None:
        """Return the in-memory end of `name`, or None."""
        return self._ends.get(name)

    @property
    def in_memory(self) -> bool:
        """Whether any wire is simulated in this process."""
        return bool(self._ends)
