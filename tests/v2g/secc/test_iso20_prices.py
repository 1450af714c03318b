"""Price schedules and the parking status of ISO 15118-20."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.rational import number
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Price
from chargebyte_fw.modules.v2g.secc.iso20.prices import ALGORITHM
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.secc.prices import prices_within
from tests.v2g.talk20 import TIMESTAMP, Course, dc20_facts, of, requests, schedule, selection, talk20

NOW = TIMESTAMP + 100
PRICES = [
    Price(TIMESTAMP - 7_200, 0.41, "EUR"),
    Price(TIMESTAMP, 0.3125, "EUR"),
    Price(TIMESTAMP + 3_600, 0.25, "EUR"),
    Price(TIMESTAMP + 7_200, 0.3125, "EUR"),
    Price(TIMESTAMP + 200_000, 0.1, "EUR"),
]


def pricings(options: Iso20Settings, **changes: Any) -> list[int]:
    it = talk20(S.SERVICE_DETAIL, dc20_facts(**changes), options)
    sets = it.ask(of(m.ServiceDetailReq, ServiceID=2)).ServiceParameterList.ParameterSet
    return [one.Parameter[3].intValue for one in sets]


def test_sets_with_prices_follow_those_without() -> None:
    assert pricings(Iso20Settings(scheduled=True)) == [0, 0]
    assert pricings(Iso20Settings(scheduled=True), prices=PRICES) == [0, 0, 1, 1]
    assert pricings(Iso20Settings(scheduled=True, pricing="levels"), prices=PRICES) == [0, 0, 2, 2]
    assert pricings(Iso20Settings(scheduled=True, pricing="none"), prices=PRICES) == [0, 0]


def test_a_schedule_with_prices_in_money() -> None:
    facts = dc20_facts(prices=PRICES)
    it = talk20(S.SCHEDULE, facts, course=Course(dynamic=False, set_id=3))
    (one,) = it.ask(schedule(dynamic=False)).Scheduled_SEResControlMode.ScheduleTuple
    prices = one.ChargingSchedule.AbsolutePriceSchedule
    assert (prices.Currency, prices.PriceAlgorithm, prices.TimeAnchor) == ("EUR", ALGORITHM, NOW)
    stacks = [(stack.Duration, number(stack.PriceRule[0].EnergyFee)) for stack in prices.PriceRuleStacks.PriceRuleStack]
    assert stacks == [(3_500, 0.312), (3_600, 0.25), (79_300, 0.312)]
    assert it.value("selected_service_parameters").pricing == "AbsolutePricing"


def test_a_schedule_with_price_levels_in_dynamic_control() -> None:
    facts = dc20_facts(prices=PRICES)
    it = talk20(S.SCHEDULE, facts, Iso20Settings(scheduled=True, pricing="levels"), Course(set_id=2))
    prices = it.ask(schedule()).Dynamic_SEResControlMode.PriceLevelSchedule
    levels = [(one.Duration, one.PriceLevel) for one in prices.PriceLevelScheduleEntries.PriceLevelScheduleEntry]
    assert (prices.NumberOfPriceLevels, levels) == (2, [(3_500, 1), (3_600, 0), (79_300, 1)])


@pytest.mark.parametrize("set_id", [1, 3])
def test_without_prices_there_is_no_price_schedule(set_id: int) -> None:
    facts = dc20_facts(prices=PRICES)
    it = talk20(S.SCHEDULE, facts, course=Course(dynamic=False, set_id=set_id))
    it.facts.prices = [] if set_id == 3 else PRICES
    (one,) = it.ask(schedule(dynamic=False)).Scheduled_SEResControlMode.ScheduleTuple
    assert one.ChargingSchedule.AbsolutePriceSchedule is None
    levels = one.ChargingSchedule.PriceLevelSchedule
    (entry,) = levels.PriceLevelScheduleEntries.PriceLevelScheduleEntry
    assert (levels.NumberOfPriceLevels, entry.Duration, entry.PriceLevel) == (1, 86_400, 0), "[V2G20-2176]"


@given(
    st.lists(st.builds(Price, st.integers(0, 400_000), st.floats(0, 3), st.just("EUR")), max_size=90),
    st.integers(12, 1_024),
)
def test_entries_cover_the_schedule_without_a_gap(prices: list[Price], most: int) -> None:
    found = prices_within(prices, 100_000, 86_400, most)
    assert len(found) <= min(most, 64)
    if found:
        assert sum(duration for duration, _ in found) == 86_400
        assert all(duration > 0 for duration, _ in found)
    assert bool(found) is any(one.from_s < 186_400 for one in prices)


# -- parking


def test_the_parking_status_is_answered_in_its_stream_once_it_is_selected() -> None:
    service = iso15118_vas.OfferedService(service_id=66)
    it = talk20(S.SERVICE_SELECTION, dc20_facts(offered_services={66: service}))
    check_in, check_out = requests()["VehicleCheckInReq"], requests()["VehicleCheckOutReq"]
    assert it.ask(selection(2, 0, ((66, 1),))).ResponseCode == "OK"
    assert it.ask(check_in, stream="parking").ResponseCode == "OK"
    assert it.types[-1] == 0x8104
    assert it.ask(check_out).EVSECheckOutStatus == "Scheduled"
    check_out.EVCheckOutStatus = m.evCheckOutStatusType.Completed
    assert it.ask(check_out, stream="parking").EVSECheckOutStatus == "Completed"
    assert it.session.state is S.CHARGE_PARAMETERS


@pytest.mark.parametrize("stream", ["parking", "metering", "schedule"])
def test_a_request_of_the_main_stream_is_out_of_sequence_elsewhere(stream: str) -> None:
    it = talk20(S.SERVICE_DISCOVERY)
    assert it.ask(requests()["ServiceDiscoveryReq"], stream=stream).ResponseCode == "FAILED_SequenceError"
