"""Independent peers: `pev` matches with our charger, our car with `evse`, over real packets (plc-utils-extra)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.netns import NamespacesUnavailable
from tests.slac.peers import Outcome, PeerMissing, ev_slac_against_evse, pev_against_evse_slac


def run_or_skip(match: Callable[[], Outcome]) -> Outcome:
    try:
        return match()
    except (NamespacesUnavailable, PeerMissing) as error:
        pytest.skip(str(error))


def test_pev_of_plc_utils_matches_with_our_charger() -> None:
    outcome = run_or_skip(pev_against_evse_slac)
    assert outcome.passed, f"{outcome.why}\n{outcome.output}"
    assert outcome.ev_mac == outcome.peer_mac
    assert outcome.output.count("CM_MNBC_SOUND.IND") == 10
    assert "Average attenuation (19) less than limit (40) from 58 groups" in outcome.output


def test_our_car_matches_with_evse_of_plc_utils() -> None:
    outcome = run_or_skip(ev_slac_against_evse)
    assert outcome.passed, f"{outcome.why}\n{outcome.output}"
    assert outcome.output.count("<-- CM_ATTEN_PROFILE.IND") == 10
