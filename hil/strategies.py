"""The way into each state of a charger from anywhere: off, booted, idle, plugged, charging."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from hil.recorder import Recorder

SETTLE_S = 2.0


class State(StrEnum):
    """Where the charger is."""

    UNKNOWN = "unknown"
    OFF = "off"
    BOOTED = "booted"
    IDLE = "idle"
    PLUGGED = "plugged"
    CHARGING = "charging"


LIMITS_S = {State.OFF: 10.0, State.BOOTED: 90.0, State.IDLE: 60.0, State.PLUGGED: 10.0, State.CHARGING: 120.0}
"""How long the way into a state may take on any rig (a board boots its operating system first)."""


class StrategyFailed(Exception):
    """The charger could not be brought where it had to be; the state of the rig is unknown now."""


class Strategy:
    """Brings a charger into a state. Once it failed it stays failed: each call repeats the first reason."""

    def __init__(self, drivers: dict[str, Any], recorder: Recorder) -> None:
        self._drivers = drivers
        self.recorder = recorder
        self.state = State.UNKNOWN
        self.failure = ""

    async def go(self, state: State) -> None:
        """Go there, step by step; raises StrategyFailed."""
        if self.failure:
            raise StrategyFailed(self.failure)
        way = list(State)[1:]
        try:
            if self.state is State.UNKNOWN or way.index(state) < way.index(self.state):
                await self._enter(State.OFF)
            for next_state in way[way.index(self.state) + 1 : way.index(state) + 1]:
                await self._enter(next_state)
        except TimeoutError:
            pass
        except Exception as error:
            self.failure = f"on the way to {state}: {error}"
        if self.failure:
            raise StrategyFailed(self.failure)

    async def _enter(self, state: State) -> None:
        self.recorder.mark("event", f"strategy: {state}")
        try:
            async with asyncio.timeout(LIMITS_S[state]):
                await getattr(self, f"_{state.value}")()
        except TimeoutError:
            now = self.recorder.now
            seen = f"pilot {now['cp']}, {now['drive']}, contactors {now['contactors']}, {now['current_A']:.1f} A"
            faults = ", ".join(sorted(now["faults"])) or "no faults"
            self.failure = f"not {state} after {LIMITS_S[state]:g} s ({seen}, {faults})"
            raise
        self.state = state

    async def _off(self) -> None:
        for driver in self._drivers.values():
            await driver.rest()
        await self._drivers["Load"].go_on("unplug")
        await self._drivers["Power"].switch(False)
        await self.until(lambda now: now["contactors"] == "open")

    async def _booted(self) -> None:
        if "Mains" in self._drivers:
            await self._drivers["Mains"].switch(True)
        await self._drivers["Power"].switch(True)
        await self.until(lambda now: now["drive"] == "+12 V")

    async def _idle(self) -> None:
        await self.until(lambda now: now["cp"] == "A" and not now["faults"])
        await asyncio.sleep(SETTLE_S)

    async def _plugged(self) -> None:
        await self._drivers["Load"].run("pause;sleep 3600")
        await self.until(lambda now: now["cp"] == "B")

    async def _charging(self) -> None:
        await self._drivers["Load"].session()
        await self.until(lambda now: now["current_A"] > 1.0)
        await asyncio.sleep(SETTLE_S)

    async def until(self, true: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the recorder's present samples satisfy `true`."""
        while not true(self.recorder.now):
            await asyncio.sleep(0.02)
