"""The schedule of the back end (OCPP 2.x K15 to K18): powers, the wait for it, new ones, the car's choice."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.cb_iso15118_schedules import EvScheduleEntry
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.rational import number as number20
from chargebyte_fw.modules.v2g.secc.back_end import LONGEST_WAIT_S, BackEnd, Limit, Span, at_most, differ, spans
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.pair import START
from tests.v2g.talk import Talk, parameters, power, talk
from tests.v2g.talk20 import Course, ac_loop, profile, talk20, talk20_ac
from tests.v2g.talk20 import power as power20
from tests.v2g.talk20 import schedule as schedule20

AC = "AC_three_phase_core"
VOLTS = 3 * 230
NOW_S = START.timestamp() + 100.0
STEPS = (Limit(NOW_S - 50, 16.0), Limit(NOW_S + 600, 6.0), Limit(NOW_S + 1200, 32.0))


def entries(response: Any) -> list[tuple[int, int, float]]:
    (one,) = response.SASchedules.SAScheduleTuple
    return [
        (entry.TimeInterval.start, entry.TimeInterval.duration, number(entry.PMax))
        for entry in one.PMaxSchedule.PMaxScheduleEntry
    ]


def ac(state: State = State.CHARGE_PARAMETERS, **facts: Any) -> Talk:
    facts = {"ac_max_current_A": 20.0, "ac_greatest_current_A": 20.0, "contactor_closed": True, **facts}
    return talk("ac", state, **facts)


def published(it: Any) -> list[Any]:
    return [one.value for one in it.charger.log if isinstance(one, Publish) and one.variable == "ev_schedule"]


def test_powers_over_time() -> None:
    def watts(limit: Limit) -> float | None:
        return limit.power_W

    limits = (Limit(0.0, power_W=100.0), Limit(50.0, power_W=None), Limit(60.0, power_W=-5.0), Limit(99.0, power_W=7.0))
    assert spans(limits, 0.0, 90, 1000.0, watts) == (Span(0, 100.0), Span(50, 1000.0), Span(60, 0.0))
    assert spans((), 0.0, 90, 1000.0, watts) == (Span(0, 1000.0),)
    many = tuple(Span(n, float(n % 7)) for n in range(40))
    assert at_most(many, 12)[-1] == Span(11, 0.0) and len(at_most(many, 12)) == 12
    one, other = (Span(0, 5000.0), Span(600, 900.0)), (Span(0, 5000.0), Span(570, 900.0))
    assert not differ(one, 0.0, other, 30.0) and differ(one, 0.0, other, 0.0)


@pytest.mark.ocpp("K15.FR.06", "K16.FR.03")
def test_a_car_gets_the_powers_of_the_back_end() -> None:
    it = ac(back_end=BackEnd(limits=STEPS))
    assert entries(it.ask(parameters(iso2, AC))) == [
        (0, 600, 16.0 * VOLTS),
        (600, 600, 6.0 * VOLTS),
        (1200, 86_400 - 1200, 20.0 * VOLTS),
    ]


@pytest.mark.ocpp("K15.FR.09", "K16.FR.04", "K17.FR.09")
@pytest.mark.parametrize(("start_s", "watts", "accepted"), [(0, 11_000, True), (0, 11_200, False), (700, 5_000, False)])
def test_a_profile_is_held_against_the_powers_of_its_time(start_s: int, watts: int, accepted: bool) -> None:
    it = ac(back_end=BackEnd(limits=STEPS))
    it.ask(parameters(iso2, AC))
    request = power(iso2, "Start")
    first = [] if start_s == 0 else [(0, 0)]
    ends = [] if start_s else [(600, 4_000)]
    request.ChargingProfile = iso2.ChargingProfileType(
        ProfileEntry=[
            iso2.ProfileEntryType(
                ChargingProfileEntryStart=at_s,
                ChargingProfileEntryMaxPower=iso2.PhysicalValueType(
                    Multiplier=0, Unit=iso2.unitSymbolType.W, Value=value_W
                ),
            )
            for at_s, value_W in [*first, (start_s, watts), *ends]
        ]
    )
    response = it.ask(request)
    assert (response.ResponseCode.value == "OK") is accepted
    assert bool(published(it)) is accepted
    if accepted:
        assert published(it)[0].entries == [
            EvScheduleEntry(start_s=0, power_W=11_000.0),
            EvScheduleEntry(start_s=600, power_W=4_000.0),
        ]


@pytest.mark.ocpp("K15")
@pytest.mark.parametrize("answered", [True, False])
def test_a_car_waits_for_the_answer_to_its_needs(answered: bool) -> None:
    it = ac(back_end=BackEnd(answers_needs=True))
    it.facts.session.needs_answered = True  # to an earlier car's
    first = it.ask(parameters(iso2, AC))
    assert first.EVSEProcessing is iso2.EVSEProcessingType.Ongoing and first.SASchedules is None
    assert it.ask(parameters(iso2, AC)).EVSEProcessing is iso2.EVSEProcessingType.Ongoing
    needs = [one for one in it.charger.log if isinstance(one, Publish) and one.variable == "charging_needs"]
    assert len(needs) == 1
    if answered:
        it.facts.back_end.limits = STEPS
        it.facts.session.needs_answered = True
    else:
        it.now += LONGEST_WAIT_S
    last = it.ask(parameters(iso2, AC))
    assert last.EVSEProcessing is iso2.EVSEProcessingType.Finished
    assert entries(last)[0][2] == (16.0 if answered else 20.0) * VOLTS


@pytest.mark.ocpp("K16.FR.02", "K16.FR.09")
@pytest.mark.parametrize("contract", [False, True])
def test_a_new_schedule_is_renegotiated(contract: bool) -> None:
    it = ac(contract=contract, back_end=BackEnd(limits=STEPS))
    it.ask(parameters(iso2, AC))
    it.ask(power(iso2, "Start"))

    def notification() -> str:
        return str(it.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification.value)

    assert notification() == "None"
    it.facts.back_end.limits = tuple(one for one in STEPS)  # the same again
    assert notification() == "None"
    it.facts.back_end.limits = (*STEPS[:2], Limit(NOW_S + 1500, 32.0))
    assert notification() == "ReNegotiation"
    it.ask(power(iso2, "Renegotiate"))
    assert [one[0] for one in entries(it.ask(parameters(iso2, AC)))] == [0, 600, 1500]
    it.ask(power(iso2, "Start"))
    assert notification() == "None"
    assert len(published(it)) == 2
    needs = [one for one in it.charger.log if isinstance(one, Publish) and one.variable == "charging_needs"]
    assert len(needs) == 1, "the back end knows them"


@pytest.mark.ocpp("K15.FR.19")
def test_a_car_without_a_profile_follows_the_schedule_that_it_was_offered() -> None:
    it = ac(back_end=BackEnd(limits=STEPS))
    it.ask(parameters(iso2, AC))
    it.ask(power(iso2, "Start"))
    (chosen,) = published(it)
    assert [(one.start_s, one.power_W / VOLTS) for one in chosen.entries] == [(0, 16.0), (600, 6.0), (1200, 20.0)]


def test_dc_gets_the_powers_of_the_back_end() -> None:
    it = talk("iso2", State.CHARGE_PARAMETERS, back_end=BackEnd(limits=(Limit(0.0, power_W=40_000.0),)))
    assert entries(it.ask(parameters(iso2)))[0][2] == 40_000.0


# ISO 15118-20


def powers20(response: Any) -> list[tuple[int, float]]:
    (one,) = response.Scheduled_SEResControlMode.ScheduleTuple
    listed = one.ChargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry
    return [(entry.Duration, number20(entry.Power)) for entry in listed]


SCHEDULED: dict[str, Any] = {"dynamic": False, "set_id": 1}


@pytest.mark.ocpp("K18.FR.09")
def test_scheduled_control_has_the_powers_of_the_back_end() -> None:
    it = talk20(S.SCHEDULE, course=Course(**SCHEDULED))
    it.facts.back_end = BackEnd(
        answers_needs=True, limits=(Limit(0.0, power_W=40_000.0), Limit(NOW_S + 900, power_W=20_000.0))
    )
    first = it.ask(schedule20(dynamic=False))
    assert first.EVSEProcessing.value == "Ongoing"
    it.facts.session.needs_answered = True
    last = it.ask(schedule20(dynamic=False))
    assert last.EVSEProcessing.value == "Finished"
    assert powers20(last) == [(900, 40_000.0), (86_400 - 900, 20_000.0)]


@pytest.mark.ocpp("K16.FR.11", "K18")
def test_a_profile_is_published_and_a_new_schedule_notified() -> None:
    it = talk20_ac(S.POWER_DELIVERY, course=Course(1, **SCHEDULED))
    it.facts.contactor_closed = True
    watts = it.session.energy.schedule.entries[0].power_W
    answer = it.ask(power20("Start", profile=profile(watts)))
    assert not answer.ResponseCode.value.startswith("FAILED"), answer
    assert published(it)[0].entries[0].power_W == pytest.approx(watts)
    assert it.ask(ac_loop(dynamic=False)).EVSEStatus is None
    it.facts.back_end.limits = (Limit(0.0, power_W=watts / 2),)
    status = it.ask(ac_loop(dynamic=False)).EVSEStatus
    assert status.EVSENotification.value == "ScheduleRenegotiation"


@pytest.mark.ocpp("K19")
def test_dynamic_control_does_not_wait_for_a_schedule() -> None:
    it = talk20(S.SCHEDULE)
    it.facts.back_end = BackEnd(answers_needs=True)
    assert it.ask(schedule20()).EVSEProcessing.value == "Finished"
