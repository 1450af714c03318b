"""The simulated power stage: ramps, limits, directions, and a meter that adds up."""

from __future__ import annotations

import math
from typing import Any

import pytest

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.modules.power.machine import PowerStage, Ratings
from chargebyte_fw.modules.power.messages import Begin, ModeIs, Output, Reading, SetExport, SetImport, SetMode
from chargebyte_fw.modules.power.timing import PUBLISH_INTERVAL_S

EXPORT = SetMode(Mode.Export, ChargingPhase.Charging)
OFF = SetMode(Mode.Off, ChargingPhase.Other)


def begun(**ratings: Any) -> PowerStage:
    stage = PowerStage(Ratings(**ratings))
    stage.feed(Begin(), 0.0)
    return stage


def pass_time(stage: PowerStage, until: float) -> list[Any]:
    """Wake the stage at each of its deadlines up to `until`."""
    effects: list[Any] = []
    while stage.deadline is not None and stage.deadline <= until:
        effects += stage.wake(stage.deadline)
    return effects


def settled(stage: PowerStage, *events: Any, at: float = 10.0) -> tuple[float, float]:
    for event in events:
        stage.feed(event, at)
    pass_time(stage, at + 5.0)
    return stage.voltage_V, stage.current_A


def test_it_says_its_mode_and_its_values_at_the_beginning() -> None:
    stage = PowerStage(Ratings())
    assert stage.feed(Begin(), 0.0) == [ModeIs(Mode.Off), Output(0.0, 0.0), Reading(0.0, 0.0, 0.0, 0.0)]


def test_values_come_every_half_second_while_nothing_moves() -> None:
    readings = [effect for effect in pass_time(begun(), 5.0) if isinstance(effect, Reading)]
    assert len(readings) == 10
    assert PUBLISH_INTERVAL_S == 0.5


def test_set_points_alone_move_nothing() -> None:
    assert settled(begun(), SetExport(400.0, 20.0)) == (0.0, 0.0)


def test_while_charging_voltage_and_current_reach_the_set_points() -> None:
    assert settled(begun(), SetExport(400.0, 20.0), EXPORT) == (400.0, 20.0)


def test_the_voltage_moves_along_a_ramp() -> None:
    stage = begun()
    stage.feed(SetExport(800.0, 0.0), 10.0)
    stage.feed(EXPORT, 10.0)
    pass_time(stage, 10.1)
    assert 0.0 < stage.voltage_V < 800.0
    pass_time(stage, 10.3)
    assert stage.voltage_V == 800.0


@pytest.mark.parametrize("phase", [ChargingPhase.CableCheck, ChargingPhase.PreCharge])
def test_no_current_flows_before_the_car_takes_it(phase: ChargingPhase) -> None:
    assert settled(begun(), SetExport(900.0, 2.0), SetMode(Mode.Export, phase)) == (900.0, 0.0)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ((1000.0, 20.0), (900.0, 20.0)),
        ((400.0, 500.0), (400.0, 200.0)),
        ((900.0, 200.0), (900.0, 150_000.0 / 900.0)),
        ((48.0, 1.0), (48.0, 1.0)),
        ((-1.0, 20.0), (0.0, 0.0)),
        ((math.nan, math.inf), (0.0, 0.0)),
    ],
)
def test_the_output_stays_within_the_ratings(wanted: tuple[float, float], reached: tuple[float, float]) -> None:
    """A set point below the least voltage is followed, not lifted to it (an early self test asks for 48 V)."""
    assert settled(begun(), SetExport(*wanted), EXPORT) == pytest.approx(reached)


def test_off_takes_the_current_at_once_and_the_voltage_soon() -> None:
    stage = begun()
    settled(stage, SetExport(400.0, 20.0), EXPORT)
    effects = stage.feed(OFF, 20.0)
    assert effects[0] == ModeIs(Mode.Off)
    assert stage.current_A == 0.0
    pass_time(stage, 21.0)
    assert stage.voltage_V == 0.0


def test_importing_has_a_current_below_zero_and_counts_on_the_other_side() -> None:
    stage = begun()
    settled(stage, SetImport(400.0, 50.0), SetMode(Mode.Import, ChargingPhase.Charging))
    assert stage.current_A == -50.0
    assert stage.exported_Wh > 0.0
    assert stage.imported_Wh == 0.0


def test_a_stage_for_one_direction_does_not_import() -> None:
    stage = begun(bidirectional=False)
    effects = stage.feed(SetMode(Mode.Import, ChargingPhase.Charging), 1.0)
    assert effects[0] == ModeIs(Mode.Off)


def test_the_meter_counts_what_went_to_the_car() -> None:
    """400 V and 20 A for an hour are 8 kWh."""
    stage = begun()
    settled(stage, SetExport(400.0, 20.0), EXPORT)
    before_Wh = stage.imported_Wh
    pass_time(stage, 15.0)
    pass_time(stage, 15.0 + 3600.0)
    assert stage.imported_Wh - before_Wh == pytest.approx(8000.0, rel=1e-3)


def test_a_set_point_repeated_every_few_milliseconds_does_not_keep_the_meter_silent() -> None:
    stage = begun()
    stage.feed(EXPORT, 1.0)
    readings, now = 0, 1.0
    for _ in range(500):
        now += 0.01
        effects = stage.feed(SetExport(400.0, 20.0), now) + stage.wake(now)
        readings += sum(isinstance(effect, Reading) for effect in effects)
    assert readings >= 9
