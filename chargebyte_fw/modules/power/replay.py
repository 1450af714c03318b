"""Offline tool: recorded CAN frames and commands go through the group of power modules again (docs/trace.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.power_supply_DC import VoltageCurrent
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.replay import Comparison, Outcome, Player, played, recordings_of
from chargebyte_fw.kernel.snapshot import restored
from chargebyte_fw.kernel.trace import Entry, plain
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.limits import LimitsAre, Options
from chargebyte_fw.modules.power.infypower.link import FOREIGN, TRACE_KIND
from chargebyte_fw.modules.power.infypower.machine import InfypowerGroup
from chargebyte_fw.modules.power.infypower.sharing import LEAST_CONTROLLER
from chargebyte_fw.modules.power.infypower.timing import Times
from chargebyte_fw.modules.power.infypower_dc_supply import capabilities
from chargebyte_fw.modules.power.messages import ModeIs, Output, SetExport, SetImport, SetMode

EVENTS: dict[str, Any] = {kind.__name__: kind for kind in (m.BusUp, m.BusDown, SetMode, SetExport, SetImport)}
_VALUE_NAMES = {m.SWITCH: {m.ON: "on", m.OFF: "off"}, m.DIRECTION: {m.EXPORT: "export", m.IMPORT: "import"}}
_PUBLISHED = ("main.mode", "main.voltage_current", "main.capabilities")


def replay(entries: Sequence[Entry]) -> list[Outcome]:
    """Play each group from the first moment at which the trace has all that it knew."""
    return [played(life, source, _Group) for source, life in recordings_of(entries, "times")]


class _Group:
    def __init__(self, entries: Sequence[Entry]) -> None:
        _, _, self._id, begins = entries[0]
        self._device = begins["device"]
        self._options = msgspec.convert(begins["options"], Options)
        machine = InfypowerGroup(self._options, msgspec.convert(begins["times"], Times, strict=False))
        (known,) = begins["known"]
        restored(machine, known, m.ITEMS)
        self._player = Player(machine, self._act)
        self._bus = True
        self.comparison = Comparison(_text_of)
        self.inputs = 0

    def take(self, t_s: float, kind: str, source: str, data: Any) -> None:
        """Take one entry: an input, an output, or one of another module."""
        match kind:
            case "can" if source == self._device and kind == TRACE_KIND:
                self._frame(CanFrame.decode(data), t_s)
            case "can" if source == f"{self._device}{FOREIGN}":
                self._feed(CanFrame.decode(data), t_s)
            case "port" if source == self._device:
                # What is sent until the group is notified is lost, and in no trace.
                self._bus = False
            case "event" if source.startswith(f"{self._id}."):
                event = msgspec.convert(data, EVENTS[source.removeprefix(f"{self._id}.")], strict=False)
                self._bus = True
                self._feed(event, t_s)
            case "wake" if source == self._id:
                self._player.overdue(t_s)
                self._player.woken(t_s)
            case "var" if source.startswith(f"{self._id}.") and (name := source[len(self._id) + 1 :]) in _PUBLISHED:
                self.comparison.recorded("variables", t_s, (name, data))
            case "fault" if source == f"{self._id}.main":
                what = ("raised" if data["state"] == "Active" else "cleared", data["type"], data["sub_type"])
                self.comparison.recorded("faults", t_s, what)

    def _frame(self, frame: CanFrame, t_s: float) -> None:
        if frame.id & 0xFF == self._options.source:
            self.comparison.recorded("frames", t_s, frame)
        else:
            self._feed(frame, t_s)

    def _feed(self, event: Any, t_s: float) -> None:
        self.inputs += 1
        self._player.overdue(t_s)
        self._player.feed(event, t_s)

    def _act(self, effect: Any, now: float) -> None:
        replayed = self.comparison.replayed
        match effect:
            case m.Transmit(frame) if self._bus:
                replayed("frames", now, frame)
            case Output(voltage_V, current_A):
                output = VoltageCurrent(voltage_V=voltage_V, current_A=current_A)
                replayed("variables", now, ("main.voltage_current", plain(output)))
            case ModeIs(mode):
                replayed("variables", now, ("main.mode", mode.value))
            case LimitsAre(limits):
                can = capabilities(limits, bidirectional=self._options.bidirectional)
                replayed("variables", now, ("main.capabilities", plain(can)))
            case m.Raise(error, sub_type, _):
                replayed("faults", now, ("raised", f"power_supply_DC/{error}", sub_type))
            case m.Clear(error, sub_type):
                replayed("faults", now, ("cleared", f"power_supply_DC/{error}", sub_type))


def _text_of(stream: str, data: Any) -> str:
    if stream == "variables":
        return f"{data[0]} = {data[1]}"
    if stream == "faults":
        return " ".join(data)
    return text_of(data)


def text_of(frame: CanFrame) -> str:
    """Write a frame for people."""
    try:
        found = m.read(frame)
    except PeerError as error:
        return str(error)
    if found is None:
        return f"{frame.id:#x} {frame.data.hex()}"
    ends = f"{found.source} to {found.destination}"
    if found.error != m.Outcome.NORMAL:
        return f"{ends}: {found.item.name}: error {found.error}"
    if found.item.command is m.Command.READ and found.source >= LEAST_CONTROLLER:
        return f"{ends}: {found.item.name}?"
    return f"{ends}: {found.item.name} {_value(found)}"


def _value(found: m.Message) -> str:
    if found.item is m.STATUS:
        return f"{int(found.value):#08x}"
    word = _VALUE_NAMES.get(found.item, {}).get(int(found.value))
    return word or f"{found.value:g} {found.item.unit}".rstrip()
