"""A DC session of ISO 15118-20 by external means, Dynamic and Scheduled, from the handshake to the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_dc, iso20_types
from chargebyte_fw.modules.v2g.rational import number, rational
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20.schedule import seconds_until
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.talk20 import (
    Course,
    Talk20,
    authorization,
    dc20_facts,
    dc_loop,
    dc_parameters,
    discovery,
    of,
    power,
    precharge,
    profile,
    schedule,
    selection,
    session_setup,
    stop,
    talk20,
    welding,
)

SCHEDULED = Course(dynamic=False, set_id=1)


@pytest.mark.parametrize("course", [Course(), SCHEDULED], ids=["dynamic", "scheduled"])
def test_a_session_from_the_handshake_to_the_end(course: Course) -> None:
    it = talk20(S.CHARGING, course=course)
    it.facts.present_current_A = 125.5
    response = it.ask(dc_loop(dynamic=course.dynamic))
    assert response.ResponseCode == "OK"
    assert (number(response.EVSEPresentVoltage), number(response.EVSEPresentCurrent)) == (400.0, 125.5)
    assert response.EVSEStatus is None
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert number(it.ask(welding("Ongoing")).EVSEPresentVoltage) == 400.0
    it.ask(welding())
    assert it.ask(stop(code="Done", why="The battery is full")).ResponseCode == "OK"
    assert it.value("ev_termination") == iso15118.EvTermination(
        ev_termination_code="Done", ev_termination_explanation="The battery is full"
    )
    names = it.end()
    order = [
        *("evcc_id", "require_auth_eim", "requested_energy_transfer_mode", "selected_service_parameters"),
        *("dc_ev_maximum_limits", "departure_time", "charging_needs", "start_cable_check", "start_pre_charge"),
        *("v2g_setup_finished", "current_demand_started", "current_demand_finished", "dc_open_contactor"),
        "dlink_terminate",
    ]
    places = [names.index(name) for name in order]
    assert places == sorted(places), names
    assert "hlc_session_failed" not in names
    assert not it.charger.broken()
    assert set(it.types) == {0x8002, 0x8004}


def test_the_car_keeps_its_id_as_text() -> None:
    it = talk20(S.AUTHORIZATION_SETUP)
    assert it.value("evcc_id") == "WMIV0A1B2C3D4E5F60"
    assert it.value("ev_info").evcc_id == "WMIV0A1B2C3D4E5F60"


def test_the_session_id_is_random_and_not_zero() -> None:
    it = Talk20(dc20_facts())
    drawn = [bytes(8), b"\0\0\0\0\0\0\0\1"]
    it.charger.environment.random_bytes = lambda n: drawn.pop(0)
    it.ask(session_setup())
    assert it.session_id == b"\0\0\0\0\0\0\0\1"


def test_services_are_offered_in_the_order_of_the_energy_transfer_modes() -> None:
    it = talk20(S.SERVICE_DISCOVERY, dc20_facts("DC", "DC_BPT", "MCS", "WPT", "DC_extended"))
    offered = it.ask(discovery())
    assert [one.ServiceID for one in offered.EnergyTransferServiceList.Service] == [2, 6, 8]
    assert offered.VASList is None
    assert offered.ServiceRenegotiationSupported is True


@pytest.mark.parametrize("wanted", [(), (1,), (2, 99)])
def test_the_filter_of_the_car_does_not_empty_the_energy_services(wanted: tuple[int, ...]) -> None:
    it = talk20(S.SERVICE_DISCOVERY)
    assert [one.ServiceID for one in it.ask(discovery(*wanted)).EnergyTransferServiceList.Service] == [2]


def sets_of(response: Any) -> list[dict[str, Any]]:
    return [{one.Name: one.intValue for one in entry.Parameter} for entry in response.ServiceParameterList.ParameterSet]


def test_the_parameter_sets_of_dc() -> None:
    it = talk20(S.SERVICE_DETAIL)
    response = it.ask(of(m.ServiceDetailReq, ServiceID=2))
    assert sets_of(response) == [
        {"Connector": 2, "ControlMode": 2, "MobilityNeedsMode": 1, "Pricing": 0},
        {"Connector": 2, "ControlMode": 1, "MobilityNeedsMode": 1, "Pricing": 0},
    ]
    assert [one.ParameterSetID for one in response.ServiceParameterList.ParameterSet] == [0, 1]


def test_another_service_has_no_details() -> None:
    it = talk20(S.SERVICE_DETAIL)
    assert it.ask(of(m.ServiceDetailReq, ServiceID=99)).ResponseCode == "FAILED_ServiceIDInvalid"
    assert it.closing


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        (selection(1), "FAILED_NoEnergyTransferServiceSelected"),
        (selection(2, 7), "FAILED_ServiceSelectionInvalid"),
        (selection(2, 0, ((65, 3),)), "FAILED_ServiceSelectionInvalid"),
    ],
)
def test_a_selection_of_what_is_not_offered_is_refused(chosen: Any, code: str) -> None:
    it = talk20(S.SERVICE_SELECTION)
    assert it.ask(chosen).ResponseCode == code
    assert it.closing
    assert it.end()[-2:] == ["dlink_terminate", "hlc_session_failed"]
    assert it.value("hlc_session_failed") == "ChargingParametersNotAccepted"


def test_what_the_car_selected_is_published() -> None:
    it = talk20(S.CHARGE_PARAMETERS, course=SCHEDULED)
    assert it.value("selected_service_parameters") == iso15118.SelectedServiceParameters(
        energy_transfer=iso15118.ServiceCategory.DC,
        connector=iso15118.Connector.Extended,
        control_mode=iso15118.ControlMode.ScheduledControl,
        mobility_needs_mode=iso15118.MobilityNeedsMode.EVCC,
        pricing=iso15118.Pricing.NoPricing,
    )
    assert it.value("requested_energy_transfer_mode") == "DC"


def test_charge_parameters_are_those_of_the_power_supply() -> None:
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts(dc_max_power_W=20_000.0, dc_max_current_A=50.0))
    mode = it.ask(dc_parameters()).DC_CPDResEnergyTransferMode
    assert type(mode) is iso20_dc.DC_CPDResEnergyTransferModeType
    assert number(mode.EVSEMaximumChargePower) == 150_000
    assert number(mode.EVSEMaximumChargeCurrent) == 200
    assert (number(mode.EVSEMaximumVoltage), number(mode.EVSEMinimumVoltage)) == (900, 200)
    assert it.value("dc_ev_maximum_limits") == iso15118.DcEvMaximumLimits(
        dc_ev_maximum_current_limit=300.0, dc_ev_maximum_power_limit=120_000.0, dc_ev_maximum_voltage_limit=450.0
    )


@pytest.mark.parametrize(
    "request_",
    [
        dc_parameters(bidirectional=True),
        dc_parameters(EVMaximumVoltage=150),
        dc_parameters(EVMaximumChargeCurrent=0.5),
        dc_parameters(EVMinimumVoltage=950, EVMaximumVoltage=1000),
        dc_parameters(EVMaximumChargePower=-1),
    ],
)
def test_parameters_that_do_not_fit_are_refused(request_: Any) -> None:
    it = talk20(S.CHARGE_PARAMETERS)
    assert it.ask(request_).ResponseCode == "FAILED_WrongChargeParameter"
    assert it.closing


def test_the_control_of_the_schedule_must_be_the_selected_one() -> None:
    it = talk20(S.SCHEDULE)
    response = it.ask(schedule(dynamic=False))
    assert response.ResponseCode == "FAILED"
    assert it.closing


def test_a_schedule_of_a_day_with_the_power_of_both_sides() -> None:
    it = talk20(S.SCHEDULE, course=SCHEDULED)
    response = it.ask(schedule(dynamic=False))
    (one,) = response.Scheduled_SEResControlMode.ScheduleTuple
    power_schedule = one.ChargingSchedule.PowerSchedule
    (entry,) = power_schedule.PowerScheduleEntries.PowerScheduleEntry
    assert (one.ScheduleTupleID, entry.Duration, number(entry.Power)) == (1, 86_400, 120_000)
    assert power_schedule.TimeAnchor == response.Header.TimeStamp
    assert one.ChargingSchedule.AbsolutePriceSchedule is None and one.DischargingSchedule is None
    assert response.EVSEProcessing == "Finished"


def test_the_needs_of_the_car_are_published_with_its_departure_after_our_time() -> None:
    it = talk20(S.CABLE_CHECK)
    needs = it.value("charging_needs")
    assert needs.requested_energy_transfer == "DC"
    assert (needs.control_mode, needs.mobility_needs_mode) == ("DynamicControl", "EVCC")
    assert needs.departure_time == it.value("departure_time") == "2026-01-01T02:01:40.000Z"
    assert needs.dc_charging_parameters.energy_amount == 40_000


def test_the_cable_check_is_ongoing_until_its_result_is_there() -> None:
    it = talk20(S.CABLE_CHECK)
    assert it.ask(of(iso20_dc.DC_CableCheckReq)).EVSEProcessing == "Ongoing"
    assert it.ask(of(iso20_dc.DC_CableCheckReq)).EVSEProcessing == "Ongoing"
    assert it.charger.names().count("start_cable_check") == 1
    it.change(cable_check=True)
    assert it.ask(of(iso20_dc.DC_CableCheckReq)).EVSEProcessing == "Finished"


@pytest.mark.parametrize("result", [False, None])
def test_a_cable_check_that_fails_or_never_ends_is_failed(result: bool | None) -> None:
    it = talk20(S.CABLE_CHECK)
    it.ask(of(iso20_dc.DC_CableCheckReq))
    it.change(cable_check=result)
    it.now += 55.0
    assert it.ask(of(iso20_dc.DC_CableCheckReq)).ResponseCode == "FAILED"
    assert it.end()[-3:] == ["dc_open_contactor", "dlink_terminate", "hlc_session_failed"]
    assert it.value("hlc_session_failed") == "EnergyTransferSetupFailed"


def test_pre_charge_goes_on_until_the_car_has_finished() -> None:
    it = talk20(S.PRECHARGE)
    for volts in (100, 380):
        it.ask(precharge("Ongoing", volts))
        assert it.value("dc_ev_target_voltage_current").dc_ev_target_voltage == volts
    assert it.session.state is S.PRECHARGING
    it.ask(precharge())
    assert it.session.state is S.POWER_DELIVERY
    assert it.charger.names().count("start_pre_charge") == 1


def test_a_car_may_start_without_a_pre_charge_that_it_calls_finished() -> None:
    it = talk20(S.PRECHARGE)
    it.ask(precharge("Ongoing"))
    assert it.ask(power(state="Ongoing")).ResponseCode == "OK"
    assert it.ask(power()).ResponseCode == "OK"
    assert it.session.state is S.CHARGING


def test_the_car_may_still_work_on_its_profile() -> None:
    it = talk20(S.POWER_DELIVERY, course=SCHEDULED)
    assert it.ask(power(state="Ongoing")).ResponseCode == "OK"
    assert it.session.state is S.POWER_DELIVERY
    assert "v2g_setup_finished" not in it.charger.names()


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (profile(schedule_id=2), "FAILED_ScheduleSelectionInvalid"),
        (profile(150_000), "FAILED_EVPowerProfileInvalid"),
        (profile(-100), "FAILED_EVPowerProfileInvalid"),
    ],
)
def test_a_profile_outside_the_schedule_is_refused(wanted: Any, code: str) -> None:
    it = talk20(S.POWER_DELIVERY, course=SCHEDULED)
    assert it.ask(power(profile=wanted)).ResponseCode == code
    assert "dc_open_contactor" in it.charger.names()


def test_scheduled_control_publishes_the_targets_of_the_car() -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    response = it.ask(dc_loop(dynamic=False, amperes=250, volts=410))
    targets = it.value("dc_ev_target_voltage_current")
    assert (targets.dc_ev_target_voltage, targets.dc_ev_target_current) == (410.0, 250.0)
    assert (response.EVSECurrentLimitAchieved, response.EVSEVoltageLimitAchieved) == (True, False)
    assert response.EVSEPowerLimitAchieved is False
    assert isinstance(response.CLResControlMode, iso20_dc.Scheduled_DC_CLResControlModeType)


@pytest.mark.parametrize(("amperes", "reached"), [(199.9, False), (200, True)])
def test_the_current_limit_is_reached_at_the_limit_itself(amperes: float, reached: bool) -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    assert it.ask(dc_loop(dynamic=False, amperes=amperes)).EVSECurrentLimitAchieved is reached


def test_a_car_that_takes_no_current_reaches_no_limit_of_the_charger() -> None:
    it = talk20(S.CHARGING)
    it.change(dc_max_current_A=0.5)
    request = dc_loop()
    request.CLReqControlMode.EVMaximumChargeCurrent = rational(0)
    response = it.ask(request)
    assert number(response.CLResControlMode.EVSEMaximumChargeCurrent) == 0.5
    assert response.EVSECurrentLimitAchieved is False


def test_dynamic_control_publishes_the_limits_and_needs_of_the_car() -> None:
    it = talk20(S.CHARGING)
    response = it.ask(dc_loop())
    values = it.value("d20_dc_dynamic_charge_mode")
    assert (values.max_charge_power, values.max_voltage, values.min_energy_request) == (120_000, 450, 0)
    mode = response.CLResControlMode
    assert isinstance(mode, iso20_dc.Dynamic_DC_CLResControlModeType)
    assert (mode.DepartureTime, mode.TargetSOC, mode.AckMaxDelay) == (None, None, None)


def test_a_departure_in_the_loop_counts_from_the_charger_s_time() -> None:
    """The car's time stamp plays no part, whatever its unit."""
    it = talk20(S.CHARGING)
    request = dc_loop(DepartureTime=3_600)
    request.Header.TimeStamp *= 1_000_000
    it.ask(request)
    assert it.value("departure_time") == "2026-01-01T01:01:40.000Z"
    assert it.value("d20_dc_dynamic_charge_mode").departure_time == 3_600
    it.now += 100.0
    it.ask(dc_loop(DepartureTime=3_600))
    it.ask(dc_loop(DepartureTime=1_800))
    times = [value for _, value in it.charger.published("departure_time")]
    assert times[-2:] == ["2026-01-01T01:01:40.000Z", "2026-01-01T00:33:20.000Z"], "the same number is no news"


