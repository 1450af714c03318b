"""ISO 15118-20: what a charger may do beside charging: standby, power tolerance, receipts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g.messages import iso20_schedules
from chargebyte_fw.modules.v2g.rational import number, rational
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Price
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.secc.test_iso20_contract import confirmed, confirming
from tests.v2g.secc.test_iso20_dc import SCHEDULED
from tests.v2g.talk20 import (
    TIMESTAMP,
    Course,
    Talk20,
    ac20_facts,
    ac_loop,
    dc20_facts,
    dc_loop,
    power,
    profile,
    schedule,
    talk20,
    talk20_ac,
)

STANDBY = Iso20Settings(scheduled=True, standby=True)
BPT = Course(6, bidirectional=True)


# -- standby


@pytest.mark.parametrize("course", [Course(), SCHEDULED, BPT], ids=["dynamic", "scheduled", "bidirectional"])
def test_a_dc_car_stands_by_without_current_and_goes_on(course: Course) -> None:
    facts = dc20_facts("DC", "DC_BPT")
    it = talk20(S.CHARGING, facts, STANDBY, course)

    def loop() -> Any:
        return it.ask(dc_loop(dynamic=course.dynamic, bidirectional=course.bidirectional)).CLResControlMode

    loop()
    assert it.ask(power("Standby")).ResponseCode == "OK"
    limits = loop()
    assert (number(limits.EVSEMaximumChargePower), number(limits.EVSEMaximumChargeCurrent)) == (0.0, 0.0)
    assert number(limits.EVSEMaximumVoltage) == 900.0
    if course.dynamic:
        wish = it.value("d20_dc_dynamic_charge_mode")
        assert (wish.max_charge_power, wish.max_charge_current, wish.max_discharge_power or 0.0) == (0.0, 0.0, 0.0)
    else:
        assert it.value("dc_ev_target_voltage_current").dc_ev_target_current == 0.0
    names = it.charger.names()
    assert "dc_open_contactor" not in names and "current_demand_finished" not in names
    assert it.ask(power("Start", profile=profile(dynamic=course.dynamic))).ResponseCode == "OK"
    assert number(loop().EVSEMaximumChargePower) == 150_000.0
    assert it.charger.names().count("v2g_setup_finished") == 1 and not it.charger.broken()


def test_a_car_that_stands_by_may_stop() -> None:
    it = talk20(S.CHARGING, options=STANDBY)
    it.ask(dc_loop())
    it.ask(power("Standby"))
    assert it.ask(power("Stop")).ResponseCode == "OK" and "dc_open_contactor" in it.charger.names()


def test_an_ac_car_that_stands_by_has_a_target_of_nothing() -> None:
    it = talk20_ac(S.CHARGING, options=STANDBY, course=Course(1))
    it.change(ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=6_900.0)))
    assert number(it.ask(ac_loop()).CLResControlMode.EVSETargetActivePower) == 6_900.0
    assert it.ask(power("Standby")).ResponseCode == "OK"
    assert number(it.ask(ac_loop()).CLResControlMode.EVSETargetActivePower) == 0.0
    assert "ac_open_contactor" not in it.charger.names()
    assert it.ask(power("Start", profile=profile(3_000, dynamic=True))).ResponseCode == "OK"
    assert number(it.ask(ac_loop()).CLResControlMode.EVSETargetActivePower) == 6_900.0


def test_a_car_is_asked_to_leave_standby_where_its_energy_is_wanted() -> None:
    it = talk20(S.CHARGING, dc20_facts("DC", "DC_BPT"), STANDBY, BPT)
    it.ask(dc_loop(bidirectional=True))
    it.ask(power("Standby"))
    assert it.ask(dc_loop(bidirectional=True)).EVSEStatus is None
    it.change(dc_max_power_W=0.0, dc_max_discharge_power_W=5_000.0)
    assert it.ask(dc_loop(bidirectional=True)).EVSEStatus.EVSENotification == "ExitStandby"
    ac = talk20_ac(S.CHARGING, ac20_facts("AC_BPT"), STANDBY, Course(5, bidirectional=True))
    ac.ask(ac_loop(bidirectional=True))
    ac.ask(power("Standby"))
    assert ac.ask(ac_loop(bidirectional=True)).EVSEStatus is None
    ac.change(ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=-3_000.0)))
    assert ac.ask(ac_loop(bidirectional=True)).EVSEStatus.EVSENotification == "ExitStandby"


def test_before_the_charge_loop_there_is_nothing_to_stand_by() -> None:
    it = talk20(S.POWER_DELIVERY, options=STANDBY)
    assert it.ask(power("Standby")).ResponseCode == "WARNING_StandbyNotAllowed"
    assert it.ask(power("Start")).ResponseCode == "OK"


# -- power tolerance


def tolerant(acceptance: str | None) -> Any:
    given = profile(50_000)
    kinds = iso20_schedules.powerToleranceAcceptanceType
    assert given.Scheduled_EVPPTControlMode is not None
    given.Scheduled_EVPPTControlMode.PowerToleranceAcceptance = None if acceptance is None else kinds(acceptance)
    return given


@pytest.mark.parametrize(
    ("acceptance", "code"),
    [
        ("PowerToleranceConfirmed", "OK_PowerToleranceConfirmed"),
        ("PowerToleranceNotConfirmed", "WARNING_PowerToleranceNotConfirmed"),
        (None, "WARNING_PowerToleranceNotConfirmed"),
    ],
)
def test_a_tolerance_is_stated_and_confirmed_or_not(acceptance: str | None, code: str) -> None:
    it = talk20(S.SCHEDULE, options=Iso20Settings(scheduled=True, power_tolerance_W=500.0), course=SCHEDULED)
    (one,) = it.ask(schedule(dynamic=False)).Scheduled_SEResControlMode.ScheduleTuple
    assert number(one.ChargingSchedule.PowerSchedule.PowerTolerance) == 500.0
    it = talk20(S.POWER_DELIVERY, options=Iso20Settings(scheduled=True, power_tolerance_W=500.0), course=SCHEDULED)
    assert it.ask(power(profile=tolerant(acceptance))).ResponseCode == code
    assert it.session.state is S.CHARGING and not it.closing


def profile_from(anchor_s: int, *watts: float) -> Any:
    """A confirmed profile of one power for each minute."""
    given = tolerant("PowerToleranceConfirmed")
    entry = given.EVPowerProfileEntries.EVPowerProfileEntry[0]
    given.EVPowerProfileEntries.EVPowerProfileEntry = [
        replace(entry, Duration=60, Power=rational(one)) for one in watts
    ]
    given.TimeAnchor = anchor_s
    return given


def test_a_car_that_leaves_its_confirmed_profile_is_warned_until_it_keeps_to_it() -> None:
    options = Iso20Settings(scheduled=True, power_tolerance_W=500.0)
    it = talk20(S.POWER_DELIVERY, options=options, course=SCHEDULED)
    it.ask(power(profile=profile_from(TIMESTAMP + int(it.now), 20_000.0, 10_000.0)))

    def code(amperes: float, after_s: float = 0.0) -> str:
        it.now += after_s
        it.facts.present_current_A = amperes
        return str(it.ask(dc_loop(dynamic=False)).ResponseCode)

    assert code(51.0) == code(51.0, 1.0) == "OK", "20.4 kW are within the tolerance"
    assert code(52.0) == "OK", "it may be on its way down"
    assert code(52.0, 4.9) == "OK"
    assert code(52.0, 0.2) == "WARNING_EVPowerProfileViolation"
    assert code(50.0) == "OK" and not it.closing
    assert code(50.0, 54.0) == "OK", "now the second minute has begun"
    assert code(50.0, 5.0) == "WARNING_EVPowerProfileViolation"
    assert code(52.0, 60.0) == "OK", "after its end a profile bounds nothing"
    texts = [one.text for one in it.charger.log if hasattr(one, "text") and "power profile" in one.text]
    assert len(texts) == 2


def test_an_ac_car_is_held_to_what_it_reports_to_draw() -> None:
    options = Iso20Settings(scheduled=True, dynamic=False, power_tolerance_W=500.0)
    it = talk20_ac(S.POWER_DELIVERY, options=options, course=Course(1, dynamic=False))
    it.ask(power(profile=profile_from(TIMESTAMP + int(it.now), 2_000.0)))
    it.change(contactor_closed=True)
    assert it.ask(ac_loop(dynamic=False)).ResponseCode == "OK"
    it.now += 6.0
    assert it.ask(ac_loop(dynamic=False)).ResponseCode == "WARNING_EVPowerProfileViolation"


def test_a_profile_that_was_not_confirmed_warns_of_nothing() -> None:
    it = talk20(S.POWER_DELIVERY, options=Iso20Settings(scheduled=True, power_tolerance_W=500.0), course=SCHEDULED)
    given = profile_from(TIMESTAMP + int(it.now), 1_000.0)
    given.Scheduled_EVPPTControlMode.PowerToleranceAcceptance = None
    it.ask(power(profile=given))
    it.facts.present_current_A = 100.0
    for _ in range(8):
        assert it.ask(dc_loop(dynamic=False)).ResponseCode == "OK"
        it.now += 1.0


def test_without_a_tolerance_there_is_nothing_to_confirm() -> None:
    it = talk20(S.POWER_DELIVERY, course=SCHEDULED)
    assert it.ask(power(profile=tolerant("PowerToleranceConfirmed"))).ResponseCode == "OK"


# -- receipts


def priced(pricing: int = 1, *prices: Price) -> Talk20:
    """A session in Dynamic control with prices in money (set 1), or without (set 0)."""
    known = list(prices) or [Price(TIMESTAMP - 3_600, 0.30, "EUR"), Price(TIMESTAMP + 7_200, 0.50, "EUR")]
    facts = dc20_facts(prices=known, meter_Wh=1_000.0, meter_id="M1")
    return talk20(S.CHARGING, facts, Iso20Settings(), Course(set_id=pricing))


def test_the_costs_are_beside_the_meter_and_follow_the_price() -> None:
    it = priced()
    first = it.ask(dc_loop())
    assert (number(first.Receipt.EnergyCosts.Amount), number(first.Receipt.EnergyCosts.CostPerUnit)) == (0.0, 0.3)
    it.change(meter_Wh=3_000.0)
    assert it.ask(dc_loop()).Receipt is None, "no reading, no receipt"
    response = it.ask(dc_loop(meter=True))
    assert response.MeterInfo.ChargedEnergyReadingWh == 3_000
    assert number(response.Receipt.EnergyCosts.Amount) == 0.6
    it.now += 7_200.0
    it.change(meter_Wh=4_000.0)
    receipt = it.ask(dc_loop(meter=True)).Receipt
    assert (number(receipt.EnergyCosts.Amount), number(receipt.EnergyCosts.CostPerUnit)) == (1.1, 0.5)
    assert receipt.TimeAnchor == TIMESTAMP + int(it.now)
    assert receipt.TaxCosts == [] and receipt.OccupancyCosts is None


def test_without_prices_in_money_there_is_no_receipt() -> None:
    it = priced(0)
    response = it.ask(dc_loop(meter=True))
    assert response.MeterInfo is not None and response.Receipt is None
    later = priced(1, Price(TIMESTAMP + 3_600, 0.30, "EUR"))
    assert later.ask(dc_loop(meter=True)).Receipt is None, "no price holds yet"


@pytest.mark.parametrize("reject", [True, False])
def test_a_confirmation_of_other_costs_is_not_valid(reject: bool) -> None:
    it = confirming(reject=reject)
    it.session.energy.selection.parameters["Pricing"] = 1
    it.facts.prices = [Price(TIMESTAMP - 3_600, 0.30, "EUR")]
    response = it.ask(dc_loop())
    right = response.Receipt
    assert it.ask(confirmed(it, response.MeterInfo, Receipt=right), stream="metering").ResponseCode == "OK"
    other = type(right)(TimeAnchor=right.TimeAnchor + 1, EnergyCosts=right.EnergyCosts)
    it.session.confirm_meter = True
    answer = it.ask(confirmed(it, response.MeterInfo, Receipt=other), stream="metering")
    assert answer.ResponseCode == ("FAILED_MeteringSignatureNotValid" if reject else "OK")
