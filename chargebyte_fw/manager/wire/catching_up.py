"""What modules of another process have published while this one, or the broker, was not there.

EVerest keeps no value: whoever subscribes later misses what was before. Here variables are facts, also for a group that
is started again while the others go on, and for both sides of a broker that was away. Each process keeps the latest
values that others wait for; who has missed some asks for those since it was last there, and gets them in order.

The topics are below `secc/` of EVerest's prefix, where no program of EVerest subscribes. Times are of the clock that
all processes of the machine share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import real_seconds
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.remotes import Remotes

KEPT = 64
"""Values of one variable."""
BEFORE_S = 1.0
"""How much earlier than the loss of the connection messages may have been lost."""
HOLD_LIMIT_S = 1.0
"""How long new values wait for the older ones."""


class _Asked(msgspec.Struct):
    to: str
    modules: dict[str, list[str]]
    since_s: float | None = None


class _Back(msgspec.Struct):
    modules: list[str]
    since_s: float | None = None


class _Missed(msgspec.Struct):
    variables: dict[str, list[msgspec.Raw]]
    faults: list[Fault]


class _Connection:
    """Follows the broker, from `_connect` to `end`; notes since when it was away."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._at = f"{carrier.prefix}secc/"
        self._lost_s: float | None = None
        self._stops: list[Callable[[], None]] = []

    def _connect(self) -> None:
        client = self._carrier.client
        for calls, call in ((client.on_up, self._came_up), (client.on_down, self._went_down)):
            calls.append(call)
            self._stops.append(partial(calls.remove, call))

    def end(self) -> None:
        """Have no part in the exchange any more."""
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    def _came_up(self) -> None:
        raise NotImplementedError

    def _went_down(self) -> None:
        self._lost_s = real_seconds() - BEFORE_S

    def _publish(self, topic: str, message: Any) -> None:
        self._carrier.client.publish(self._at + topic, msgspec.json.encode(message), wait=False, qos=2)


class Kept(_Connection):
    """The latest values of variables that other processes wait for."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(carrier)
        self._values: dict[tuple[str, str], dict[str, deque[tuple[float, Any]]]] = {}
        self._implementations: dict[tuple[str, str], Contract] = {}

    def begin(self, assembly: Assembly, awaited: Collection[tuple[str, str]]) -> None:
        """Keep what these implementations publish, and answer those that ask."""
        for key in awaited:
            implementation = self._implementations[key] = assembly.implementations[key]
            rows = self._values[key] = {name: deque(maxlen=KEPT) for name in implementation.variables}
            for name, row in rows.items():
                self._stops.append(getattr(implementation, name).subscribe(partial(_keep, row)))
        if self._implementations:
            self._stops.append(self._carrier.client.subscribe(f"{self._at}missed", self._answer))
            self._connect()
            if self._carrier.client.online:
                self._came_up()

    def _came_up(self) -> None:
        """Announce that this process can be asked: what it has published meanwhile has reached no one."""
        self._publish("back", _Back(sorted({module_id for module_id, _ in self._implementations}), self._lost_s))

    def _answer(self, _topic: str, payload: bytes) -> None:
        asked = decode_json(payload, _Asked)
        for module_id, names in asked.modules.items():
            for name in names:
                implementation = self._implementations.get((module_id, name))
                if implementation is not None:
                    rows = self._values[module_id, name]
                    encoded = {one: _since(row, asked.since_s) for one, row in rows.items() if row}
                    missed = _Missed(encoded, list(implementation.faults.active))
                    self._publish(f"missed/{asked.to}/{module_id}/{name}", missed)


def _keep(row: deque[tuple[float, Any]], value: Any) -> None:
    row.append((real_seconds(), value))


def _since(row: deque[tuple[float, Any]], since_s: float | None) -> list[msgspec.Raw]:
    """Return the value at that time, and those that came since; only the last one without a time."""
    values = list(row)
    first = (
        len(values) if since_s is None else next((i for i, (at, _) in enumerate(values) if at >= since_s), len(values))
    )
    return [msgspec.Raw(msgspec.json.encode(value)) for _, value in values[max(first - 1, 0) :]]


class CatchingUp(_Connection):
    """Asks at the start, and each time that the broker is back, or a process that publishes.

    `name` is that of this process; `remotes` are the modules that it uses, those that are programs aside.
    """

    def __init__(self, carrier: Carrier, remotes: Remotes, name: str) -> None:
        super().__init__(carrier)
        self._remotes = remotes
        self._name = name
        self._wanted = {
            module.id: sorted(module.connected)
            for module in remotes.modules.values()
            if module.connected and not module.of_a_program
        }
        self._open: set[tuple[str, str]] = set()
        self._whole = asyncio.Event()
        self._begun = False

    def listen(self) -> None:
        """Hold what comes from now on until `begin`."""
        client = self._carrier.client
        for module_id, names in self._wanted.items():
            for name in names:
                self._remotes.modules[module_id].hold(name)
                topic, take = f"{self._at}missed/{self._name}/{module_id}/{name}", partial(self._take, module_id, name)
                self._stops.append(client.subscribe(topic, take))
        if self._wanted:
            self._stops.append(client.subscribe(f"{self._at}back", self._on_back))
            self._connect()

    async def begin(self, since_s: float | None) -> None:
        """Ask for what was published before; wait for the answers, within bounds."""
        self._begun = True
        self._lost_s = since_s
        if not self._wanted:
            return
        if self._carrier.client.online:
            self._ask(self._wanted, since_s)
        else:
            self._hold(self._wanted)
        try:
            async with asyncio.timeout(HOLD_LIMIT_S):
                await self._whole.wait()
        except TimeoutError:
            # A process that is not there, or a broker: it reports when it is.
            return

    def _came_up(self) -> None:
        if self._begun:
            self._ask(self._wanted, self._lost_s)

    def _on_back(self, _topic: str, payload: bytes) -> None:
        back = decode_json(payload, _Back)
        wanted = {module_id: self._wanted[module_id] for module_id in back.modules if module_id in self._wanted}
        if wanted and self._begun:
            self._ask(wanted, back.since_s)

    def _hold(self, wanted: dict[str, list[str]]) -> None:
        for module_id, names in wanted.items():
            for name in names:
                self._remotes.modules[module_id].hold(name, HOLD_LIMIT_S)

    def _ask(self, wanted: dict[str, list[str]], since_s: float | None) -> None:
        self._open |= {(module_id, name) for module_id, names in wanted.items() for name in names}
        self._whole.clear()
        self._hold(wanted)
        self._publish("missed", _Asked(self._name, wanted, since_s))

    def _take(self, module_id: str, name: str, _topic: str, payload: bytes) -> None:
        missed = decode_json(payload, _Missed)
        rows = {one: [envelope.encoded_variable(bytes(raw)) for raw in row] for one, row in missed.variables.items()}
        self._remotes.modules[module_id].catch_up(name, rows, missed.faults)
        self._open.discard((module_id, name))
        if not self._open:
            self._whole.set()