def test_the_voltage_of_the_car_is_published_from_the_pre_charge_on() -> None:
    it = talk20(S.PRECHARGE)
    it.ask(precharge("Ongoing", 350))
    assert it.value("dc_ev_present_voltage") == 350.0


@pytest.mark.parametrize("percent", [0, 100, None])
def test_the_target_of_the_car_is_published(percent: int | None) -> None:
    it = talk20(S.CHARGE_PARAMETERS)
    request = dc_parameters()
    request.DC_CPDReqEnergyTransferMode.TargetSOC = percent
    assert it.ask(request).ResponseCode == "OK"
    published = [value for _, value in it.charger.published("dc_full_soc")]
    assert published == ([] if percent is None else [float(percent)])


def test_external_payment_is_published_where_it_is_asked_for() -> None:
    it = talk20(S.AUTHORIZATION)
    assert [str(value) for _, value in it.charger.published("selected_payment_option")] == ["ExternalPayment"]


def test_a_meter_below_zero_reads_zero() -> None:
    facts = dc20_facts("DC_BPT", meter_id="M1", meter_Wh=-0.7, meter_export_Wh=-3.0)
    it = talk20(S.CHARGING, facts, course=Course(6, bidirectional=True))
    meter = it.ask(dc_loop(bidirectional=True)).MeterInfo
    assert (meter.ChargedEnergyReadingWh, meter.BPT_DischargedEnergyReadingWh) == (0, 0)


