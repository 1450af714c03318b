"""A car's session of ISO 15118-20: sequences, modes, wishes, renegotiations and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.evcc import CarSettings, Power, SetPilot
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_dc as dc
from chargebyte_fw.modules.v2g.messages import iso20_schedules as schedules
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.modules.v2g.rational import number
from tests.v2g.evcc.station20 import (
    ONGOING,
    UNIX_S,
    Station,
    parameter_set,
    power_schedule,
    price_schedule,
    res,
)

SETUP = ["SessionSetupReq", "AuthorizationSetupReq", "AuthorizationReq"]
SERVICES = ["ServiceDiscoveryReq", "ServiceDetailReq", "ServiceSelectionReq"]


def dc_settings(**changes: Any) -> CarSettings:
    return CarSettings(protocols=("ISO15118D20",), **changes)


def ac_settings(**changes: Any) -> CarSettings:
    values = {"energy_transfer_mode": "AC_three_phase_core", "max_current_A": 16.0, "max_power_W": 11_040.0, **changes}
    return CarSettings(protocols=("ISO15118D20",), **values)


def dc_bpt(**values: int) -> common.ParameterSetType:
    wanted = {
        "Connector": 2,
        "ControlMode": 1,
        "MobilityNeedsMode": 1,
        "Pricing": 0,
        "BPTChannel": 1,
        "GeneratorMode": 1,
    }
    return parameter_set(0, **{**wanted, **values})


def without_repeats(names: list[str]) -> list[str]:
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


def actions(it: Station) -> list[str]:
    """What the car did with pilot, contactors and PowerDelivery, in order."""
    did = []
    requests = iter(it.requests)
    for _, effect in it.log:
        if isinstance(effect, SetPilot):
            did.append(f"pilot {effect.state}")
        elif isinstance(effect, Power):
            did.append(f"contactors {'closed' if effect.on else 'open'}")
        elif getattr(effect, "name", "").endswith("Req") and effect.name != "SupportedAppProtocolReq":
            request = next(requests)
            if isinstance(request, common.PowerDeliveryReq):
                did.append(str(request.ChargeProgress))
    return did


def test_a_dc_session_goes_through_every_step_and_ends_as_agreed() -> None:
    it = Station(dc_settings())
    it.charge()
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert without_repeats(it.names) == [
        *SETUP,
        *SERVICES,
        *("DC_ChargeParameterDiscoveryReq", "ScheduleExchangeReq", "DC_CableCheckReq", "DC_PreChargeReq"),
        *("PowerDeliveryReq", "DC_ChargeLoopReq", "PowerDeliveryReq", "DC_WeldingDetectionReq", "SessionStopReq"),
    ]
    assert actions(it) == ["pilot C", "contactors closed", "Start", "Stop", "contactors open", "pilot B"]
    assert {v2gtp.EXI_ISO20_MAIN, v2gtp.EXI_ISO20_DC} == set(it.types)


def test_an_ac_session_goes_through_every_step_and_ends_as_agreed() -> None:
    it = Station(ac_settings())
    it.services = [1]
    it.charge()
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert without_repeats(it.names) == [
        *SETUP,
        *SERVICES,
        *("AC_ChargeParameterDiscoveryReq", "ScheduleExchangeReq", "PowerDeliveryReq", "AC_ChargeLoopReq"),
        *("PowerDeliveryReq", "SessionStopReq"),
    ]
    assert actions(it) == ["pilot C", "Start", "contactors closed", "contactors open", "Stop", "pilot B"]
    assert it.facts.charger.ac_max_current_A == pytest.approx(22_080 / 690)


def test_precharge_and_welding_detection_report_when_the_car_is_done() -> None:
    it = Station(dc_settings())
    it.charge()
    it.wish(stop=True)
    it.end()
    for name in ("DC_PreChargeReq", "DC_WeldingDetectionReq"):
        progress = [str(request.EVProcessing) for request in it.all(name)]
        assert progress[-1] == "Finished" and set(progress[:-1]) == {"Ongoing"}, name


def test_time_stamps_are_unix_seconds() -> None:
    it = Station(dc_settings())
    it.charge(5.0)
    stamps = [request.Header.TimeStamp for request in it.requests]
    assert stamps == sorted(stamps) and stamps[0] == UNIX_S and UNIX_S + 5 <= stamps[-1] <= UNIX_S + 7


def test_the_car_is_introduced_by_its_name_or_its_address() -> None:
    assert _introduced(dc_settings(evcc_name="WMIV0A1B2C3D4E5F60")) == "WMIV0A1B2C3D4E5F60"
    assert _introduced(dc_settings()) == "020000000002"


def _introduced(settings: CarSettings) -> str:
    it = Station(settings)
    it.charge(0.0)
    return str(it.requests[0].EVCCID)


# -- modes


@pytest.mark.parametrize(
    ("mode", "offered", "service"),
    [
        *(("DC_extended", [2, 6], 2), ("DC_BPT", [2, 6], 6), ("DC_BPT", [2], 2), ("MCS", [2, 8], 8)),
        *(("MCS_BPT", [8, 9], 9), ("MCS_BPT", [8], 8), ("MCS_BPT", [2, 6], 6), ("MCS_BPT", [2], 2), ("MCS", [2, 9], 2)),
    ],
)
def test_a_car_takes_the_best_service_of_its_mode(mode: str, offered: list[int], service: int) -> None:
    it = Station(dc_settings(energy_transfer_mode=mode, max_discharge_power_W=10_000.0, max_discharge_current_A=30.0))
    it.services = offered
    it.sets |= {8: it.sets[2], 6: [dc_bpt()], 9: [dc_bpt()]}
    it.charge()
    assert it.selected.ServiceID == service
    both = isinstance(it.last("DC_ChargeLoopReq").CLReqControlMode, dc.BPT_Scheduled_DC_CLReqControlModeType)
    assert both == (service in (6, 9))


def test_a_charger_without_a_service_for_the_car_is_left_in_good_order() -> None:
    it = Station(dc_settings(energy_transfer_mode="MCS_BPT", max_discharge_power_W=10_000.0))
    it.services = [1, 5, 77]
    it.feed_start()
    why = "the charger offers AC, AC_BPT, 77, the car takes MCS_BPT, MCS, DC_BPT, DC"
    assert it.end() == ("failed", why)
    assert "ServiceDetailReq" not in it.names
    assert it.last("SessionStopReq").EVTerminationExplanation == why
    assert it.names[-1] == "SessionStopReq" and it.last("SessionStopReq").EVTerminationCode == "Refused"


def test_a_car_takes_the_next_service_where_no_set_of_the_best_one_suits() -> None:
    it = Station(
        dc_settings(energy_transfer_mode="DC_BPT", max_discharge_power_W=10_000.0, control_mode="Dynamic", parking="in")
    )
    it.services = [6, 2]
    it.sets |= {6: [dc_bpt()], 2: [parameter_set(3, Connector=2, ControlMode=2, MobilityNeedsMode=1, Pricing=0)]}
    it.charge()
    assert [request.ServiceID for request in it.all("ServiceDetailReq")] == [6, 2]
    assert (it.selected.ServiceID, it.selected.ParameterSetID) == (2, 3)
    assert isinstance(it.last("DC_ChargeLoopReq").CLReqControlMode, dc.Dynamic_DC_CLReqControlModeType)
    assert "DC, Dynamic; no set of DC_BPT suits" in [getattr(effect, "what", "") for _, effect in it.log]
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


def test_a_car_of_which_no_set_suits_leaves_in_good_order() -> None:
    it = Station(dc_settings(energy_transfer_mode="DC_BPT", max_discharge_power_W=10_000.0, control_mode="Dynamic"))
    it.services, it.sets[6] = [6, 2], [dc_bpt()]
    it.feed_start()
    assert it.end() == ("failed", "the charger has no set of DC_BPT or DC with Dynamic control that suits")
    assert it.names[-2:] == ["ServiceDetailReq", "SessionStopReq"]


def test_the_wishes_of_a_car_may_be_listed() -> None:
    it = Station(dc_settings(energy_services=("DC", "DC_BPT"), max_discharge_power_W=10_000.0))
    it.services, it.sets[6] = [6, 2], [dc_bpt()]
    it.charge()
    assert it.selected.ServiceID == 2


def test_a_car_that_offers_two_name_spaces_takes_the_services_of_the_one_that_is_chosen() -> None:
    it = Station(ac_settings(energy_transfer_mode="AC_DER_IEC", max_discharge_power_W=11_000.0))
    it.services, it.schema_id = [10, 1], 2
    it.charge()
    assert [name.rsplit(":", 1)[1] for name, _ in it.offer] == ["AC-DER-IEC", "AC"]
    assert it.selected.ServiceID == 1


@pytest.mark.parametrize(("control_mode", "number_"), [("", 0), ("Scheduled", 0), ("Dynamic", 1)])
def test_a_car_takes_the_control_mode_that_it_wants(control_mode: str, number_: int) -> None:
    it = Station(dc_settings(control_mode=control_mode))
    it.sets[2] = [
        parameter_set(0, Connector=2, ControlMode=1, MobilityNeedsMode=1, Pricing=0),
        parameter_set(1, Connector=2, ControlMode=2, MobilityNeedsMode=1, Pricing=0),
    ]
    it.charge()
    assert it.selected.ParameterSetID == number_
    request = it.last("DC_ChargeLoopReq").CLReqControlMode
    assert isinstance(request, dc.Dynamic_DC_CLReqControlModeType) == bool(number_)
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


def test_a_car_without_the_wanted_control_mode_leaves() -> None:
    it = Station(dc_settings(control_mode="Dynamic"))
    it.feed_start()
    assert it.end()[1] == "the charger has no set of DC with Dynamic control that suits"


def test_a_single_phase_car_takes_a_single_phase_connector() -> None:
    it = Station(ac_settings(phases=1, max_power_W=None))
    it.services = [1]
    it.sets[1] += [parameter_set(1, Connector=1, ControlMode=1, EVSENominalVoltage=230, MobilityNeedsMode=1, Pricing=0)]
    it.charge()
    assert it.selected.ParameterSetID == 1
    mode = it.last("AC_ChargeParameterDiscoveryReq").AC_CPDReqEnergyTransferMode
    assert number(mode.EVMaximumChargePower) == 16 * 230


# -- both directions


def test_a_car_gives_current_in_the_limits_of_both_sides() -> None:
    it = Station(dc_settings(energy_transfer_mode="DC_BPT", max_discharge_power_W=10e3, max_discharge_current_A=60.0))
    it.services, it.sets[6] = [6], [dc_bpt()]
    it.charge()
    assert it.facts.charger.max_discharge_power_W == 20_000.0
    it.facts.target_current_A = -100.0
    it.run(1.0)
    assert number(it.last("DC_ChargeLoopReq").CLReqControlMode.EVTargetCurrent) == -40.0
    assert it.facts.charger.present_current_A == -40.0
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert number(it.all("DC_ChargeLoopReq")[-1].CLReqControlMode.EVTargetCurrent) == 0.0


def test_a_car_of_one_direction_never_asks_for_less_than_nothing() -> None:
    it = Station(dc_settings())
    it.facts.target_current_A = -100.0
    it.charge()
    assert number(it.last("DC_ChargeLoopReq").CLReqControlMode.EVTargetCurrent) == 0.0


def test_an_ac_car_feeds_back_what_the_charger_commands() -> None:
    it = Station(ac_settings(energy_transfer_mode="AC_BPT", control_mode="Dynamic", max_discharge_power_W=11_040.0))
    it.services = [5]
    values = {"Connector": 3, "ControlMode": 2, "EVSENominalVoltage": 230, "MobilityNeedsMode": 1, "Pricing": 0}
    it.sets[5] = [parameter_set(0, **values, BPTChannel=1, GeneratorMode=1, DetectionMethodGridCodeIslanding=2)]
    it.target_W = -6_900.0
    it.charge()
    assert it.facts.charger.ac_max_current_A == pytest.approx(-10.0)
    it.target_W = 6_900.0
    it.run(1.0)
    assert it.facts.charger.ac_max_current_A == pytest.approx(10.0)


def test_separated_channels_are_named() -> None:
    it = Station(dc_settings(energy_transfer_mode="DC_BPT", max_discharge_power_W=10e3, max_discharge_current_A=60.0))
    it.services, it.sets[6] = [6], [dc_bpt(BPTChannel=2)]
    it.facts.target_current_A = -10.0
    it.charge()
    assert it.last("PowerDeliveryReq").BPT_ChannelSelection is common.channelSelectionType.Discharge


# -- schedules and prices


def test_the_power_profile_keeps_to_the_schedule_and_to_the_car() -> None:
    it = Station(dc_settings(max_power_W=60_000.0))
    it.schedules = [
        schedules.ScheduleTupleType(ScheduleTupleID=7, ChargingSchedule=power_schedule((1800, 40e3), (84_600, 90e3)))
    ]
    it.charge()
    profile = it.last("PowerDeliveryReq").EVPowerProfile
    assert profile.Scheduled_EVPPTControlMode.SelectedScheduleTupleID == 7 and profile.TimeAnchor == UNIX_S
    entries = profile.EVPowerProfileEntries.EVPowerProfileEntry
    assert [(one.Duration, number(one.Power)) for one in entries] == [(1800, 40e3), (84_600, 60e3)]


def test_the_cheapest_schedule_is_taken() -> None:
    it = Station(dc_settings())
    dear, cheap = price_schedule("EUR", (3600, 0.59), (82_800, 0.39)), price_schedule("EUR", (86_400, 0.45))
    it.schedules = [
        schedules.ScheduleTupleType(ScheduleTupleID=n, ChargingSchedule=power_schedule((86_400, 50e3), price=price))
        for n, price in ((1, dear), (2, cheap))
    ]
    it.charge()
    assert it.last("PowerDeliveryReq").EVPowerProfile.Scheduled_EVPPTControlMode.SelectedScheduleTupleID == 2
    charger = it.facts.charger
    assert (charger.price_per_kWh, charger.currency, charger.price_level) == (0.45, "EUR", None)


def test_the_price_changes_with_time() -> None:
    it = Station(dc_settings())
    price = price_schedule("EUR", (20, 0.59), (86_380, 0.39))
    it.schedules[0].ChargingSchedule.AbsolutePriceSchedule = price
    it.charge()
    assert it.facts.charger.price_per_kWh == 0.59
    it.run(30.0)
    assert it.facts.charger.price_per_kWh == 0.39


def test_a_dynamic_session_has_neither_tuple_nor_profile() -> None:
    it = Station(dc_settings(control_mode="Dynamic", departure_time_s=7200))
    it.sets[2] = [parameter_set(0, Connector=2, ControlMode=2, MobilityNeedsMode=1, Pricing=0)]
    it.charge()
    assert it.last("PowerDeliveryReq").EVPowerProfile is None
    needs = it.last("ScheduleExchangeReq").Dynamic_SEReqControlMode
    assert (needs.DepartureTime, needs.MinimumSOC, needs.TargetSOC) == (7200, 20, 80)
    assert number(needs.EVTargetEnergyRequest) == 30_000.0


def test_a_departure_is_counted_down_until_the_driver_moves_it() -> None:
    it = Station(dc_settings(control_mode="Dynamic", departure_time_s=7200))
    it.sets[2] = [parameter_set(0, Connector=2, ControlMode=2, MobilityNeedsMode=1, Pricing=0)]
    it.charge(60.0)
    assert it.last("ScheduleExchangeReq").Dynamic_SEReqControlMode.DepartureTime == 7200
    stated = [request.CLReqControlMode.DepartureTime for request in it.all("DC_ChargeLoopReq")]
    assert stated == sorted(stated, reverse=True) and stated[-1] == pytest.approx(7140, abs=3)
    it.settings.departure_time_s = 1800
    it.run(10.0)
    assert it.last("DC_ChargeLoopReq").CLReqControlMode.DepartureTime == pytest.approx(1790, abs=1)


def test_a_schedule_that_takes_long_is_waited_for_a_minute() -> None:
    it = Station(dc_settings())
    normal = it.on_ScheduleExchangeReq

    def ongoing(request: Any) -> Any:
        response = normal(request)
        response.EVSEProcessing = ONGOING
        return response

    it.answers["ScheduleExchangeReq"] = ongoing
    it.feed_start()
    assert it.end() == ("failed", "schedule took too long")
    assert 60.0 < it.now < 62.0


# -- renegotiation


def test_a_schedule_is_renegotiated_beside_the_charge_loop() -> None:
    it = Station(dc_settings())
    it.charge()
    it.schedules[0].ChargingSchedule = power_schedule((86_400, 20e3))
    it.wish(renegotiate=True)
    it.run(2.0)
    beside = [n for n, kind in zip(it.names, it.types, strict=True) if kind == v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION]
    assert beside == ["ScheduleExchangeReq", "PowerDeliveryReq"]
    entry = it.last("PowerDeliveryReq").EVPowerProfile.EVPowerProfileEntries.EVPowerProfileEntry[0]
    assert number(entry.Power) == 20e3
    assert not it.facts.renegotiate
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


def test_a_schedule_is_renegotiated_in_the_main_stream() -> None:
    it = Station(dc_settings(multiplexed_renegotiation=False))
    it.charge()
    count = len(it.names)
    it.wish(renegotiate=True)
    it.run(2.0)
    assert without_repeats(it.names[count:]) == [
        *("PowerDeliveryReq", "ScheduleExchangeReq", "PowerDeliveryReq", "DC_ChargeLoopReq")
    ]
    assert [str(r.ChargeProgress) for r in it.all("PowerDeliveryReq")] == ["Start", "ScheduleRenegotiation", "Start"]
    assert v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION not in it.types


def test_the_charger_asks_for_another_schedule() -> None:
    it = Station(dc_settings())
    it.charge()
    it.notification = "ScheduleRenegotiation"
    it.answers["PowerDeliveryReq"] = lambda request: (setattr(it, "notification", ""), it.on_PowerDeliveryReq(request))[
        1
    ]
    it.run(2.0)
    assert it.names.count("ScheduleExchangeReq") == 2


def test_services_are_renegotiated_without_another_authorization() -> None:
    it = Station(dc_settings())
    it.renegotiable = True
    it.charge()
    count = len(it.names)
    it.wish(renegotiate_services=True)
    it.run(5.0)
    names = without_repeats(it.names[count:])
    assert names[:6] == [
        *("DC_ChargeLoopReq", "PowerDeliveryReq", "DC_WeldingDetectionReq", "SessionStopReq"),
        *("ServiceDiscoveryReq", "ServiceDetailReq"),
    ]
    assert names[-1] == "DC_ChargeLoopReq" and "AuthorizationReq" not in names
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


def test_services_that_are_not_selected_yet_are_not_renegotiated() -> None:
    it = Station(dc_settings())
    it.renegotiable = True
    it.facts.renegotiate_services = True
    it.charge()
    assert "SessionStopReq" not in it.names and not it.facts.renegotiate_services


def test_a_schedule_that_was_renegotiated_beside_the_loop_ends_with_the_service() -> None:
    """The car goes back to the services when the charger has answered ScheduleExchangeReq, and not PowerDeliveryReq."""
    it = Station(ac_settings())
    it.services, it.renegotiable = [1], True
    it.charge()

    def answered(request: Any) -> Any:
        del it.answers["ScheduleExchangeReq"]
        it.facts.renegotiate_services = True
        return it.on_ScheduleExchangeReq(request)

    it.answers["ScheduleExchangeReq"] = answered
    it.wish(renegotiate=True)
    it.run(5.0)
    assert it.steps.count("charging") == 2
    beside = [n for n, kind in zip(it.names, it.types, strict=True) if kind == v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION]
    assert beside == ["ScheduleExchangeReq"], "the next schedule holds already"
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


def test_a_charger_that_cannot_renegotiate_services_is_not_asked_to() -> None:
    it = Station(dc_settings())
    it.charge()
    it.wish(renegotiate_services=True)
    it.run(3.0)
    assert it.names[-1] == "DC_ChargeLoopReq" and it.outcome is None


# -- standby, pause, stop


def test_standby_that_is_not_allowed_changes_nothing() -> None:
    it = Station(dc_settings())
    code = types.responseCodeType.WARNING_StandbyNotAllowed
    it.charge()
    it.answers["PowerDeliveryReq"] = lambda _: res(common.PowerDeliveryRes, ResponseCode=code)
    it.wish(standby=True)
    it.run(3.0)
    assert [str(one.ChargeProgress) for one in it.all("PowerDeliveryReq")] == ["Start", "Standby"]
    assert it.names[-1] == "DC_ChargeLoopReq"
    assert number(it.last("DC_ChargeLoopReq").CLReqControlMode.EVTargetCurrent) == 50.0


def test_a_car_in_standby_asks_for_no_current_until_it_goes_on() -> None:
    it = Station(dc_settings())
    it.charge()
    it.wish(standby=True)
    it.run(3.0)
    assert number(it.last("DC_ChargeLoopReq").CLReqControlMode.EVTargetCurrent) == 0.0
    it.wish(standby=False)
    it.run(3.0)
    assert [str(one.ChargeProgress) for one in it.all("PowerDeliveryReq")] == ["Start", "Standby", "Start"]
    assert number(it.last("DC_ChargeLoopReq").CLReqControlMode.EVTargetCurrent) == 50.0


def test_a_session_is_paused_and_taken_up_with_its_services() -> None:
    it = Station(dc_settings(control_mode="Dynamic"))
    it.sets[2] = [parameter_set(3, Connector=2, ControlMode=2, MobilityNeedsMode=1, Pricing=0)]
    it.charge()
    it.wish(pause=True)
    assert it.end() == ("paused", "")
    assert it.last("SessionStopReq").ChargingSession is common.chargingSessionType.Pause
    assert "DC_WeldingDetectionReq" not in it.names
    assert it.outcome is not None and it.outcome.paused is not None
    again = Station(dc_settings(control_mode="Dynamic", paused=it.outcome.paused))
    joined = types.responseCodeType.OK_OldSessionJoined
    again.answers["SessionSetupReq"] = lambda _: res(common.SessionSetupRes, ResponseCode=joined, EVSEID="DE*CHB*E1")
    again.charge()
    assert again.requests[0].Header.SessionID == it.requests[-1].Header.SessionID
    assert without_repeats(again.names)[:3] == [
        *("SessionSetupReq", "DC_ChargeParameterDiscoveryReq", "ScheduleExchangeReq")
    ]
    assert again.last("ScheduleExchangeReq").Dynamic_SEReqControlMode is not None


def test_before_a_schedule_is_agreed_a_car_that_wants_to_pause_ends_the_session() -> None:
    it = Station(dc_settings())
    it.feed_start()
    it.run(5.0, until=lambda: "ServiceDetailReq" in it.names)
    it.wish(pause=True)
    assert it.end() == ("terminated", "")
    assert it.last("SessionStopReq").ChargingSession is common.chargingSessionType.Terminate


@pytest.mark.parametrize(("notification", "outcome"), [("Terminate", "terminated"), ("Pause", "paused")])
def test_the_charger_ends_or_pauses_the_session(notification: str, outcome: str) -> None:
    it = Station(dc_settings())
    it.charge()
    it.notification = notification
    assert it.end() == (outcome, "")


def test_a_car_that_is_asked_to_pause_before_the_power_pauses() -> None:
    it = Station(dc_settings())
    normal = it.on_ScheduleExchangeReq

    def go_to_pause(request: Any) -> Any:
        response = normal(request)
        response.GoToPause = True
        return response

    it.answers["ScheduleExchangeReq"] = go_to_pause
    it.feed_start()
    assert it.end() == ("paused", "")
    assert it.names[-1] == "SessionStopReq" and "DC_CableCheckReq" not in it.names


def test_a_fault_of_the_car_is_given_as_the_reason() -> None:
    it = Station(dc_settings())
    it.charge()
    it.wish(error_code="FAILED_EVRESSMalfunction")
    assert it.end() == ("terminated", "")
    assert it.last("SessionStopReq").EVTerminationCode == "FAILED_EVRESSMalfunction"


@pytest.mark.parametrize("name", ["DC_CableCheckReq", "DC_PreChargeReq", "PowerDeliveryReq"])
def test_a_wish_to_stop_on_the_way_to_the_power_is_followed(name: str) -> None:
    it = Station(dc_settings())
    normal = getattr(it, f"on_{name}")

    def asked(request: Any) -> Any:
        it.facts.stop = True
        return normal(request)

    it.answers[name] = asked
    it.feed_start()
    assert it.end() == ("terminated", "")
    assert it.log[-1][1].outcome == "terminated"
    assert [e.on for _, e in it.log if isinstance(e, Power)][-1:] in ([], [False])


# -- metering


def test_meter_readings_are_noted_and_confirmed_once() -> None:
    it = Station(dc_settings())
    it.meter = types.MeterInfoType(MeterID="M1", ChargedEnergyReadingWh=4711, BPT_DischargedEnergyReadingWh=12)
    it.charge()
    assert (it.facts.charger.meter_Wh, it.facts.charger.discharged_Wh) == (4711.0, 12.0)
    it.notification = "MeteringConfirmation"
    it.run(2.0)
    beside = [n for n, kind in zip(it.names, it.types, strict=True) if kind == v2gtp.EXI_ISO20_METERING_CONFIRMATION]
    assert beside == ["MeteringConfirmationReq"]
    data = it.last("MeteringConfirmationReq").SignedMeteringData
    assert data.MeterInfo == it.meter and data.Scheduled_SMDTControlMode.SelectedScheduleTupleID == 1


# -- refusals and time


@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "FAILED_ContactorError"])
def test_a_failure_ends_the_session_at_once(code: str) -> None:
    it = Station(dc_settings())
    it.charge()
    it.answers["DC_ChargeLoopReq"] = lambda request: _with(it.on_DC_ChargeLoopReq(request), code)
    assert it.end() == ("failed", f"DC_ChargeLoopRes {code}")
    assert actions(it)[-2:] == ["contactors open", "pilot B"]


def _with(response: Any, code: str) -> Any:
    response.ResponseCode = types.responseCodeType(code)
    return response


def test_a_warning_in_the_loop_ends_nothing() -> None:
    it = Station(dc_settings())
    code = "WARNING_EVPowerProfileViolation"
    it.answers["DC_ChargeLoopReq"] = lambda request: _with(it.on_DC_ChargeLoopReq(request), code)
    it.charge(3.0)
    assert it.outcome is None


def test_external_authorization_that_is_refused_ends_in_good_order() -> None:
    it = Station(dc_settings())
    it.answers["AuthorizationReq"] = lambda r: _with(it.on_AuthorizationReq(r), "WARNING_EIMAuthorizationFailure")
    it.feed_start()
    assert it.end() == ("failed", "AuthorizationRes WARNING_EIMAuthorizationFailure")
    assert it.names[-1] == "SessionStopReq"


@pytest.mark.parametrize(
    ("name", "limit_s"),
    [
        *(("SessionSetupReq", 2.0), ("ServiceDetailReq", 5.0), ("ScheduleExchangeReq", 2.0), ("DC_CableCheckReq", 2.0)),
        *(("PowerDeliveryReq", 2.0), ("DC_ChargeLoopReq", 0.5), ("SessionStopReq", 2.0)),
    ],
)
def test_every_response_has_its_time(name: str, limit_s: float) -> None:
    it = Station(dc_settings())
    it.answers[name] = lambda _: None
    it.feed_start()
    it.run(30.0, until=lambda: "charging" in it.steps or it.outcome is not None)
    if name == "SessionStopReq":
        it.wish(stop=True)
    assert it.end() == ("failed", f"no {name.removesuffix('Req')}Res in time")
    sent = max(at for at, effect in it.log if getattr(effect, "name", "") == name)
    assert it.now - sent == pytest.approx(limit_s)


def test_a_silent_second_stream_ends_the_session() -> None:
    it = Station(dc_settings())
    it.charge()
    it.answers["ScheduleExchangeReq"] = lambda _: None
    it.wish(renegotiate=True)
    assert it.end() == ("failed", "no ScheduleExchangeRes in time")


@pytest.mark.parametrize(
    ("response", "limit_s", "what"),
    [
        (res(dc.DC_PreChargeRes, EVSEPresentVoltage=types.RationalNumberType(Exponent=0, Value=0)), 10.0, "pre-charge"),
        (res(dc.DC_CableCheckRes, EVSEProcessing=ONGOING), 40.0, "cable check"),
    ],
)
def test_precharge_has_ten_seconds_and_the_cable_check_forty(response: Any, limit_s: float, what: str) -> None:
    it = Station(dc_settings())
    it.answers[type(response).__name__.replace("Res", "Req")] = lambda _: response
    it.feed_start()
    it.run(20.0, until=lambda: what in it.steps)
    began = it.now
    assert it.end() == ("failed", f"{what} took too long")
    assert it.now - began == pytest.approx(limit_s, abs=0.1)
