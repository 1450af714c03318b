"""Offline tool: recorded SLAC frames and commands go through the EVSE's machine again (docs/trace.md, "Replay")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.replay import Comparison, Outcome, Player, played, ring_begins
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.modules.slac.capture import dissect
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    EnterBcd,
    EvMac,
    LeaveBcd,
    LinkDown,
    LinkUp,
    RequestErrorRoutine,
    Reset,
    Send,
    StateIs,
)
from chargebyte_fw.modules.slac.machine.evse import EvseSlac
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State, Vendor
from chargebyte_fw.modules.slac.machine.own_modem import OwnModem
from chargebyte_fw.modules.slac.messages import decode, mac_text

BEGINNINGS = (State.OFF, State.IDLE)
"""Where the machine stands when it can be played from there."""
KEYS = ("new_key", "nmk", "nid")
"""The recorder blanks keys, and what is derived from them is another one in the replay."""
_RESETS = ("dlink_terminate", "dlink_error")


def replay(entries: Sequence[Entry]) -> list[Outcome]:
    """Play each module from its first recorded state on."""
    outcomes = []
    seen = set()
    begin = ring_begins(entries)
    for place, (_, kind, source, data) in enumerate(entries):
        if place < begin or kind != "start" or source in seen or not isinstance(data, dict) or "vendor" not in data:
            continue
        if any(data.get("state") == state.name for state in BEGINNINGS):
            seen.add(source)
            outcomes.append(played(entries[place:], source, _Matching))
    return outcomes


class _Matching:
    def __init__(self, entries: Sequence[Entry]) -> None:
        _, _, self._id, begins = entries[0]
        self._device = begins["device"]
        machine = EvseSlac(msgspec.convert(begins["options"], EvseOptions, strict=False), lambda: bytes(16))
        machine.state, machine.vendor = State[begins["state"]], Vendor[begins["vendor"]]
        machine.mac, machine.nmk, machine.modem = bytes(begins["mac"]), bytes(16), OwnModem(begins.get("modem"))
        self.player = Player(machine, self._act)
        self.comparison = Comparison(_text_of, _same)
        self.inputs = 0
        if begins.get("car_comes"):
            # The command was recorded before the state of the machine.
            self.player.feed(EnterBcd(), entries[0][0])

    def take(self, t_s: float, kind: str, source: str, data: Any) -> None:
        """Take one entry: an input, an output, or one of another module."""
        event: Any = None
        match kind, source, data:
            case "slac", self._device, bytes():
                self.player.overdue(t_s)
                if data[6:12] == self.player.machine.mac:  # type: ignore[attr-defined]
                    self.comparison.recorded("frames", t_s, data)
                    return
                try:
                    event = decode(data)
                except PeerError:
                    return
            case "port", self._id, {"up": bytes(mac)}:
                event = LinkUp(mac)
            case "port", self._id, {"down": _}:
                event = LinkDown()
            case "wake", self._id, _:
                self.player.overdue(t_s)
                self.player.woken(t_s)
                return
            case "cmd", _, [_, dict(arguments)] if source.startswith(f"{self._id}.main."):
                event = _order(source.rpartition(".")[2], arguments)
            case "var", _, _ if source.startswith(f"{self._id}.main."):
                self.comparison.recorded("variables", t_s, (source.rpartition(".")[2], data))
                return
        if event is not None:
            self.inputs += 1
            self.player.overdue(t_s)
            self.player.feed(event, t_s)

    def _act(self, effect: Any, now: float) -> None:
        replayed = self.comparison.replayed
        match effect:
            case Send(frame):
                replayed("frames", now, frame.encode())
            case StateIs(state):
                replayed("variables", now, ("state", state.value))
            case DlinkReady(up):
                replayed("variables", now, ("dlink_ready", up))
            case EvMac(mac):
                replayed("variables", now, ("ev_mac_address", mac_text(mac)))
            case RequestErrorRoutine():
                replayed("variables", now, ("request_error_routine", None))


def _order(command: str, arguments: dict[str, Any]) -> Any:
    if command == "enter_bcd":
        return EnterBcd()
    if command == "leave_bcd":
        return LeaveBcd()
    if command in _RESETS or (command == "reset" and arguments.get("enable") is False):
        return Reset()
    return None


def _same(recorded: Any, replayed: Any) -> bool:
    if not isinstance(recorded, bytes) or not isinstance(replayed, bytes) or recorded == replayed:
        return bool(recorded == replayed)
    theirs, ours = dissect(recorded), dissect(replayed)
    if theirs.error or not any(key in theirs.fields for key in KEYS):
        return False
    apart = dict.fromkeys(KEYS)
    return recorded[:14] == replayed[:14] and {**theirs.fields, **apart} == {**ours.fields, **apart}


def _text_of(stream: str, data: Any) -> str:
    if stream == "variables":
        return f"{data[0]} = {data[1]}"
    found = dissect(data)
    fields = " ".join(f"{key}={value}" for key, value in found.fields.items() if key not in KEYS)
    return f"{found.title} {found.error or fields}".strip()
