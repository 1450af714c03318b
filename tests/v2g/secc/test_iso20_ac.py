"""AC sessions of ISO 15118-20: limits by connector, contactor, targets, power from the car."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g.messages import iso20_ac
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.rational import number
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.talk20 import (
    Course,
    Talk20,
    ac20_facts,
    ac_loop,
    ac_parameters,
    dc_parameters,
    of,
    power,
    schedule,
    selection,
    stop,
    talk20_ac,
)

BPT = ("AC_three_phase_core", "AC_BPT")
BIDIRECTIONAL = Course(5, bidirectional=True)
BOTH_CONNECTORS = ("SinglePhase", "ThreePhase")


@pytest.mark.parametrize(
    ("modes", "course"),
    [((), Course(1)), ((), Course(1, dynamic=False, set_id=1)), (BPT, BIDIRECTIONAL)],
    ids=["dynamic", "scheduled", "bidirectional"],
)
def test_a_session_from_the_handshake_to_the_end(modes: tuple[str, ...], course: Course) -> None:
    it = talk20_ac(S.CHARGING, ac20_facts(*modes), course=course)
    response = it.ask(ac_loop(dynamic=course.dynamic, bidirectional=course.bidirectional))
    assert response.ResponseCode == "OK"
    assert number(response.CLResControlMode.EVSETargetActivePower) == 11_040
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert it.ask(stop()).ResponseCode == "OK"
    names = it.end()
    order = [
        *("ac_ev_power_limits", "v2g_setup_finished", "ac_close_contactor", "current_demand_started"),
        *("ac_ev_present_powers", "current_demand_finished", "ac_open_contactor", "dlink_terminate"),
    ]
    places = [names.index(name) for name in order]
    assert places == sorted(places), names
    assert set(it.types) == {0x8002, 0x8003}
    assert not it.charger.broken()


def sets_of(it: Talk20, service: int) -> list[dict[str, Any]]:
    response = it.ask(of(m.ServiceDetailReq, ServiceID=service))
    return [{one.Name: one.intValue for one in each.Parameter} for each in response.ServiceParameterList.ParameterSet]


def test_sets_of_one_and_three_phases_are_both_listed() -> None:
    it = talk20_ac(S.SERVICE_DETAIL, ac20_facts(connectors=BOTH_CONNECTORS))
    common = {"EVSENominalVoltage": 230, "MobilityNeedsMode": 1, "Pricing": 0}
    assert sets_of(it, 1) == [
        {"Connector": connector, "ControlMode": control, **common} for control in (2, 1) for connector in (1, 3)
    ]


def test_no_more_sets_than_a_car_takes() -> None:
    options = Iso20Settings(scheduled=True, mobility_needs_by_secc=True)
    it = talk20_ac(S.SERVICE_DETAIL, ac20_facts(connectors=BOTH_CONNECTORS), options)
    assert len(sets_of(it, 1)) == 4


def test_the_sets_of_a_bidirectional_service() -> None:
    facts = ac20_facts(*BPT)
    facts.iso20.bpt = iso15118.BptSetup(
        bpt_channel=iso15118.BptChannel.Separated,
        generator_mode=iso15118.GeneratorMode.GridForming,
        grid_code_detection=iso15118.GridCodeIslandingDetectionMethod.Active,
    )
    names = ["Connector", "ControlMode", "EVSENominalVoltage", "MobilityNeedsMode", "Pricing"]
    it = talk20_ac(S.SERVICE_DETAIL, facts)
    (first, _) = sets_of(it, 5)
    assert list(first) == [*names, "BPTChannel", "GeneratorMode", "DetectionMethodGridCodeIslanding"]
    assert list(first.values())[-3:] == [2, 2, 1]
    it.ask(selection(5))
    assert it.value("selected_service_parameters").bpt_channel == "Separated"


def test_a_bidirectional_service_follows_the_grid_where_nothing_else_is_configured() -> None:
    it = talk20_ac(S.SERVICE_DETAIL, ac20_facts(*BPT))
    (first, _) = sets_of(it, 5)
    assert (first["BPTChannel"], first["GeneratorMode"], first["DetectionMethodGridCodeIslanding"]) == (1, 1, 2)
    it.ask(selection(5))
    assert it.value("selected_service_parameters").generator_mode == "GridFollowing"


@pytest.mark.parametrize(("set_id", "most_W", "least_W"), [(0, 3_680, 1_380), (1, 11_040, 4_140)])
def test_the_limits_are_those_of_the_selected_connector(set_id: int, most_W: float, least_W: float) -> None:
    facts = ac20_facts(connectors=BOTH_CONNECTORS)
    it = talk20_ac(S.CHARGE_PARAMETERS, facts, course=Course(1, set_id=set_id))
    mode = it.ask(ac_parameters()).AC_CPDResEnergyTransferMode
    assert number(mode.EVSEMaximumChargePower) == most_W
    assert number(mode.EVSEMinimumChargePower) == least_W
    assert (mode.EVSEMaximumChargePower_L2, number(mode.EVSENominalFrequency)) == (None, 50)


def test_power_of_the_car_is_the_sum_without_phases_and_that_of_l1_with_them() -> None:
    it = talk20_ac(S.SCHEDULE)
    assert it.value("ac_ev_power_limits").max_charge_power == units.Power(total=11_040.0)
    it = talk20_ac(S.CHARGE_PARAMETERS)
    it.ask(ac_parameters(EVMaximumChargePower=3_680, EVMaximumChargePower_L2=3_000, EVMaximumChargePower_L3=2_000))
    most = it.value("ac_ev_power_limits").max_charge_power
    assert most == units.Power(total=8_680.0, L1=3_680.0, L2=3_000.0, L3=2_000.0)
    it = talk20_ac(S.CHARGE_PARAMETERS, ac20_facts(connectors=("SinglePhase",)))
    it.ask(ac_parameters(EVMaximumChargePower=3_680))
    assert it.value("ac_ev_power_limits").max_charge_power == units.Power(total=3_680.0, L1=3_680.0)


@pytest.mark.parametrize("request_", [ac_parameters(bidirectional=True), ac_parameters(EVMaximumChargePower=-1)])
def test_parameters_that_do_not_fit_are_refused(request_: Any) -> None:
    it = talk20_ac(S.CHARGE_PARAMETERS)
    assert it.ask(request_).ResponseCode == "FAILED_WrongChargeParameter"
    assert it.closing


def test_parameters_of_direct_current_are_out_of_sequence() -> None:
    it = talk20_ac(S.CHARGE_PARAMETERS)
    assert it.ask(dc_parameters()).ResponseCode == "FAILED_SequenceError"


def test_the_answer_to_the_start_waits_for_the_contactor() -> None:
    it = talk20_ac(S.POWER_DELIVERY)
    assert it.ask(power()) is None
    assert it.change(contactor_closed=True).ResponseCode == "OK"
    assert it.session.state is S.CHARGING


def test_a_contactor_that_does_not_close_is_failed_in_time() -> None:
    it = talk20_ac(S.POWER_DELIVERY)
    assert it.ask(power()) is None
    response = it.answer_in(it.wait(1.45))
    assert response.ResponseCode == "FAILED_ContactorError"
    assert it.end()[-3:] == ["ac_open_contactor", "dlink_terminate", "hlc_session_failed"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"error": "Error_Contactor"}, "FAILED_ContactorError"),
        ({"error": "Error_RCD"}, "FAILED_PowerDeliveryNotApplied"),
        ({"stop_requested": True}, "FAILED_PowerDeliveryNotApplied"),
    ],
)
def test_a_start_with_a_fault_or_a_wish_to_stop_is_refused(facts: dict[str, Any], code: str) -> None:
    it = talk20_ac(S.POWER_DELIVERY)
    it.change(**facts)
    assert it.ask(power()).ResponseCode == code
    assert "ac_close_contactor" not in it.charger.names()


@pytest.mark.parametrize(
    ("target_W", "bidirectional", "expected_W"),
    [
        (6_900, False, 6_900),
        (20_000, False, 11_040),
        (-3_000, False, 0),
        (-3_000, True, -3_000),
        (-9_000, True, -5_520),
    ],
)
def test_a_target_stays_within_what_was_offered(target_W: float, bidirectional: bool, expected_W: float) -> None:
    course = BIDIRECTIONAL if bidirectional else Course(1)
    it = talk20_ac(S.CHARGING, ac20_facts(*BPT), course=course)
    reactive = units.ReactivePower(total=-500.0)
    power_ = units.Power(total=target_W)
    it.change(
        ac_target=iso15118.AcTargetValues(
            target_active_power=power_, target_reactive_power=reactive, target_frequency=50.2
        )
    )
    it.change(ac_present=units.Power(total=6_500.0))
    response = it.ask(ac_loop(bidirectional=bidirectional))
    mode = response.CLResControlMode
    assert number(mode.EVSETargetActivePower) == expected_W
    assert number(mode.EVSETargetReactivePower) == -500
    assert number(mode.EVSEPresentActivePower) == 6_500
    assert number(response.EVSETargetFrequency) == 50.2


def test_limits_that_rise_after_the_charge_parameters_are_for_the_next_session() -> None:
    it = talk20_ac(S.CHARGING)
    it.change(
        ac_maximum=iso15118.AcEvseMaximumPower(charge_power=units.Power(total=22_080.0)),
        ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=20_000.0)),
    )
    assert number(it.ask(ac_loop()).CLResControlMode.EVSETargetActivePower) == 11_040


def test_a_car_at_a_single_phase_has_a_third_of_a_target_that_names_no_phases() -> None:
    it = talk20_ac(S.CHARGING, ac20_facts(connectors=BOTH_CONNECTORS))
    it.change(ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=6_900.0)))
    assert number(it.ask(ac_loop()).CLResControlMode.EVSETargetActivePower) == 2_300


def test_a_schedule_is_renegotiated_when_the_target_falls_below_it() -> None:
    options = Iso20Settings(scheduled=True, schedule_renegotiation=True)
    it = talk20_ac(S.CHARGING, options=options, course=Course(1, dynamic=False, set_id=1))
    assert it.ask(ac_loop(dynamic=False)).EVSEStatus is None
    it.change(ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=6_900.0)))
    assert it.ask(ac_loop(dynamic=False)).EVSEStatus.EVSENotification == "ScheduleRenegotiation"


@pytest.mark.parametrize(("by_charger", "expected"), [(True, (80, 30)), (False, (None, None))])
def test_the_car_acknowledges_mobility_needs_of_the_charger(by_charger: bool, expected: tuple[Any, Any]) -> None:
    facts, options = ac20_facts(target_soc_percent=80), Iso20Settings(mobility_needs_by_secc=True)
    it = talk20_ac(S.CHARGING, facts, options, Course(1, set_id=1 if by_charger else 0))
    mode = it.ask(ac_loop()).CLResControlMode
    assert (mode.TargetSOC, mode.AckMaxDelay) == expected


def test_scheduled_control_has_a_target_too() -> None:
    it = talk20_ac(S.CHARGING, course=Course(1, dynamic=False, set_id=1))
    mode = it.ask(ac_loop(dynamic=False)).CLResControlMode
    assert isinstance(mode, iso20_ac.Scheduled_AC_CLResControlModeType)
    assert number(mode.EVSETargetActivePower) == 11_040


def test_what_the_car_draws_and_needs_is_published() -> None:
    it = talk20_ac(S.CHARGING)
    it.ask(ac_loop(EVPresentActivePower=3_000, EVPresentActivePower_L2=2_000, EVPresentReactivePower=100))
    present = it.value("ac_ev_present_powers")
    assert present.present_active_power == units.Power(total=5_000.0, L1=3_000.0, L2=2_000.0)
    assert present.present_reactive_power == units.Power(total=100.0)
    values = it.value("ac_ev_dynamic_control_mode")
    assert (values.target_energy_request, values.min_energy_request) == (40_000, 0)
    assert it.value("ac_eamount") == 40_000


def test_the_needs_of_a_bidirectional_car() -> None:
    it = talk20_ac(S.POWER_DELIVERY, ac20_facts(*BPT), course=BIDIRECTIONAL)
    needs = it.value("charging_needs")
    assert needs.requested_energy_transfer == "AC_BPT"
    assert needs.v2x_charging_parameters.max_discharge_power == 11_000
    assert needs.ac_charging_parameters.ev_max_current == 16.0


def test_the_needs_of_a_car_at_a_single_phase_are_of_that_phase() -> None:
    it = talk20_ac(S.CHARGE_PARAMETERS, ac20_facts(connectors=("SinglePhase",)))
    it.ask(ac_parameters(EVMaximumChargePower=3_680))
    it.ask(schedule())
    needs = it.value("charging_needs").ac_charging_parameters
    assert (needs.ev_min_current, needs.ev_max_current) == (6.0, 16.0)


def test_discharge_limits_are_those_of_export() -> None:
    it = talk20_ac(S.CHARGE_PARAMETERS, ac20_facts(*BPT), course=BIDIRECTIONAL)
    mode = it.ask(ac_parameters(bidirectional=True)).AC_CPDResEnergyTransferMode
    assert number(mode.EVSEMaximumDischargePower) == 5_520
    it = talk20_ac(S.SCHEDULE, ac20_facts(*BPT), course=Course(5, bidirectional=True, dynamic=False, set_id=1))
    (one,) = it.ask(schedule(dynamic=False)).Scheduled_SEResControlMode.ScheduleTuple
    (entry,) = one.DischargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry
    assert number(entry.Power) == 5_520


def test_a_charger_without_ac_parameters_offers_what_it_grants() -> None:
    facts = ac20_facts(ac_parameters=None, ac_maximum=None, ac_minimum=None)
    it = talk20_ac(S.CHARGE_PARAMETERS, facts)
    assert number(it.ask(ac_parameters()).AC_CPDResEnergyTransferMode.EVSEMaximumChargePower) == 11_040


def test_a_loop_of_another_service_is_refused() -> None:
    it = talk20_ac(S.CHARGING)
    it.ask(ac_loop())
    assert it.ask(ac_loop(bidirectional=True)).ResponseCode == "FAILED"
    assert "ac_open_contactor" in it.end()


def test_an_ac_car_pauses_before_anything_is_energised() -> None:
    it = talk20_ac(S.SCHEDULE)
    it.change(no_energy_pause="PauseBeforeCableCheck")
    assert it.ask(schedule()).GoToPause is True
    assert it.ask(stop("Pause")).ResponseCode == "OK"
    names = it.end()
    assert "dlink_pause" in names and "ac_close_contactor" not in names
