"""Offline tool: feed the machines of an EVSE what a trace recorded, and compare (docs/trace.md, "Replay")."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import AuthorizationStatus
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.replay import Comparison, Outcome, Player, played, recordings_of
from chargebyte_fw.kernel.snapshot import restored
from chargebyte_fw.kernel.trace import TOKENS, Entry, plain
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import events, signals
from chargebyte_fw.modules.evse.machine.composite import RANDOM_DELAY, EvseMachines, Fitted

DIGITS = 1e-9
EVENTS = {
    name: kind
    for module in (events, signals)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
}


def replay(entries: Sequence[Entry]) -> list[Outcome]:
    """Play each EVSE from the first moment at which the trace has all that its machines knew."""
    return [played(life, source, _Evse) for source, life in recordings_of(entries, "fitted")]


class _Evse:
    def __init__(self, entries: Sequence[Entry]) -> None:
        _, _, self._id, begins = entries[0]
        self._chance = [data for _, kind, source, data in entries if (kind, source) == ("chance", self._id)]
        name = f"{self._id}.{RANDOM_DELAY}"
        delays = [data for _, kind, source, data in entries if (kind, source) == ("chance", name)]
        config = msgspec.convert(begins["config"], EvseConfig, strict=False)
        fitted = msgspec.convert(begins["fitted"], Fitted)
        # What the trace does not have any more when it breaks off is in no output either.
        self._machines = EvseMachines(
            config, fitted, self._id, new_uuid=_next(self._chance, NO_UUID), draw=_next(delays, 0)
        )
        if not begins.get("fresh"):
            self._restore(begins["known"])
        self._event: Any = None
        self._player = Player(self._machines, self._act)
        self.comparison = Comparison(_describe, _same)
        self.inputs = 0

    def _restore(self, known: list[dict[str, Any]]) -> None:
        """Give the machines what they knew; at the begin of their life they are as new, whatever the version."""
        machines = list(self._machines.machines.values())
        if len(known) > len(machines):
            raise ValueError(f"the trace has {len(known)} machines, this version has {len(machines)}")
        # An older version had fewer: those of today that it lacked come last, and begin as new.
        for machine, one in zip(machines, known, strict=False):
            restored(machine, one)

    def take(self, t_s: float, kind: str, source: str, data: Any) -> None:
        """Take one entry: an input, an output, or one of another module."""
        if source != self._id and not source.startswith(f"{self._id}."):
            return
        name = source.removeprefix(f"{self._id}.")
        match kind:
            case "event":
                self._feed(_event(name, data), t_s)
            case "var" if name == "evse.powermeter":
                self._feed(events.MeterRead(msgspec.convert(data, Powermeter, strict=False)), t_s)
            case "wake":
                self._event = None
                self._player.overdue(t_s)
                self._player.woken(t_s)
            case "effect":
                self.comparison.recorded("effects", t_s, (name, data))

    def _feed(self, event: Any, t_s: float) -> None:
        self.inputs += 1
        self._event = None
        self._player.overdue(t_s)
        self._event = event
        self._player.feed(event, t_s)

    def _act(self, effect: Any, now: float) -> None:
        if effect is not self._event and not isinstance(effect, Unexpected):
            self.comparison.replayed("effects", now, (type(effect).__name__, plain(effect)))


NO_UUID = "00000000-0000-4000-8000-000000000000"


def _next(answers: list[Any], otherwise: Any) -> Callable[..., Any]:
    rest = iter(answers)
    return lambda *_: next(rest, otherwise)


def _event(name: str, data: Any) -> Any:
    event = msgspec.convert(data, EVENTS[name], strict=False)
    if isinstance(event, events.ContractRejected):
        return events.ContractRejected(AuthorizationStatus(event.status), event.certificate)
    return event


def _same(recorded: Any, replayed: Any) -> bool:
    return bool(recorded == replayed) or _alike(recorded, replayed)


def _alike(recorded: Any, replayed: Any) -> bool:
    """Equal but for the last digits of numbers, and for tokens, which are hidden in a trace."""
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        return recorded.keys() == replayed.keys() and all(
            key in TOKENS or _alike(value, replayed[key]) for key, value in recorded.items()
        )
    if isinstance(recorded, list | tuple) and isinstance(replayed, list | tuple):
        return len(recorded) == len(replayed) and all(map(_alike, recorded, replayed))
    if isinstance(recorded, float) and isinstance(replayed, float):
        return math.isclose(recorded, replayed, rel_tol=DIGITS, abs_tol=DIGITS)
    return bool(recorded == replayed)


def _describe(_stream: str, data: Any) -> str:
    name, fields = data
    if not isinstance(fields, dict):
        return str(name)
    return f"{name} {' '.join(f'{key}={value}' for key, value in fields.items())}".strip()