def test_a_loop_of_the_other_control_is_refused() -> None:
    it = talk20(S.CHARGING)
    it.ask(dc_loop())
    assert it.ask(dc_loop(dynamic=False)).ResponseCode == "FAILED"
    ends = ["current_demand_finished", "dc_open_contactor", "dlink_terminate", "hlc_session_failed"]
    assert it.end()[-4:] == ends


@pytest.mark.parametrize(("allowed_W", "least_W"), [(22_000.0, 200), (150.0, 150), (0.0, 0)])
def test_the_least_power_is_never_above_the_greatest(allowed_W: float, least_W: float) -> None:
    it = talk20(S.CHARGING)
    it.change(dc_max_power_W=allowed_W)
    mode = it.ask(dc_loop()).CLResControlMode
    assert (number(mode.EVSEMaximumChargePower), number(mode.EVSEMinimumChargePower)) == (allowed_W, least_W)


def test_a_limit_that_falls_in_the_loop_is_no_fault() -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    it.ask(dc_loop(dynamic=False))
    it.change(dc_max_current_A=55.2, dc_max_power_W=22_000.0)
    response = it.ask(dc_loop(dynamic=False, amperes=125.5))
    assert response.ResponseCode == "OK"
    assert response.CLResControlMode.EVSEMaximumChargeCurrent == rational(55.2)
    assert response.CLResControlMode.EVSEMaximumChargeCurrent.Value == 552
    assert (response.EVSECurrentLimitAchieved, response.EVSEPowerLimitAchieved) == (True, True)


