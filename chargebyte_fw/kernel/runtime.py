"""What a module stands on in its process: paths, wires, chance, trace, external MQTT."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from chargebyte_fw.kernel.faults import Faults
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
    """External MQTT of a process without a broker: nobody listens, nobody calls."""

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Drop the message: there is no broker by choice."""

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Accept the subscription; it never fires."""
        return lambda: None


@dataclass
class Runtime:
    """The surroundings of all modules of one process."""

    root: Root = field(default_factory=lambda: Root(Path("/"), Path("/")))
    wires: Wires = field(default_factory=Wires)
    trace: Trace = field(default_factory=Trace)
    mqtt: ExternalMqtt = field(default_factory=NoMqtt)
    random: random.Random = field(default_factory=random.SystemRandom)
    """Chance, keys and session ids included: the system's, or a seeded one where wires are in memory, so that a run
    repeats. The assembly refuses anything else (`require_safe_chance`)."""
    all_faults: list[Faults] = field(default_factory=list)
    """The fault books of every implementation in reach, for modules with `enable_global_errors`."""

    def require_safe_chance(self) -> None:
        """Raise RuntimeError for a generator that others could predict where a real car could be at the other end."""
        if not isinstance(self.random, random.SystemRandom) and not self.wires.in_memory:
            raise RuntimeError("network keys and session ids would be predictable: a seed is for wires in memory")

    def new_uuid(self) -> str:
        """Return a random UUID (version 4) as text."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
