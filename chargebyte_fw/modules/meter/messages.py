"""Modbus RTU on the wire (Modbus over Serial Line V1.02; Application Protocol V1.1b3): requests, responses, CRC."""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

LARGEST_FRAME = 256
EXCEPTION = 0x80
"""Bit of the function code of a response that refuses the request."""
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "server device failure",
    5: "acknowledge",
    6: "server device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target failed to respond",
}


class Function(IntEnum):
    """Function codes."""

    READ_COILS = 1
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_SINGLE_COIL = 5
    WRITE_SINGLE_REGISTER = 6
    WRITE_MULTIPLE_REGISTERS = 16


_READS = (Function.READ_COILS, Function.READ_HOLDING_REGISTERS, Function.READ_INPUT_REGISTERS)


class BadFrame(ValueError):
    """Bytes that are no response to the request; the text has the reason."""


def crc16(data: bytes) -> int:
    """Return the CRC of a frame (polynomial 0xA001, begun with 0xFFFF)."""
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


class Request(msgspec.Struct, frozen=True):
    """One request: address of the device, function, what follows it."""

    device: int
    function: Function
    body: bytes

    def to_bytes(self) -> bytes:
        """Return the frame."""
        frame = bytes((self.device, self.function)) + self.body
        return frame + crc16(frame).to_bytes(2, "little")

    @property
    def is_broadcast(self) -> bool:
        """Whether no device responds."""
        return self.device == 0


def read(device: int, function: Function, first: int, count: int) -> Request:
    """Return a request for registers or coils; raises ValueError for more than a frame carries."""
    most = 2000 if function is Function.READ_COILS else 125
    if not 1 <= count <= most or not 0 <= first <= 0xFFFF or first + count > 0x10000:
        raise ValueError(f"{count} from {first}: a request reads 1 to {most}, up to address 65535")
    return Request(device, function, struct.pack(">HH", first, count))


def write_register(device: int, address: int, value: int) -> Request:
    """Return a request that writes one register."""
    return Request(device, Function.WRITE_SINGLE_REGISTER, struct.pack(">HH", address, value))


def write_coil(device: int, address: int, on: bool) -> Request:
    """Return a request that writes one coil."""
    return Request(device, Function.WRITE_SINGLE_COIL, struct.pack(">HH", address, 0xFF00 if on else 0))


def write_registers(device: int, first: int, values: list[int]) -> Request:
    """Return a request that writes registers; raises ValueError for more than a frame carries."""
    if not 1 <= len(values) <= 123 or first + len(values) > 0x10000:
        raise ValueError(f"{len(values)} from {first}: a request writes 1 to 123, up to address 65535")
    body = struct.pack(f">HHB{len(values)}H", first, len(values), 2 * len(values), *values)
    return Request(device, Function.WRITE_MULTIPLE_REGISTERS, body)


def length_of_response(data: bytes) -> int | None:
    """Return the length of the response that begins so; None while that is not known. Raises BadFrame."""
    if len(data) < 2:
        return None
    code = data[1]
    if code & EXCEPTION:
        return 5
    if code in _READS:
        return None if len(data) < 3 else 5 + data[2]
    if code in (Function.WRITE_SINGLE_COIL, Function.WRITE_SINGLE_REGISTER, Function.WRITE_MULTIPLE_REGISTERS):
        return 8
    raise BadFrame(f"function {code} was not asked for")


def body_of(request: Request, frame: bytes) -> bytes:
    """Return what a response carries after function (and count, of a read); raises BadFrame, Refused."""
    if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        raise BadFrame("the CRC is wrong")
    if frame[0] != request.device:
        raise BadFrame(f"device {frame[0]} answers for {request.device}")
    code = frame[1]
    if code == request.function | EXCEPTION:
        raise Refused(frame[2])
    if code != request.function:
        raise BadFrame(f"function {code} answers {int(request.function)}")
    body = frame[2:-2]
    if request.function not in _READS:
        if body != request.body[:4]:
            raise BadFrame("another address or value is confirmed")
        return body
    (count,) = struct.unpack(">H", request.body[2:])
    wanted = (count + 7) // 8 if request.function is Function.READ_COILS else 2 * count
    if body[0] != wanted or len(body) != 1 + wanted:
        raise BadFrame(f"{body[0]} bytes answer a request for {wanted}")
    return body[1:]


class Refused(BadFrame):
    """The device refuses the request with an exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused: {EXCEPTIONS.get(code, f'exception {code}')}")


def registers(body: bytes) -> list[int]:
    """Return the registers of a response."""
    return list(struct.unpack(f">{len(body) // 2}H", body))


def coils(body: bytes, count: int) -> list[bool]:
    """Return the coils of a response."""
    return [bool(body[place // 8] >> place % 8 & 1) for place in range(count)]
