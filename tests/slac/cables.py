"""Cables of every quality between a modem and its host: the same tests, worse cables."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from chargebyte_fw.kernel import memory


@dataclass(frozen=True)
class Quality:
    """What happens to a frame on its way."""

    loss: float = 0.0
    double: float = 0.0
    late_s: float = 0.0
    """Up to this much: frames overtake each other."""
    noise: float = 0.0
    """Share of frames that arrive with some octets changed or cut."""


PERFECT = Quality()
QUALITIES = {
    "perfect": PERFECT,
    "lossy": Quality(loss=0.05),
    "doubling": Quality(double=0.5),
    "late": Quality(late_s=0.015),
    "noisy": Quality(noise=0.05),
    "awful": Quality(loss=0.04, double=0.2, late_s=0.01, noise=0.02),
}


class BadEnd:
    """A port in front of one end of a cable in memory that treats what goes through it badly, in both directions."""

    def __init__(self, end: memory.WireEnd, quality: Quality, chance: random.Random) -> None:
        self.mac = end.mac
        self.receive: Callable[[bytes], None] | None = None
        self._end, self._quality, self._chance = end, quality, chance
        end.receive = lambda data: self._carry(data, self._deliver)

    def send(self, frame: bytes) -> None:
        self._carry(frame, self._end.send)

    def _deliver(self, data: bytes) -> None:
        if self.receive is not None:
            self.receive(data)

    def _carry(self, data: bytes, onward: Callable[[bytes], None]) -> None:
        chance, quality = self._chance, self._quality
        for _ in range(2 if chance.random() < quality.double else 1):
            if chance.random() < quality.loss:
                continue
            carried = _spoil(data, chance) if chance.random() < quality.noise else data
            asyncio.get_running_loop().call_later(chance.random() * quality.late_s, onward, carried)


def _spoil(data: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data))]
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)
