"""A device at the other end of the bus: it answers from its registers, with an encoder of its own."""

from __future__ import annotations

import struct
from collections.abc import Callable

from chargebyte_fw.kernel.memory import WireEnd


def checked(frame: bytes) -> bytes:
    """Return a frame with its CRC, computed bit by bit from the polynomial x16 + x15 + x2 + 1, reflected."""
    crc = 0xFFFF
    for octet in frame:
        crc ^= octet
        for _ in range(8):
            low, crc = crc & 1, crc >> 1
            if low:
                crc ^= 0xA001
    return frame + struct.pack("<H", crc)


def words(*values: float) -> list[int]:
    """Registers of 32 bit floating-point values."""
    return [word for value in values for word in struct.unpack(">HH", struct.pack(">f", value))]


class Device:
    """Registers by function (3 holding, 4 input); `spoil` may change or drop an answer."""

    def __init__(self, end: WireEnd, number: int = 1) -> None:
        self.number = number
        self.registers: dict[tuple[int, int], int] = {}
        self.coils: dict[int, bool] = {}
        self.requests: list[bytes] = []
        self.spoil: Callable[[bytes], bytes] = lambda frame: frame
        self.echo = False
        self._end = end
        end.receive = self._received

    def hold(self, function: int, first: int, *values: int) -> None:
        for place, value in enumerate(values):
            self.registers[function, first + place] = value

    def _received(self, frame: bytes) -> None:
        self.requests.append(frame)
        assert checked(frame[:-2]) == frame
        if self.echo:
            self._end.send(frame)
        if frame[0] != self.number:
            return
        answer = self.spoil(checked(self._answer(frame[1], frame[2:-2])))
        for place in range(0, len(answer), 3):
            self._end.send(answer[place : place + 3])

    def _answer(self, function: int, body: bytes) -> bytes:
        first, count = struct.unpack(">HH", body[:4])
        head = bytes((self.number, function))
        if function in (3, 4):
            asked = [(function, first + place) for place in range(count)]
            if any(one not in self.registers for one in asked):
                return bytes((self.number, function | 0x80, 2))
            return head + struct.pack(f">B{count}H", 2 * count, *(self.registers[one] for one in asked))
        if function == 1:
            octets = bytearray((count + 7) // 8)
            for place in range(count):
                octets[place // 8] |= self.coils.get(first + place, False) << place % 8
            return head + bytes((len(octets),)) + bytes(octets)
        if function == 5:
            self.coils[first] = count == 0xFF00
        elif function == 6:
            self.registers[3, first] = count
        elif function == 16:
            self.hold(3, first, *struct.unpack(f">{count}H", body[5:]))
        return head + body[:4]
