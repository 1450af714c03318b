"""Cases from the field for ISO 15118-20: what stacks have done, and what is right."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_dc
from chargebyte_fw.modules.v2g.rational import number
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, PausedIso20Session
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.secc.iso20.setup import vehicle_hash
from chargebyte_fw.modules.v2g.security import Security
from tests.v2g.talk20 import (
    DC_PATH,
    Course,
    Talk20,
    ac20_facts,
    authorization,
    confirmation,
    dc20_facts,
    dc_loop,
    dc_parameters,
    discovery,
    of,
    power,
    profile,
    requests,
    schedule,
    selection,
    session_setup,
    stop,
    talk20,
    talk20_ac,
    welding,
)

SESSION = bytes.fromhex("5AC3E1F00D9B7246")
SCHEDULED = Course(dynamic=False, set_id=1)
BPT = ("DC", "DC_BPT", "MCS", "MCS_BPT")


def recorded(it: Talk20, frame: str) -> Any:
    """The answer to a recorded frame, in a session that has its id."""
    if it.session is not None and it.session.state is not S.SESSION_SETUP:
        it.session.session_id = SESSION
    return it.answer_in(it.raw(bytes.fromhex(frame)))


# -- handshake


@pytest.mark.parametrize(("decides", "schema_id"), [(True, 2), (False, 1)])
def test_a_dc_charger_that_is_offered_ac_first(decides: bool, schema_id: int) -> None:
    it = Talk20(dc20_facts(), Iso20Settings(energy_service_decides=decides), shake=False)
    response = it.handshake(handshake.ISO15118D20_AC, handshake.ISO15118D20_DC)
    assert response.SchemaID == schema_id
    it = Talk20(dc20_facts(), Iso20Settings(energy_service_decides=True), shake=False)
    assert it.handshake(handshake.ISO15118D20_AC).ResponseCode == "Failed_NoNegotiation"


TWO_FIRST = (
    "01fe8001000000478000f3ab9371d34b9b79d39ba321d34b9b79d189a98989c1d1699181d222180100001c0401d75726"
    "e3a69736f3a31353131383a323a323031333a4d73674465660040000480080"
)
"""-20:DC (schema id 7) has priority 2, -2 (schema id 9) priority 1, though it is listed second."""
AC_FIRST = (
    "01fe8001000000488000f3ab9371d34b9b79d39ba321d34b9b79d189a98989c1d1699181d20a180100000c0001e75726"
    "e3a69736f3a7374643a69736f3a31353131383a2d32303a44430020000200880"
)
"""-20:AC (schema id 3) has priority 1, -20:DC (schema id 4) priority 2."""


@pytest.mark.parametrize(
    ("offer", "decides", "answer"),
    [
        (TWO_FIRST, False, "01fe80010000000480400240"),
        (AC_FIRST, True, "01fe80010000000480400100"),
        (AC_FIRST, False, "01fe800100000004804000c0"),
    ],
)
def test_the_priority_of_the_car_ranks_what_the_charger_speaks(offer: str, decides: bool, answer: str) -> None:
    facts = dc20_facts(app_protocols=["DIN70121", "ISO15118D2", "ISO15118D20"])
    it = Talk20(facts, Iso20Settings(energy_service_decides=decides), shake=False)
    assert [one.data.hex() for one in it.raw(bytes.fromhex(offer)) if isinstance(one, out.Send)] == [answer]


# -- session setup


def test_session_setup_as_recorded() -> None:
    it = Talk20(dc20_facts())
    frame = "01fe800200000025808c040000000000000000080f2d6ca0620a2ba6a4ab182098a1192199a21a229aa31b1800"
    response = recorded(it, frame)
    assert response.ResponseCode == "OK_NewSessionEstablished"
    assert it.value("evcc_id") == "WMIV0A1B2C3D4E5F60"
    assert response.EVSEID == "DE*CHB*E123456*1"


@pytest.mark.parametrize(
    "frame",
    [
        "01fe8002000000148008042d61f0f806cdb9230808081b184e991032",
        "01fe8002000000118008042d61f0f806cdb923080f2d6ca062",
    ],
)
def test_a_time_stamp_in_microseconds_or_seconds(frame: str) -> None:
    it = talk20(S.AUTHORIZATION_SETUP)
    response = recorded(it, frame)
    assert response.ResponseCode == "OK"
    assert len(str(response.Header.TimeStamp)) == 10


def test_a_discovery_without_a_filter_gets_the_full_list() -> None:
    it = talk20(S.SERVICE_DISCOVERY, dc20_facts(*BPT))
    response = recorded(it, "01fe800200000012807c042d61f0f806cdb923080f2d6ca06280")
    assert [one.ServiceID for one in response.EnergyTransferServiceList.Service] == [2, 6, 8, 9]


# -- services


def internet(*set_ids: int) -> dict[str, Any]:
    value = iso15118_vas.ParameterValue
    sets = [
        iso15118_vas.ParameterSet(
            set_id=set_id,
            parameters=[
                iso15118_vas.Parameter(name="Protocol", value=value(finite_string="http")),
                iso15118_vas.Parameter(name="Port", value=value(int_value=80)),
            ],
        )
        for set_id in set_ids
    ]
    service = iso15118_vas.OfferedService(service_id=65, service_name="Internet")
    return {"offered_services": {65: service}, "service_parameters": {65: sets}}


def test_a_value_added_service_is_offered_described_and_selected() -> None:
    vas = internet(3, 4)
    it = talk20(S.SERVICE_DISCOVERY, dc20_facts(offered_services=vas["offered_services"]))
    assert it.ask(discovery(65)).VASList.Service[0].ServiceID == 65
    assert it.ask(of(m.ServiceDetailReq, ServiceID=65)) is None, "the provider is asked"
    response = it.change(service_parameters=vas["service_parameters"])
    first = response.ServiceParameterList.ParameterSet[0]
    assert (first.Parameter[0].finiteString, first.Parameter[1].intValue) == ("http", 80)
    assert it.ask(selection(2, 0, ((65, 4),))).ResponseCode == "OK"
    assert [one.selected for one in it.charger.log if isinstance(one, out.SelectServices)] == [((65, 4),)]


def test_the_filter_of_the_car_holds_for_value_added_services() -> None:
    it = talk20(S.SERVICE_DISCOVERY, dc20_facts(offered_services=internet(3)["offered_services"]))
    assert it.ask(discovery(2)).VASList is None


def test_a_provider_that_does_not_answer_is_an_unknown_service() -> None:
    it = talk20(S.SERVICE_DETAIL, dc20_facts(offered_services=internet(3)["offered_services"]))
    assert it.ask(of(m.ServiceDetailReq, ServiceID=65)) is None
    assert it.answer_in(it.wait(1.6)).ResponseCode == "FAILED_ServiceIDInvalid"


def test_parameters_of_every_kind_are_written() -> None:
    value, one = iso15118_vas.ParameterValue, iso15118_vas.Parameter
    kinds: dict[str, Any] = {"bool_value": True, "byte_value": -5, "short_value": 300, "rational_number": 0.5}
    parameters = [one(name=name, value=value(**{name: content})) for name, content in kinds.items()]
    sets = [iso15118_vas.ParameterSet(set_id=1, parameters=parameters)]
    offered = {70: iso15118_vas.OfferedService(service_id=70)}
    it = talk20(S.SERVICE_DETAIL, dc20_facts(offered_services=offered))
    assert it.ask(of(m.ServiceDetailReq, ServiceID=70)) is None
    (first,) = it.change(service_parameters={70: sets}).ServiceParameterList.ParameterSet
    written = first.Parameter
    assert (written[0].boolValue, written[1].byteValue, written[2].shortValue) == (True, -5, 300)
    assert number(written[3].rationalNumber) == 0.5


def test_a_set_of_a_value_added_service_that_is_not_offered() -> None:
    vas = internet(3)
    it = talk20(S.SERVICE_SELECTION, dc20_facts(offered_services=vas["offered_services"]))
    it.change(service_parameters=vas["service_parameters"])
    assert it.ask(selection(2, 0, ((65, 4),))).ResponseCode == "FAILED_ServiceSelectionInvalid"


def test_a_bidirectional_dc_set_has_no_voltage() -> None:
    it = talk20(S.SERVICE_DETAIL, dc20_facts(*BPT))
    response = it.ask(of(m.ServiceDetailReq, ServiceID=6))
    names = [one.Name for one in response.ServiceParameterList.ParameterSet[0].Parameter]
    assert names == ["Connector", "ControlMode", "MobilityNeedsMode", "Pricing", "BPTChannel", "GeneratorMode"]


def test_bidirectional_services_need_a_discharge_power() -> None:
    facts = dc20_facts(*BPT, dc_supply=None)
    it = talk20(S.SERVICE_DISCOVERY, facts)
    assert [one.ServiceID for one in it.ask(discovery()).EnergyTransferServiceList.Service] == [2, 8]
    it = talk20(S.SERVICE_DISCOVERY, dc20_facts(*BPT, dc_supply=None, dc_max_discharge_power_W=10_000.0))
    assert len(it.ask(discovery()).EnergyTransferServiceList.Service) == 4


def test_a_charger_without_a_service_is_not_negotiated() -> None:
    it = Talk20(dc20_facts("WPT"), shake=False)
    assert it.handshake(handshake.ISO15118D20_DC).ResponseCode == "Failed_NoNegotiation"


# -- megawatts and power from the car


def test_megawatt_parameters_as_recorded() -> None:
    frame = "01fe800400000029803c042d61f0f806cdb923080f2d6ca0628830a61d04000002002e05c1000000800e20904007a01880"
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts(*BPT, dc_max_voltage_V=1_250.0), course=Course(8))
    assert recorded(it, frame).ResponseCode == "OK"
    limits = it.value("dc_ev_maximum_limits")
    assert limits.dc_ev_maximum_power_limit == 3_750_000
    assert limits.dc_ev_maximum_current_limit == 3_000
    assert limits.dc_ev_maximum_voltage_limit == 1_250
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts(*BPT, dc_max_voltage_V=1_250.0), course=Course(9))
    assert recorded(it, frame).ResponseCode == "FAILED_WrongChargeParameter"


NEGATIVE = Iso20Settings(scheduled=True, negative_discharge_limits=True)


@pytest.mark.parametrize("sent_W", [-20_000, 20_000])
@pytest.mark.parametrize("options", [NEGATIVE, None])
def test_discharge_limits_of_the_car_count_by_their_magnitude(sent_W: float, options: Any) -> None:
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts(*BPT), options, Course(6, bidirectional=True))
    request = dc_parameters(bidirectional=True, EVMaximumDischargePower=sent_W, EVMaximumDischargeCurrent=sent_W / 400)
    mode = it.ask(request).DC_CPDResEnergyTransferMode
    assert number(mode.EVSEMaximumDischargePower) == (100_000 if options is None else -100_000)
    it.ask(schedule())
    assert it.value("charging_needs").v2x_charging_parameters.max_discharge_power == 20_000


def test_a_car_that_only_charges_has_the_parameters_of_iso_20_for_ocpp_too() -> None:
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts())
    it.ask(dc_parameters())
    it.ask(schedule())
    needs = it.value("charging_needs").v2x_charging_parameters
    assert needs.max_charge_power > 0 and needs.max_discharge_power is None


@pytest.mark.parametrize("dynamic", [True, False])
def test_discharge_limits_in_the_loop(dynamic: bool) -> None:
    course = Course(6, bidirectional=True, dynamic=dynamic, set_id=0 if dynamic else 1)
    it = talk20(S.CHARGING, dc20_facts(*BPT), course=course)
    it.change(dc_max_discharge_power_W=5_000.0, dc_max_discharge_current_A=20.0)
    request = dc_loop(dynamic=dynamic, bidirectional=True, amperes=-25.0)
    response = it.ask(request)
    assert number(response.CLResControlMode.EVSEMaximumDischargePower) == 5_000
    assert number(response.CLResControlMode.EVSEMaximumDischargeCurrent) == 20
    if dynamic:
        values = it.value("d20_dc_dynamic_charge_mode")
        assert (values.max_discharge_power, values.max_discharge_current) == (11_000, 30)
    else:
        assert it.value("dc_ev_target_voltage_current").dc_ev_target_current == -25.0
        assert (response.EVSECurrentLimitAchieved, response.EVSEPowerLimitAchieved) == (True, True)


# -- meter


@pytest.mark.parametrize(
    ("frame", "has_meter"),
    [
        ("01fe80040000001f8034042d61f0f806cdb923080f2d6ca062810012206463f8738482002680ca", False),
        ("01fe80040000001f8034042d61f0f806cdb923080f2d6ca062a10012206463f8738482002680ca", True),
    ],
)
def test_meter_info_comes_first_and_where_the_car_asks(frame: str, has_meter: bool) -> None:
    facts = dc20_facts(meter_id="M1", meter_Wh=12_345.0, meter_export_Wh=7.0, meter_at="2026-01-01T00:00:00Z")
    it = talk20(S.CHARGING, facts, course=SCHEDULED)
    first = recorded(it, frame).MeterInfo
    assert (first.MeterID, first.ChargedEnergyReadingWh, first.BPT_DischargedEnergyReadingWh) == ("M1", 12_345, None)
    assert first.MeterTimestamp == 1_767_225_600
    assert (recorded(it, frame).MeterInfo is not None) is has_meter
    assert ("meter_info_requested" in it.charger.names()) is has_meter


def test_the_reading_of_discharged_energy_belongs_to_bidirectional_services() -> None:
    facts = dc20_facts(*BPT, meter_id="M1", meter_Wh=12_345.0, meter_export_Wh=7.0)
    it = talk20(S.CHARGING, facts, course=Course(6, bidirectional=True))
    meter = it.ask(dc_loop(bidirectional=True)).MeterInfo
    assert (meter.ChargedEnergyReadingWh, meter.BPT_DischargedEnergyReadingWh) == (12_345, 7)


def test_without_a_meter_there_is_no_meter_info() -> None:
    it = talk20(S.CHARGING)
    response = it.ask(dc_loop(meter=True))
    assert (response.ResponseCode, response.MeterInfo) == ("OK", None)


def test_a_confirmation_that_nobody_asked_for_is_noted() -> None:
    it = talk20(S.CHARGING)
    for stream in ("main", "metering"):
        assert it.ask(confirmation(), stream=stream).ResponseCode == "OK"
    assert it.types[-2:] == [0x8002, 0x8102]
    assert "MeteringConfirmationReq: the confirmation is not valid: no confirmation was asked for" in [
        getattr(one, "text", "") for one in it.charger.log
    ]


# -- stop, pause, standby, renegotiation


def test_welding_detection_may_be_left_out() -> None:
    it = talk20(S.CHARGING)
    it.change(pause_requested=True)
    status = it.ask(dc_loop()).EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("Pause", 60)
    it.ask(power("Stop"))
    assert it.ask(stop("Pause")).ResponseCode == "OK"
    assert "dlink_pause" in it.end()
    it = talk20(S.CHARGING)
    it.change(stop_requested=True)
    status = it.ask(dc_loop()).EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("Terminate", 0)
    it.ask(power("Stop"))
    assert it.ask(stop()).ResponseCode == "OK"


RENEGOTIATION = "01fe8002000000128094042d61f0f806cdb923080f2d6ca06248"


def test_service_renegotiation_keeps_session_and_authorization() -> None:
    it = talk20(S.STOPPED, dc20_facts(*BPT))
    assert recorded(it, RENEGOTIATION).ResponseCode == "OK"
    it.session_id = SESSION
    assert not it.closing
    assert it.session.state is S.SERVICE_DISCOVERY
    assert it.ask(discovery()).ResponseCode == "OK"
    it.ask(of(m.ServiceDetailReq, ServiceID=8))
    assert it.ask(selection(8)).ResponseCode == "OK"
    assert it.ask(dc_parameters()).ResponseCode == "OK"
    assert it.charger.names().count("require_auth_eim") == 1
    assert "dlink_terminate" not in it.charger.names()


def test_service_renegotiation_where_it_is_not_offered_ends_the_session() -> None:
    it = talk20(S.STOPPED, options=Iso20Settings(scheduled=True, service_renegotiation=False))
    assert recorded(it, RENEGOTIATION).ResponseCode == "FAILED_NoServiceRenegotiationSupported"
    assert it.closing


def test_where_services_are_not_renegotiated_a_car_is_not_asked_to() -> None:
    it = talk20(S.CHARGING, dc20_facts(*BPT), Iso20Settings(service_renegotiation=False), Course(2))
    it.change(energy_transfer_modes=["MCS"])
    assert it.ask(dc_loop()).EVSEStatus is None


def test_service_renegotiation_before_a_selection_is_out_of_sequence() -> None:
    it = talk20(S.SERVICE_DISCOVERY)
    assert it.ask(stop("ServiceRenegotiation")).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("state", [S.POWER_DELIVERY, S.CHARGING])
def test_standby_is_not_allowed_and_changes_nothing(state: S) -> None:
    it = talk20(state)
    response = recorded(it, "01fe8002000000138054042d61f0f806cdb923080f2d6ca0620240")
    assert response.ResponseCode == "WARNING_StandbyNotAllowed"
    assert it.session.state is state
    it.session_id = SESSION
    assert it.ask(power("Start" if state is S.POWER_DELIVERY else "Stop")).ResponseCode == "OK"
    assert not it.closing


def test_a_state_of_charge_beyond_100_percent_is_dropped() -> None:
    frame = "01fe8004000000238034042d61f0f806cdb923080f2d6ca06201c8594e02002440c8c7f0e70904004d0194"
    it = talk20(S.CHARGING, course=SCHEDULED)
    assert recorded(it, frame).ResponseCode == "OK"
    assert it.value("display_parameters").target_soc is None
    assert not it.charger.broken()


@pytest.mark.parametrize(
    ("kind", "state"),
    [("Pause", S.AUTHORIZATION), ("Pause", S.SERVICE_DISCOVERY), ("Pause", S.CHARGE_PARAMETERS)],
)
def test_a_pause_before_the_schedule_is_not_allowed(kind: str, state: S) -> None:
    it = talk20(state)
    assert it.ask(stop(kind)).ResponseCode == "FAILED_PauseNotAllowed"
    assert "dlink_terminate" in it.end()


def test_where_there_is_no_energy_the_car_is_asked_to_pause_before_the_cable_check() -> None:
    it = talk20(S.SCHEDULE)
    it.change(no_energy_pause="PauseBeforeCableCheck")
    assert it.ask(schedule()).GoToPause is True
    assert it.ask(stop("Pause")).ResponseCode == "OK"
    assert "start_cable_check" not in it.end()
    it = talk20(S.POWER_DELIVERY)
    it.change(no_energy_pause="PauseAfterPrecharge")
    assert it.ask(power()).EVSEStatus.EVSENotification == "Pause"


VEHICLE = Security("1.3", "TLS_AES_256_GCM_SHA384", (b"vehicle certificate",))


def paused_facts(certificate: bytes = b"vehicle certificate") -> Any:
    facts = dc20_facts(*BPT)
    parameters = {"Connector": 2, "ControlMode": 2, "MobilityNeedsMode": 1, "Pricing": 0}
    facts.iso20.paused = PausedIso20Session(SESSION, vehicle_hash(SESSION, certificate), 2, 0, parameters, ((65, 3),))
    return facts


def test_a_paused_session_is_joined_by_the_same_vehicle() -> None:
    it = Talk20(paused_facts(), security=VEHICLE)
    assert it.ask(session_setup(), SESSION).ResponseCode == "OK_OldSessionJoined"
    assert it.value("ev_info").tls_leaf_certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert [one.selected for one in it.charger.log if isinstance(one, out.SelectServices)] == [((65, 3),)]
    assert it.session_id == SESSION
    assert it.ask(dc_parameters()).ResponseCode == "OK"
    assert it.ask(schedule()).ResponseCode == "OK"


@pytest.mark.parametrize(("modes", "joined"), [(("DC",), True), (("DC_BPT", "DC"), True), (("DC_BPT", "MCS"), False)])
def test_a_session_whose_service_is_no_longer_offered_is_not_joined(modes: tuple[str, ...], joined: bool) -> None:
    """[V2G20-1957]: the car would have to end a session that goes on with a service it is not offered."""
    facts = paused_facts()
    facts.energy_transfer_modes = [*modes]
    it = Talk20(facts, security=VEHICLE)
    response = it.ask(session_setup(), SESSION)
    assert response.ResponseCode == ("OK_OldSessionJoined" if joined else "OK_NewSessionEstablished")
    if not joined:
        assert response.Header.SessionID not in (SESSION, bytes(8))
        assert it.ask(of(m.AuthorizationSetupReq)).ResponseCode == "OK" and it.charger.broken() == []


def test_a_joined_session_may_be_authorized_anew() -> None:
    it = Talk20(paused_facts(), security=VEHICLE)
    it.ask(session_setup(), SESSION)
    it.facts.session.authorized = True
    it.ask(of(m.AuthorizationSetupReq))
    assert it.ask(authorization()).ResponseCode == "OK"
    assert it.ask(discovery()).ResponseCode == "OK"


@pytest.mark.parametrize(
    ("certificate", "security", "wanted"),
    [
        (b"another", VEHICLE, SESSION),
        (b"vehicle certificate", VEHICLE, bytes(8)),
        (b"vehicle certificate", Security(), SESSION),
    ],
)
def test_another_vehicle_or_no_certificate_begins_a_new_session(
    certificate: bytes, security: Security, wanted: bytes
) -> None:
    it = Talk20(paused_facts(certificate), security=security)
    assert it.ask(session_setup(), wanted).ResponseCode == "OK_NewSessionEstablished"
    assert it.facts.iso20.paused is None


@pytest.mark.parametrize("stream", ["main", "schedule"])
def test_a_new_schedule_in_the_loop(stream: str) -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    it.ask(dc_loop(dynamic=False))
    assert it.ask(power("ScheduleRenegotiation"), stream=stream).ResponseCode == "OK"
    if stream == "schedule":
        assert it.ask(dc_loop(dynamic=False)).ResponseCode == "OK", "the loop goes on beside it"
    it.change(dc_max_power_W=20_000.0)
    response = it.ask(schedule(dynamic=False), stream=stream)
    (one,) = response.Scheduled_SEResControlMode.ScheduleTuple
    entry = one.ChargingSchedule.PowerSchedule.PowerScheduleEntries.PowerScheduleEntry[0]
    assert number(entry.Power) == 20_000
    assert it.ask(power(profile=profile(20_000)), stream=stream).ResponseCode == "OK"
    assert it.types[-1] == (0x8101 if stream == "schedule" else 0x8002)
    assert it.ask(dc_loop(dynamic=False)).ResponseCode == "OK"
    assert "current_demand_finished" not in it.charger.names()


def test_a_schedule_that_is_too_high_is_renegotiated_where_the_charger_may_ask() -> None:
    it = talk20(S.CHARGING, options=Iso20Settings(scheduled=True, schedule_renegotiation=True), course=SCHEDULED)
    assert it.ask(dc_loop(dynamic=False)).EVSEStatus is None
    it.change(dc_max_power_W=20_000.0)
    status = it.ask(dc_loop(dynamic=False)).EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("ScheduleRenegotiation", 0)


def test_a_car_may_ask_anew_before_it_starts_with_its_new_schedule() -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    it.ask(dc_loop(dynamic=False))
    for _ in range(2):
        assert it.ask(power("ScheduleRenegotiation"), stream="schedule").ResponseCode == "OK"
        assert it.ask(schedule(dynamic=False), stream="schedule").ResponseCode == "OK"
    assert it.ask(power(profile=profile(20_000)), stream="schedule").ResponseCode == "OK"
    assert it.ask(dc_loop(dynamic=False)).ResponseCode == "OK"


def test_a_start_with_a_new_schedule_needs_that_schedule() -> None:
    it = talk20(S.CHARGING, course=SCHEDULED)
    it.ask(dc_loop(dynamic=False))
    it.ask(power("ScheduleRenegotiation"), stream="schedule")
    it.ask(schedule(dynamic=False), stream="schedule")
    it.ask(power("ScheduleRenegotiation"), stream="schedule")
    assert it.ask(power(profile=profile(20_000)), stream="schedule").ResponseCode == "FAILED_SequenceError"
    assert "dc_open_contactor" in it.charger.names()


def test_a_service_that_is_no_longer_offered_is_renegotiated() -> None:
    it = talk20(S.CHARGING, dc20_facts(*BPT), course=Course(6, bidirectional=True))
    it.change(energy_transfer_modes=["DC"])
    status = it.ask(dc_loop(bidirectional=True)).EVSEStatus
    assert (status.EVSENotification, status.NotificationMaxDelay) == ("ServiceRenegotiation", 0)


@pytest.mark.parametrize("progress", ["ScheduleRenegotiation", "Start"])
def test_power_delivery_where_it_makes_no_sense(progress: str) -> None:
    it = talk20(S.POWER_DELIVERY if progress != "Start" else S.CHARGING)
    code = "FAILED_ScheduleRenegotiation" if progress != "Start" else "FAILED"
    assert it.ask(power(progress)).ResponseCode == code
    assert "dc_open_contactor" in it.charger.names()


def test_power_is_not_stopped_in_the_stream_of_schedules() -> None:
    it = talk20(S.CHARGING)
    assert it.ask(power("Stop"), stream="schedule").ResponseCode == "FAILED_SequenceError"
    it = talk20(S.CHARGING)
    assert it.ask(power("Start"), stream="schedule").ResponseCode == "FAILED_SequenceError"


# -- faults


@pytest.mark.parametrize("error", ["Error_Malfunction", "Error_RCD", "Error_Contactor", "Error_UtilityInterruptEvent"])
def test_a_fault_ends_the_loop_in_good_order(error: str) -> None:
    it = talk20(S.CHARGING)
    it.change(error=error)
    response = it.ask(dc_loop())
    assert (response.ResponseCode, response.EVSEStatus.EVSENotification) == ("OK", "Terminate")
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert "hlc_session_failed" not in it.end()


def test_an_emergency_refuses_everything_but_the_end() -> None:
    it = talk20(S.CHARGING)
    it.ask(dc_loop())
    it.change(error="Error_EmergencyShutdown")
    assert it.ask(dc_loop()).ResponseCode == "FAILED"
    assert it.charger.names()[-2:] == ["current_demand_finished", "dc_open_contactor"]
    it = talk20(S.CHARGING)
    it.change(error="Error_EmergencyShutdown")
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert it.ask(welding()).ResponseCode == "OK"
    assert it.ask(stop()).ResponseCode == "OK"


def test_a_car_that_does_not_stop_is_refused_after_its_time() -> None:
    it = talk20(S.CHARGING)
    it.change(stop_requested=True)
    codes = []
    for _ in range(10):
        codes.append(it.ask(dc_loop()).ResponseCode)
        it.wait(1.0)
    assert set(codes) == {"OK"}
    assert it.ask(dc_loop()).ResponseCode == "FAILED"
    assert "dc_open_contactor" in it.charger.names()


def test_the_plug_is_pulled_in_the_loop() -> None:
    it = talk20(S.CHARGING)
    it.ask(dc_loop())
    it.charger.feed(out.LinkLost("the data link is gone"), it.now)
    assert it.charger.names()[-3:] == ["current_demand_finished", "dc_open_contactor", "dlink_error"]


def test_a_request_beyond_the_limits_of_the_schema_is_failed_and_takes_the_power_off() -> None:
    it = talk20(S.CHARGING)
    it.ask(dc_loop())
    frame = bytearray(it.frame(dc_loop()))
    effects = it.raw(bytes(frame[:-3]).replace(frame[4:8], (len(frame) - 11).to_bytes(4, "big"), 1))
    response = it.answer_in(effects)
    assert isinstance(response, iso20_dc.DC_ChargeLoopRes) and response.ResponseCode == "FAILED"
    assert it.charger.names()[-2:] == ["current_demand_finished", "dc_open_contactor"]


def cut_short(it: Talk20, session_id: bytes | None = None) -> Any:
    """The answer to a request of the charge loop of which only the beginning came."""
    frame = it.frame(dc_loop(), session_id)
    return it.answer_in(it.raw(frame[:4] + (len(frame) - 11).to_bytes(4, "big") + frame[8:-3]))


def test_a_request_that_cannot_be_read_is_refused_for_what_can_be_read_of_it() -> None:
    assert cut_short(talk20(S.PRECHARGE)).ResponseCode == "FAILED_SequenceError"
    assert cut_short(talk20(S.CHARGING), b"another!").ResponseCode == "FAILED_UnknownSession"


def test_a_response_that_cannot_be_written_is_failed() -> None:
    it = talk20(S.AUTHORIZATION_SETUP)
    it.facts.offered_services = {-1: iso15118_vas.OfferedService(service_id=-1)}
    it.ask(of(m.AuthorizationSetupReq))
    it.facts.session.authorized = True
    it.ask(authorization())
    assert it.ask(discovery()).ResponseCode == "FAILED"
    assert it.charger.broken()[0].startswith("ServiceDiscoveryReq is refused: its answer cannot be written")


@pytest.mark.parametrize("name", [name for name in sorted(requests()) if name.startswith("Vehicle")])
def test_a_parking_status_needs_its_service(name: str) -> None:
    it = talk20(S.CHARGING)
    assert it.ask(requests()[name], stream="parking").ResponseCode == "FAILED_SequenceError"


def test_the_name_space_is_no_choice_of_a_service() -> None:
    path = (*DC_PATH[:6], (S.SCHEDULE, lambda c: requests()["AC_ChargeParameterDiscoveryReq"]))
    it = talk20(S.SCHEDULE, ac20_facts(), course=Course(1), path=path)
    assert it.value("selected_protocol") == "ISO15118-20:DC"
    assert talk20_ac(S.SCHEDULE).value("selected_protocol") == "ISO15118-20:AC"
