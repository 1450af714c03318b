"""States of a group of Infypower modules."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where the group is."""

    NO_BUS = "no bus"
    COUNTING = "counting"
    SWITCHING_OFF = "switching off"
    LIMITS = "asking for limits"
    RUNNING = "running"
    WAITING = "waiting before the next try"


STARTING = (State.COUNTING, State.SWITCHING_OFF, State.LIMITS)
ABSENT = (State.NO_BUS, State.WAITING)
RESTARTS = (State.COUNTING, State.WAITING)
"""Where a group that is lost, or has changed, goes on."""
