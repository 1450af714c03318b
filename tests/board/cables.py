"""Cables between the two ends of a serial line: what one end sends is what the other gets, more or less."""

from __future__ import annotations

import random
from collections.abc import Callable

Cable = Callable[[bytes], list[bytes]]
"""Takes what is sent, returns the chunks that arrive."""


def perfect() -> Cable:
    return lambda data: [data]


def byte_by_byte() -> Cable:
    return lambda data: [data[at : at + 1] for at in range(len(data))]


def late() -> Cable:
    """Keeps five bytes back until more comes: a frame is only complete with the next one."""
    kept = b""

    def carry(data: bytes) -> list[bytes]:
        nonlocal kept
        held = kept + data
        kept = held[-5:]
        return [held[:-5]] if held[:-5] else []

    return carry


def lossy(seed: int) -> Cable:
    """Loses one byte in a hundred."""
    chance = random.Random(seed)
    return lambda data: [bytes(byte for byte in data if chance.random() >= 0.01)]


def noisy(seed: int) -> Cable:
    """Inserts up to three bytes of noise, SOF and EOF among them, before each chunk."""
    chance = random.Random(seed)

    def carry(data: bytes) -> list[bytes]:
        noise = bytes(chance.choice((0xA5, 0x03, 0x00, 0xFF, 0x5A)) for _ in range(chance.randrange(4)))
        return [noise + data]

    return carry


ALL: dict[str, Callable[[], Cable]] = {
    "perfect": perfect,
    "byte_by_byte": byte_by_byte,
    "late": late,
    "lossy": lambda: lossy(7),
    "noisy": lambda: noisy(7),
}
