"""EnergyNode: fuse, external limits, enhancement, prices (modules reference: EnergyNode)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chargebyte_fw.contracts.types.energy import ExternalLimits, LimitsReq, ScheduleReqEntry
from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule, PricePerkWh
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.energy.node import Fuse, NodeBook
from tests.energy.helpers import NOON, ac_leaf, entry, side


def external(*imports: ScheduleReqEntry) -> ExternalLimits:
    return ExternalLimits(schedule_import=list(imports), schedule_export=[], schedule_setpoints=[])


def root_side(book: NodeBook, place: int = 0, after_s: float = 0.0) -> LimitsReq:
    return book.request(NOON + timedelta(seconds=after_s)).schedule_import[place].limits_to_root


def values(limits: LimitsReq) -> tuple[float | None, int | None, float | None]:
    current, phases, power = limits.ac_max_current_A, limits.ac_max_phase_count, limits.total_power_W
    return (
        None if current is None else current.value,
        None if phases is None else phases.value,
        None if power is None else power.value,
    )


@pytest.mark.parametrize(("phase_count", "power_W"), [(3, 27_600), (1, 9_200), (0, 9_200)])
def test_capabilities_are_those_of_the_fuse(phase_count: int, power_W: float) -> None:
    told = NodeBook("grid", Fuse(40, phase_count)).capabilities()
    assert (told.max_current_A, told.max_phase_count, told.nominal_voltage_V) == (40, phase_count, 230)
    assert told.total_power_W == power_W


def test_without_external_limits_the_fuse_is_asked_for_both_ways_from_the_full_hour() -> None:
    request = NodeBook("grid", Fuse(16)).request(NOON + timedelta(minutes=57))
    for [only] in (request.schedule_import, request.schedule_export):
        assert only.timestamp == "2026-01-01T12:00:00.000Z"
        assert values(only.limits_to_root) == values(only.limits_to_leaves) == (16, 3, None)
        assert only.limits_to_root.ac_max_current_A is not None
        assert only.limits_to_root.ac_max_current_A.source == "grid/module_config"


def test_a_node_without_phases_says_in_watts_what_it_carries() -> None:
    assert values(root_side(NodeBook("bus", Fuse(10, 0)))) == (10, None, 2_300)


def test_a_childs_request_replaces_its_last_one_and_is_embedded() -> None:
    book = NodeBook("grid", Fuse(16))
    book.take_child(ac_leaf("connector", 32))
    book.take_child(ac_leaf("other", 32))
    book.take_child(ac_leaf("connector", 20))
    children = book.request(NOON).children
    assert [child.uuid for child in children] == ["connector", "other"]
    assert children[0].schedule_import[0].limits_to_root.ac_max_current_A.value == 20  # type: ignore[union-attr]


def test_an_external_limit_below_the_fuse_holds_with_its_own_source() -> None:
    book = NodeBook("grid", Fuse(16))
    book.set_external(external(entry(side("ems", A=10))))
    limits = root_side(book)
    assert values(limits) == (10, 3, None)
    assert limits.ac_max_current_A is not None and limits.ac_max_current_A.source == "ems"


def test_an_external_limit_above_the_fuse_is_capped_by_it() -> None:
    book = NodeBook("grid", Fuse(16, 1))
    book.set_external(external(entry(side("ems", A=63, phases=3))))
    assert values(root_side(book)) == (16, 1, None)


@pytest.mark.parametrize("value", [float("nan"), -5.0])
def test_an_external_limit_that_makes_no_sense_allows_nothing(value: float) -> None:
    book = NodeBook("grid", Fuse(16))
    book.set_external(external(entry(side("ems", A=value))))
    assert values(root_side(book))[0] == 0


def test_an_empty_external_schedule_gives_the_fuse_back() -> None:
    book = NodeBook("grid", Fuse(16))
    book.set_external(external(entry(side("ems", A=10))))
    book.set_external(external())
    assert values(root_side(book)) == (16, 3, None)


def test_an_external_schedule_moves_on_with_time_and_its_last_entry_stays() -> None:
    book = NodeBook("grid", Fuse(16))
    book.set_external(external(entry(side("ems", A=6)), entry(side("ems", A=8), at=NOON + timedelta(hours=1))))
    assert len(book.request(NOON).schedule_import) == 2
    assert values(root_side(book, after_s=3_600))[0] == 8
    assert len(book.request(NOON + timedelta(days=9)).schedule_import) == 1


def test_an_external_schedule_with_an_unreadable_time_is_refused_and_the_last_one_holds() -> None:
    book = NodeBook("grid", Fuse(16))
    book.set_external(external(entry(side("ems", A=6))))
    bad = entry(side("ems", A=32))
    bad.timestamp = "soon"
    with pytest.raises(ValueError, match="soon"):
        book.set_external(external(bad))
    assert values(root_side(book))[0] == 6


@pytest.mark.parametrize(
    ("enhance", "fuse", "limits", "expected_A"),
    [
        (False, Fuse(100), {"W": 6_900}, 100),
        (True, Fuse(100), {"W": 6_900}, 10),
        (True, Fuse(100), {"W": 6_900, "phases": 1}, 30),
        (True, Fuse(100, 1), {"W": 6_900}, 30),
        (True, Fuse(100, 0), {"W": 6_900}, 30),
        (True, Fuse(100), {"W": 6_900, "A": 7}, 7),
        (True, Fuse(8), {"W": 6_900}, 8),
        (True, Fuse(100, 3, 120), {"W": 3_600}, 10),
        (True, Fuse(100, 3, 400), {"W": 12_000}, 10),
        (True, Fuse(100, 1, 240), {"W": 2_400}, 10),
    ],
)
def test_enhancement_derives_a_missing_current_from_the_power(
    enhance: bool, fuse: Fuse, limits: dict[str, float], expected_A: float
) -> None:
    """Phases: the entry's, else the node's, else one; an existing current is kept; the fuse caps."""
    book = NodeBook("grid", fuse, enhance=enhance)
    book.set_external(
        external(entry(side("ems", **limits)), entry(side("ems", **limits), at=NOON + timedelta(hours=1)))
    )
    assert [values(root_side(book, place))[0] for place in (0, 1)] == [pytest.approx(expected_A)] * 2


def price(value: float, hour: int) -> PricePerkWh:
    return PricePerkWh(timestamp=rfc3339(NOON + timedelta(hours=hour)), value=value, currency="EUR")


def test_prices_are_written_into_the_schedule_also_where_times_are_equal() -> None:
    book = NodeBook("grid", Fuse(16))
    book.prices = EnergyPriceSchedule(schedule_import=[price(0.3, 0), price(0.2, 1), price(0.4, 2)], schedule_export=[])
    book.set_external(external(entry(side("ems", A=6)), entry(side("ems", A=8), at=NOON + timedelta(hours=1))))
    told = [
        (item.timestamp[11:13], values(item.limits_to_root)[0], item.price_per_kwh and item.price_per_kwh.value)
        for item in book.request(NOON).schedule_import
    ]
    assert told == [("12", 6, 0.3), ("13", 8, 0.2), ("14", 8, 0.4)]
