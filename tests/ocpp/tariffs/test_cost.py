"""What transactions cost: exact values of whole sessions, by hand (OCPP 2.1 part 2, I07, I12)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.smart_charging.rules import LocalTime
from chargebyte_fw.modules.ocpp.tariffs.tariff import TariffRefused
from tests.ocpp.tariffs.count import Session, fixed, kwh, minute, tariff_of, vat

HOUR = 3600


def starts(session: Session) -> list[str]:
    return [one["startPeriod"][11:16] for one in session.details()["chargingPeriods"]]


def volumes(session: Session) -> list[dict[str, float]]:
    periods = session.details()["chargingPeriods"]
    return [{one["type"]: one["volume"] for one in period.get("dimensions", ())} for period in periods]


@pytest.mark.ocpp("I12.FR.09", "I12.FR.16", "I12.FR.41")
def test_energy_alone() -> None:
    session = Session(tariff_of(energy={"prices": [kwh(0.25)]})).run(HOUR, 10_000)
    details = session.details()
    assert details["totalCost"] == {
        "currency": "EUR",
        "typeOfCost": "NormalCost",
        "energy": {"exclTax": 2.5, "inclTax": 2.5},
        "total": {"exclTax": 2.5, "inclTax": 2.5},
    }
    assert details["totalUsage"] == {"energy": 10_000.0, "chargingTime": HOUR, "idleTime": 0}
    [period] = details["chargingPeriods"]
    assert (period["tariffId"], period["startPeriod"]) == ("T1", "2023-04-05T14:00:00.000Z")
    assert volumes(session) == [{"Energy": 10.0, "ChargingTime": 60.0}]


@pytest.mark.ocpp("I12.FR.05", "I12.FR.10", "I12.FR.11", "I12.FR.12", "I12.FR.17")
def test_every_field_has_its_own_cost_and_taxes() -> None:
    tariff = tariff_of(
        energy={"prices": [kwh(5.0)], "taxRates": vat((4.5, 0), (5.5, 0))},
        chargingTime={"prices": [minute(6.0)], "taxRates": vat((20.0, 0))},
        idleTime={"prices": [minute(0.5)]},
        fixedFee={"prices": [fixed(1.5)], "taxRates": vat((19.0, 0))},
    )
    session = Session(tariff).run(90, 333)
    session.idle().run(125)
    cost = session.details()["totalCost"]
    assert cost["energy"]["exclTax"] == 1.665 and cost["energy"]["inclTax"] == 1.8315  # 4.5 % and 5.5 % of the net
    assert (cost["chargingTime"]["exclTax"], cost["chargingTime"]["inclTax"]) == (9.0, 10.8)
    assert (cost["idleTime"]["exclTax"], cost["idleTime"]["inclTax"]) == (1.041667, 1.041667)  # 125/60 * 0.5
    assert (cost["fixed"]["exclTax"], cost["fixed"]["inclTax"]) == (1.5, 1.785)
    assert cost["energy"]["taxRates"] == [
        {"type": "T0", "tax": 4.5, "stack": 0},
        {"type": "T1", "tax": 5.5, "stack": 0},
    ]
    assert cost["total"] == {"exclTax": 13.206667, "inclTax": 15.458167}
    assert session.details()["totalUsage"] == {"energy": 333.0, "chargingTime": 90, "idleTime": 125}


@pytest.mark.ocpp("I12.FR.13")
@pytest.mark.parametrize(
    ("rates", "incl_tax"),
    [
        ([], 100.0),
        ([(0.0, 0)], 100.0),
        ([(10.0, 0), (5.0, 0)], 115.0),
        ([(10.0, 0), (20.0, 1)], 132.0),
        ([(10.0, 0), (5.0, 0), (20.0, 1)], 138.0),
        ([(20.0, 7), (10.0, 3)], 132.0),
        ([(8.875, 0)], 108.875),
    ],
)
def test_taxes_of_a_stack_level_are_on_top_of_the_level_below(rates: list[tuple[float, int]], incl_tax: float) -> None:
    taxes: dict[str, Any] = {"taxRates": vat(*rates)} if rates else {}
    session = Session(tariff_of(fixedFee={"prices": [fixed(100.0)], **taxes}))
    assert session.total() == (100.0, incl_tax)


def test_decimal_prices_have_no_binary_tail() -> None:
    session = Session(tariff_of(energy={"prices": [kwh(0.29)], "taxRates": vat((19.0, 0))}))
    session.run(10 * HOUR, 30_000, steps=3000)
    assert session.total() == (8.7, 10.353)
    assert Session(tariff_of(chargingTime={"prices": [minute(0.1)]})).run(600, steps=599).total()[0] == pytest.approx(1)
    thirds = Session(tariff_of(chargingTime={"prices": [minute(0.01)]})).run(20, steps=20)
    assert thirds.total() == (0.003333, 0.003333)
    assert Session(tariff_of(chargingTime={"prices": [minute(0.00009)]})).run(1).total() == (0.000002, 0.000002)


# Conditions.


@pytest.mark.ocpp("I07.FR.17", "I12.FR.31", "I12.FR.33", "I12.FR.34", "I12.FR.35", "I12.FR.36")
def test_a_time_of_day_divides_a_transaction_to_the_second() -> None:
    day = kwh(0.40, startTimeOfDay="08:00", endTimeOfDay="18:00")
    tariff = tariff_of(energy={"prices": [day, kwh(0.25)]})
    session = Session(tariff, "2023-04-05T17:30:00").run(50 * 60, 10_000)
    assert session.total()[0] == 3.4  # 6 kWh at 0.40, 4 kWh at 0.25
    assert starts(session) == ["17:30", "18:00"]
    assert volumes(session) == [{"Energy": 6.0, "ChargingTime": 30.0}, {"Energy": 4.0, "ChargingTime": 20.0}]
    assert Session(tariff, "2023-04-05T07:59:59").run(1, 100).total()[0] == 0.025
    assert Session(tariff, "2023-04-05T08:00:00").run(1, 100).total()[0] == 0.04


@pytest.mark.ocpp("I07.FR.17")
def test_midnight_windows_and_days_of_the_week() -> None:
    night = kwh(0.10, startTimeOfDay="22:00", endTimeOfDay="06:00")
    session = Session(tariff_of(energy={"prices": [night, kwh(0.50)]}), "2023-04-05T21:00:00").run(10 * HOUR, 10_000)
    assert session.total()[0] == pytest.approx(8 * 0.10 + 2 * 0.50)
    evening = kwh(0.10, startTimeOfDay="18:00", endTimeOfDay="00:00")
    session = Session(tariff_of(energy={"prices": [evening, kwh(0.50)]}), "2023-04-05T23:00:00").run(2 * HOUR, 2_000)
    assert session.total()[0] == 0.6
    saturday = kwh(0.10, dayOfWeek=["Saturday"])
    session = Session(tariff_of(energy={"prices": [saturday, kwh(0.50)]}), "2023-04-08T23:00:00").run(2 * HOUR, 2_000)
    assert session.total()[0] == 0.6 and starts(session) == ["23:00", "00:00"]
    year = kwh(0.10, validFromDate="2023-12-31", validToDate="2024-01-01")
    session = Session(tariff_of(energy={"prices": [year, kwh(0.50)]}), "2023-12-30T12:00:00").run(48 * HOUR, 48_000)
    assert session.total()[0] == pytest.approx(24 * 0.1 + 24 * 0.5)


@pytest.mark.ocpp("I07.FR.17")
@pytest.mark.parametrize(
    ("transition", "before_h", "after_h", "cheap_h"),
    [
        # Spring: 02:00 becomes 03:00, so the night from 22:00 to 06:00 has 7 hours. Autumn: 03:00 becomes 02:00.
        ("2023-03-26T01:00:00", 1, 2, 7),
        ("2023-10-29T01:00:00", 2, 1, 9),
    ],
)
def test_the_change_to_summer_time_makes_a_night_shorter(
    transition: str, before_h: int, after_h: int, cheap_h: int
) -> None:
    at = datetime.fromisoformat(transition).replace(tzinfo=UTC)
    local = LocalTime(before_h * HOUR, int(at.timestamp()), after_h * HOUR)
    night = kwh(0.10, startTimeOfDay="22:00", endTimeOfDay="06:00")
    begin = f"{at.date().isoformat()}T00:00:00"
    session = Session(tariff_of(energy={"prices": [night, kwh(0.50)]}), begin, local=local)
    session.at_us -= 12 * HOUR * 1_000_000
    session.cost.at_us = session.at_us
    session.run(24 * HOUR, 24_000)
    assert session.total()[0] == pytest.approx(cheap_h * 0.10 + (24 - cheap_h) * 0.50)


@pytest.mark.ocpp("I12.FR.33", "I12.FR.34")
def test_thresholds_of_energy_and_time_are_met_exactly() -> None:
    steps = tariff_of(energy={"prices": [kwh(0.10, maxEnergy=5_000), kwh(0.30, maxEnergy=8_000), kwh(0.50)]})
    for count in (1, 7, 100):
        assert Session(steps).run(HOUR, 10_000, steps=count).total()[0] == pytest.approx(0.5 + 0.9 + 1.0), count
    grace = tariff_of(idleTime={"prices": [minute(0.0, maxIdleTime=900), minute(0.20)]}, energy={"prices": [kwh(0)]})
    session = Session(grace).run(HOUR, 1)
    assert session.idle().run(20 * 60).total()[0] == 1.0  # 5 of 20 minutes
    long = tariff_of(chargingTime={"prices": [minute(0.02, minTime=HOUR), minute(0.01)]})
    assert Session(long).run(2 * HOUR).total()[0] == 1.8
    charged = tariff_of(chargingTime={"prices": [minute(1.0, maxChargingTime=60)]})
    session = Session(charged, charging=False).run(HOUR)
    session.cost.charging = True
    assert session.run(HOUR).total()[0] == 1.0


@pytest.mark.ocpp("I12.FR.31")
def test_a_price_by_power_applies_from_the_measurement_on() -> None:
    tariff = tariff_of(energy={"prices": [kwh(0.80, minPower=20_000), kwh(0.40)]})
    session = Session(tariff)
    session.power_W = 50_000.0
    session.run(60, 300)
    session.run(60, 800)
    session.power_W = 19_999.0
    session.run(60, 500)
    session.run(60, 300)
    assert session.total()[0] == pytest.approx(0.3 * 0.4 + (0.8 + 0.5) * 0.8 + 0.3 * 0.4)
    periods = volumes(session)
    assert (periods[1]["MinPower"], periods[1]["MaxPower"]) == (50_000.0, 50_000.0)
    unknown = Session(tariff).run(60, 1000)
    assert unknown.total()[0] == 0.4, "what nothing measures is no condition that holds"


def test_discharging_is_a_negative_amount_with_thresholds_nearer_to_zero() -> None:
    tariff = tariff_of(energy={"prices": [kwh(0.20, minPower=-10, maxPower=-50_000), kwh(0.40)]})
    session = Session(tariff)
    session.power_W = -9_000.0
    session.run(1)
    session.run(HOUR, -3_000)
    assert session.total()[0] == pytest.approx(-0.6)
    assert session.details()["totalUsage"]["energy"] == -3_000.0


@pytest.mark.ocpp("I12.FR.30")
def test_fixed_prices_are_judged_once_at_the_begin() -> None:
    prices = [
        fixed(3.0, evseKind="DC"),
        fixed(2.0, paymentBrand="VISA"),
        fixed(1.0, startTimeOfDay="12:00"),
        fixed(0.5),
    ]
    tariff = tariff_of(fixedFee={"prices": prices})
    assert Session(tariff, evse_kind="DC").run(HOUR).total()[0] == 3.0
    assert Session(tariff, evse_kind="AC", brand="VISA").total()[0] == 2.0
    assert Session(tariff, "2023-04-05T12:00:00").total()[0] == 1.0
    assert Session(tariff, "2023-04-05T11:59:00").run(HOUR).total()[0] == 0.5
    card = tariff_of(fixedFee={"prices": [fixed(2.0, paymentRecognition="Debit")]})
    assert Session(card, recognition="CC").total()[0] == 0.0


@pytest.mark.ocpp("I12.FR.06", "I12.FR.07", "I12.FR.08")
def test_a_reservation_costs_its_time_and_its_fee() -> None:
    night = minute(0.05, startTimeOfDay="22:00", endTimeOfDay="06:00")
    tariff = tariff_of(
        reservationTime={"prices": [night, minute(0.10)], "taxRates": vat((20.0, 0))},
        reservationFixed={"prices": [fixed(0.75)]},
    )
    session = Session(tariff, "2023-04-05T22:10:00", reservation_s=30 * 60)
    details = session.details()
    assert details["totalCost"]["reservationTime"]["exclTax"] == 2.5  # 20 min at 0.10, 10 min at 0.05
    assert details["totalCost"]["reservationTime"]["inclTax"] == 3.0
    assert details["totalCost"]["reservationFixed"]["exclTax"] == 0.75
    assert details["totalUsage"]["reservationTime"] == 1800
    assert Session(tariff, "2023-04-05T22:10:00").total() == (0.0, 0.0), "none was used"


# Minimum and maximum.


@pytest.mark.ocpp("I12.FR.38")
def test_a_minimum_takes_the_place_of_a_lower_cost_at_the_end() -> None:
    least = {"exclTax": 5.0, "taxRates": vat((20.0, 0))}
    tariff = tariff_of(energy={"prices": [kwh(1.0)]}, minCost=least)
    session = Session(tariff).run(60, 1_000)
    cost = session.details()["totalCost"]
    assert (cost["typeOfCost"], cost["total"]) == ("MinCost", {"exclTax": 5.0, "inclTax": 6.0})
    assert cost["fixed"]["exclTax"] == 5.0 and "energy" not in cost
    running = session.details(final=False)
    assert running["totalCost"]["typeOfCost"] == "NormalCost" and "chargingPeriods" not in running
    assert session.run(60, 4_000).details()["totalCost"]["typeOfCost"] == "NormalCost"


@pytest.mark.ocpp("I12.FR.39", "I12.FR.40")
def test_a_maximum_is_never_exceeded_and_usage_goes_on() -> None:
    tariff = tariff_of(
        energy={"prices": [kwh(1.0)], "taxRates": vat((20.0, 0))},
        chargingTime={"prices": [minute(0.1)]},
        maxCost={"inclTax": 10.0},
    )
    session = Session(tariff).run(HOUR, 7_000)  # 8.4 and 6.0 would be 14.4
    cost = session.details()["totalCost"]
    assert (cost["typeOfCost"], cost["total"]["inclTax"]) == ("MaxCost", 10.0)
    assert cost["energy"]["inclTax"] + cost["chargingTime"]["inclTax"] == pytest.approx(10.0)
    session.run(HOUR, 7_000)
    details = session.details()
    assert details["totalCost"] == cost and details["totalUsage"]["energy"] == 14_000.0
    fee = tariff_of(fixedFee={"prices": [fixed(20.0)]}, maxCost={"exclTax": 15.0})
    assert Session(fee).total() == (15.0, 15.0)


# Another tariff, and a restart.


@pytest.mark.ocpp("I11.FR.08", "I12.FR.04")
def test_another_tariff_holds_from_then_on() -> None:
    session = Session(tariff_of(chargingTime={"prices": [minute(0.1)], "taxRates": vat((0.0, 0))})).run(600)
    session.tariff = tariff_of(tariffId="T2", chargingTime={"prices": [minute(1.0)], "taxRates": vat((10.0, 0))})
    session.cost.change(session.tariff, session.local)
    session.run(600)
    assert session.total() == (11.0, 12.0)
    assert [one["tariffId"] for one in session.details()["chargingPeriods"]] == ["T1", "T2"]
    assert "taxRates" not in session.details()["totalCost"]["chargingTime"], "it had two"


def test_a_restart_changes_nothing() -> None:
    prices = [kwh(0.40, startTimeOfDay="08:00", endTimeOfDay="14:20"), kwh(0.25, maxEnergy=9_000), kwh(1.0)]
    tariff = tariff_of(energy={"prices": prices, "taxRates": vat((19.0, 0), (1.0, 1))}, maxCost={"exclTax": 5.0})
    whole, parts = Session(tariff), Session(tariff)
    for _ in range(10):
        whole.run(300, 1_100)
        parts.run(300, 1_100).restarted()
    assert whole.details() == parts.details()


# Hostile and broken.


def test_a_meter_that_goes_back_and_a_clock_that_jumps_cost_nothing() -> None:
    session = Session(tariff_of(energy={"prices": [kwh(1.0, startTimeOfDay="10:00"), kwh(2.0)]}))
    session.run(60, 1_000)
    session.imported_mWh = 5_000
    session.run(60)
    session.imported_mWh = 1_005_000
    session.run(60)
    assert session.total()[0] == 2.0
    session.at_us += 40 * 366 * 24 * HOUR * 1_000_000
    session.run(60, 1_000)
    assert session.total()[0] == 3.0
    assert session.details()["totalUsage"]["chargingTime"] == 240


def test_many_changes_are_bounded() -> None:
    prices = [
        kwh(
            float(i % 3),
            startTimeOfDay=f"{i // 60:02}:{i % 60:02}",
            endTimeOfDay=f"{(i + 1) // 60:02}:{(i + 1) % 60:02}",
        )
        for i in range(60)
    ]
    session = Session(tariff_of(energy={"prices": prices}), "2023-04-05T00:00:00").run(365 * 24 * HOUR, 1_000_000)
    assert len(session.details()["chargingPeriods"]) <= 200
    assert session.details()["totalUsage"]["energy"] == 1_000_000.0
    assert sum(one.get("Energy", 0.0) for one in volumes(session)) == pytest.approx(1000.0)


@pytest.mark.ocpp("I12.FR.14", "I12")
def test_without_a_meter_the_cost_is_said_to_be_wrong() -> None:
    session = Session(tariff_of(energy={"prices": [kwh(1.0)]}))
    session.cost.last = type(session.cost.last)()
    session.cost.advance(session.tariff, session.local, session.at_us, 0, session.cost.last)
    details = session.details()
    assert details["failureToCalculate"] is True and details["failureReason"] == "no meter has measured the energy"


def test_prices_by_discharged_energy_change_at_their_threshold() -> None:
    prices = [kwh(0.50, minEnergy=-2_000), kwh(0.20)]
    session = Session(tariff_of(energy={"prices": prices})).run(HOUR, -5_000)
    assert session.total()[0] == pytest.approx(-(2 * 0.20 + 3 * 0.50))


def test_no_number_and_no_end_of_a_number_is_a_price() -> None:
    for wrong in (float("nan"), float("inf"), 1e10, -1e10):
        with pytest.raises(TariffRefused):
            tariff_of(energy={"prices": [kwh(wrong)]})
