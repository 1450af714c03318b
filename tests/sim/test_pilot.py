"""The control pilot as voltages: IEC 61851-1 annex A."""

from __future__ import annotations

import pytest

from chargebyte_fw.board.link.messages.charge_som import CpState
from chargebyte_fw.sim.mcu_pilot import read_pilot
from chargebyte_fw.sim.pilot import CarState, Pilot

NOMINAL_V = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0}


@pytest.mark.parametrize("state", NOMINAL_V)
@pytest.mark.parametrize("duty", [5.0, 26.6, 100.0])
def test_the_positive_peak_tells_the_cars_state(state: str, duty: float) -> None:
    """Table A.4: within a volt of 12, 9, 6 and 3 V."""
    pilot = Pilot()
    pilot.drive_line(True, duty)
    pilot.car_state = state
    assert pilot.positive_peak_V == pytest.approx(NOMINAL_V[state], abs=1.0)
    assert pilot.letter == state
    assert read_pilot(pilot).cp_state.name == state
    assert not read_pilot(pilot).diode_fault


def test_the_negative_peak_stays_at_minus_12_v_behind_a_diode() -> None:
    pilot = Pilot()
    pilot.drive_line(True, 5.0)
    pilot.car_state = "C"
    assert pilot.negative_peak_V == -12.0
    pilot.diode_fault = True
    assert pilot.negative_peak_V > -10.0
    assert read_pilot(pilot).diode_fault


def test_a_missing_diode_cannot_be_seen_without_a_square_wave() -> None:
    pilot = Pilot()
    pilot.car_state = "B"
    pilot.diode_fault = True
    pilot.drive_line(True, 100.0)
    assert not read_pilot(pilot).diode_fault


@pytest.mark.parametrize(("active", "duty", "letter"), [(False, 50.0, "E"), (True, 0.0, "F"), (True, 100.0, "B")])
def test_without_pwm_there_is_no_duty_cycle(active: bool, duty: float, letter: str) -> None:
    pilot = Pilot()
    pilot.car_state = "B"
    pilot.drive_line(active, duty)
    assert pilot.duty_percent is None
    assert pilot.letter == letter
    pilot.drive_line(True, 5.0)
    assert pilot.duty_percent == 5.0


@pytest.mark.parametrize("duty", [0.0, 5.0, 100.0])
def test_a_shorted_line_is_at_0_v(duty: float) -> None:
    pilot = Pilot()
    pilot.drive_line(True, duty)
    pilot.cp_short = True
    assert pilot.positive_peak_V == pilot.negative_peak_V == 0.0
    assert pilot.letter == "E"
    assert read_pilot(pilot).shorted


def test_generator_off_is_state_e_and_no_short() -> None:
    pilot = Pilot()
    assert read_pilot(pilot) == (CpState.E, False, False)


def test_both_ends_hear_of_each_change_once_and_of_nothing_else() -> None:
    pilot = Pilot()
    heard: list[str] = []
    pilot.on_change.append(lambda: heard.append(pilot.letter))
    pilot.drive_line(True, 5.0)
    pilot.drive_line(True, 5.0)
    pilot.car_state = CarState.B
    pilot.car_state = "B"
    pilot.contactors_closed = True
    pilot.contactors_closed = True
    pilot.residual_current_mA = 1.0
    pilot.pp_code = 3
    assert heard == ["A", "B", "B", "B", "B"]
    assert pilot.plugged


def test_a_change_out_of_a_callback_is_told_after_it() -> None:
    pilot = Pilot()
    depth = 0
    heard: list[str] = []

    def react() -> None:
        nonlocal depth
        assert depth == 0, "never inside a call of itself"
        depth += 1
        heard.append(pilot.car_state)
        if pilot.car_state == "B":
            pilot.car_state = "C"
        depth -= 1

    pilot.on_change.append(react)
    pilot.car_state = "B"
    assert heard == ["B", "C"]


def test_a_state_that_no_car_shows_is_an_error() -> None:
    with pytest.raises(ValueError, match="F"):
        Pilot().car_state = "F"
