"""The parameter block, declared: every value with its place in each version, and the bytes around them.

Little-endian, between two markers, with a CRC-8 as last byte. Version 0 is the unversioned block of old firmware. The
order of bytes of version 3 is not published: such a block is kept as it is, its own values are only known in YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chargebyte_fw.board.params import value_types
from chargebyte_fw.board.params.value_types import ValueType

MARKER = 0xC001F00D.to_bytes(4, "little")
SIZES = {0: 22, 1: 39, 2: 44}
"""Bytes of a whole block, by version."""
NEWEST = max(SIZES)
OPAQUE_LIMIT = 1024
_TAIL_BYTES = len(MARKER) + 1
_TABLE = []
for _value in range(256):
    for _ in range(8):
        _value = ((_value << 1) ^ 0x2F if _value & 0x80 else _value << 1) & 0xFF
    _TABLE.append(_value)


def crc8(data: bytes | bytearray) -> int:
    """CRC-8 with polynomial 0x2F, start 0xFF, result inverted."""
    crc = 0xFF
    for byte in data:
        crc = _TABLE[crc ^ byte]
    return crc ^ 0xFF


class BadBlock(Exception):
    """Bytes that are no parameter block, and why."""


@dataclass(frozen=True)
class Field:
    """One value, or the same value of each item of a list."""

    group: str
    key: str
    """Empty: the item is nothing but this value."""
    kind: ValueType
    at: Mapping[int, int] = field(default_factory=dict, hash=False)
    """Offset of the first item, by version; a version that is missing does not have it."""
    counts: Mapping[int, int] = field(default_factory=dict, hash=False)
    """Number of items where a version has another one than the group."""

    def name(self, index: int | None = None) -> str:
        """The value's name for a person, counted from one."""
        item = self.group if index is None else f"{self.group} {index + 1}"
        return f"{item} {self.key}".rstrip()


@dataclass(frozen=True)
class Group:
    """One key of the YAML file: a list of `count` items, or (0) a single one."""

    name: str
    count: int
    fields: tuple[Field, ...]
    scalar: Field | None
    """The value that an item may be instead of a map; None: only a word for "not used"."""

    @property
    def items(self) -> int:
        """Number of items."""
        return self.count or 1


def _same(offset: int, *versions: int) -> dict[int, int]:
    return dict.fromkeys(versions, offset)


ABORT_TEMPERATURE = Field("pt1000s", "abort-temperature", value_types.TEMPERATURE, {0: 4, 1: 6, 2: 6})
RESISTANCE_OFFSET = Field("pt1000s", "resistance-offset", value_types.RESISTANCE, _same(14, 1, 2))
CONTACTOR_TYPE = Field("contactors", "type", value_types.CONTACTOR, {0: 12, 1: 22, 2: 22}, {0: 2})
CLOSE_TIME = Field("contactors", "close-time", value_types.TIME_10_MS, _same(25, 1, 2))
OPEN_TIME = Field("contactors", "open-time", value_types.TIME_10_MS, _same(28, 1, 2))
HOLD_DUTY_CYCLE = Field("contactors", "hold-duty-cycle", value_types.PERCENT)
ESTOP = Field("estops", "", value_types.POLARITY, {0: 14, 1: 31, 2: 31})
RCM_FAULT = Field("rcm", "fault-polarity", value_types.POLARITY, {2: 34})
RCM_TEST = Field("rcm", "test-polarity", value_types.POLARITY, {2: 35})
RCM_TIMES = (
    Field("rcm", "test-trigger-time", value_types.TIME_20_MS, {2: 36}),
    Field("rcm", "test-check-tripped-time", value_types.TIME_20_MS, {2: 37}),
    Field("rcm", "test-check-normal-time", value_types.TIME_20_MS, {2: 38}),
)
LOCK_TYPE = Field("pluglock", "type", value_types.PLUG_LOCK)
LOCK_TIMES = (
    Field("pluglock", "close-time", value_types.TIME_10_MS),
    Field("pluglock", "open-time", value_types.TIME_10_MS),
)
LOCK_VOLTAGES = (
    Field("pluglock", "feedback-open-voltage-min", value_types.VOLTAGE),
    Field("pluglock", "feedback-open-voltage-max", value_types.VOLTAGE),
    Field("pluglock", "feedback-closed-voltage-min", value_types.VOLTAGE),
    Field("pluglock", "feedback-closed-voltage-max", value_types.VOLTAGE),
)
MOTOR_DRIVER_FAULT = Field("motor-driver-fault", "", value_types.POLARITY)
IMD = Field("imd", "", value_types.POLARITY)

GROUPS = (
    Group("pt1000s", 4, (ABORT_TEMPERATURE, RESISTANCE_OFFSET), ABORT_TEMPERATURE),
    Group("contactors", 3, (CONTACTOR_TYPE, CLOSE_TIME, OPEN_TIME, HOLD_DUTY_CYCLE), CONTACTOR_TYPE),
    Group("estops", 3, (ESTOP,), ESTOP),
    Group("rcm", 0, (RCM_FAULT, RCM_TEST, *RCM_TIMES), None),
    Group("pluglock", 0, (LOCK_TYPE, *LOCK_TIMES, *LOCK_VOLTAGES), None),
    Group("motor-driver-fault", 0, (MOTOR_DRIVER_FAULT,), MOTOR_DRIVER_FAULT),
    Group("imd", 0, (IMD,), IMD),
)
_UNVERSIONED_WITH_FEEDBACK = 2
"""The unversioned block knows only "with feedback", and means normally closed."""


