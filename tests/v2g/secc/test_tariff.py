"""The sales tariff of ISO 15118-2: from prices, as levels, without a signature."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.energy_price_information import EnergyPriceInformation
from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule, PricePerkWh
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import Price
from chargebyte_fw.modules.v2g.secc.iso2.tariff import sales_tariff
from chargebyte_fw.modules.v2g.secc.prices import read_prices
from chargebyte_fw.sim.idle import idle
from tests.v2g.contract_chains import NOW
from tests.v2g.station import Manager, Security
from tests.v2g.talk import Talk, dc_parameters, parameters, talk

HOUR = 3_600


NOW_S = int(NOW.timestamp())


def prices(*values: float, begin_s: int = -HOUR, step_s: int = HOUR) -> list[Price]:
    """One price an hour, the first since an hour ago."""
    return [Price(NOW_S + begin_s + at * step_s, value, "EUR") for at, value in enumerate(values)]


def entries(tariff: iso2.SalesTariffType | None) -> list[tuple[int, int | None, int | None]]:
    assert tariff is not None
    return [(one.TimeInterval.start, one.TimeInterval.duration, one.EPriceLevel) for one in tariff.SalesTariffEntry]


def test_levels_begin_with_the_cheapest_and_equal_neighbours_are_one() -> None:
    tariff = sales_tariff(prices(9.0, 0.3, 0.3, 0.2, 0.4, begin_s=-HOUR), NOW_S, 6 * HOUR, 12)
    assert entries(tariff) == [(0, 2 * HOUR, 2), (2 * HOUR, HOUR, 1), (3 * HOUR, 3 * HOUR, 3)]
    assert tariff is not None and (tariff.NumEPriceLevels, tariff.SalesTariffID, tariff.Id) == (3, 1, None)


@pytest.mark.parametrize(
    "known",
    [
        [],
        prices(0.3, 0.3, 0.3),
        prices(0.3, 0.2, begin_s=-9 * HOUR),
        prices(0.1, 0.3, 0.2, step_s=20 * HOUR)[:2],
    ],
    ids=["none", "one price", "no longer", "after the schedule"],
)
def test_where_nothing_changes_there_is_no_tariff(known: list[Price]) -> None:
    assert sales_tariff(known, NOW_S, 6 * HOUR, 12) is None


def test_order_zone_and_rubbish_do_not_matter() -> None:
    times = ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00+01:00", "2025-12-31T23:00:00", "tomorrow")
    known = [PricePerkWh(timestamp=at, value=float(n), currency="EUR") for n, at in enumerate(times)]
    read = read_prices(EnergyPriceSchedule(schedule_import=known, schedule_export=[]))
    assert [(one.from_s - NOW_S, one.per_kWh) for one in read] == [(0, 0.0), (HOUR, 1.0), (-HOUR, 2.0)]
    assert entries(sales_tariff(read, NOW_S, 6 * HOUR, 12)) == [(0, HOUR, 1), (HOUR, 5 * HOUR, 2)]


def test_no_more_entries_than_the_car_takes_and_none_longer_than_a_day() -> None:
    tariff = sales_tariff(prices(*[0.1, 0.2] * 20), NOW_S, 5 * 86_400, 3)
    assert [one[0] for one in entries(tariff)] == [0, HOUR, 2 * HOUR]
    assert entries(sales_tariff(prices(0.1, 0.1, 0.2), NOW_S, 5 * 86_400, 3)) == [(0, HOUR, 1), (HOUR, 86_400, 2)]


def discovered(it: Talk, most: int | None = None) -> Any:
    content = dc_parameters(iso2)
    content.DepartureTime = 6 * HOUR
    request = parameters(iso2, content=content)
    request.MaxEntriesSAScheduleTuple = most
    effects = it.raw(it.frame(request))
    (sent,) = [effect for effect in effects if isinstance(effect, out.Send)]
    return codec("iso2").decode(sent.data[8:])


def test_a_session_without_a_contract_has_the_tariff_and_no_signature() -> None:
    """Field case 29."""
    it = talk("iso2", State.CHARGE_PARAMETERS)
    it.facts.prices = prices(0.3, 0.2, 0.4)
    message = discovered(it)
    assert message.Header.Signature is None
    (schedule,) = message.Body.SASchedules.SAScheduleTuple
    assert [one[2] for one in entries(schedule.SalesTariff)] == [1, 2]
    it = talk("iso2", State.CHARGE_PARAMETERS)
    it.facts.prices = prices(0.3, 0.2, 0.4)
    assert discovered(it, 1).Body.SASchedules.SAScheduleTuple[0].SalesTariff is None, "one entry has no change"


def test_a_contract_gets_no_tariff_that_its_issuer_has_not_signed() -> None:
    it = talk("iso2", State.CHARGE_PARAMETERS, contract=True)
    it.facts.prices = prices(0.3, 0.2, 0.4)
    message = discovered(it)
    assert message.Header.Signature is None
    assert message.Body.SASchedules.SAScheduleTuple[0].SalesTariff is None


class Prices(Module):
    """Publishes prices."""

    main = provides(idle(EnergyPriceInformation))

    async def ready(self) -> None:
        one = PricePerkWh(timestamp="2026-01-01T00:00:00Z", value=0.3, currency="EUR")
        self.main.energy_pricing.publish(EnergyPriceSchedule(schedule_import=[one], schedule_export=[]))


def test_the_prices_come_from_their_provider(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(
            v2g=(EvseV2G, {"device": "eth1"}, {"security": "security.main", "energy_prices": ["prices.main"]}),
            security=(Security,),
            prices=(Prices,),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
        )
        await assembly.start()
        await asyncio.sleep(1.0)
        assert assembly.modules["v2g"].engine.facts.prices == [Price(NOW_S, 0.3, "EUR")]
        await assembly.stop()

    run(main())
