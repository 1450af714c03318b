"""DC charging in both protocols: parameters, cable check, pre-charge, the charge loop, errors, the way out."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import din, iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import Settings
from tests.v2g.talk import (
    ac_parameters,
    dc_parameters,
    demand,
    ev_status,
    parameters,
    power,
    precharge,
    quantity,
    stop,
    talk,
)

KINDS = ["din", "iso2"]
pytestmark = pytest.mark.parametrize("kind", KINDS)
WRONG_MODE = {"din": "FAILED_WrongEnergyTransferType", "iso2": "FAILED_WrongEnergyTransferMode"}


# -- charge parameters


def test_the_charger_tells_its_limits_and_a_schedule_of_a_day(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS, dc_max_current_A=55.2, dc_max_power_W=22_080.0)
    response = it.ask(parameters(it.m))
    assert (response.ResponseCode, response.EVSEProcessing) == ("OK", "Finished")
    limits = response.EVSEChargeParameter
    assert [number(getattr(limits, f"EVSEMaximum{name}Limit")) for name in ("Voltage", "Current", "Power")] == [
        *(900.0, 55.2, 22_080.0)
    ]
    assert [number(limits.EVSEMinimumVoltageLimit), number(limits.EVSEMinimumCurrentLimit)] == [200.0, 1.0]
    assert limits.DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"
    (schedule,) = response.SASchedules.SAScheduleTuple
    (entry,) = schedule.PMaxSchedule.PMaxScheduleEntry
    assert (schedule.SAScheduleTupleID, entry.TimeInterval.start, entry.TimeInterval.duration) == (1, 0, 86_400)
    assert entry.PMax == 32_767 if kind == "din" else number(entry.PMax) == 150_000.0


def test_the_cars_needs_are_told_to_the_rest_of_the_station(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS)
    content = dc_parameters(it.m)
    content.EVMaximumPowerLimit = quantity(it.m, 15_000, "W", 1)
    content.EVEnergyCapacity = quantity(it.m, 6_000, "Wh", 1)
    content.FullSOC, content.BulkSOC = 100, 80
    it.ask(parameters(it.m, content=content))
    told = dict(it.charger.published())
    assert told["requested_energy_transfer_mode"] == "DC_extended"
    assert (told["dc_ev_energy_capacity"], told["dc_full_soc"], told["dc_bulk_soc"]) == (60_000.0, 100.0, 80.0)
    assert told["dc_ev_maximum_limits"] == iso15118.DcEvMaximumLimits(
        dc_ev_maximum_current_limit=200.0, dc_ev_maximum_power_limit=150_000.0, dc_ev_maximum_voltage_limit=450.0
    )
    assert told["dc_ev_status"].dc_ev_ress_soc == 30.0
    needs = told["charging_needs"].dc_charging_parameters
    assert (needs.ev_max_current, needs.ev_max_power, needs.state_of_charge) == (200.0, 150_000.0, 30)


def test_a_mode_that_is_not_offered_is_refused(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS)
    assert it.ask(parameters(it.m, "DC_core")).ResponseCode == WRONG_MODE[kind]
    assert it.ask(parameters(it.m, "AC_three_phase_core")).ResponseCode == WRONG_MODE[kind]


def test_ac_parameters_are_refused(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS)
    response = it.ask(parameters(it.m, content=ac_parameters(it.m)))
    assert response.ResponseCode == "FAILED_WrongChargeParameter"


@pytest.mark.parametrize("limits", [(200, 100), (450, 1), (450, 0), (450, -10), (-1, 100)])
def test_a_car_whose_limits_leave_nothing_is_refused(kind: str, limits: tuple[int, int]) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS)
    response = it.ask(parameters(it.m, content=dc_parameters(it.m, *limits)))
    assert response.ResponseCode == "FAILED_WrongChargeParameter"
    assert response.EVSEChargeParameter.DC_EVSEStatus.EVSEStatusCode != "EVSE_Ready"


# -- cable check


def test_the_cable_check_begins_once_and_goes_on_until_its_result(kind: str) -> None:
    it = talk(kind, State.CABLE_CHECK)
    request = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
    for _ in range(3):
        response = it.ask(request)
        assert (response.ResponseCode, response.EVSEProcessing) == ("OK", "Ongoing")
        assert response.DC_EVSEStatus.EVSEStatusCode == "EVSE_IsolationMonitoringActive"
        assert response.DC_EVSEStatus.EVSEIsolationStatus == "Invalid"
    assert it.charger.names().count("start_cable_check") == 1
    it.change(isolation="Valid", cable_check=True)
    response = it.ask(request)
    assert (response.EVSEProcessing, response.DC_EVSEStatus.EVSEStatusCode) == ("Finished", "EVSE_Ready")
    assert response.DC_EVSEStatus.EVSEIsolationStatus == "Valid"


def test_a_failed_cable_check_fails(kind: str) -> None:
    it = talk(kind, State.CABLE_CHECK)
    request = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
    it.ask(request)
    it.change(isolation="Fault", cable_check=False)
    response = it.ask(request)
    assert response.ResponseCode == "FAILED"
    assert response.DC_EVSEStatus.EVSEIsolationStatus == "Fault"


def test_a_result_from_before_does_not_count(kind: str) -> None:
    it = talk(kind, State.CABLE_CHECK, cable_check=True)
    assert it.ask(it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))).EVSEProcessing == "Ongoing"


def test_without_a_monitor_the_check_passes_as_far_as_the_protocol_has_words(kind: str) -> None:
    it = talk(kind, State.CABLE_CHECK)
    request = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
    it.ask(request)
    it.change(isolation="No_IMD", cable_check=True)
    response = it.ask(request)
    assert response.EVSEProcessing == "Finished"
    assert response.DC_EVSEStatus.EVSEIsolationStatus == ("Warning" if kind == "din" else "No_IMD")


# -- pre-charge and charge loop


def test_pre_charge_passes_the_target_on_and_answers_with_the_present_voltage(kind: str) -> None:
    it = talk(kind, State.PRECHARGE_FIRST, present_voltage_V=12.3)
    response = it.ask(precharge(it.m, 350))
    assert number(response.EVSEPresentVoltage) == 12.3
    assert it.charger.names()[-2:] == ["start_pre_charge", "dc_ev_target_voltage_current"]
    it.change(present_voltage_V=350.0)
    assert number(it.ask(precharge(it.m, 350)).EVSEPresentVoltage) == 350.0
    assert it.charger.names().count("dc_ev_target_voltage_current") == 1


def test_power_delivery_finishes_the_set_up(kind: str) -> None:
    it = talk(kind, State.PRECHARGE)
    assert it.ask(power(it.m, "Start")).EVSEStatus.EVSEStatusCode == "EVSE_Ready"
    assert "v2g_setup_finished" in it.charger.names()
    assert "current_demand_started" not in it.charger.names()
    it.ask(demand(it.m))
    assert it.charger.names().count("current_demand_started") == 1


def test_current_demand_answers_at_once_with_the_latest_values(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    for voltage, current in ((400.1, 49.9), (401.0, 50.0)):
        it.facts.present_voltage_V, it.facts.present_current_A = voltage, current
        response = it.ask(demand(it.m))
        assert (number(response.EVSEPresentVoltage), number(response.EVSEPresentCurrent)) == (voltage, current)


@pytest.mark.parametrize(
    ("volts", "amperes", "flags"),
    [
        (400, 50, (False, False, False)),
        (400, 200, (True, False, False)),
        (900, 50, (False, True, False)),
        (800, 190, (False, False, True)),
    ],
)
def test_limits_are_flagged_when_the_wish_reaches_them(
    kind: str, volts: int, amperes: int, flags: tuple[bool, ...]
) -> None:
    response = talk(kind, State.CHARGING).ask(demand(din if kind == "din" else iso2, volts, amperes))
    assert (
        response.EVSECurrentLimitAchieved,
        response.EVSEVoltageLimitAchieved,
        response.EVSEPowerLimitAchieved,
    ) == flags


def test_limits_follow_the_allotted_power(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(dc_max_power_W=11_040.0, dc_max_current_A=27.6)
    response = it.ask(demand(it.m))
    assert number(response.EVSEMaximumPowerLimit) == 11_040.0
    assert number(response.EVSEMaximumCurrentLimit) == 27.6


def test_telemetry_is_published_on_change_only(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    before = len(it.charger.names())
    for _ in range(5):
        it.ask(demand(it.m))
    assert it.charger.names()[before:] == []
    it.ask(demand(it.m, amperes=60))
    assert it.charger.names()[before:] == ["dc_ev_target_voltage_current"]


def test_telemetry_is_published_always_where_configured(kind: str) -> None:
    it = talk(kind, State.CHARGING, Settings(publish_telemetry_only_on_change=False))
    before = len(it.charger.names())
    it.ask(demand(it.m))
    assert {"dc_ev_status", "dc_ev_target_voltage_current"} <= set(it.charger.names()[before:])


def test_a_limit_that_a_request_leaves_out_still_holds(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.ask(demand(it.m, EVMaximumCurrentLimit=quantity(it.m, 120, "A")))
    assert it.charger.published("dc_ev_maximum_limits")[-1][1] == iso15118.DcEvMaximumLimits(
        dc_ev_maximum_current_limit=120.0, dc_ev_maximum_voltage_limit=450.0
    )


def test_the_remaining_time_is_told_as_a_time_of_day_and_once(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    for _ in range(3):
        it.ask(demand(it.m, RemainingTimeToFullSoC=quantity(it.m, 100, "s")))
        it.now += 1
    ((_, value),) = it.charger.published("dc_ev_remaining_time")
    assert value.ev_remaining_time_to_full_soc == "2026-01-01T00:03:20.000Z"
    assert value.ev_remaining_time_to_full_bulk_soc is None


def test_the_end_of_the_power_is_told_before_the_contactor_opens(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    response = it.ask(power(it.m, "Stop"))
    assert response.EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"
    assert it.charger.names()[-2:] == ["current_demand_finished", "dc_open_contactor"]


def test_welding_detection_answers_with_the_present_voltage(kind: str) -> None:
    it = talk(kind, State.STOPPED, present_voltage_V=38.0)
    response = it.ask(it.m.WeldingDetectionReq(DC_EVStatus=ev_status(it.m)))
    assert number(response.EVSEPresentVoltage) == 38.0
    assert response.DC_EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"


# -- the charger wants to stop


def notified(kind: str, notification: str, delay_s: int) -> tuple[str, int]:
    """What the car is notified of: only ISO 15118-2 notifies, DIN SPEC 70121 has the status code."""
    return ("None", 0) if kind == "din" else (notification, delay_s)


def test_a_wish_to_stop_is_notified_in_the_next_response(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(stop_requested=True)
    status = it.ask(demand(it.m)).DC_EVSEStatus
    assert status.EVSEStatusCode == "EVSE_Shutdown"
    assert (status.EVSENotification, status.NotificationMaxDelay) == notified(kind, "StopCharging", 0)
    it.change(stop_requested=False)
    status = it.ask(demand(it.m)).DC_EVSEStatus
    assert (status.EVSENotification, status.EVSEStatusCode) == ("None", "EVSE_Ready")


def test_a_car_that_does_not_stop_is_refused_after_ten_seconds(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(stop_requested=True)
    it.wait(9.5)
    assert it.ask(demand(it.m)).ResponseCode == "OK"
    it.wait(1.0)
    assert it.ask(demand(it.m)).ResponseCode == "FAILED"
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK", "it may still end in good order"
    assert it.ask(it.m.WeldingDetectionReq(DC_EVStatus=ev_status(it.m))).ResponseCode == "OK"
    assert it.ask(stop(it.m)).ResponseCode == "OK"
    assert "hlc_session_failed" not in it.end()


def test_no_power_begins_while_the_charger_wants_to_stop(kind: str) -> None:
    it = talk(kind, State.PRECHARGE)
    it.change(stop_requested=True)
    assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED_PowerDeliveryNotApplied"


# -- errors of the charger


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("Error_UtilityInterruptEvent", "EVSE_UtilityInterruptEvent"),
        ("Error_Malfunction", "EVSE_Malfunction"),
        ("Error_Contactor", "EVSE_Malfunction"),
    ],
)
def test_an_error_shows_in_the_status_code(kind: str, error: str, code: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(error=error)
    response = it.ask(demand(it.m))
    assert (response.ResponseCode, response.DC_EVSEStatus.EVSEStatusCode) == ("OK", code)
    it.change(error="")
    assert it.ask(demand(it.m)).DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"


@pytest.mark.parametrize("state", [State.CABLE_CHECK, State.PRECHARGE, State.CHARGING], ids=lambda s: s.name)
def test_an_emergency_refuses_everything_but_the_way_out(kind: str, state: State) -> None:
    it = talk(kind, state)
    it.change(error="Error_EmergencyShutdown")
    requests: dict[State, Any] = {
        State.CABLE_CHECK: it.m.CableCheckReq(DC_EVStatus=ev_status(it.m)),
        State.PRECHARGE: precharge(it.m),
        State.CHARGING: demand(it.m),
    }
    response = it.ask(requests[state])
    assert response.ResponseCode == "FAILED"
    assert response.DC_EVSEStatus.EVSEStatusCode == "EVSE_EmergencyShutdown"
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK"
    assert it.ask(stop(it.m)).ResponseCode == "OK"
    assert "hlc_session_failed" not in it.end(), "the car is not to blame"


# -- no energy (IEC 61851-23)


def test_a_pause_before_the_cable_check_is_notified_without_delay(kind: str) -> None:
    it = talk(kind, State.CHARGE_PARAMETERS, no_energy_pause="PauseBeforeCableCheck")
    response = it.ask(parameters(it.m))
    status = response.EVSEChargeParameter.DC_EVSEStatus
    assert response.ResponseCode == "OK"
    assert (status.EVSENotification, status.NotificationMaxDelay) == notified(kind, "StopCharging", 0)
    assert status.EVSEStatusCode == ("EVSE_Shutdown" if kind == "din" else "EVSE_Ready")


def test_a_pause_after_pre_charge_leaves_time_for_it(kind: str) -> None:
    it = talk(kind, State.PRECHARGE)
    it.change(no_energy_pause="PauseAfterPrecharge")
    status = it.ask(precharge(it.m)).DC_EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == notified(kind, "StopCharging", 300)
    assert status.EVSEStatusCode == ("EVSE_Shutdown" if kind == "din" else "EVSE_Ready")
    assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED_PowerDeliveryNotApplied"
    assert it.charger.names()[-1] == "dc_open_contactor"


def test_a_car_may_ignore_the_pause_where_allowed(kind: str) -> None:
    it = talk(kind, State.PRECHARGE, no_energy_pause="AllowEvToIgnorePause")
    assert it.ask(power(it.m, "Start")).ResponseCode == "OK"


def test_a_stop_that_was_taken_back_has_no_consequence(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(stop_requested=True)
    it.wait(5)
    it.change(stop_requested=False)
    it.wait(6)
    assert it.ask(demand(it.m)).ResponseCode == "OK"
    it.change(stop_requested=True)
    it.wait(9.5)
    assert it.ask(demand(it.m)).ResponseCode == "OK", "the ten seconds begin anew"


def test_a_result_may_come_before_the_isolation_status(kind: str) -> None:
    """DIN SPEC 70121 wants the isolation with the end of the check, ISO 15118-2 takes it as it comes."""
    it = talk(kind, State.CABLE_CHECK)
    request = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
    it.ask(request)
    it.change(cable_check=True)
    if kind == "din":
        assert it.ask(request).EVSEProcessing == "Ongoing"
        it.change(isolation="Valid")
    assert it.ask(request).EVSEProcessing == "Finished"


def test_a_wish_for_nothing_is_nothing(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.ask(demand(it.m, volts=0, amperes=0))
    target = it.charger.published("dc_ev_target_voltage_current")[-1][1]
    assert (target.dc_ev_target_voltage, target.dc_ev_target_current) == (0.0, 0.0)