class Parameters:
    """All values as the numbers that are stored; `given`: which of them were set, and where that was written."""

    def __init__(self) -> None:
        self.values = {one: [one.kind.default] * group.items for group in GROUPS for one in group.fields}
        self.given: dict[tuple[Field, int], str] = {}

    def set(self, one: Field, index: int, raw: int, place: str = "") -> None:
        """Set a value."""
        self.values[one][index] = raw
        self.given[one, index] = place

    def get(self, one: Field, index: int = 0) -> int:
        """Return a value."""
        return self.values[one][index]


class Found(NamedTuple):
    """A block at the start of some bytes."""

    version: int
    size: int

    @property
    def is_opaque(self) -> bool:
        """Whether only markers, version and CRC are known."""
        return self.version not in SIZES


def identify(data: bytes) -> Found | None:
    """Find out which block the bytes begin with; None: none. The CRC may be wrong, a right one decides a doubt."""
    if data[:4] != MARKER or len(data) < SIZES[0]:
        return None
    version = int.from_bytes(data[4:6], "little")
    candidates = [Found(0, SIZES[0])]
    if version in SIZES and version:
        candidates.append(Found(version, SIZES[version]))
    elif version > NEWEST:
        ends = [at for at in range(6, min(len(data), OPAQUE_LIMIT) - 4) if data[at : at + 4] == MARKER]
        candidates += [Found(version, at + _TAIL_BYTES) for at in ends]
    there = [
        one for one in candidates if data[one.size - _TAIL_BYTES : one.size - 1] == MARKER and len(data) >= one.size
    ]
    whole = [one for one in there if crc8(data[: one.size - 1]) == data[one.size - 1]]
    return next(iter(whole + there), None)


def why_not(data: bytes) -> str:
    """Return why `identify` finds no block."""
    if not data:
        return "it is empty"
    if not data.strip(b"\xff"):
        return "it is erased"
    if data[:4] != MARKER:
        return f"it begins with {data[:4].hex()} in place of the marker {MARKER.hex()}"
    version = int.from_bytes(data[4:6], "little")
    known = f" (version {version} has {SIZES[version]} bytes)" if version in SIZES and version else ""
    return f"the marker before the CRC is missing: cut short, or no block that is known{known}"


def decode(data: bytes) -> tuple[Found, Parameters, list[str]]:
    """Read the block that the bytes begin with: which one, its values, what is wrong with them. Raises BadBlock.

    Of an opaque block no values are known. A wrong CRC is among what is wrong; the values are read all the same.
    """
    found = identify(data)
    if found is None:
        raise BadBlock(f"no parameter block: {why_not(data)}")
    block, problems, parameters = data[: found.size], [], Parameters()
    if crc8(block[:-1]) != block[-1]:
        problems.append(f"the CRC is wrong: 0x{block[-1]:02X} is stored, 0x{crc8(block[:-1]):02X} is right")
    if found.is_opaque:
        return found, parameters, problems
    for one, index, at in _places(found.version):
        raw = int.from_bytes(block[at : at + one.kind.width], "little", signed=one.kind.signed)
        if found.version == 0 and one is CONTACTOR_TYPE and raw == _UNVERSIONED_WITH_FEEDBACK:
            raw = value_types.NORMALLY_CLOSED
        elif found.version == 0 and one is CONTACTOR_TYPE and raw > _UNVERSIONED_WITH_FEEDBACK:
            problems.append(f"{one.name(index)} (byte {at}): {raw} has no meaning")
        elif problem := one.kind.problem(raw):
            problems.append(f"{one.name(index)} (byte {at}): {problem}")
        parameters.set(one, index, raw, f"byte {at}")
    return found, parameters, problems


def encode(parameters: Parameters, version: int) -> bytes:
    """Return the bytes of a block; values that the version does not have are left out (`rules.fit` finds which)."""
    if version not in SIZES:
        raise ValueError(f"the layout of version {version} is not known")
    block = bytearray(SIZES[version])
    block[:4] = block[-_TAIL_BYTES:-1] = MARKER
    if version:
        block[4:6] = version.to_bytes(2, "little")
    for one, index, at in _places(version):
        raw = parameters.get(one, index)
        if one is ABORT_TEMPERATURE and one.kind.off(raw):
            raw = one.kind.default
        if version == 0 and one is CONTACTOR_TYPE and raw == value_types.NORMALLY_CLOSED:
            raw = _UNVERSIONED_WITH_FEEDBACK
        block[at : at + one.kind.width] = raw.to_bytes(one.kind.width, "little", signed=one.kind.signed)
    block[-1] = crc8(block[:-1])
    return bytes(block)


def count_in(group: Group, one: Field, version: int) -> int:
    """Return how many items of a value a version has."""
    return one.counts.get(version, group.items) if version in one.at else 0


def _places(version: int) -> list[tuple[Field, int, int]]:
    return [
        (one, index, one.at[version] + index * one.kind.width)
        for group in GROUPS
        for one in group.fields
        for index in range(count_in(group, one, version))
    ]
