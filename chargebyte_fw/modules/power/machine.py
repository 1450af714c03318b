"""A power stage without losses: it follows its set points along ramps, and current flows only into a load.

Before the car takes current (cable check, precharge) the output is open, so only its voltage follows. While it charges
the car takes what it is offered: the least of the set point, the stage's current and what its power allows at this
voltage.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.power.messages import Begin, ModeIs, Output, Reading, SetExport, SetImport, SetMode
from chargebyte_fw.modules.power.timing import (
    CURRENT_SLEW_A_PER_S,
    PUBLISH_INTERVAL_S,
    RAMP_STEP_S,
    VOLTAGE_SLEW_V_PER_S,
)

OPEN_OUTPUT = (ChargingPhase.CableCheck, ChargingPhase.PreCharge)


class Ratings(msgspec.Struct, frozen=True):
    """What the stage can do."""

    max_voltage_V: float = 900.0
    max_current_A: float = 200.0
    max_power_W: float = 150_000.0
    bidirectional: bool = True


class State(Enum):
    """Modes of the stage."""

    OFF = Mode.Off
    EXPORT = Mode.Export
    IMPORT = Mode.Import
    FAULT = Mode.Fault


class PowerStage(Machine):
    """The rules of the simulated supply and its meter."""

    initial = State.OFF

    def __init__(self, ratings: Ratings) -> None:
        super().__init__()
        self.ratings = ratings
        self.voltage_V = 0.0
        self.current_A = 0.0
        self.imported_Wh = 0.0
        self.exported_Wh = 0.0
        self._export = SetExport(0.0, 0.0)
        self._import = SetImport(0.0, 0.0)
        self._phase = ChargingPhase.Other
        self._at_s: float | None = None

    @on(State.OFF, event=Begin)
    def begin(self, _event: Begin, now: float) -> list[Any]:
        """Publish the first values."""
        self._at_s = now
        return [ModeIs(self._mode), *self._publish(now, metered=True)]

    @on(*State, event=SetMode, to=State)
    def switch(self, event: SetMode, now: float) -> list[Any]:
        """Go to a mode (a stage for one direction stays off instead of importing); off takes the current at once."""
        self._advance(now)
        refused = event.mode is Mode.Import and not self.ratings.bidirectional
        self.enter(State(Mode.Off if refused else event.mode))
        self._phase = event.phase
        if self.state in (State.OFF, State.FAULT):
            self.current_A = 0.0
        return [ModeIs(self._mode), *self._publish(now, metered=True)]

    @on(*State, event=SetExport)
    def set_export(self, event: SetExport, now: float) -> list[Any]:
        """Keep the set points; they move the output while exporting."""
        self._advance(now)
        self._export = SetExport(_sane(event.voltage_V), _sane(event.current_A))
        return self._publish(now)

    @on(*State, event=SetImport)
    def set_import(self, event: SetImport, now: float) -> list[Any]:
        """Keep the set points; they move the output while importing."""
        self._advance(now)
        self._import = SetImport(_sane(event.voltage_V), _sane(event.current_A))
        return self._publish(now)

    @on(*State, timer="ramp")
    def ramp(self, now: float) -> list[Any]:
        """Move the output along and publish it."""
        self._advance(now)
        reading_s = self.due("reading")
        return self._publish(now, metered=reading_s is not None and reading_s <= now)

    @on(*State, timer="reading")
    def read(self, now: float) -> list[Any]:
        """Publish what the meter reads, too."""
        self._advance(now)
        return self._publish(now, metered=True)

    @property
    def _mode(self) -> Mode:
        mode: Mode = self.state.value
        return mode

    def target(self) -> tuple[float, float]:
        """Return the voltage and current that the output moves to."""
        ratings = self.ratings
        if self.state is State.EXPORT:
            voltage_V = min(self._export.voltage_V, ratings.max_voltage_V)
            return voltage_V, self._loaded(self._export.current_A, voltage_V)
        if self.state is State.IMPORT:
            voltage_V = min(self._import.voltage_V, ratings.max_voltage_V)
            return voltage_V, -self._loaded(self._import.current_A, voltage_V)
        return 0.0, 0.0

    def _loaded(self, current_A: float, voltage_V: float) -> float:
        if self._phase in OPEN_OUTPUT or voltage_V <= 0.0:
            return 0.0
        return min(current_A, self.ratings.max_current_A, self.ratings.max_power_W / voltage_V)

    def _advance(self, now: float) -> None:
        """Let the output move and the meter count up to `now`."""
        elapsed_s = now - self._at_s if self._at_s is not None else 0.0
        self._at_s = now
        if elapsed_s <= 0.0:
            return
        before_W = self.voltage_V * self.current_A
        target_V, target_A = self.target()
        self.voltage_V = _towards(self.voltage_V, target_V, VOLTAGE_SLEW_V_PER_S * elapsed_s)
        self.current_A = _towards(self.current_A, target_A, CURRENT_SLEW_A_PER_S * elapsed_s)
        moved_Wh = (before_W + self.voltage_V * self.current_A) / 2 * elapsed_s / 3600
        self.imported_Wh += max(0.0, moved_Wh)
        self.exported_Wh += max(0.0, -moved_Wh)

    def _publish(self, now: float, *, metered: bool = False) -> list[Any]:
        effects: list[Any] = [Output(self.voltage_V, self.current_A)]
        if metered:
            effects.append(Reading(self.voltage_V, self.current_A, self.imported_Wh, self.exported_Wh))
            self.start("reading", now + PUBLISH_INTERVAL_S)
        if (self.voltage_V, self.current_A) != self.target():
            self.start("ramp", now + RAMP_STEP_S)
        else:
            self.stop("ramp")
        return effects


def _towards(value: float, target: float, step: float) -> float:
    return target if abs(target - value) <= step else value + math.copysign(step, target - value)


def _sane(value: float) -> float:
    """A set point that is no number, or below zero, asks for nothing."""
    return value if math.isfinite(value) and value > 0.0 else 0.0
