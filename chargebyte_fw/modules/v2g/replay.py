"""Offline tool: recorded V2G connections go through the SECC's machine again (docs/trace.md, "Replay")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_type_hints

import msgspec

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.types.iso15118_vas import ParameterSet
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.replay import Comparison, Outcome, Player, made, play, ring_begins
from chargebyte_fw.kernel.trace import BLANK, TOKENS, Entry
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.back_end_schedules import SchedulesImpl
from chargebyte_fw.modules.v2g.capture.reading import Reader
from chargebyte_fw.modules.v2g.capture.traffic import Origin, V2gFrame, of_octets
from chargebyte_fw.modules.v2g.exi.rendering import one_line
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl, Iso15118ExtensionsImpl
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, SessionFacts, Settings
from chargebyte_fw.modules.v2g.secc.protocol import Environment
from chargebyte_fw.modules.v2g.secc.registry import protocols
from chargebyte_fw.modules.v2g.security import Security

_PROVIDED = {
    Iso15118ChargerImpl.interface: "charger",
    Iso15118ExtensionsImpl.interface: "extensions",
    CbIso15118Schedules.interface: "schedules",
    GridSupport.interface: "grid_support",
}
"""The module's names for what it provides, by interface."""
AFTERMATH_S = 0.2
"""Variables of a session may be recorded this long after its end."""


def replay(entries: Sequence[Entry]) -> list[Outcome]:
    """Play every connection whose opening is in the trace."""
    outcomes = []
    begin = ring_begins(entries)
    opened = [
        place
        for place, (_, kind, _, data) in enumerate(entries)
        if place >= begin and kind == "conn" and isinstance(data, dict) and "opened" in data and "facts" in data
    ]
    for number, place in enumerate(opened, 1):
        source = entries[place][2]
        following = next((p for p in opened[number:] if entries[p][2] == source), len(entries))
        outcomes.append(_one(entries[place:following], f"{source}, connection {number} of {len(opened)}"))
    return outcomes


def _one(entries: Sequence[Entry], what: str) -> Outcome:
    outcome = Outcome(what)
    connection = made(outcome, lambda: _Connection(entries))
    if connection is None:
        return outcome
    play(outcome, entries, connection.take)
    outcome.inputs = connection.inputs
    outcome.outputs = connection.comparison.outputs
    outcome.difference = connection.comparison.first_difference(entries[-1][0])
    return outcome


class _Engine:
    """Stands in for module and engine: the commands write into its facts."""

    def __init__(self, facts: ChargerFacts) -> None:
        self.log = ModuleLog("replay")
        self.engine = self
        self.facts = facts
        self.served = list(facts.app_protocols)
        self.debug = False
        self.changed = False

    def facts_changed(self) -> None:
        self.changed = True

    def compile_codecs(self) -> None:
        """Each is compiled at its first message."""

    def data_link(self, ready: bool) -> None:
        """What it leads to is in the trace by itself."""

    def is_connected(self) -> bool:
        return True


