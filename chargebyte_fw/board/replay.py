"""Offline tool: recorded frames of the safety controller go through link and driver again (docs/trace.md, "Replay")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.board.driver import effects
from chargebyte_fw.board.driver import events as orders
from chargebyte_fw.board.driver.machine import DriverMachine
from chargebyte_fw.board.driver.plug_lock import PlugLock, lock_tape
from chargebyte_fw.board.driver.wiring import Wiring
from chargebyte_fw.board.link import events as link
from chargebyte_fw.board.link.machine import LinkMachine, LinkState
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    ContactorState,
    FirmwareVersion,
    GitHash,
)
from chargebyte_fw.board.link.messages.framing import Frame, encode_message
from chargebyte_fw.board.link.messages.uart_reader import UartReader
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff
from chargebyte_fw.kernel.composite import receivers_of
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.replay import Comparison, Outcome, Player, made, play, ring_begins
from chargebyte_fw.kernel.trace import Entry

UART = "uart"
_IMPLEMENTATION = "evse_board_support"
_OF_DRIVER = (f"{_IMPLEMENTATION}.event", f"{_IMPLEMENTATION}.ac_pp_ampacity")


def replay(entries: Sequence[Entry]) -> list[Outcome]:
    """Play the board from its start, or, where that has left the ring, from what was known of it."""
    starts = [(place, entry) for place, entry in enumerate(entries) if entry[1] == "start" and _is_board(entry[3])]
    if not starts:
        return []
    place, (_, _, source, begins) = starts[-1]
    outcome = Outcome(source)
    board = made(outcome, lambda: _Board(source, begins))
    if board is None:
        return [outcome]
    past = ring_begins(entries)
    rest = entries[place + 1 :]
    if place < past:
        known, rest = entries[place + 1 : past], entries[past:]
        play(outcome, known[:1], lambda *_: board.resume(known, rest[0][0] if rest else 0.0))
    if not outcome.remark:
        play(outcome, rest, board.take)
    outcome.inputs, outcome.outputs = board.inputs, board.comparison.outputs
    outcome.difference = board.comparison.first_difference(entries[-1][0])
    return [outcome]


def _is_board(begins: Any) -> bool:
    return isinstance(begins, dict) and "socket" in begins


class _Board:
    def __init__(self, source: str, begins: dict[str, Any]) -> None:
        self._id = source
        speed = begins["speed"]
        self._link = Player(LinkMachine(speed), self._of_link)
        wiring = msgspec.convert(begins.get("wiring", {}), Wiring)
        self._driver = Player(DriverMachine(begins["socket"], tuple(begins["names"]), speed, wiring), self._of_driver)
        self._lock = Player(PlugLock(speed), self._of_driver)
        self._machines = {link.DRIVER: self._driver, link.PLUG_LOCK: self._lock}
        self._image: ChargeControl | None = None
        self._listening = True
        self.comparison = Comparison(_OutputText().text)
        self.inputs = 0

    def resume(self, known: Sequence[Entry], now: float) -> None:
        """Bring the machines to where they were, with the last of each kind that left the ring."""
        self._listening = False
        received = {data[0]: data for _, kind, source, data in known if (kind, source) == (UART, "mcu") and data}
        self._link.feed(link.Start(), now)
        self._link.feed(link.PortOpened(), now)
        for _ in range(2):
            if (due_s := self._link.machine.deadline) is not None:
                self._link.woken(due_s)
        for com_id in (FirmwareVersion.com_id, GitHash.com_id, *(i for i in received if i not in _INQUIRED)):
            if com_id in received:
                self._link.feed(
                    link.FrameReceived(Frame(com_id, _without_contactors(com_id, received[com_id][1:]))), now
                )
        for _, kind, source, data in known:
            if kind == "cmd":
                self.take(now, kind, source, data)
        if ChargeState.com_id in received:
            self._link.feed(link.FrameReceived(Frame(ChargeState.com_id, received[ChargeState.com_id][1:])), now)
        self._listening = True
        self.inputs = 0

    def take(self, t_s: float, kind: str, source: str, data: Any) -> None:
        """Take one entry: an input, an output, or one of another part."""
        if kind in (UART, "port", "cmd", "wake"):
            self._link.overdue(t_s)
            self._driver.overdue(t_s)
            self._lock.overdue(t_s)
        match kind, source, data:
            case "uart", "host", bytes():
                self.comparison.recorded("frames", t_s, data)
            case "uart", "mcu", bytes() if data:
                self.inputs += 1
                self._link.feed(link.FrameReceived(Frame(data[0], data[1:])), t_s)
            case "port", "uart", _:
                self._port(data, t_s)
            case "port", self._id, "halt":
                self._driver.feed(orders.Halt(), t_s)
            case "wake", "uart", last_s:
                self._link.machine.touch(last_s)  # type: ignore[attr-defined]
                self._link.woken(t_s)
            case "wake", self._id, _:
                self._driver.woken(t_s)
            case "wake", _, _ if source == lock_tape(self._id):
                self._lock.woken(t_s)
            case "cmd", _, [_, dict(arguments)] if source.startswith(f"{self._id}."):
                self.inputs += 1
                order = _order(source.removeprefix(f"{self._id}."), arguments)
                if order is not None:
                    self._feed(order, t_s)
            case "var", _, _ if source.removeprefix(f"{self._id}.") in _OF_DRIVER:
                self.comparison.recorded("variables", t_s, (source.rpartition(".")[2], data))

    def _port(self, data: Any, t_s: float) -> None:
        self.inputs += 1
        match data:
            case "start":
                self._link.feed(link.Start(), t_s)
            case "opened":
                self._link.feed(link.PortOpened(), t_s)
            case "stop":
                self._link.feed(link.Stop(), t_s)
            case "tripped":
                self._driver.feed(link.DeadManTripped(), t_s)
            case {"failed": str(why)}:
                self._link.feed(link.PortFailed(why), t_s)

    def _replayed(self, stream: str, now: float, data: Any) -> None:
        if self._listening:
            self.comparison.replayed(stream, now, data)

    def _feed(self, event: Any, now: float) -> None:
        """Give an order or a report to the machines that its class names."""
        for name in receivers_of(type(event)).machines:
            self._machines[name].feed(event, now)

    def _of_link(self, effect: Any, now: float) -> None:
        match effect:
            case link.SendFrame(frame):
                self._replayed("frames", now, frame)
            case link.StartCycle():
                self._image = None
            case link.OpenPort() | link.ClosePort() | link.HoldReset() | link.DiscardInput() | link.StopCycle():
                pass
            case _:
                self._feed(effect, now)

    def _of_driver(self, effect: Any, now: float) -> None:
        match effect:
            case effects.SetControl(control):
                if self._link.machine.state is LinkState.RUNNING and control != self._image:
                    self._image = control
                    self._replayed("frames", now, encode_message(control))
            case Publish(_, variable, value):
                self._replayed("variables", now, (variable, msgspec.to_builtins(value)))
            case effects.ResetController(why):
                self._link.feed(link.ResetRequest(why), now)
            case effects.RequestAction(action):
                self._link.feed(link.ActionRequest(action), now)


def _without_contactors(com_id: int, payload: bytes) -> bytes:
    """Return the controller's state as it was before the orders: contactors that are closed already would be welded."""
    if com_id != ChargeState.com_id:
        return payload
    state = ChargeState.from_payload(payload)
    closed = {
        f"contactor_{n}": ContactorState.OPEN
        for n, is_ in enumerate(state.contactors, 1)
        if is_ is ContactorState.CLOSED
    }
    return state.changed(hv_ready=False, **closed).payload()


