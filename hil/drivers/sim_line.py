"""A disturbed UART: a wire in memory that can be cut, garbled and delayed between charger and safety controller."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from chargebyte_fw.kernel import memory


class Disturbance:
    """What is wrong with a line; all of it is zero at first."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.noise_share = 0.0
        self.delay_s = 0.0
        """Delay of the safety controller's frames; the host's are never late."""
        self._last_due_s = 0.0

    def touched(self, data: bytes) -> bytes:
        """Return what arrives of a piece: the whole of it, or with one bit flipped."""
        if not self.noise_share or self._chance.random() >= self.noise_share:
            return data
        at = self._chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._chance.randrange(8)]) + data[at + 1 :]

    def pass_on(self, data: bytes, send: Callable[[bytes], None]) -> None:
        """Send a frame of the safety controller, at once or late."""
        loop = asyncio.get_running_loop()
        due_s = max(loop.time() + self.delay_s, self._last_due_s)
        if due_s <= loop.time():
            send(data)
            return
        self._last_due_s = due_s  # bytes never overtake each other
        loop.call_at(due_s, send, data)


class DisturbedLine(Disturbance):
    """Stands between two ends; `charger_end` is what the charger opens."""

    def __init__(self, inner: memory.WireEnd | None, chance: random.Random) -> None:
        super().__init__(chance)
        assert inner is not None
        self.charger_end, self._outer = memory.wire()
        self._inner = inner
        self._mend: asyncio.TimerHandle | None = None
        self.is_cut = False
        self._outer.receive = self._from_host
        self._inner.receive = self._from_controller

    def cut(self, duration_s: float) -> None:
        """Let nothing pass for a while."""
        self.close()
        self.is_cut = True
        self._mend = asyncio.get_running_loop().call_later(duration_s, self.mend)

    def mend(self) -> None:
        """Let everything pass again."""
        self.is_cut = False

    def close(self) -> None:
        """Forget a cut that is still to end."""
        if self._mend is not None:
            self._mend.cancel()
            self._mend = None

    def _from_host(self, data: bytes) -> None:
        if not self.is_cut:
            self._inner.send(self.touched(data))

    def _from_controller(self, data: bytes) -> None:
        if not self.is_cut:
            self.pass_on(self.touched(data), self._outer.send)
