"""Every reserved car finds a place in every order: the quick answer is the one of trying all orders and choices."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.modules.auth.machine.matching import Place, always_served, fits
from tests.auth.helpers import ANY, CCS2, TESLA, TYPE2

Kind = ConnectorTypeEnum


def by_trying(cars: Sequence[Kind], places: Sequence[Place]) -> bool:
    """Try every order of arrival and every choice of a place."""
    for kind in set(cars):
        choices = [place for place, has in enumerate(places) if fits(kind, has)]
        if not choices:
            return False
        rest = list(cars)
        rest.remove(kind)
        for place in choices:
            if not by_trying(rest, [has for number, has in enumerate(places) if number != place]):
                return False
    return True


KINDS = st.sampled_from([CCS2, TYPE2, TESLA, ANY])
PLACES = st.lists(st.frozensets(KINDS, min_size=0, max_size=3), max_size=5)


@given(st.lists(KINDS, max_size=5), PLACES)
@settings(max_examples=400, deadline=None)
def test_the_quick_answer_is_the_right_one(cars: list[Kind], places: list[Place]) -> None:
    assert always_served(cars, places) is by_trying(cars, places)


@pytest.mark.parametrize(
    ("places", "cars", "served"),
    [
        ([{CCS2}] * 3, [CCS2] * 3, True),
        ([{CCS2}] * 3, [CCS2] * 4, False),
        ([{CCS2}] * 3, [TYPE2], False),
        ([{CCS2}, {CCS2, TYPE2}, {CCS2, TYPE2}], [CCS2, TYPE2], True),
        ([{CCS2}, {CCS2, TYPE2}, {CCS2, TYPE2}], [CCS2, TYPE2, CCS2], False),
        ([{CCS2}, {CCS2, TYPE2}, {CCS2, TYPE2}], [CCS2, TYPE2, TYPE2], False),
        ([{CCS2}, {CCS2, TYPE2}, {CCS2, TYPE2}], [TYPE2, TYPE2], True),
        ([{CCS2, TYPE2}], [CCS2, TYPE2], False),
        ([{CCS2, TYPE2}] * 3, [CCS2, TYPE2, CCS2], True),
        ([{CCS2, TYPE2}] * 3, [CCS2, TYPE2, CCS2, TYPE2], False),
        ([{CCS2, TYPE2}, {TYPE2, TESLA}, {TESLA, CCS2}], [CCS2, TYPE2], True),
        ([{CCS2, TYPE2}, {TYPE2, TESLA}, {TESLA, CCS2}], [CCS2, TYPE2, TESLA], False),
        ([{ANY}], [TESLA], True),
        ([{CCS2}], [ANY], True),
        ([], [], True),
        ([set()], [ANY], False),
    ],
)
def test_known_stations(places: list[set[Kind]], cars: list[Kind], served: bool) -> None:
    assert always_served(cars, [frozenset(place) for place in places]) is served


def test_a_large_station_is_answered_quickly() -> None:
    """Forty cars at a hundred places: orders and choices without number, a matching in a moment."""
    begun = time.process_time()
    assert always_served([CCS2] * 20 + [TYPE2] * 20, [frozenset({CCS2, TYPE2})] * 100)
    assert time.process_time() - begun < 2.0
