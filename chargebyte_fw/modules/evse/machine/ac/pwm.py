"""IEC 61851-1 table A.7: the current that a duty cycle stands for."""

from __future__ import annotations

MIN_CURRENT_A = 5.9
"""Below this there is no duty cycle."""


def duty_from_current(current_A: float) -> float:
    """Return the duty cycle (0..1) for a current in A; 1.0 stands for no PWM."""
    if current_A < MIN_CURRENT_A:
        return 1.0
    if current_A <= 6.1:
        return 0.1
    if current_A < 52.5:
        return min(current_A, 51.0) / 0.6 / 100.0
    if current_A <= 80.0:
        return (current_A / 2.5 + 64.0) / 100.0
    if current_A <= 80.1:
        return 0.97
    return 1.0
