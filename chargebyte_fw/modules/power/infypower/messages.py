"""Every Infypower frame that BEG and BEC modules know, as declarations.

The 29-bit id has sender and receiver (or a group of receivers), the first two bytes the item, the last four the value.
The master of a group answers for all in what concerns the group (selectors `10 ..`); in what concerns the modules
(selectors `11 ..`, `21 ..`) each of them answers with its own address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from chargebyte_fw.kernel.can_bus import EXTENDED, CanFrame
from chargebyte_fw.kernel.errors import PeerError

CLAUSE = "Infypower CAN"
FRAME_BYTES = 8
BROADCAST = 0x3F
DEVICE_SINGLE, DEVICE_GROUP = 0x0A, 0x0B


class Command(IntEnum):
    """What is wanted; the answer repeats it."""

    READ = 0x23
    WRITE = 0x24


class Outcome(IntEnum):
    """How a module takes a command."""

    NORMAL = 0
    COMMAND_INVALID = 2
    DATA_INVALID = 3
    STARTING = 7


class Address(NamedTuple):
    """The 29-bit id."""

    command: int
    destination: int
    source: int
    device: int = DEVICE_GROUP
    error: int = Outcome.NORMAL

    @property
    def id(self) -> int:
        """The id with SocketCAN's flag for 29 bits."""
        return (
            EXTENDED | self.error << 26 | self.device << 22 | self.command << 16 | self.destination << 8 | self.source
        )

    @classmethod
    def of(cls, identifier: int) -> Address:
        """Take an id apart."""
        return cls(
            identifier >> 16 & 0x3F,
            identifier >> 8 & 0xFF,
            identifier & 0xFF,
            identifier >> 22 & 0xF,
            identifier >> 26 & 0x7,
        )


