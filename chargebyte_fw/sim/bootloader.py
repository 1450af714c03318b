"""The boot loader of the virtual safety controller, with every error reply; its flash is a `Chip`."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.messages import Command, Status
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.sim.chip import AREAS, SIGNATURE, Chip

MAX_BAUD = SIGNATURE.max_baud
MUTE_HANDSHAKE, MUTE_GREETING = -1, -2
"""In `Trouble.mute`: the zero bytes, or the generic code, are not answered."""


class LoaderState(Enum):
    """Where the loader is."""

    MEASURING = auto()
    """Waits for two zero bytes, which show the rate."""
    GREETING = auto()
    """Waits for the generic code."""
    COMMANDS = auto()
    WRITING = auto()
    READING = auto()
    BUSY = auto()
    """The flash is at work; what is received meanwhile is lost."""
    DEAD = auto()
    """No power."""


_S = LoaderState
_TALKING = (_S.COMMANDS, _S.WRITING, _S.READING)
_AFTER_PACKET = (*_TALKING, _S.BUSY, _S.DEAD)


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Event: bytes from the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: bytes to the host."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SetBaud:
    """Effect: this baud rate from the next byte on."""

    baud: int


@dataclass
class Trouble:
    """What goes wrong on purpose."""

    refuse: dict[int, Status] = field(default_factory=dict)
    """Commands that are answered with a status."""
    mute: set[int] = field(default_factory=set)
    """Commands that are not answered; or MUTE_HANDSHAKE, MUTE_GREETING."""
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


@dataclass(slots=True)
class Access:
    """An erase, write or read of an area; replaced whole by the next."""

    area: m.Area
    at: int
    """The next address."""
    end: int
    """The last address, included."""
    dies_at: int | None = None
    """The address at which the power goes; None: it stays."""


class BootLoader(Machine):
    """One boot of the loader; make a new one for each reset."""

    initial = LoaderState.MEASURING

    def __init__(self, chip: Chip, trouble: Trouble | None = None, speed: Speed | None = None) -> None:
        super().__init__()
        self.chip = chip
        self.trouble = trouble or Trouble()
        self.speed = speed or Speed()
        self._packets = m.Packets(m.SOD_COMMAND, m.SOD_DATA)
        self._zeros = 0
        self._access = Access(AREAS[0], 0, 0)
        self._after_work: tuple[LoaderState, list[Any]] = (_S.COMMANDS, [])

    # The handshake.

    @on(_S.DEAD, _S.BUSY, event=BytesReceived)
    def _deaf(self, _: BytesReceived, now: float) -> None:
        """Receive nothing."""

    @on(_S.MEASURING, event=BytesReceived, to=_S.GREETING)
    def _measure(self, event: BytesReceived, now: float) -> list[Any]:
        """Acknowledge two zero bytes in a row."""
        if MUTE_HANDSHAKE in self.trouble.mute:
            return []
        for byte in event.data:
            self._zeros = self._zeros + 1 if byte == 0 else 0
            if self._zeros == 2:
                return self.enter(_S.GREETING, Transmit(m.LOW_PULSE))
        return []

    @on(_S.GREETING, event=BytesReceived, to=_S.COMMANDS)
    def _greet(self, event: BytesReceived, now: float) -> list[Any]:
        """Answer the generic code with the boot code."""
        if m.GENERIC_CODE not in event.data or MUTE_GREETING in self.trouble.mute:
            return []
        return self.enter(_S.COMMANDS, Transmit(bytes((m.BOOT_CODE,))))

    # Packets.

    @on(*_TALKING, event=BytesReceived, to=_AFTER_PACKET)
    def _received(self, event: BytesReceived, now: float) -> list[Any]:
        """Cut packets; each has a row of its own."""
        effects: list[Any] = []
        for packet in self._packets.feed(event.data):
            if isinstance(packet, m.Damaged):
                effects += self._refuse(Command.INQUIRY, packet.status)
            elif packet.code in self.trouble.mute:
                continue
            elif packet.code in self.trouble.refuse:
                effects += self._refuse(packet.code, self.trouble.refuse[packet.code])
            elif self.state in _TALKING:
                effects += self.feed(packet, now)
        return effects

    @on(_S.COMMANDS, event=m.Packet, to=_AFTER_PACKET)
    def _command(self, packet: m.Packet, now: float) -> list[Any]:
        """Obey a command; data was not asked for."""
        if packet.start == m.SOD_DATA:
            return self._refuse(packet.code, Status.FLOW)
        return self._obey(packet.code, packet.data, now)

    @on(_S.WRITING, event=m.Packet, to=_AFTER_PACKET)
    def _data_to_write(self, packet: m.Packet, now: float) -> list[Any]:
        """Write data; a command comes at the wrong time."""
        if packet.start == m.SOD_DATA and packet.code == Command.WRITE:
            return self._write(packet.data, now)
        return self._refuse(packet.code, Status.FLOW)

    @on(_S.READING, event=m.Packet, to=_AFTER_PACKET)
    def _acknowledged(self, packet: m.Packet, now: float) -> list[Any]:
        """Send the next data; anything but the acknowledgement comes at the wrong time."""
        if packet.start == m.SOD_DATA and packet.code == Command.READ and packet.data == b"\0":
            return self._read_on()
        return self._refuse(packet.code, Status.FLOW)

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
                return [self._ok(code), SetBaud(baud)]
            case Command.ERASE | Command.WRITE | Command.READ:
                start, end = struct.unpack(">II", data)
                return self._begin_access(Command(code), start, end, now)
            case _:
                return [self._ok(code)]

    def _begin_access(self, command: Command, start: int, end: int, now: float) -> list[Any]:
        area = self.chip.area_of(start, end)
        if area is None:
            return self._refuse(command, Status.ADDRESS)
        unit = {Command.ERASE: area.erase_unit, Command.WRITE: area.write_unit, Command.READ: 1}[command]
        if not unit or (start - area.start) % unit or (end + 1 - area.start) % unit:
            return self._refuse(command, Status.ADDRESS)
        if command is not Command.READ and area.kind in self.chip.protected:
            return self._refuse(command, Status.PROTECTED)
        self._access = access = Access(area, start, end, self._last_address(command, area, start, end))
        if command is Command.READ:
            self.enter(_S.READING)
            return self._read_on()
        if command is Command.WRITE:
            return self.enter(_S.WRITING, self._ok(command))
        memory = self.chip.memory[area.kind]
        if access.dies_at is not None:
            whole = (access.dies_at - start) // unit * unit
            memory[start - area.start : start - area.start + whole] = b"\xff" * whole
            return self._die()
        memory[start - area.start : end + 1 - area.start] = b"\xff" * (end + 1 - start)
        self.chip.save()
        return self._work((end + 1 - start) // unit * self.speed.erase_block_s, _S.COMMANDS, [self._ok(command)], now)

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
        return self.enter(_S.DEAD)

    def _write(self, data: bytes, now: float) -> list[Any]:
        access = self._access
        if not data or access.at + len(data) > access.end + 1:
            return self._refuse(Command.WRITE, Status.PACKET)
        power_fails = access.dies_at is not None and access.at + len(data) > access.dies_at
        if access.dies_at is not None:
            data = data[: max(access.dies_at - access.at, 0)]
        memory, offset = self.chip.memory[access.area.kind], access.at - access.area.start
        if any(byte != 0xFF for byte in memory[offset : offset + len(data)]):
            return self._refuse(Command.WRITE, Status.WRITE_FAILED)
        memory[offset : offset + len(data)] = data
        if self.trouble.stuck_bits and offset == 0 and data:
            memory[0] ^= self.trouble.stuck_bits
        access.at += len(data)
        if power_fails:
            return self._die()
        done = access.at == access.end + 1
        if done:
            self.chip.save()
        state = _S.COMMANDS if done else _S.WRITING
        return self._work(self.speed.write_packet_s, state, [self._ok(Command.WRITE)], now)

    def _work(self, seconds: float, state: LoaderState, effects: list[Any], now: float) -> list[Any]:
        if not seconds:
            return self.enter(state, *effects)
        self._after_work = (state, effects)
        self.start("work", now + seconds)
        return self.enter(_S.BUSY)

    @on(_S.BUSY, timer="work", to=(_S.COMMANDS, _S.WRITING))
    def _worked(self, now: float) -> list[Any]:
        """Answer when the flash is done."""
        state, effects = self._after_work
        return self.enter(state, *effects)

    def _read_on(self) -> list[Any]:
        access = self._access
        if access.at > access.end:
            return self._refuse(Command.READ, Status.FLOW)
        if access.dies_at is not None and access.at + m.DATA_LIMIT > access.dies_at:
            return self._die()
        offset = access.at - access.area.start
        size = min(m.DATA_LIMIT, access.end + 1 - access.at)
        data = self.chip.memory[access.area.kind][offset : offset + size]
        access.at += size
        if access.at > access.end:
            self.enter(_S.COMMANDS)
        return [self._data(Command.READ, bytes(data))]

    def _refuse(self, code: int, status: Status) -> list[Any]:
        self.enter(_S.COMMANDS)
        return [self._transmit(m.status_packet(code, status))]

    def _ok(self, code: int) -> Transmit:
        return self._transmit(m.status_packet(code))

    def _data(self, code: int, data: bytes) -> Transmit:
        return self._transmit(m.data_packet(code, data))

    def _transmit(self, packet: bytes) -> Transmit:
        if self.trouble.damage_replies:
            packet = packet[:-2] + bytes((packet[-2] ^ 0x01, packet[-1]))
        return Transmit(packet)
