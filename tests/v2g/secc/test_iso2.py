"""What only ISO 15118-2 has: AC, renegotiation, pause and resumption, schedules, meter values."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from tests.v2g.pair import dc_facts
from tests.v2g.talk import (
    Talk,
    ac_parameters,
    dc_parameters,
    demand,
    ev_status,
    parameters,
    power,
    quantity,
    stop,
    talk,
)

AC_MODE = "AC_three_phase_core"


# -- AC


def test_ac_tells_current_voltage_and_the_power_of_its_phases() -> None:
    for mode, factor in ((AC_MODE, 3), ("AC_single_phase_core", 1)):
        it = talk("ac", State.CHARGE_PARAMETERS, energy_transfer_modes=[mode])
        response = it.ask(parameters(iso2, mode))
        told = response.EVSEChargeParameter
        assert (number(told.EVSEMaxCurrent), number(told.EVSENominalVoltage)) == (32.0, 230.0)
        (entry,) = response.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
        assert number(entry.PMax) == 7_360.0 * factor


def test_ac_publishes_what_the_car_needs() -> None:
    it = talk("ac", State.CHARGE_PARAMETERS)
    content = ac_parameters(iso2)
    content.DepartureTime = 7200
    it.ask(parameters(iso2, AC_MODE, content))
    told = dict(it.charger.published())
    assert (told["ac_eamount"], told["ac_ev_max_voltage"]) == (20_000.0, 400.0)
    assert (told["ac_ev_max_current"], told["ac_ev_min_current"]) == (16.0, 6.0)
    assert told["departure_time"] == "2026-01-01T02:01:40.000Z"
    assert told["charging_needs"].ac_charging_parameters.energy_amount == 20_000.0


def test_dc_parameters_at_an_ac_charger_are_refused() -> None:
    it = talk("ac", State.CHARGE_PARAMETERS)
    response = it.ask(parameters(iso2, AC_MODE, dc_parameters(iso2)))
    assert response.ResponseCode == "FAILED_WrongChargeParameter"
    assert it.ask(parameters(iso2, "DC_extended")).ResponseCode == "FAILED_WrongEnergyTransferMode"


def test_power_delivery_waits_for_the_contactor() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    assert it.ask(power(iso2, "Start")) is None
    assert it.charger.names()[-2:] == ["v2g_setup_finished", "ac_close_contactor"]
    it.wait(2.0)
    assert it.change(contactor_closed=True).ResponseCode == "OK"


def test_a_contactor_that_stays_open_fails_within_the_performance_time() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    assert it.ask(power(iso2, "Start")) is None
    response = it.answer_in(it.wait(3.0))
    assert response.ResponseCode == "FAILED_ContactorError"
    assert it.charger.names()[-1] == "ac_open_contactor"
    assert it.ask(power(iso2, "Start")) is None, "the car may try again"


def test_a_contactor_with_a_fault_is_not_even_tried() -> None:
    it = talk("ac", State.POWER_DELIVERY, error="Error_Contactor")
    assert it.ask(power(iso2, "Start")).ResponseCode == "FAILED_ContactorError"
    assert "ac_close_contactor" not in it.charger.names()


def test_a_wish_to_stop_ends_the_wait_for_the_contactor() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    it.ask(power(iso2, "Start"))
    assert it.change(stop_requested=True).ResponseCode == "FAILED_PowerDeliveryNotApplied"
    assert it.charger.names()[-1] == "ac_open_contactor"


def test_charging_status_tells_current_meter_and_residual_current() -> None:
    it = talk("ac", State.CHARGING)
    it.change(ac_max_current_A=13.0, meter_id="M1", meter_Wh=1234.6, meter_is_new=True)
    response = it.ask(iso2.ChargingStatusReq())
    assert number(response.EVSEMaxCurrent) == 13.0
    assert (response.MeterInfo.MeterID, response.MeterInfo.MeterReading) == ("M1", 1235)
    assert response.ReceiptRequired is False and response.AC_EVSEStatus.RCD is False
    it.change(error="Error_RCD")
    response = it.ask(iso2.ChargingStatusReq())
    assert response.MeterInfo is None, "no news of the meter"
    assert response.AC_EVSEStatus.RCD is True


def test_the_contactor_opens_at_the_end_and_when_the_car_vanishes() -> None:
    it = talk("ac", State.CHARGING)
    it.ask(power(iso2, "Stop"))
    assert it.charger.names()[-1] == "ac_open_contactor"
    assert "ac_open_contactor" in talk("ac", State.CHARGING).end()


# -- power delivery


def profile(*entries: tuple[int, int, int]) -> Any:
    request = power(iso2, "Start")
    request.ChargingProfile = iso2.ChargingProfileType(
        ProfileEntry=[
            iso2.ProfileEntryType(
                ChargingProfileEntryStart=start, ChargingProfileEntryMaxPower=quantity(iso2, value, "W", multiplier)
            )
            for start, value, multiplier in entries
        ]
    )
    return request


def test_an_unknown_schedule_is_refused() -> None:
    it = talk("iso2", State.PRECHARGE)
    assert it.ask(power(iso2, "Start", schedule=7)).ResponseCode == "FAILED_TariffSelectionInvalid"


def test_a_profile_above_the_schedule_is_refused_one_within_it_is_not() -> None:
    it = talk("iso2", State.PRECHARGE)
    assert it.ask(profile((0, 15_000, 1), (60, 15_100, 1))).ResponseCode == "FAILED_ChargingProfileInvalid"
    assert it.ask(profile((0, 15_000, 1), (90_000, 100, 0))).ResponseCode == "OK", "late entries are only noted"


def test_the_schedule_ends_with_the_departure() -> None:
    for departure, duration in ((3600, 3600), (0, 86_400), (None, 86_400), (2**32 - 1, 86_400)):
        assert schedule("iso2", departure) == [(0, duration, 150_000)]


DAY_S = 86_400


@pytest.mark.parametrize(("kind", "power_W"), [("iso2", 150_000), ("ac", 22_080)])
@pytest.mark.parametrize(
    ("departure_s", "entries"),
    [
        (DAY_S, [(0, DAY_S)]),
        (DAY_S + 1, [(0, DAY_S), (DAY_S, 1)]),
        (100_000, [(0, DAY_S), (DAY_S, 13_600)]),
        (2 * DAY_S, [(0, DAY_S), (DAY_S, DAY_S)]),
        (12 * DAY_S, [(n * DAY_S, DAY_S) for n in range(12)]),
        (12 * DAY_S + 1, [(n * DAY_S, DAY_S) for n in range(12)]),
        (2**32 - 2, [(n * DAY_S, DAY_S) for n in range(12)]),
    ],
)
def test_a_schedule_has_entries_until_the_departure(
    kind: str, power_W: float, departure_s: int, entries: list[tuple[int, int]]
) -> None:
    assert schedule(kind, departure_s) == [(*entry, power_W) for entry in entries]


def schedule(kind: str, departure_s: int | None) -> list[tuple[int, int, float]]:
    """Start, duration and power of each entry that a car with this departure is given."""
    it = talk(kind, State.CHARGE_PARAMETERS)
    content = ac_parameters(iso2) if kind == "ac" else dc_parameters(iso2)
    content.DepartureTime = departure_s
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    response = it.ask(parameters(iso2, mode, content))
    (offered,) = response.SASchedules.SAScheduleTuple
    found = offered.PMaxSchedule.PMaxScheduleEntry
    return [(one.TimeInterval.start, one.TimeInterval.duration, number(one.PMax)) for one in found]


def test_a_profile_is_compared_with_the_whole_schedule() -> None:
    it = talk("iso2", State.CHARGE_PARAMETERS)
    content = dc_parameters(iso2)
    content.DepartureTime = 2 * DAY_S
    it.ask(parameters(iso2, content=content))
    for start_s, noted in ((DAY_S + 1, 0), (2 * DAY_S + 1, 1)):
        assert it.machine.session.profile_fault(profile((0, 15_000, 1), (start_s, 100, 0))) == ("", "")
        assert len(it.machine.session.take_effects()) == noted


def test_ac_parameters_are_nominal_and_the_status_has_what_may_be_drawn_now() -> None:
    it = talk("ac", State.CHARGE_PARAMETERS, ac_max_current_A=0.0, ac_rated_current_A=32.0)
    response = it.ask(parameters(iso2, "AC_three_phase_core"))
    content = response.EVSEChargeParameter
    assert (number(content.EVSEMaxCurrent), number(content.EVSENominalVoltage)) == (32.0, 230.0)
    (entry,) = response.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
    assert number(entry.PMax) == pytest.approx(22_080, abs=5)
    it.facts.contactor_closed = True
    it.ask(power(iso2, "Start"))
    for current_A in (0.0, 6.0, 13.5, 0.0):
        it.change(ac_max_current_A=current_A)
        assert number(it.ask(iso2.ChargingStatusReq()).EVSEMaxCurrent) == current_A


def test_nominal_values_of_one_phase() -> None:
    modes = ["AC_single_phase_core", "AC_three_phase_core"]
    facts: dict[str, Any] = {"ac_max_current_A": 6.0, "ac_greatest_current_A": 16.0, "ac_rated_current_A": 80.0}
    it = talk("ac", State.CHARGE_PARAMETERS, energy_transfer_modes=modes, **facts)
    response = it.ask(parameters(iso2, "AC_single_phase_core"))
    (entry,) = response.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
    assert (number(response.EVSEChargeParameter.EVSEMaxCurrent), number(entry.PMax)) == (16.0, 3_680)


def test_a_pause_without_energy_has_a_short_schedule() -> None:
    it = talk("iso2", State.CHARGE_PARAMETERS, no_energy_pause="PauseAfterPrecharge")
    (entry,) = it.ask(parameters(iso2)).SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
    assert entry.TimeInterval.duration == 1_800


def test_current_demand_carries_the_meter_when_there_is_news() -> None:
    it = talk("iso2", State.CHARGING)
    it.change(meter_id="DC_POWERMETER", meter_Wh=17.0, meter_is_new=True)
    assert it.ask(demand(iso2)).MeterInfo.MeterReading == 17
    assert it.ask(demand(iso2)).MeterInfo is None


# -- renegotiation


def test_renegotiation_leads_back_to_the_charge_parameters() -> None:
    it = talk("iso2", State.CHARGING)
    assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "OK"
    assert "current_demand_finished" in it.charger.names()
    assert it.ask(parameters(iso2)).ResponseCode == "OK"
    check = iso2.CableCheckReq(DC_EVStatus=ev_status(iso2))
    response = it.ask(check)
    assert response.EVSEProcessing == "Ongoing" and response.DC_EVSEStatus.EVSEIsolationStatus == "Invalid"
    assert it.charger.names().count("start_cable_check") == 2


def test_ac_renegotiates_as_well() -> None:
    it = talk("ac", State.CHARGING)
    assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "OK"
    assert it.ask(parameters(iso2, AC_MODE)).ResponseCode == "OK"
    assert it.ask(power(iso2, "Start")).ResponseCode == "OK", "the contactor is still closed"


def test_renegotiation_before_charging_is_refused() -> None:
    it = talk("iso2", State.PRECHARGE)
    assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "FAILED"


# -- pause


def paused(kind: str = "iso2") -> Talk:
    it = talk(kind, State.STOPPED)
    assert it.ask(stop(iso2, "Pause")).ResponseCode == "OK"
    return it


def test_a_pause_after_the_power_keeps_the_session_for_its_resumption() -> None:
    it = paused()
    old = it.session_id
    assert it.end()[-1] == "dlink_pause"
    assert it.facts.paused is not None
    again = Talk(iso2, it.facts)
    response = again.ask(iso2.SessionSetupReq(EVCCID=b"\2\0\0\0\0\2"), session_id=old)
    assert response.ResponseCode == "OK_OldSessionJoined"
    assert again.session_id == old
    assert again.ask(iso2.ServiceDiscoveryReq()).ResponseCode == "OK"


def test_a_stranger_does_not_get_the_paused_session() -> None:
    it = paused()
    it.end()
    again = Talk(iso2, it.facts)
    response = again.ask(iso2.SessionSetupReq(EVCCID=b"\2\0\0\0\0\2"), session_id=b"\xff" * 8)
    assert response.ResponseCode == "OK_NewSessionEstablished"
    assert again.facts.paused is None


@pytest.mark.parametrize("state", [State.SERVICE_SELECTION, State.AUTHORIZATION, State.PRECHARGE], ids=lambda s: s.name)
def test_a_pause_where_nothing_was_charged_fails_and_ends(state: State) -> None:
    it = talk("iso2", state)
    assert it.ask(stop(iso2, "Pause")).ResponseCode == "FAILED"
    assert it.end()[-1] == "dlink_terminate"
    assert it.facts.paused is None


def test_a_terminated_session_is_not_resumed() -> None:
    it = talk("iso2", State.STOPPED)
    it.ask(stop(iso2))
    old = it.session_id
    it.end()
    again = Talk(iso2, it.facts)
    response = again.ask(iso2.SessionSetupReq(EVCCID=b"\2\0\0\0\0\2"), session_id=old)
    assert response.ResponseCode == "OK_NewSessionEstablished"


def test_a_link_that_is_taken_away_is_nobodys_failure() -> None:
    it = talk("iso2", State.CHARGING)
    before = len(it.charger.log)
    it.charger.feed(out.LinkLost("unplugged"), it.now)
    told = [e.variable for e in it.charger.log[before:] if isinstance(e, Publish)]
    assert told == ["current_demand_finished", "dc_open_contactor", "dlink_error"]
    assert out.Abort() in it.charger.log


def test_an_id_of_one_byte_zero_begins_a_session() -> None:
    it = Talk(iso2, dc_facts())
    assert it.ask(iso2.SessionSetupReq(EVCCID=bytes(6)), session_id=b"\0").ResponseCode == "OK_NewSessionEstablished"
