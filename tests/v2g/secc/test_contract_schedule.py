"""What changes in a session of ISO 15118-2 once it has begun: schedule, renegotiation, pause and resumption."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.security import PLAIN
from tests.v2g.talk import (
    TLS,
    Talk,
    ac_parameters,
    authorization,
    dc_parameters,
    parameters,
    payment_details,
    power,
    quantity,
    selection,
    stop,
    talk,
)

AC_MODE = "AC_three_phase_core"
EVCC_ID = b"\2\0\0\0\0\2"


def power_W(response: Any) -> float:
    (schedule,) = response.SASchedules.SAScheduleTuple
    return number(schedule.PMaxSchedule.PMaxScheduleEntry[0].PMax)


# -- the schedule of a contract


def test_under_a_contract_the_schedule_limits_and_not_the_status() -> None:
    it = talk("ac", State.CHARGE_PARAMETERS, contract=True, ac_max_current_A=16.0, ac_greatest_current_A=32.0)
    response = it.ask(parameters(iso2, AC_MODE))
    assert power_W(response) == 16 * 230 * 3
    assert number(response.EVSEChargeParameter.EVSEMaxCurrent) == 16.0
    it.facts.contactor_closed = True
    it.ask(power(iso2, "Start"))
    assert it.ask(iso2.ChargingStatusReq()).EVSEMaxCurrent is None
    other = talk("ac", State.CHARGING, ac_max_current_A=16.0)
    assert number(other.ask(iso2.ChargingStatusReq()).EVSEMaxCurrent) == 16.0


def test_a_contract_without_power_does_not_send_the_car_away() -> None:
    it = talk("ac", State.CHARGE_PARAMETERS, contract=True, ac_max_current_A=0.0, ac_greatest_current_A=32.0)
    response = it.ask(parameters(iso2, AC_MODE))
    assert power_W(response) == 0.0
    assert number(response.EVSEChargeParameter.EVSEMaxCurrent) == 32.0


@pytest.mark.parametrize(
    ("current_A", "notification"),
    [(32.0, "None"), (31.9, "None"), (34.0, "None"), (31.0, "ReNegotiation"), (0.0, "ReNegotiation")],
)
def test_the_charger_asks_for_renegotiation_when_its_schedule_no_longer_holds(
    current_A: float, notification: str
) -> None:
    it = talk("ac", State.CHARGING, contract=True)
    it.change(ac_max_current_A=current_A)
    assert it.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification == notification
    other = talk("ac", State.CHARGING)
    other.change(ac_max_current_A=current_A)
    assert other.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification == "None"


def test_renegotiation_gives_the_new_schedule_and_the_contactor_stays() -> None:
    it = talk("ac", State.CHARGING, contract=True)
    it.change(ac_max_current_A=10.0)
    assert it.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification == "ReNegotiation"
    assert it.ask(power(iso2, "Renegotiate")).ResponseCode == "OK"
    assert power_W(it.ask(parameters(iso2, AC_MODE))) == 10 * 230 * 3
    assert it.ask(power(iso2, "Start")).ResponseCode == "OK"
    assert it.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification == "None"
    assert "ac_open_contactor" not in it.charger.names()


def test_a_wish_to_stop_wins_over_renegotiation() -> None:
    it = talk("ac", State.CHARGING, contract=True)
    it.change(ac_max_current_A=10.0, stop_requested=True)
    assert it.ask(iso2.ChargingStatusReq()).AC_EVSEStatus.EVSENotification == "StopCharging"


def test_the_profile_is_held_against_the_schedule_after_renegotiation() -> None:
    it = talk("ac", State.CHARGING, contract=True)
    it.change(ac_max_current_A=10.0)
    it.ask(power(iso2, "Renegotiate"))
    it.ask(parameters(iso2, AC_MODE))
    request = power(iso2, "Start")
    entry = iso2.ProfileEntryType(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=quantity(iso2, 22_000, "W"))
    request.ChargingProfile = iso2.ChargingProfileType(ProfileEntry=[entry])
    assert it.ask(request).ResponseCode == "FAILED_ChargingProfileInvalid"
    entry.ChargingProfileEntryMaxPower = quantity(iso2, 6_900, "W")
    assert it.ask(request).ResponseCode == "OK"


@pytest.mark.parametrize(("most", "entries"), [(None, 3), (0, 3), (2, 2), (12, 3), (1, 1)])
def test_the_schedule_has_no_more_entries_than_the_car_takes(most: int | None, entries: int) -> None:
    it = talk("iso2", State.CHARGE_PARAMETERS)
    content = dc_parameters(iso2)
    content.DepartureTime = 2 * 86_400 + 3600
    request = parameters(iso2, content=content)
    request.MaxEntriesSAScheduleTuple = most
    (schedule,) = it.ask(request).SASchedules.SAScheduleTuple
    assert len(schedule.PMaxSchedule.PMaxScheduleEntry) == entries


# -- pause and resumption


def paused(kind: str, *, contract: bool, departure_s: int | None = None) -> Talk:
    it = talk(kind, State.CHARGE_PARAMETERS, contract=contract)
    content = ac_parameters(iso2)
    content.DepartureTime = departure_s
    it.ask(parameters(iso2, AC_MODE, content))
    it.facts.contactor_closed = True
    it.ask(power(iso2, "Start"))
    it.ask(power(iso2, "Stop"))
    assert it.ask(stop(iso2, "Pause")).ResponseCode == "OK"
    assert it.end()[-1] == "dlink_pause"
    return it


def resume(it: Talk, *, tls: bool = True, evcc_id: bytes = EVCC_ID, after_s: float = 600.0) -> tuple[Talk, str]:
    again = Talk(iso2, it.facts, security=TLS if tls else PLAIN)
    again.now = it.now + after_s
    response = again.ask(iso2.SessionSetupReq(EVCCID=evcc_id), session_id=it.session_id)
    return again, str(response.ResponseCode)


@pytest.mark.parametrize("contract", [True, False])
def test_a_resumed_session_keeps_its_means_of_payment(contract: bool) -> None:
    again, code = resume(paused("ac", contract=contract))
    assert code == "OK_OldSessionJoined"
    again.facts.payment_options = ["ExternalPayment", "Contract"]
    wanted, other = ("Contract", "ExternalPayment") if contract else ("ExternalPayment", "Contract")
    assert again.ask(iso2.ServiceDiscoveryReq()).PaymentOptionList.PaymentOption == [wanted]
    assert again.ask(selection(iso2, payment=other)).ResponseCode == "FAILED_PaymentSelectionInvalid"
    assert again.ask(selection(iso2, payment=wanted)).ResponseCode == "OK"


def test_a_resumed_contract_is_proven_anew() -> None:
    again, _ = resume(paused("ac", contract=True))
    again.ask(iso2.ServiceDiscoveryReq())
    again.ask(selection(iso2, payment="Contract"))
    challenge = again.ask(payment_details()).GenChallenge
    assert again.ask(authorization(iso2)).ResponseCode == "FAILED_ChallengeInvalid"
    assert again.ask_signed(iso2.AuthorizationReq(GenChallenge=challenge)).EVSEProcessing == "Ongoing"
    assert "require_auth_pnc" in again.charger.names()


def test_a_resumed_contract_without_tls_pays_otherwise() -> None:
    again, code = resume(paused("ac", contract=True), tls=False)
    assert code == "OK_OldSessionJoined"
    assert again.ask(iso2.ServiceDiscoveryReq()).PaymentOptionList.PaymentOption == ["ExternalPayment"]


def test_another_car_does_not_join_the_paused_session_though_it_knows_its_id() -> None:
    _, code = resume(paused("ac", contract=True), evcc_id=b"\2\0\0\0\0\3")
    assert code == "OK_NewSessionEstablished"


@pytest.mark.parametrize(("given_s", "left_s"), [(None, 3000), (7200, 7200)])
def test_a_resumed_session_keeps_its_departure(given_s: int | None, left_s: int) -> None:
    it = paused("ac", contract=False, departure_s=3600)
    again, _ = resume(it, after_s=600.0)
    again.ask(iso2.ServiceDiscoveryReq())
    again.ask(selection(iso2))
    again.facts.session.authorized = True
    again.ask(authorization(iso2))
    content = ac_parameters(iso2)
    content.DepartureTime = given_s
    (schedule,) = again.ask(parameters(iso2, AC_MODE, content)).SASchedules.SAScheduleTuple
    assert [one.TimeInterval.duration for one in schedule.PMaxSchedule.PMaxScheduleEntry] == [left_s]
    (_, first), (_, second) = it.charger.published("departure_time")[-1], again.charger.published("departure_time")[-1]
    assert (first == second) is (given_s is None)


def test_a_departure_that_has_passed_in_the_pause_is_none() -> None:
    again, _ = resume(paused("ac", contract=False, departure_s=300), after_s=timedelta(hours=2).total_seconds())
    again.ask(iso2.ServiceDiscoveryReq())
    again.ask(selection(iso2))
    again.facts.session.authorized = True
    again.ask(authorization(iso2))
    (schedule,) = again.ask(parameters(iso2, AC_MODE)).SASchedules.SAScheduleTuple
    assert [one.TimeInterval.duration for one in schedule.PMaxSchedule.PMaxScheduleEntry] == [86_400]


@pytest.mark.parametrize("connected", [True, False])
def test_a_paused_session_ends_with_the_plug_in(connected: bool) -> None:
    """EvseManager sets up at the begin and at the end of a plug-in: a remembered id is none of the next car's."""
    it = paused("ac", contract=False)

    class Owner:
        facts = it.facts

        def is_connected(self) -> bool:
            return connected

    charger = Iso15118ChargerImpl.__new__(Iso15118ChargerImpl)
    owner: Any = Owner()
    owner.engine = owner
    charger.module = owner
    asyncio.run(charger.session_setup([iso15118.PaymentOption.ExternalPayment], False, False))
    assert resume(it)[1] == ("OK_OldSessionJoined" if connected else "OK_NewSessionEstablished")
