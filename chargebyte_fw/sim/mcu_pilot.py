"""How the virtual safety controller reads the control pilot's peaks (IEC 61851-1 table A.4, thresholds midway)."""

from __future__ import annotations

from typing import NamedTuple

from chargebyte_fw.board.link.messages.charge_som import CpState
from chargebyte_fw.sim.pilot import Drive, Pilot

STATE_FROM_V = ((10.5, CpState.A), (7.5, CpState.B), (4.5, CpState.C), (1.5, CpState.D))
"""Lowest positive peak of each state."""
NEGATIVE_PEAK_V = -10.5
"""The negative half wave of a car with a diode is below."""


class PilotReading(NamedTuple):
    """What the peaks mean."""

    cp_state: CpState
    diode_fault: bool
    shorted: bool


def read_pilot(pilot: Pilot) -> PilotReading:
    """Return state and faults; a diode can only be judged while the line swings to both sides."""
    high_V, low_V = pilot.positive_peak_V, pilot.negative_peak_V
    if pilot.drive is Drive.OFF:
        return PilotReading(CpState.E, False, False)
    if pilot.drive is Drive.MINUS:
        shorted = low_V > -1.5
        return PilotReading(CpState.E if shorted else CpState.F, False, shorted)
    state = next((state for threshold_V, state in STATE_FROM_V if high_V >= threshold_V), None)
    if state is None:
        return PilotReading(CpState.E, False, True)
    no_diode = pilot.drive is Drive.PWM and state is not CpState.A and low_V > NEGATIVE_PEAK_V
    return PilotReading(state, no_diode, False)