class _Connection:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._began_s, _, self._id, begins = entries[0]
        self._began = datetime.fromisoformat(begins["wall"]).astimezone(UTC)
        self._read = [data for _, kind, source, data in entries if (kind, source) == ("wall", self._id)]
        self._now = self._began_s
        self._drawn = [data for _, kind, source, data in entries if (kind, source) == ("chance", self._id)]
        # A trace of an earlier version has no schedules of cars.
        self._later = () if "back_end" in begins["facts"] else (CbIso15118Schedules.interface,)
        self._engine = _Engine(_facts(begins["facts"]))
        self._charger = Iso15118ChargerImpl.__new__(Iso15118ChargerImpl)
        self._charger.module = self._engine
        self._extensions = Iso15118ExtensionsImpl.__new__(Iso15118ExtensionsImpl)
        self._extensions.module = self._engine
        self._schedules = SchedulesImpl.__new__(SchedulesImpl)
        self._schedules.module = self._engine
        environment = Environment(self._chance, self._wall)
        settings = msgspec.convert(begins["settings"], Settings)
        machine = Secc(protocols(), self._engine.facts, settings, environment)
        self._player = Player(machine, self._act)
        self._reader = Reader()
        self.comparison = Comparison(self._text_of)
        self.inputs = 0
        self._ended_s: float | None = None

    def _wall(self) -> datetime:
        if self._read:
            return datetime.fromisoformat(self._read.pop(0)).astimezone(UTC)
        return self._began + timedelta(seconds=self._now - self._began_s)

    def _chance(self, count: int) -> bytes:
        return self._drawn.pop(0) if self._drawn else bytes(count)

    def take(self, t_s: float, kind: str, source: str, data: Any) -> None:  # noqa: C901 (one case each)
        """Take one entry: an input, an output, or another module's."""
        if self._ended_s is not None and t_s > self._ended_s + AFTERMATH_S:
            return
        self._now = t_s
        own = source == self._id or source.startswith(f"{self._id}.")
        if not own:
            return
        name = source[len(self._id) + 1 :]
        player = self._player
        if kind in ("v2g", "conn", "cmd", "wake"):
            player.overdue(t_s)
        match kind, name, data:
            case "conn", "", {"opened": _}:
                player.feed(out.Connected(msgspec.convert(data.get("security", {}), Security)), t_s)
            case "v2g", "car", bytes():
                self.inputs += 1
                player.feed(out.Received(data), t_s)
            case "v2g", "charger", bytes():
                self.comparison.recorded("frames", t_s, data)
            case "wake", "secc", _:
                player.woken(t_s)
            case "conn", "", {"closed": _}:
                self.inputs += 1
                player.feed(out.Disconnected(), t_s)
            case "conn", "", {"lost": str(reason)}:
                self.inputs += 1
                player.feed(out.LinkLost(reason), t_s)
            case "conn", "", {"ended": how}:
                self._ended_s = t_s
                self.comparison.recorded("end", t_s, how)
            case "cmd", _, [_, dict(arguments)] if name.startswith(("charger.", "extensions.", "schedules.")):
                self.inputs += 1
                self._command(name, arguments, t_s)
            case "answer", "get_service_parameters", [service_id, sets]:
                known = self._engine.facts.session.service_parameters
                known[service_id] = msgspec.convert(sets, list[ParameterSet] | None)
                player.feed(out.FactsChanged(), t_s)
            case "answer", "verify_contract", dict():
                self._engine.facts.session.contract_verification = msgspec.convert(data, ContractVerification)
                player.feed(out.FactsChanged(), t_s)
            case "var", _, _ if name in _published():
                self.comparison.recorded("variables", t_s, (name, _without_tokens(data)))

    def _command(self, name: str, arguments: dict[str, Any], t_s: float) -> None:
        provided, _, command_name = name.partition(".")
        implementation: Contract = getattr(self, f"_{provided}")
        hints = _hints(type(implementation), command_name)
        given = {key: msgspec.convert(value, hints.get(key, Any), strict=False) for key, value in arguments.items()}
        command = getattr(implementation, command_name)(**given)
        try:
            command.send(None)
        except StopIteration:
            pass
        finally:
            command.close()
        if self._engine.changed:
            self._engine.changed = False
            self._player.feed(out.FactsChanged(), t_s)

    def _act(self, effect: Any, now: float) -> None:
        match effect:
            case out.Send(data):
                self.comparison.replayed("frames", now, data)
            case Publish(interface, _, _) if interface in self._later:
                return
            case Publish(interface, variable, value):
                plain = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=repr)
                name = f"{_PROVIDED[interface]}.{variable}"
                self.comparison.replayed("variables", now, (name, _without_tokens(plain)))
            case out.Ended(how):
                self.comparison.replayed("end", now, how)

    def _text_of(self, stream: str, data: Any) -> str:
        if stream == "variables":
            return f"{data[0]} = {data[1]}"
        if stream == "end":
            return f"the end by {data}"
        item = of_octets(data, Origin("replay"))
        if not isinstance(item, V2gFrame) or item.payload_type != v2gtp.EXI_DIN_ISO2:
            return str(data.hex())
        reading = self._reader.read(item)
        return f"{reading.message} {one_line(reading.content) if isinstance(reading.content, dict) else ''}".strip()


def _facts(recorded: dict[str, Any]) -> ChargerFacts:
    """Return the recorded facts; a trace of an earlier version has those of the session among the others."""
    facts = msgspec.convert(recorded, ChargerFacts, strict=False)
    if "session" not in recorded:
        facts.session = msgspec.convert(recorded, SessionFacts, strict=False)
    return facts


def _without_tokens(value: Any) -> Any:
    """Return a value without what identifies a person, which is hidden in a trace."""
    if isinstance(value, dict):
        return {key: BLANK if key in TOKENS else _without_tokens(member) for key, member in value.items()}
    return [_without_tokens(member) for member in value] if isinstance(value, list) else value


@cache
def _hints(implementation: type[Any], command: str) -> dict[str, Any]:
    return get_type_hints(getattr(implementation, command))


@cache
def _published() -> frozenset[str]:
    """Every variable that a session publishes; the others are the module's own."""
    own = {"v2g_messages", "supported_app_protocols_secc", "service_renegotiation_supported"}
    provided: tuple[tuple[str, type[Contract]], ...] = (
        ("charger", Iso15118ChargerImpl),
        ("extensions", Iso15118ExtensionsImpl),
        ("schedules", SchedulesImpl),
        ("grid_support", GridSupport),
    )
    return frozenset(f"{where}.{name}" for where, kind in provided for name in kind.variables if name not in own)