def test_limits_in_the_loop_never_exceed_those_of_the_charge_parameters() -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    it.change(dc_max_current_A=500.0, dc_max_power_W=400_000.0, dc_max_voltage_V=1_000.0)
    mode = it.ask(dc_loop(dynamic=False)).CLResControlMode
    assert number(mode.EVSEMaximumChargeCurrent) == 200
    assert number(mode.EVSEMaximumChargePower) == 150_000
    assert number(mode.EVSEMaximumVoltage) == 900


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_mobility_needs_of_the_charger() -> None:
    facts = dc20_facts(target_soc_percent=80, minimum_soc_percent=90, departure_of_day="02:00")
    it = talk20(S.CHARGING, facts, Iso20Settings(mobility_needs_by_secc=True), Course(set_id=1))
    mode = it.ask(dc_loop()).CLResControlMode
    assert (mode.TargetSOC, mode.MinimumSOC, mode.AckMaxDelay) == (80, None, 30)
    assert mode.DepartureTime == 3_600 - 100
    assert it.value("departure_time") == "2026-01-01T01:00:00.000Z", "of the charger: the car has two hours"
    it.change(minimum_soc_percent=40, departure_of_day="")
    mode = it.ask(dc_loop()).CLResControlMode
    assert (mode.MinimumSOC, mode.DepartureTime) == (40, None)


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("now", "rest_s"),
    [
        ("2026-01-01T05:59:00+00:00", 60),
        ("2026-01-01T06:00:00+00:00", 86_400),
        # The night in which summer time begins has 23 hours, the one in which it ends 25.
        ("2026-03-28T06:00:00+00:00", 23 * 3_600),
        ("2026-10-24T05:00:00+00:00", 25 * 3_600),
    ],
)
def test_a_time_of_day_is_the_next_one_in_local_time(now: str, rest_s: int) -> None:
    assert seconds_until("07:00", datetime.fromisoformat(now)) == rest_s


