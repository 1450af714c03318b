"""Whatever happens in whatever order: safe meanwhile, at rest after the unplug, and the next EV charges.

`python -m tests.evse.chance DC 1000` does many more of them.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evse.chance import ACTIONS, WAITS_S, play

EXAMPLES = {"AC": 12, "AC with HLC": 12, "DC": 6}


@pytest.mark.parametrize("kind", ACTIONS)
def test_whatever_happens(kind: str) -> None:
    usual = st.sampled_from(("charge", "cp C", "cp B"))
    step = st.tuples(usual | st.sampled_from(ACTIONS[kind]), st.sampled_from(WAITS_S))

    @settings(max_examples=EXAMPLES[kind], deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(step, max_size=10))
    def holds(steps: list[tuple[str, float]]) -> None:
        assert play(steps, kind) == []

    holds()


STORIES = {
    "the energy management falls silent while the supply is on": ("DC", [("charge", 1.0), ("energy silent", 15.0)]),
    "the EV opens its contactor in state C to B while we stop": (
        "DC",
        [("charge", 6.0), ("pause", 0.3), ("charge", 6.0)],
    ),
    "state E while a fault is shown as state F": ("AC", [("fault stop", 3.0), ("cp E", 3.0)]),
    "an EV comes and leaves while disabled": ("AC", [("disable", 1.0), ("cp B", 1.0), ("cp A", 3.0)]),
    "authorized, withdrawn and authorized again while the meter starts": (
        "AC",
        [("meter silent", 0.05), ("charge", 1.0), ("withdraw", 1.0), ("charge", 0.0)],
    ),
    "another EV behind state F": ("AC", [("charge", 3.0), ("swap", 0.3), ("charge", 6.0)]),
    "another EV behind a lost link": ("AC", [("charge", 3.0), ("swap behind a lost link", 0.3), ("charge", 6.0)]),
    "another EV behind an emergency stop": (
        "AC",
        [("charge", 3.0), ("fault stop", 1.0), ("swap", 1.0), ("no fault", 1.0), ("charge", 6.0)],
    ),
    "another EV on a data link": ("DC", [("charge", 3.0), ("swap", 0.3), ("charge", 6.0)]),
    "another EV on a data link that does not name itself": (
        "DC",
        [
            ("charge", 3.0),
            ("swap", 0.3),
            ("bcb", 6.0),
            ("match", 1.0),
            ("parameters", 0.0),
            ("cp C", 0.3),
            ("publish start_cable_check", 12.0),
            ("publish start_pre_charge", 1.0),
            ("publish current_demand_started", 0.3),
            ("target 400 80", 12.0),
        ],
    ),
    "a fault while disabled": ("DC", [("charge", 3.0), ("disable", 0.0), ("cp B", 3.0), ("fault stop", 1.0)]),
    "HLC still reports of the last EV": ("AC with HLC", [("publish v2g_setup_finished", 6.0)]),
    "HLC asks for an authorization while a fault keeps the EVSE idle": (
        "AC with HLC",
        [("fault pilot", 12.0), ("charge", 0.0), ("ask", 6.0)],
    ),
    "an EV returns to state C and leaves in the same moment": (
        "AC",
        [("charge", 0.0), ("charge", 0.0), ("cp B", 0.0), ("cp C", 0.0)],
    ),
    "an authorization withdrawn while a fault keeps the EVSE idle": (
        "AC",
        [("fault stop", 3.0), ("charge", 3.0), ("withdraw", 1.0)],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_what_chance_has_found(story: str) -> None:
    kind, steps = STORIES[story]
    assert play(steps, kind) == []