_INQUIRED = (FirmwareVersion.com_id, GitHash.com_id)


def _order(command: str, arguments: dict[str, Any]) -> Any:
    match command.partition(".")[2], arguments:
        case "enable", {"value": bool(on)}:
            return orders.Enable(on)
        case "pwm_on", {"value": percent} if 0.0 <= percent <= 100.0:
            return orders.SetPilot(orders.PilotOutput(True, percent))
        case "cp_state_X1", _:
            return orders.SetPilot(orders.STATE_X1)
        case "cp_state_F", _:
            return orders.SetPilot(orders.STATE_F)
        case "cp_state_E", _:
            return orders.SetPilot(orders.STATE_E)
        case "allow_power_on", {"value": value}:
            order = msgspec.convert(value, PowerOnOff, strict=False)
            return orders.AllowPowerOn(order.allow_power_on, order.reason.value)
        case "ac_switch_three_phases_while_charging", {"value": bool(three)}:
            return orders.SwitchPhases(three)
        case "lock" | "unlock" as move, _:
            return orders.MovePlugLock(move == "lock")
        case "self_test", _:
            return orders.StartSelfTest()
    return None


class _OutputText:
    """Writes outputs as text."""

    def __init__(self) -> None:
        self._reader = UartReader()

    def text(self, stream: str, data: Any) -> str:
        if stream == "variables":
            return f"{data[0]} = {data[1]}"
        name, fields = self._reader.read(data)
        return " ".join([name, *(f"{key}={value}" for key, value in fields.items())])