def test_what_the_car_shows_is_published() -> None:
    it = talk20(S.CHARGING)
    shown = iso20_types.DisplayParametersType(PresentSOC=42, TargetSOC=80, ChargingComplete=False)
    it.ask(dc_loop(display=shown))
    values = it.value("display_parameters")
    assert (values.present_soc, values.target_soc, values.charging_complete) == (42.0, 80.0, False)


@pytest.mark.parametrize(("authorized", "code"), [(True, "OK"), (False, "WARNING_EIMAuthorizationFailure")])
def test_authorization_by_external_means(authorized: bool, code: str) -> None:
    it = talk20(S.AUTHORIZATION)
    it.facts.session.authorized = None
    waiting = it.ask(authorization())
    assert (waiting.ResponseCode, waiting.EVSEProcessing) == ("OK", "Ongoing_WaitingForCustomerInteraction")
    it.change(authorized=authorized)
    response = it.ask(authorization())
    assert (response.ResponseCode, response.EVSEProcessing) == (code, "Finished")
    assert not it.closing
    if not authorized:
        it.ask(authorization())
        assert it.charger.names().count("require_auth_eim") == 2, "the car tries again"


def test_an_authorization_that_never_comes_ends_the_session() -> None:
    it = talk20(S.AUTHORIZATION)
    it.facts.session.authorized = None
    for _ in range(4):
        assert it.ask(authorization()).ResponseCode == "OK"
        it.now += 50.0
    assert it.ask(authorization()).ResponseCode == "FAILED"
    assert it.value("require_auth_eim") is None
    assert it.closing


def test_a_contract_is_not_offered_without_tls() -> None:
    it = talk20(S.AUTHORIZATION_SETUP, dc20_facts(payment_options=["Contract", "ExternalPayment"]))
    response = it.ask(of(m.AuthorizationSetupReq))
    assert (list(response.AuthorizationServices), response.CertificateInstallationService) == (["EIM"], False)
    assert it.ask(authorization("PnC")).ResponseCode == "WARNING_AuthorizationSelectionInvalid"
    assert not it.closing


def test_a_charger_of_contracts_alone_refuses_a_car_without_tls() -> None:
    it = talk20(S.AUTHORIZATION_SETUP, dc20_facts(payment_options=["Contract"]))
    assert it.ask(of(m.AuthorizationSetupReq)).ResponseCode == "FAILED"
    assert it.closing


def test_no_two_parts_of_a_session_have_a_method_of_the_same_name() -> None:
    from chargebyte_fw.modules.v2g.secc.iso20.session import Iso20Session

    declared: dict[str, type] = {}
    for part in reversed(Iso20Session.__mro__[1:-1]):
        for name, value in vars(part).items():
            if callable(value) and not name.startswith("__"):
                other = declared.get(name)
                assert other is None or issubclass(part, other) or name == "take_service", (name, part, other)
                declared[name] = part


def test_a_cable_check_that_was_aborted_begins_anew_when_the_wish_to_stop_is_taken_back() -> None:
    it = talk20(S.CABLE_CHECK)
    it.ask(of(iso20_dc.DC_CableCheckReq))
    it.change(cable_check_aborted=True)
    assert it.ask(of(iso20_dc.DC_CableCheckReq)).EVSEProcessing == "Ongoing"
    assert it.charger.names().count("start_cable_check") == 2
