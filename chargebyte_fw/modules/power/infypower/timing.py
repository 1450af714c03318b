"""Times of the Infypower protocol, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

POLL_S = 0.125
"""One of three questions (voltage, current, status) goes out this often."""
RECEIVE_TIMEOUT_S = 0.385
"""Without an answer to any of three questions in a row the group is lost."""
MODULE_SILENT_S = 1.2
"""A module of the group that has not reported its status three times is lost."""
ANSWER_S = 1.0
"""A command is answered within."""
AGAIN_S = 1.0
"""Pause before a lost group or bus is tried again, and before a module that went off is switched on again."""
START_UP_S = 10.0
"""How long a group that has never answered is waited for without a fault, from the first look for it on: modules that
get their power together with the charger boot for several seconds. There are no limits yet, so no power is asked for.
"""
OFF_LIMIT_S = 3.0
"""How long switching off waits for the current to go."""
SHARED_S = 6.0
"""A fault is raised when another owner of an address has been noticed for so long, by answers and questions alone."""
SHARED_GAP_S = 5.0
"""Without a sign of another owner for so long that time begins again."""
SHARED_OVER_S = 10.0
"""Without a sign of another owner for so long it is gone."""
REAL_PATIENCE_S = 0.4
"""Real seconds that a time-out lasts at least, however fast the clock is set: the modules live in another process."""
FASTEST_POLL_S = 0.01
"""Real seconds: questions do not go out more often, however fast the clock is set."""


@dataclass(frozen=True, slots=True)
class Times:
    """The protocol's times on a clock that may run fast."""

    poll_s: float = POLL_S
    receive_timeout_s: float = RECEIVE_TIMEOUT_S
    module_silent_s: float = MODULE_SILENT_S
    answer_s: float = ANSWER_S
    start_up_s: float = START_UP_S
    off_limit_s: float = OFF_LIMIT_S


def times(speed: float | None) -> Times:
    """Return the times for a clock `speed` times faster than real (None: virtual)."""
    if speed is None or speed <= 1.0:
        return Times()
    poll_s, patience_s = max(POLL_S, FASTEST_POLL_S * speed), REAL_PATIENCE_S * speed
    return Times(
        poll_s,
        max(RECEIVE_TIMEOUT_S, 3 * poll_s, patience_s),
        max(MODULE_SILENT_S, 9 * poll_s, 2 * patience_s),
        max(ANSWER_S, patience_s),
        max(START_UP_S, 10 * patience_s),
        max(OFF_LIMIT_S, 3 * patience_s),
    )