class Kind(Enum):
    """How the value lies in the last bytes."""

    MILLI = "signed thousandths in B4 to B7"
    COUNT = "u16 in B6 and B7"
    WORD = "one byte, B7"
    STATUS = "alarm bits in B5 to B7"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to read or to write. `everyone`: each module of the group answers, otherwise its master alone."""

    name: str
    command: Command
    selector: int
    kind: Kind
    unit: str = ""
    everyone: bool = False


VOLTAGE = Item("read voltage", Command.READ, 0x1001, Kind.MILLI, "V")
CURRENT = Item("read current", Command.READ, 0x1002, Kind.MILLI, "A")
COUNT = Item("read module count", Command.READ, 0x1010, Kind.COUNT)
STATUS = Item("read status", Command.READ, 0x1110, Kind.STATUS, everyone=True)
MAX_VOLTAGE = Item("read greatest voltage", Command.READ, 0x1130, Kind.MILLI, "V", everyone=True)
MIN_VOLTAGE = Item("read least voltage", Command.READ, 0x1131, Kind.MILLI, "V", everyone=True)
MAX_CURRENT = Item("read greatest current", Command.READ, 0x1132, Kind.MILLI, "A", everyone=True)
MAX_POWER = Item("read greatest power", Command.READ, 0x1133, Kind.MILLI, "W", everyone=True)
SET_VOLTAGE = Item("set voltage", Command.WRITE, 0x1001, Kind.MILLI, "V")
SET_CURRENT = Item("set current", Command.WRITE, 0x1002, Kind.MILLI, "A")
SWITCH = Item("switch", Command.WRITE, 0x1110, Kind.WORD, everyone=True)
SET_CUT_OFF = Item("set cut-off voltage", Command.WRITE, 0x1132, Kind.MILLI, "V", everyone=True)
DIRECTION = Item("set direction", Command.WRITE, 0x2110, Kind.WORD, everyone=True)

ITEMS = (
    VOLTAGE,
    CURRENT,
    COUNT,
    STATUS,
    MAX_VOLTAGE,
    MIN_VOLTAGE,
    MAX_CURRENT,
    MAX_POWER,
    SET_VOLTAGE,
    SET_CURRENT,
    SWITCH,
    SET_CUT_OFF,
    DIRECTION,
)
LIMITS = (MAX_VOLTAGE, MIN_VOLTAGE, MAX_CURRENT, MAX_POWER)
POLLED = (VOLTAGE, CURRENT, STATUS)
_BY_SELECTOR = {(item.command, item.selector): item for item in ITEMS}

ON, OFF = 0xA0, 0xA1
"""Values of SWITCH."""
EXPORT, IMPORT = 0xA0, 0xA1
"""Values of DIRECTION: towards the car, from the car."""


class Alarm(NamedTuple):
    """A bit of the status and the error of `power_supply_DC` that it means."""

    byte: int
    bit: int
    error: str
    sub_type: str
    text: str

    @property
    def mask(self) -> int:
        """Its bit in the status as one number (B5 highest)."""
        return 1 << (8 * (7 - self.byte) + self.bit)


ALARMS = (
    Alarm(7, 0, "VendorError", "Output Short Circuit", "the output is short-circuited"),
    Alarm(7, 5, "VendorError", "Discharge Abnormal", "the output does not discharge"),
    Alarm(6, 1, "VendorError", "Fault Alarm", "the module reports a fault"),
    Alarm(6, 2, "VendorError", "Protection Alarm", "the module protects itself"),
    Alarm(6, 3, "VendorError", "Fan Fault Alarm", "the fan is faulty"),
    Alarm(6, 4, "OverTemperature", "", "the module is too hot"),
    Alarm(6, 5, "OverVoltageDC", "", "the voltage at the output is too high"),
    Alarm(5, 5, "UnderVoltageAC", "", "the grid's voltage is too low"),
    Alarm(5, 6, "OverVoltageAC", "", "the grid's voltage is too high"),
)
STATUS_OFF = 1 << 8
"""In a status: the output is off (B6 bit 0)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A frame, decoded: a question or a command to a group, or one module's answer. Milli-values are in V, A, W."""

    item: Item
    value: float
    source: int
    destination: int
    error: int = Outcome.NORMAL
    device: int = DEVICE_GROUP

    def frame(self) -> CanFrame:
        """Return the frame; raises ValueError for a value that does not fit."""
        address = Address(self.item.command, self.destination, self.source, self.device, self.error)
        match self.item.kind:
            case Kind.MILLI:
                number, signed = round(self.value * 1000), True
            case _:
                number, signed = int(self.value), False
        try:
            value = number.to_bytes(4, "big", signed=signed)
        except OverflowError as error:
            raise ValueError(f"{self.item.name}: {self.value:g} {self.item.unit} does not fit into a frame") from error
        return CanFrame(address.id, self.item.selector.to_bytes(2, "big") + b"\0\0" + value)


def read(frame: CanFrame) -> Message | None:
    """Read a frame; None for one of another protocol or selector. Raises PeerError for one of the wrong length."""
    address = Address.of(frame.id)
    if not frame.id & EXTENDED or address.command not in (Command.READ, Command.WRITE):
        return None
    if len(frame.data) != FRAME_BYTES:
        raise PeerError(CLAUSE, f"a frame of {len(frame.data)} bytes from {address.source}")
    item = _BY_SELECTOR.get((Command(address.command), int.from_bytes(frame.data[:2], "big")))
    if item is None:
        return None
    match item.kind:
        case Kind.MILLI:
            value = int.from_bytes(frame.data[4:8], "big", signed=True) / 1000
        case Kind.COUNT:
            value = int.from_bytes(frame.data[6:8], "big")
        case Kind.WORD:
            value = frame.data[7]
        case Kind.STATUS:
            value = int.from_bytes(frame.data[5:8], "big")
    return Message(item, value, address.source, address.destination, address.error, address.device)


@dataclass(frozen=True, slots=True)
class BusUp:
    """Event: the bus is open."""


@dataclass(frozen=True, slots=True)
class BusDown:
    """Event: the bus is gone, or cannot be opened."""

    why: str


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send this frame."""

    frame: CanFrame


@dataclass(frozen=True, slots=True)
class Raise:
    """Effect: this error of `power_supply_DC` is there."""

    error: str
    sub_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Effect: this error is gone."""

    error: str
    sub_type: str


@dataclass(frozen=True, slots=True)
class Report:
    """Effect: something for people (`level` as in logging)."""

    level: int
    text: str
