"""What the modules of one process have in common: paths, wires, randomness, trace, external MQTT."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.last_frame import LastFrame
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.trace import Trace
from chargebyte_fw.kernel.wires import Wires


class ExternalMqtt(Protocol):
    """MQTT beside the contracts: topics for integrators (EVerest's `enable_external_mqtt`)."""

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish text; while the broker is away, retained topics are kept and sent when it is back."""

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Call `callback(topic, payload)` for each message on `topic` (`+`, `#` allowed); returns a stop."""


class NoMqtt:
    """External MQTT of a process without a broker."""

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Drop the message."""

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Accept the subscription; it never fires."""
        return lambda: None


KeepValue = Callable[[str, str, str, Any], Awaitable[None]]
"""Writes a configuration value for the next start: module id, implementation id (`!module`: its own), key, value.

Raises OSError where it cannot be written, ValueError for a file that cannot be read.
"""


@dataclass(frozen=True)
class ConfigurationKey:
    """One key in the configuration of another module."""

    module: str
    """EVerest's name of the module: `EvseManager`."""
    module_id: str
    key: str
    kind: str
    """`boolean`, `integer`, `number` or `string`."""
    value: Any
    writable: bool


class Configurations(Protocol):
    """The configurations of others that a module has access to (`access` in EVerest's configuration)."""

    def readable(self) -> list[ConfigurationKey]:
        """Return what the module may read."""

    def check(self, module_id: str, key: str, text: str) -> None:
        """Raise ValueError for a value that the other module cannot have, or a key that this one may not change."""

    async def keep(self, module_id: str, key: str, text: str) -> None:
        """Write a value for the next start; raises OSError, or ValueError for a file that cannot be read."""


@dataclass
class Runtime:
    """The runtime of all modules of one process."""

    root: Root = field(default_factory=lambda: Root(Path("/"), Path("/")))
    wires: Wires = field(default_factory=Wires)
    trace: Trace = field(default_factory=Trace)
    mqtt: ExternalMqtt = field(default_factory=NoMqtt)
    random: random.Random = field(default_factory=random.SystemRandom)
    """Source of randomness, also for keys and session ids: the system's, or a seeded one where wires are in memory, so
    that a run repeats. The assembly refuses anything else (`require_unpredictable`)."""
    all_faults: list[Faults] = field(default_factory=list)
    """The faults of every implementation in reach, for modules with `enable_global_errors`."""
    operator: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = field(default_factory=dict)
    """What modules answer to `secc` on the same machine (`manager/control.py`), by the name of the subcommand."""
    leave_frame: Callable[[LastFrame], object] = field(default=lambda _: None)
    """Leave with the manager of process groups what it writes to a port when this process ends without doing so."""

    keep_value: KeepValue | None = None
    configurations: Configurations | None = None
    """None for a module without access to others."""

    def require_unpredictable(self) -> None:
        """Raise RuntimeError for a seeded generator where a real EV could be connected."""
        if not isinstance(self.random, random.SystemRandom) and not self.wires.in_memory:
            raise RuntimeError("network keys and session ids would be predictable: a seed is for wires in memory")

    def new_uuid(self) -> str:
        """Return a random UUID (version 4) as text."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
