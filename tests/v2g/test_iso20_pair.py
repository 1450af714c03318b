"""Car and charger of ISO 15118-20 against each other: complete sessions of every mode."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118, units
from chargebyte_fw.modules.v2g.evcc import CarSettings, misbehaviour
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Price, Settings
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from tests.v2g.pair import START, Pair, ac_facts
from tests.v2g.talk20 import change, dc20_facts

BOTH = Iso20Settings(scheduled=True, dynamic=True, mobility_needs_by_secc=True)


def car(mode: str = "DC_extended", **changes: Any) -> CarSettings:
    values: dict[str, Any] = {"protocols": ("ISO15118D20",), "energy_transfer_mode": mode}
    if "BPT" in mode:
        values |= {"max_discharge_power_W": 20_000.0, "max_discharge_current_A": 50.0}
    if mode.startswith("AC"):
        values |= {"max_current_A": 16.0, "max_power_W": None, "min_current_A": 6.0}
    return CarSettings(**{**values, **changes})


def pair(mode: str = "DC_extended", *, options: Iso20Settings = BOTH, **changes: Any) -> Pair:
    charger = changes.pop("charger", {})
    if mode.startswith("AC"):
        facts = ac_facts(app_protocols=["ISO15118D20"], energy_transfer_modes=["AC_three_phase_core", "AC_BPT"])
        facts.iso20.ac_maximum = iso15118.AcEvseMaximumPower(
            charge_power=units.Power(total=22_080.0), discharge_power=units.Power(total=11_040.0)
        )
        change(facts, charger)
    else:
        facts = dc20_facts("DC", "DC_BPT", "MCS", "MCS_BPT", **charger)
    settings = Settings(without_tls=True, iso20=options)
    security = changes.pop("security", PLAIN)
    if security.tls_version:
        changes["tls"] = "require"
    return Pair(facts, car(mode, **changes), settings=settings, security=security)


def end(it: Pair) -> tuple[str, str]:
    it.run()
    assert it.outcome is not None, it.steps
    return it.outcome.outcome, it.outcome.reason


@pytest.mark.parametrize("control_mode", ["Scheduled", "Dynamic"])
@pytest.mark.parametrize("mode", ["DC_extended", "DC_BPT", "MCS", "MCS_BPT", "AC_three_phase_core", "AC_BPT"])
def test_a_session_of_every_mode_ends_as_agreed(mode: str, control_mode: str) -> None:
    it = pair(mode, control_mode=control_mode)
    it.charge()
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []
    assert it.charger.names()[-1] == "dlink_terminate"


@pytest.mark.parametrize("control_mode", ["Scheduled", "Dynamic"])
def test_a_car_gives_energy_back(control_mode: str) -> None:
    it = pair("DC_BPT", control_mode=control_mode)
    it.charge()
    if control_mode == "Dynamic":
        it.charger.facts.present_current_A = -30.0
    else:
        it.car_facts.target_current_A = -30.0
    it.run(2.0)
    assert it.car_facts.charger.present_current_A == -30.0
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []


def test_an_ac_car_follows_what_the_charger_commands_down_below_zero() -> None:
    it = pair("AC_BPT", control_mode="Dynamic")
    it.charge()
    for power_W in (6_900.0, -6_900.0):
        it.fact(energy_transfer_modes=["AC_BPT"])
        it.charger.facts.iso20.ac_target = iso15118.AcTargetValues(target_active_power=units.Power(total=power_W))
        it.run(2.0)
        assert it.car_facts.charger.ac_max_current_A == pytest.approx(power_W / 690.0)


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("mode", ["DC_extended", "AC_three_phase_core"])
def test_a_schedule_is_renegotiated_by_the_car(mode: str, beside: bool) -> None:
    it = pair(mode, control_mode="Scheduled", multiplexed_renegotiation=beside)
    it.charge()
    it.wish(renegotiate=True)
    it.run(5.0)
    assert it.requests.count("ScheduleExchangeReq") == 2 and it.outcome is None
    assert it.requests[-1].endswith("_ChargeLoopReq")
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []


def test_a_schedule_is_renegotiated_by_the_charger() -> None:
    options = Iso20Settings(scheduled=True, dynamic=False, schedule_renegotiation=True)
    it = pair(options=options)
    it.charge()
    it.fact(dc_max_power_W=20_000.0)
    it.run(5.0)
    assert it.requests.count("ScheduleExchangeReq") == 2 and it.outcome is None


def test_services_are_renegotiated_by_the_car() -> None:
    it = pair(control_mode="Dynamic")
    it.charge()
    it.wish(renegotiate_services=True)
    it.run(30.0, until=lambda: it.steps.count("charging") == 2)
    assert it.requests.count("AuthorizationReq") < it.requests.count("DC_ChargeLoopReq")
    assert it.requests.count("ServiceSelectionReq") == 2
    it.run(2.0)
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []


def test_services_are_renegotiated_by_the_charger() -> None:
    it = pair("DC_BPT", control_mode="Dynamic")
    it.charge()
    it.fact(energy_transfer_modes=["DC"])
    it.run(30.0, until=lambda: it.steps.count("charging") == 2)
    assert it.car_facts.charger.service == "DC, Dynamic"


@pytest.mark.parametrize(
    ("mode", "offered", "service"),
    [
        ("DC_BPT", ["DC"], "DC"),
        ("MCS_BPT", ["DC", "MCS"], "MCS"),
        ("MCS_BPT", ["DC"], "DC"),
        ("MCS_BPT", ["DC", "DC_BPT"], "DC_BPT"),
        ("MCS", ["DC", "MCS_BPT"], "DC"),
        ("AC_BPT", ["AC_three_phase_core"], "AC"),
        ("AC_DER_IEC", ["AC_three_phase_core"], "AC"),
    ],
)
def test_a_car_charges_by_the_next_best_service_that_the_charger_has(
    mode: str, offered: list[str], service: str
) -> None:
    options = Iso20Settings(scheduled=True, dynamic=True, energy_service_decides=True)
    discharge = {"max_discharge_power_W": 11_000.0} if mode == "AC_DER_IEC" else {}
    it = pair(mode, options=options, charger={"energy_transfer_modes": offered}, **discharge)
    it.charge()
    assert it.car_facts.charger.service == f"{service}, Dynamic"
    assert dict(it.charger.published("selected_service_parameters"))["selected_service_parameters"].energy_transfer == (
        service
    )
    it.wish(stop=True)
    assert end(it) == ("terminated", "") and it.charger.broken() == []


@pytest.mark.parametrize(
    ("mode", "only", "both"),
    [
        ("DC_BPT", "DC", "DC_BPT"),
        ("DC_extended", "DC", "DC_BPT"),
        ("MCS_BPT", "MCS", "MCS_BPT"),
        ("AC_BPT", "AC_three_phase_core", "AC_BPT"),
    ],
)
def test_a_car_is_asked_once_to_choose_anew_when_it_may_also_discharge(mode: str, only: str, both: str) -> None:
    """OCPP 2.1 Q02.FR.06; one that cannot selects the same service again, and charges on."""
    it = pair(mode, control_mode="Dynamic", charger={"energy_transfer_modes": [only]})
    it.charge()
    assert it.car_facts.charger.service == f"{only.partition('_')[0]}, Dynamic"
    it.fact(energy_transfer_modes=[only, both])
    it.run(30.0, until=lambda: it.steps.count("charging") == 2)
    it.run(30.0)
    chosen = both if "BPT" in mode else only
    assert it.car_facts.charger.service == f"{chosen}, Dynamic"
    assert it.requests.count("ServiceSelectionReq") == 2 and it.requests.count("SessionSetupReq") == 1
    it.wish(stop=True)
    assert end(it) == ("terminated", "") and it.charger.broken() == []


def test_a_car_is_not_asked_where_services_cannot_be_chosen_anew() -> None:
    options = Iso20Settings(scheduled=True, dynamic=True, service_renegotiation=False)
    it = pair("DC_BPT", options=options, charger={"energy_transfer_modes": ["DC"]})
    it.charge()
    it.fact(energy_transfer_modes=["DC", "DC_BPT"])
    it.run(10.0)
    assert it.requests[-1] == "DC_ChargeLoopReq" and it.requests.count("ServiceDiscoveryReq") == 1


def test_a_car_that_the_charger_has_no_service_for_any_more_ends_in_good_order() -> None:
    it = pair("DC_BPT", control_mode="Dynamic")
    it.charge()
    it.fact(energy_transfer_modes=["MCS"])
    assert end(it) == ("failed", "the charger offers MCS, the car takes DC_BPT, DC")
    assert it.requests[-2:] == ["ServiceDiscoveryReq", "SessionStopReq"] and it.charger.broken() == []
    assert "dc_open_contactor" in it.charger.names() and it.charger.names()[-1] == "dlink_terminate"


def test_the_charger_ends_or_pauses_the_session() -> None:
    it = pair()
    it.charge()
    it.fact(stop_requested=True)
    assert end(it) == ("terminated", "")
    it = pair()
    it.charge()
    it.fact(pause_requested=True)
    assert end(it)[0] == "paused"


def test_a_session_is_paused_and_taken_up_where_the_vehicle_is_known() -> None:
    known = Security("1.3", "TLS_AES_256_GCM_SHA384", (b"a vehicle certificate",))
    it = pair("DC_BPT", control_mode="Dynamic", security=known)
    it.charge()
    it.wish(pause=True)
    assert end(it) == ("paused", "")
    assert it.outcome is not None and it.outcome.paused is not None
    again = pair("DC_BPT", control_mode="Dynamic", security=known, paused=it.outcome.paused)
    again.charger.facts.iso20.paused = it.charger.facts.iso20.paused
    again.charge()
    assert again.requests[:3] == ["SupportedAppProtocolReq", "SessionSetupReq", "DC_ChargeParameterDiscoveryReq"]
    again.wish(stop=True)
    assert end(again) == ("terminated", "")
    assert again.charger.broken() == []


def test_a_car_charges_in_a_new_session_where_the_service_of_its_paused_one_is_gone() -> None:
    known = Security("1.3", "TLS_AES_256_GCM_SHA384", (b"a vehicle certificate",))
    it = pair("DC_BPT", control_mode="Dynamic", security=known)
    it.charge()
    it.wish(pause=True)
    assert end(it) == ("paused", "") and it.outcome is not None
    modes = {"energy_transfer_modes": ["DC"]}
    again = pair("DC_BPT", control_mode="Dynamic", security=known, paused=it.outcome.paused, charger=modes)
    again.charger.facts.iso20.paused = it.charger.facts.iso20.paused
    again.charge()
    assert again.car_facts.charger.service == "DC, Dynamic" and "AuthorizationReq" in again.requests
    again.wish(stop=True)
    assert end(again) == ("terminated", "") and again.charger.broken() == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("order:ServiceDiscoveryReq:DC_CableCheck", "DC_CableCheckRes FAILED_SequenceError"),
        ("order:DC_ChargeLoopReq:ScheduleExchange", "ScheduleExchangeRes FAILED_SequenceError"),
        ("session:ServiceDetailReq", "ServiceDetailRes FAILED_UnknownSession"),
        ("silent:AuthorizationSetupReq", "the charger closed the connection"),
        ("silent:DC_ChargeLoopReq", "the charger closed the connection"),
        ("late:DC_ChargeLoopReq:5", "the charger closed the connection"),
        ("garbage:ServiceDiscoveryReq", ""),
    ],
)
def test_a_car_that_breaks_a_rule_is_left_in_the_safe_state(wrong: str, reason: str) -> None:
    it = pair(misbehaviours=(misbehaviour.read(wrong),))
    it.start()
    outcome, why = end(it)
    assert outcome == "failed" and (reason in why)
    if "charging" in it.steps:
        assert "dc_open_contactor" in it.charger.names()


def test_a_car_that_renegotiates_again_and_again_still_charges() -> None:
    it = pair(control_mode="Scheduled", misbehaviours=(misbehaviour.read("renegotiate::2"),))
    it.charge(9.0)
    assert it.requests.count("ScheduleExchangeReq") >= 4 and it.outcome is None
    it.wish(stop=True)
    assert end(it) == ("terminated", "")


@pytest.mark.parametrize("mode", ["DC_BPT", "AC_BPT"])
def test_a_car_stands_by_until_the_charger_wants_its_energy(mode: str) -> None:
    it = pair(mode, control_mode="Dynamic", options=Iso20Settings(standby=True))
    it.charge()
    it.wish(standby=True)
    it.run(3.0)
    texts = [effect.what for _, effect in it.car_log if getattr(effect, "what", "")]
    assert "standby" in texts and it.requests.count("PowerDeliveryReq") == 2
    assert it.requests[-1].endswith("_ChargeLoopReq") and it.outcome is None
    if mode == "DC_BPT":
        it.fact(dc_max_power_W=0.0)
        it.charger.facts.iso20.dc_max_discharge_power_W = 5_000.0
    else:
        target = iso15118.AcTargetValues(target_active_power=units.Power(total=-3_000.0))
        it.charger.facts.iso20.ac_target = target
    it.run(3.0)
    assert it.requests.count("PowerDeliveryReq") == 3, "it has started again"
    it.wish(stop=True)
    assert end(it) == ("terminated", "")
    assert it.charger.broken() == []


@pytest.mark.parametrize("mode", ["DC_extended", "AC_three_phase_core"])
@pytest.mark.parametrize("needs_by", ["SECC", "EVCC"])
def test_a_car_takes_the_needs_that_the_charger_sets_where_it_leaves_them_to_it(needs_by: str, mode: str) -> None:
    it = pair(mode, control_mode="Dynamic", mobility_needs_by=needs_by, departure_time_s=7_200)
    it.charger.facts.iso20.departure_of_day = "12:00"
    it.charger.facts.iso20.target_soc_percent = 90
    it.charge()
    charger = it.car_facts.charger
    shown = it.charger.published("display_parameters")[-1][1]
    needs = it.charger.published("charging_needs")[-1][1]
    if needs_by == "SECC":
        assert charger.departure_s is not None and charger.target_soc_percent == 90
        assert (shown.target_soc, needs.mobility_needs_mode) == (90.0, "EVCC_SECC")
        assert needs.departure_time == it.charger.published("departure_time")[-1][1]
        assert needs.departure_time[14:19] == "00:00", "of the charger"
    else:
        assert (charger.departure_s, charger.target_soc_percent) == (None, None)
        assert (shown.target_soc, needs.mobility_needs_mode) == (80.0, "EVCC")


def test_a_car_confirms_the_tolerance_and_knows_what_it_costs() -> None:
    options = Iso20Settings(scheduled=True, dynamic=False, power_tolerance_W=500.0)
    prices = [Price(int(START.timestamp()) - 3_600, 0.30, "EUR")]
    it = pair(options=options, charger={"prices": prices, "meter_Wh": 1_000.0})
    it.charge()
    codes = [str(one.ResponseCode) for one in it.charger.sent() if type(one).__name__ == "PowerDeliveryRes"]
    assert codes == ["OK_PowerToleranceConfirmed"]
    it.fact(meter_Wh=2_000.0)
    it.run(2.0)
    assert (it.car_facts.charger.energy_cost, it.car_facts.charger.meter_Wh) == (0.3, 2_000.0)
