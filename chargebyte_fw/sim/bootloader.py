"""The boot loader of the virtual safety controller, with every error reply; its flash is a `Chip`."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.messages import Command, Status
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.sim.chip import AREAS, SIGNATURE, Chip

MAX_BAUD = SIGNATURE.max_baud


class Mood(Enum):
    """Where the loader is."""

    MEASURING = auto()
    """Waits for zero bytes."""
    GREETING = auto()
    COMMANDS = auto()
    WRITING = auto()
    READING = auto()
    BUSY = auto()
    """The flash is at work; what comes in meanwhile is lost."""
    DEAD = auto()
    """No power."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Event: bytes from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Say:
    """Effect: bytes to the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Rate:
    """Effect: from the next byte on this baud rate."""

    baud: int


@dataclass
class Trouble:
    """What goes wrong on purpose."""

    refuse: dict[int, Status] = field(default_factory=dict)
    """Commands that are answered with a status."""
    mute: set[int] = field(default_factory=set)
    """Commands that are not answered; -1: the handshake, -2: the greeting."""
    power_fails_at: float | None = None
    """The power goes once, when this part (0 to 1) of the work is done."""
    power_fails_while: Command = Command.WRITE
    """The work: ERASE, WRITE, or READ of more than a packet, as for a comparison."""
    power_fails_in: m.AreaKind = m.AreaKind.CODE
    """The area whose work it is."""
    damage_replies: bool = False
    """Replies have a wrong checksum."""
    stuck_bits: int = 0
    """Bits of the first written byte that do not become what they should."""


@dataclass
class Speed:
    """How long the flash takes."""

    erase_block_s: float = 0.006
    write_packet_s: float = 0.0


class BootLoader(Machine):
    """One boot of the loader; make a new one for each reset."""

    def __init__(self, chip: Chip, trouble: Trouble | None = None, speed: Speed | None = None) -> None:
        super().__init__(Mood.MEASURING)
        self.chip = chip
        self.trouble = trouble or Trouble()
        self.speed = speed or Speed()
        self._packets = m.Packets(m.SOD_COMMAND, m.SOD_DATA)
        self._zeros = 0
        self._at = self._end = 0
        self._area = AREAS[0]
        self._dead_at: int | None = None
        self._after_work: list[Any] = []
        self._mood_after_work = Mood.COMMANDS

    @on(Mood.DEAD, Mood.BUSY, event=Heard)
    def _deaf(self, _: Heard, now: float) -> list[Any]:
        return []

    @on(Mood.MEASURING, event=Heard)
    def _measure(self, event: Heard, now: float) -> list[Any]:
        if -1 in self.trouble.mute:
            return []
        for byte in event.data:
            self._zeros = self._zeros + 1 if byte == 0 else 0
            if self._zeros == 2:
                return self.enter(Mood.GREETING, Say(m.LOW_PULSE))
        return []

    @on(Mood.GREETING, event=Heard)
    def _greet(self, event: Heard, now: float) -> list[Any]:
        if m.GENERIC_CODE not in event.data or -2 in self.trouble.mute:
            return []
        return self.enter(Mood.COMMANDS, Say(bytes((m.BOOT_CODE,))))

    @on(Mood.COMMANDS, Mood.WRITING, Mood.READING, event=Heard)
    def _heard(self, event: Heard, now: float) -> list[Any]:
        effects: list[Any] = []
        for packet in self._packets.feed(event.data):
            if isinstance(packet, m.Damaged):
                effects += self._refuse(Command.INQUIRY, packet.status)
            else:
                effects += self._take(packet, now)
        return effects

    def _take(self, packet: m.Packet, now: float) -> list[Any]:
        if packet.code in self.trouble.mute:
            return []
        if packet.code in self.trouble.refuse:
            return self._refuse(packet.code, self.trouble.refuse[packet.code])
        if packet.start == m.SOD_DATA:
            if self.state is Mood.WRITING and packet.code == Command.WRITE:
                return self._write(packet.data, now)
            if self.state is Mood.READING and packet.code == Command.READ and packet.data == b"\0":
                return self._read_on()
            return self._refuse(packet.code, Status.FLOW)
        if self.state is not Mood.COMMANDS:
            return self._refuse(packet.code, Status.FLOW)
        return self._obey(packet.code, packet.data, now)

    def _obey(self, code: int, data: bytes, now: float) -> list[Any]:
        sizes = {Command.INQUIRY: 0, Command.SIGNATURE: 0, Command.AREA_INFO: 1, Command.BAUD_RATE: 4}
        sizes.update({Command.ERASE: 8, Command.WRITE: 8, Command.READ: 8})
        if code not in sizes:
            return self._refuse(code, Status.UNSUPPORTED)
        if len(data) != sizes[Command(code)]:
            return self._refuse(code, Status.PACKET)
        match code:
            case Command.SIGNATURE:
                return [self._data(code, SIGNATURE.pack())]
            case Command.AREA_INFO if data[0] < len(AREAS):
                return [self._data(code, AREAS[data[0]].pack())]
            case Command.AREA_INFO:
                return self._refuse(code, Status.ADDRESS)
            case Command.BAUD_RATE:
                baud = struct.unpack(">I", data)[0]
                if not timing.FIRST_BAUD <= baud <= MAX_BAUD:
                    return self._refuse(code, Status.BAUD_MARGIN)
                return [self._ok(code), Rate(baud)]
            case Command.ERASE | Command.WRITE | Command.READ:
                start, end = struct.unpack(">II", data)
                return self._access(Command(code), start, end, now)
            case _:
                return [self._ok(code)]

    def _access(self, command: Command, start: int, end: int, now: float) -> list[Any]:
        area = self.chip.area_of(start, end)
        if area is None:
            return self._refuse(command, Status.ADDRESS)
        unit = {Command.ERASE: area.erase_unit, Command.WRITE: area.write_unit, Command.READ: 1}[command]
        if not unit or (start - area.start) % unit or (end + 1 - area.start) % unit:
            return self._refuse(command, Status.ADDRESS)
        if command is not Command.READ and area.kind in self.chip.protected:
            return self._refuse(command, Status.PROTECTED)
        self._area, self._at, self._end = area, start, end
        self._dead_at = self._last_address(command, area, start, end)
        if command is Command.READ:
            self.state = Mood.READING
            return self._read_on()
        if command is Command.WRITE:
            return self.enter(Mood.WRITING, self._ok(command))
        memory = self.chip.memory[area.kind]
        if self._dead_at is not None:
            whole = (self._dead_at - start) // unit * unit
            memory[start - area.start : start - area.start + whole] = b"\xff" * whole
            return self._die()
        memory[start - area.start : end + 1 - area.start] = b"\xff" * (end + 1 - start)
        self.chip.save()
        return self._work((end + 1 - start) // unit * self.speed.erase_block_s, Mood.COMMANDS, [self._ok(command)], now)

    def _last_address(self, command: Command, area: m.Area, start: int, end: int) -> int | None:
        """Return where in this work the power goes; None: it stays."""
        trouble = self.trouble
        if trouble.power_fails_at is None or (command, area.kind) != (
            trouble.power_fails_while,
            trouble.power_fails_in,
        ):
            return None
        if command is Command.READ and end - start < m.DATA_LIMIT:
            return None
        return start + int(trouble.power_fails_at * (end + 1 - start))

    def _die(self) -> list[Any]:
        self.trouble.power_fails_at = None
        self.chip.save()
        return self.enter(Mood.DEAD)

    def _write(self, data: bytes, now: float) -> list[Any]:
        if not data or self._at + len(data) > self._end + 1:
            return self._refuse(Command.WRITE, Status.PACKET)
        power_fails = self._dead_at is not None and self._at + len(data) > self._dead_at
        if self._dead_at is not None:
            data = data[: max(self._dead_at - self._at, 0)]
        memory, offset = self.chip.memory[self._area.kind], self._at - self._area.start
        if any(byte != 0xFF for byte in memory[offset : offset + len(data)]):
            return self._refuse(Command.WRITE, Status.WRITE_FAILED)
        memory[offset : offset + len(data)] = data
        if self.trouble.stuck_bits and offset == 0 and data:
            memory[0] ^= self.trouble.stuck_bits
        self._at += len(data)
        if power_fails:
            return self._die()
        done = self._at == self._end + 1
        if done:
            self.chip.save()
        mood = Mood.COMMANDS if done else Mood.WRITING
        return self._work(self.speed.write_packet_s, mood, [self._ok(Command.WRITE)], now)

    def _work(self, seconds: float, mood: Mood, effects: list[Any], now: float) -> list[Any]:
        if not seconds:
            return self.enter(mood, *effects)
        self._after_work, self._mood_after_work = effects, mood
        return self.enter(Mood.BUSY, until=now + seconds)

    @on(Mood.BUSY, event=Timeout)
    def _worked(self, _: Timeout, now: float) -> list[Any]:
        return self.enter(self._mood_after_work, *self._after_work)

    def _read_on(self) -> list[Any]:
        if self._at > self._end:
            return self._refuse(Command.READ, Status.FLOW)
        if self._dead_at is not None and self._at + m.DATA_LIMIT > self._dead_at:
            return self._die()
        offset = self._at - self._area.start
        data = self.chip.memory[self._area.kind][offset : offset + min(m.DATA_LIMIT, self._end + 1 - self._at)]
        self._at += len(data)
        if self._at > self._end:
            self.state = Mood.COMMANDS
        return [self._data(Command.READ, bytes(data))]

    def _refuse(self, code: int, status: Status) -> list[Any]:
        self.state = Mood.COMMANDS
        return [self._say(m.status_packet(code, status))]

    def _ok(self, code: int) -> Say:
        return self._say(m.status_packet(code))

    def _data(self, code: int, data: bytes) -> Say:
        return self._say(m.data_packet(code, data))

    def _say(self, packet: bytes) -> Say:
        if self.trouble.damage_replies:
            packet = packet[:-2] + bytes((packet[-2] ^ 0x01, packet[-1]))
        return Say(packet)
