"""The car's machine against the charger's: complete sessions, wishes, the order of pilot and contactors."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Power, SetPilot
from chargebyte_fw.modules.v2g.secc import effects as out
from tests.v2g.pair import Pair, ac_facts, dc_facts

DIN = CarSettings(protocols=("DIN70121",))
ISO2 = CarSettings(protocols=("ISO15118D2",))
AC = CarSettings(energy_transfer_mode="AC_three_phase_core", max_current_A=16.0, min_current_A=6.0)

KINDS = {"din": (dc_facts, DIN), "iso2": (dc_facts, ISO2), "ac": (ac_facts, AC)}
DC_STEPS = [
    *("searching", "connected", "negotiated", "session", "authorizing", "authorized", "parameters"),
    *("cable check", "pre-charge", "charging", "stopping", "welding detection", "ended"),
]
AC_STEPS = [step for step in DC_STEPS if step not in ("cable check", "pre-charge", "welding detection")]
every_kind = pytest.mark.parametrize("kind", list(KINDS))
dc_kinds = pytest.mark.parametrize("kind", ["din", "iso2"])


def pair(kind: str, **options: Any) -> Pair:
    facts, settings = KINDS[kind]
    changes = options.pop("charger", {})
    return Pair(facts(**changes), options.pop("car_settings", settings), **options)


def end(it: Pair) -> tuple[str, str]:
    it.run()
    assert it.outcome is not None, it.steps
    return it.outcome.outcome, it.outcome.reason


def actions(it: Pair) -> list[str]:
    """What the car did with pilot, contactors and PowerDelivery, in order."""
    did = []
    for _, effect in it.car_log:
        match effect:
            case SetPilot(state):
                did.append(f"pilot {state}")
            case Power(on):
                did.append(f"contactors {'closed' if on else 'open'}")
            case evcc.Send(_, name) if name in ("CableCheckReq", "PowerDeliveryReq", "WeldingDetectionReq"):
                if did[-1:] != [name] or name == "PowerDeliveryReq":
                    did.append(name)
    return did


@every_kind
def test_a_session_goes_through_every_step_and_ends_as_agreed(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.steps == (AC_STEPS if kind == "ac" else DC_STEPS)
    assert it.charger.broken() == []
    assert it.charger.names()[-1] == "dlink_terminate"


@every_kind
def test_pilot_contactors_and_power_delivery_come_in_the_safe_order(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(stop=True)
    end(it)
    if kind == "ac":
        assert actions(it) == [
            *("pilot C", "PowerDeliveryReq", "contactors closed"),
            *("contactors open", "PowerDeliveryReq", "pilot B"),
        ]
    else:
        assert actions(it) == [
            *("pilot C", "CableCheckReq", "contactors closed", "PowerDeliveryReq"),
            *("PowerDeliveryReq", "contactors open", "pilot B", "WeldingDetectionReq"),
        ]


@dc_kinds
def test_what_is_delivered_is_in_the_facts(kind: str) -> None:
    it = pair(kind)
    it.charge()
    says = it.car_facts.charger
    assert (says.present_voltage_V, says.present_current_A) == (360.0, 50.0)
    assert (says.max_voltage_V, says.max_current_A, says.max_power_W) == (900.0, 200.0, 150_000.0)
    assert says.isolation == "Valid" and says.status_code == "EVSE_Ready"
    it.car_facts.target_current_A = 80.0
    it.run(0.5)
    assert says.present_current_A == 80.0


def test_an_ac_car_knows_how_much_it_may_draw() -> None:
    it = pair("ac")
    it.charge()
    assert it.car_facts.charger.ac_max_current_A == 32.0
    it.fact(ac_max_current_A=10.0, meter_id="M", meter_Wh=55.0, meter_is_new=True)
    it.run(2.0)
    assert (it.car_facts.charger.ac_max_current_A, it.car_facts.charger.meter_Wh) == (10.0, 55.0)


@dc_kinds
def test_the_current_goes_down_before_the_power_goes_off(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(stop=True)
    wishes = [v.dc_ev_target_current for _, v in it.charger.published("dc_ev_target_voltage_current")]
    end(it)
    wishes = [v.dc_ev_target_current for _, v in it.charger.published("dc_ev_target_voltage_current")]
    assert wishes[-1] == 0.0
    assert it.requests[-4:-2] == ["CurrentDemandReq", "PowerDeliveryReq"]


@dc_kinds
def test_a_current_that_does_not_go_down_is_not_waited_for_long(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.charger.reactions["dc_ev_target_voltage_current"] = lambda _: None
    began = it.now
    it.wish(stop=True)
    it.run(60, until=lambda: it.requests[-1] == "PowerDeliveryReq")
    assert 1.5 < it.now - began < 3.0


@every_kind
def test_the_charger_may_end_the_session(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.fact(stop_requested=True)
    assert end(it) == ("terminated", "")
    assert "hlc_session_failed" not in it.charger.names()


@dc_kinds
def test_an_emergency_opens_the_contactors_at_once(kind: str) -> None:
    it = pair(kind)
    it.charge()
    began = it.now
    it.fact(error="Error_EmergencyShutdown")
    outcome, reason = end(it)
    opened = next(at for at, effect in it.car_log if effect == Power(False))
    assert opened - began < 0.2
    assert outcome == "failed" and "CurrentDemandRes FAILED" in reason
    assert "dc_open_contactor" in it.charger.names()


@dc_kinds
def test_a_malfunction_is_the_way_out_without_a_ramp(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.fact(error="Error_Malfunction")
    assert end(it) == ("terminated", "")
    did = actions(it)
    assert did.index("contactors open") < len(did) - did[::-1].index("PowerDeliveryReq") - 1


@every_kind
def test_an_error_of_the_car_ends_the_session(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(error_code="FAILED_RESSTemperatureInhibit")
    assert end(it)[0] == "terminated"


@every_kind
@pytest.mark.parametrize("step", ["connected", "session", "authorizing", "parameters"])
def test_a_wish_to_stop_is_followed_wherever_it_comes(kind: str, step: str) -> None:
    it = pair(kind, authorize_s=20.0)
    it.start()
    it.run(100, until=lambda: step in it.steps)
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.requests[-1] == "SessionStopReq"
    assert "CurrentDemandReq" not in it.requests and "ChargingStatusReq" not in it.requests
    assert it.charger.broken() == []


@dc_kinds
@pytest.mark.parametrize("step", ["cable check", "pre-charge"])
def test_a_wish_to_stop_during_the_set_up_takes_the_voltage_off(kind: str, step: str) -> None:
    it = pair(kind)
    it.charger.reactions["dc_ev_target_voltage_current"] = lambda _: None
    it.start()
    it.run(100, until=lambda: step in it.steps)
    it.run(0.15)
    it.wish(stop=True)
    assert end(it)[0] == "terminated"
    assert "dc_open_contactor" in it.charger.names() and it.charger.broken() == []


def test_a_wish_to_stop_before_the_connection_ends_the_search() -> None:
    it = pair("iso2")
    it.start()
    it.wish(stop=True)
    assert end(it) == ("terminated", "the car wants to")


# -- pause and renegotiation


@pytest.mark.parametrize("kind", ["iso2", "ac"])
def test_a_paused_session_is_taken_up_again(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(pause=True)
    it.run()
    assert it.outcome is not None and it.outcome.outcome == "paused"
    assert it.charger.names()[-1] == "dlink_pause"
    _facts, settings = KINDS[kind]
    resumed = replace(settings, session_id=it.outcome.session_id)
    again = Pair(it.charger.facts, resumed)
    again.charge()
    session = next(e.what for _, e in again.car_log if isinstance(e, evcc.Report) and e.step == "session")
    assert "the paused session" in session


def test_din_has_no_pause_the_session_ends() -> None:
    it = pair("din")
    it.charge()
    it.wish(pause=True)
    assert end(it)[0] == "terminated"


@pytest.mark.parametrize("kind", ["iso2", "ac"])
def test_the_car_may_renegotiate(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.wish(renegotiate=True)
    it.run(60, until=lambda: it.steps.count("charging") == 2)
    assert it.steps.count("parameters") == 2 and it.steps.count("charging") == 2
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []


def test_a_car_opens_its_contactors_before_the_insulation_is_checked_again() -> None:
    it = pair("iso2")
    it.charge()
    it.wish(renegotiate=True)
    it.run(60, until=lambda: it.steps.count("charging") == 2)
    did = actions(it)
    second_check = len(did) - did[::-1].index("CableCheckReq") - 1
    assert "contactors open" in did[:second_check]


# -- who offers what


def test_the_best_common_protocol_is_spoken() -> None:
    it = Pair(dc_facts(app_protocols=["DIN70121"]), CarSettings(protocols=("ISO15118D2", "DIN70121")))
    it.charge()
    assert it.car_facts.charger.protocol == "DIN70121"


def test_without_a_common_protocol_the_car_gives_up() -> None:
    it = Pair(dc_facts(app_protocols=["DIN70121"]), ISO2)
    it.start()
    outcome, reason = end(it)
    assert outcome == "failed" and "speaks none of" in reason


def test_a_dc_car_at_an_ac_charger_gives_up() -> None:
    it = Pair(ac_facts(), ISO2)
    it.start()
    outcome, reason = end(it)
    assert outcome == "failed" and reason == "the charger offers AC_three_phase_core"


def test_an_ac_car_offers_no_din() -> None:
    it = Pair(ac_facts(), CarSettings(protocols=("DIN70121", "ISO15118D2"), energy_transfer_mode="AC_three_phase_core"))
    it.charge()
    assert it.car_facts.charger.protocol == "ISO15118-2-2013"


def test_a_refused_authorization_ends_the_session() -> None:
    it = pair("iso2", authorize_s=None)
    it.charger.reactions["require_auth_eim"] = lambda _: it.later(1.0, it.fact, authorized=False)
    it.start()
    assert end(it) == ("failed", "AuthorizationRes FAILED")
    assert it.charger.published("hlc_session_failed")[0][1] == "AuthorizationFailed"


def test_a_failed_cable_check_ends_the_session_without_pre_charge() -> None:
    it = pair("iso2", cable_check_s=None)
    it.charger.reactions["start_cable_check"] = lambda _: it.later(1.0, it.fact, cable_check=False, isolation="Fault")
    it.start()
    assert end(it) == ("failed", "CableCheckRes FAILED")
    assert "PreChargeReq" not in it.requests
    assert it.car_log[-4][1] == SetPilot("B")
    assert "dc_open_contactor" in it.charger.names()


def test_pre_charge_believes_the_cars_own_measurement() -> None:
    it = pair("iso2", car_facts=CarFacts(battery_voltage_V=350.0, inlet_voltage_V=10.0))
    it.start()
    it.run(60, until=lambda: "pre-charge" in it.steps)
    it.run(1.0)
    assert "charging" not in it.steps
    it.car_facts.inlet_voltage_V = 345.0
    it.run(1.0)
    assert "charging" in it.steps


@every_kind
def test_the_cable_pulled_while_charging_is_a_failure_on_both_sides(kind: str) -> None:
    it = pair(kind)
    it.charge()
    it.to_charger(out.LinkLost("pulled"))
    assert end(it)[0] == "failed"
    opened = "ac_open_contactor" if kind == "ac" else "dc_open_contactor"
    assert opened in it.charger.names()
    assert it.car_log[-1][1].outcome == "failed"
    assert Power(False) in [effect for _, effect in it.car_log]


def test_a_check_that_finishes_without_isolation_is_not_trusted() -> None:
    it = pair("iso2", cable_check_s=None)
    it.charger.reactions["start_cable_check"] = lambda _: it.later(1.0, it.fact, cable_check=True)
    it.start()
    assert end(it) == ("failed", "the cable check finished with isolation Invalid")


@dc_kinds
def test_what_took_long_in_the_set_up_is_forgotten_while_charging(kind: str) -> None:
    it = pair(kind, authorize_s=30.0, cable_check_s=20.0)
    it.charge(200.0)
    assert it.outcome is None


def test_a_response_of_another_session_ends_this_one() -> None:
    it = pair("iso2")
    it.charge()
    session: Any = it.charger.machine.session
    session.session_id, session._refusal = b"\xee" * 8, lambda *_: ""
    it.run(1.0)
    assert it.outcome is not None and "of another session" in it.outcome.reason
