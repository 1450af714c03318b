"""No state without a way out in a bounded time, and no power where everything is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g.messages import iso20_dc
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.talk import Talk, demand, ev_status, parameters, power, precharge, stop, talk
from tests.v2g.talk20 import Course, dc20_facts, dc_loop, talk20, talk20_ac
from tests.v2g.talk20 import power as power20
from tests.v2g.talk20 import precharge as precharge20
from tests.v2g.talk20 import profile as profile20
from tests.v2g.talk20 import schedule as schedule20

KINDS = ("din", "iso2", "ac")
OPEN = {"din": "dc_open_contactor", "iso2": "dc_open_contactor", "ac": "ac_open_contactor"}


def loop(it: Talk, kind: str) -> Any:
    return it.m.ChargingStatusReq() if kind == "ac" else demand(it.m)


# -- everything is refused


@pytest.mark.parametrize("how", ["emergency", "stop"])
@pytest.mark.parametrize("kind", KINDS)
def test_where_everything_is_refused_the_power_is_taken_off(kind: str, how: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(**({"error": "Error_EmergencyShutdown"} if how == "emergency" else {"stop_requested": True}))
    it.wait(10.1 if how == "stop" else 0.1)
    assert OPEN[kind] not in it.charger.names()
    assert it.ask(loop(it, kind)).ResponseCode == "FAILED"
    assert it.charger.names()[-1] == OPEN[kind]
    assert it.ask(power(it.m, "Stop")).ResponseCode == "OK"
    assert it.ask(stop(it.m)).ResponseCode == "OK"
    it.end()
    assert it.charger.names().count(OPEN[kind]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_car_that_goes_on_though_everything_is_refused_is_left(kind: str) -> None:
    it = talk(kind, State.CHARGING)
    it.change(stop_requested=True)
    it.wait(10.0)
    for _ in range(59):
        assert it.ask(loop(it, kind)).ResponseCode == "FAILED"
        it.wait(1.0)
        assert not it.closed
    it.ask(loop(it, kind))
    it.wait(1.0)
    assert it.closed
    assert it.charger.broken()[-1] == "nothing to answer but FAILED for 60 s"
    assert it.charger.names()[-1] == "dlink_error"


def test_an_answer_that_is_no_refusal_begins_that_time_anew() -> None:
    it = talk("iso2", State.CHARGING)
    for _ in range(6):
        assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED"
        it.wait(50.0)
        assert it.ask(demand(it.m)).ResponseCode == "OK"
        it.wait(30.0)
    assert not it.closed
    it.ask(power(it.m, "Start"))
    it.wait(30.0)
    it.ask(power(it.m, "Start"))
    it.wait(29.9)
    assert not it.closed
    it.wait(0.2)
    assert it.closed, "the time counts from the first refusal"


def test_a_contactor_that_was_waited_for_in_an_emergency_is_asked_for_again() -> None:
    it = talk("ac", State.POWER_DELIVERY)
    assert it.ask(power(it.m, "Start")) is None
    assert it.change(error="Error_EmergencyShutdown").ResponseCode == "FAILED"
    assert it.charger.names()[-2:] == ["ac_close_contactor", "ac_open_contactor"]
    it.wait(20.0)
    it.change(error="")
    assert it.ask(power(it.m, "Start")) is None
    assert it.charger.names()[-1] == "ac_close_contactor"
    assert it.change(contactor_closed=True).ResponseCode == "OK"


@pytest.mark.parametrize("error", ["Error_RCD", "Error_Malfunction", "Error_UtilityInterruptEvent"])
def test_ac_power_does_not_begin_with_a_fault(error: str) -> None:
    it = talk("ac", State.POWER_DELIVERY)
    it.change(error=error)
    assert it.ask(power(it.m, "Start")).ResponseCode == "FAILED_PowerDeliveryNotApplied"
    assert "ac_close_contactor" not in it.charger.names()


# -- the way to the charge loop


def repeated(it: Any, make: Any, limit_s: float) -> float:
    """Ask again and again; return after how long it is refused."""
    began = it.now
    while it.now - began < limit_s:
        response = it.ask(make())
        if response.ResponseCode != "OK":
            assert response.ResponseCode == "FAILED"
            return float(it.now - began)
        it.wait(1.0)
    raise AssertionError("never refused")


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_a_cable_check_without_a_result_and_a_pre_charge_without_an_end_are_bounded(kind: str) -> None:
    it = talk(kind, State.CABLE_CHECK)
    assert repeated(it, lambda: it.m.CableCheckReq(DC_EVStatus=ev_status(it.m)), 200.0) == 150.0
    assert it.charger.names()[-1] == "dc_open_contactor"
    it = talk(kind, State.PRECHARGE)
    assert repeated(it, lambda: precharge(it.m), 200.0) == 150.0
    assert it.charger.names()[-1] == "dc_open_contactor"
    assert it.ask(stop(it.m)).ResponseCode == "OK"


def test_the_time_to_the_charge_loop_is_of_one_preparation() -> None:
    it = talk("iso2", State.PRECHARGE)
    it.wait(50.0)
    for _ in range(4):
        assert it.ask(power(it.m, "Start")).ResponseCode == "OK"
        for _ in range(3):
            it.wait(50.0)
            assert it.ask(demand(it.m)).ResponseCode == "OK"
        assert it.ask(power(it.m, "Renegotiate")).ResponseCode == "OK"
        assert it.ask(parameters(it.m)).ResponseCode == "OK"
        check = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
        it.ask(check)
        it.change(cable_check=True, isolation="Valid")
        assert it.ask(check).EVSEProcessing == "Finished"
        assert it.ask(precharge(it.m)).ResponseCode == "OK"


def test_a_pre_charge_of_iso_15118_20_is_bounded() -> None:
    it = talk20(S.PRECHARGE)
    assert repeated(it, lambda: precharge20("Ongoing", 300.0), 200.0) == 150.0
    assert it.closing and it.charger.names()[-1] == "dc_open_contactor"


@pytest.mark.parametrize("kind", ["dc", "ac"])
def test_a_car_that_works_on_its_power_profile_for_ever_is_left(kind: str) -> None:
    it = talk20(S.POWER_DELIVERY) if kind == "dc" else talk20_ac(S.POWER_DELIVERY)
    assert repeated(it, lambda: power20(state="Ongoing"), 100.0) == 55.0
    assert it.closing and ("dc_open_contactor" in it.charger.names()) is (kind == "dc")


def test_the_time_for_a_profile_is_of_one_start() -> None:
    it = talk20(S.CHARGING, course=Course(dynamic=False, set_id=1))
    it.ask(dc_loop(dynamic=False))
    for _ in range(3):
        assert it.ask(power20("ScheduleRenegotiation")).ResponseCode == "OK"
        assert it.ask(schedule20(dynamic=False)).ResponseCode == "OK"
        for _ in range(2):
            assert it.ask(power20(state="Ongoing")).ResponseCode == "OK"
            it.wait(27.0)
        assert it.ask(power20(profile=profile20(20_000))).ResponseCode == "OK"
        assert it.ask(dc_loop(dynamic=False)).ResponseCode == "OK"


# -- values of the car


@pytest.mark.parametrize(("bidirectional", "amperes"), [(False, 0.0), (True, -25.0)])
def test_a_negative_current_is_one_of_bidirectional_services(bidirectional: bool, amperes: float) -> None:
    course = Course(6 if bidirectional else 2, bidirectional=bidirectional, dynamic=False, set_id=1)
    it = talk20(S.CHARGING, dc20_facts("DC", "DC_BPT"), course=course)
    assert it.ask(dc_loop(dynamic=False, bidirectional=bidirectional, amperes=-25.0)).ResponseCode == "OK"
    assert it.value("dc_ev_target_voltage_current").dc_ev_target_current == amperes


def test_a_number_beyond_all_bounds_is_no_target() -> None:
    it = talk20(S.CHARGING, course=Course(dynamic=False, set_id=1))
    request = dc_loop(dynamic=False)
    for name in ("EVTargetCurrent", "EVTargetVoltage"):
        number = getattr(request.CLReqControlMode, name)
        number.Exponent, number.Value = 127, 32_767
    response = it.ask(request)
    assert response.ResponseCode == "OK" and isinstance(response, iso20_dc.DC_ChargeLoopRes)
    target = it.value("dc_ev_target_voltage_current")
    assert (target.dc_ev_target_voltage, target.dc_ev_target_current) == (1_500.0, 10_000.0)


@pytest.mark.parametrize("protocol", ["iso2", "iso20"])
def test_a_contactor_that_was_ordered_to_open_is_not_taken_for_closed(protocol: str) -> None:
    """Its own report may come later than the car's next start."""
    if protocol == "iso2":
        it: Any = talk("ac", State.CHARGING)
        it.ask(power(it.m, "Stop"))
    else:
        it = talk20_ac(S.CHARGING)
        it.ask(power20("Stop"))
    assert it.charger.names()[-1] == "ac_open_contactor" and it.facts.contactor_closed is False
