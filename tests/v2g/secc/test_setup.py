"""From the handshake to the authorization (ISO 15118-2 clauses 8.2, 8.4.3; DIN SPEC 70121 clause 9.4)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.contracts.types.iso15118_vas import OfferedService, Parameter, ParameterSet, ParameterValue
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import din, iso2, sap
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame
from tests.v2g.pair import dc_facts
from tests.v2g.talk import APP_PROTOCOLS, Talk, authorization, selection, talk

BOTH = ["DIN70121", "ISO15118D2"]


def entry(namespace: str, major: int, minor: int, schema: int, priority: int) -> sap.AppProtocolType:
    return sap.AppProtocolType(
        ProtocolNamespace=namespace,
        VersionNumberMajor=major,
        VersionNumberMinor=minor,
        SchemaID=schema,
        Priority=priority,
    )


DIN, ISO2 = handshake.DIN70121.namespace, handshake.ISO15118D2.namespace


@pytest.mark.parametrize(
    ("entries", "names", "code", "schema"),
    [
        ([entry(DIN, 2, 0, 7, 2), entry(ISO2, 2, 0, 9, 1)], BOTH, "OK_SuccessfulNegotiation", 9),
        ([entry(DIN, 2, 0, 7, 1), entry(ISO2, 2, 0, 9, 2)], BOTH, "OK_SuccessfulNegotiation", 7),
        ([entry(DIN, 2, 0, 7, 2), entry(ISO2, 2, 0, 9, 1)], ["DIN70121"], "OK_SuccessfulNegotiation", 7),
        ([entry(ISO2, 2, 1, 1, 1)], BOTH, "OK_SuccessfulNegotiationWithMinorDeviation", 1),
        ([entry(ISO2, 3, 0, 1, 1)], BOTH, "Failed_NoNegotiation", None),
        ([entry("urn:iso:15118:2:2010:MsgDef", 1, 0, 1, 1)], BOTH, "Failed_NoNegotiation", None),
        (
            [entry("urn:iso:std:iso:15118:-20:DC", 1, 0, 0, 1), entry(ISO2, 2, 0, 1, 2)],
            BOTH,
            "OK_SuccessfulNegotiation",
            1,
        ),
    ],
)
def test_the_handshake_takes_what_the_car_likes_best_of_what_both_speak(
    entries: Any, names: list[str], code: str, schema: int | None
) -> None:
    response = handshake.choose(
        sap.supportedAppProtocolReq(AppProtocol=entries), [APP_PROTOCOLS[name] for name in names]
    ).response
    assert (response.ResponseCode, response.SchemaID) == (code, schema)


def test_a_handshake_without_agreement_is_answered_and_closed() -> None:
    it = Talk(iso2, dc_facts(app_protocols=["DIN70121"]), shake=False)
    assert it.handshake("ISO15118D2").ResponseCode == "Failed_NoNegotiation"
    it.wait(5.1)
    assert it.closed
    assert [n for n, _ in it.charger.published()] == ["ev_app_protocol", "dlink_error", "hlc_session_failed"]


def test_a_charger_that_wants_to_stop_does_not_negotiate() -> None:
    for hindrance in ({"stop_requested": True}, {"error": "Error_EmergencyShutdown"}):
        it = Talk(iso2, dc_facts(**hindrance), shake=False)
        assert it.handshake().ResponseCode == "Failed_NoNegotiation"
        assert "hlc_session_failed" not in it.end(), "it was not the car's fault"


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x80\x98\x00", b"\x00\x01\x02", bytes(40)])
def test_a_handshake_that_is_none_closes_the_connection(payload: bytes) -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    it.raw(Frame(EXI_DIN_ISO2, payload).to_bytes())
    assert it.closed and it.charger.broken()


def test_a_message_before_the_handshake_closes_the_connection() -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    it.raw(it.frame(iso2.SessionSetupReq(EVCCID=b"\2\0\0\0\0\2")))
    assert it.closed


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_session_setup_makes_a_session_and_tells_the_cars_address(kind: str) -> None:
    it = talk(kind)
    response = it.ask(it.m.SessionSetupReq(EVCCID=bytes.fromhex("562f3397b374")), session_id=b"\0")
    assert response.ResponseCode == "OK_NewSessionEstablished"
    assert len(it.session_id) == 8 and any(it.session_id)
    assert ("evcc_id", "56:2F:33:97:B3:74") in it.charger.published()
    evse_id = {"din": b"\x49\xa8\x07\x37\xa4\x56\x78", "iso2": "DE*CHB*E123456*1"}
    assert evse_id[kind] == response.EVSEID
    (info,) = [value for name, value in it.charger.published("ev_info")]
    assert info.evcc_id == "56:2F:33:97:B3:74" and len(info.supported_protocols.Protocols) == 1


def test_din_sends_the_text_of_an_evse_id_that_is_no_number() -> None:
    it = Talk(din, dc_facts(evse_id_din="", evse_id="DE*CBY*ETE1*234"))
    assert it.ask(din.SessionSetupReq(EVCCID=bytes(6))).EVSEID == b"DE*CBY*ETE1*234"


@pytest.mark.parametrize(
    ("octets", "mac"),
    [
        ("562f3397b374", "56:2F:33:97:B3:74"),
        ("0000562f3397b374", "56:2F:33:97:B3:74"),
        ("562f3397b3740000", "56:2F:33:97:B3:74"),
        ("00562f3397b374", "56:2F:33:97:B3:74"),
        ("0000007dfa010203", "00:7D:FA:01:02:03"),
        ("007dfa0102030000", "00:7D:FA:01:02:03"),
        ("007dfa010203", "00:7D:FA:01:02:03"),
    ],
)
def test_din_cars_pad_their_address_to_eight_bytes(octets: str, mac: str) -> None:
    it = talk("din")
    it.ask(din.SessionSetupReq(EVCCID=bytes.fromhex(octets)))
    assert it.charger.published("evcc_id") == [("evcc_id", mac)]


@pytest.mark.parametrize("octets", ["", "01", "562f3397b3", "562f3397b37401", "562f3397b3740102", "01562f3397b37400"])
def test_an_evcc_id_that_is_no_address_makes_no_car_of_another(octets: str) -> None:
    it = talk("din")
    response = it.ask(din.SessionSetupReq(EVCCID=bytes.fromhex(octets)))
    assert response.ResponseCode == "OK_NewSessionEstablished"
    assert it.charger.published("evcc_id", "ev_info") == []
    assert it.ask(din.ServiceDiscoveryReq()).ResponseCode == "OK"


def test_the_charge_service_is_offered_for_external_payment_only_without_tls() -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, payment_options=["Contract", "ExternalPayment"])
    response = it.ask(iso2.ServiceDiscoveryReq())
    assert response.PaymentOptionList.PaymentOption == ["ExternalPayment"]
    assert response.ChargeService.ServiceID == 1 and response.ChargeService.ServiceCategory == "EVCharging"
    assert response.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode == ["DC_extended"]
    assert response.ServiceList is None


def test_modes_of_other_protocols_are_not_offered() -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, energy_transfer_modes=["DC_extended", "DC_BPT", "DC_core", "MCS"])
    offered = it.ask(iso2.ServiceDiscoveryReq()).ChargeService.SupportedEnergyTransferMode.EnergyTransferMode
    assert offered == ["DC_extended", "DC_core"]


@pytest.mark.parametrize(
    ("modes", "offered"), [(["DC_core"], "DC_core"), (["DC_extended"], "DC_extended"), (["DC_unique"], "DC_extended")]
)
def test_din_offers_one_energy_transfer_type(modes: list[str], offered: str) -> None:
    it = talk("din", State.SERVICE_DISCOVERY, energy_transfer_modes=modes)
    response = it.ask(din.ServiceDiscoveryReq())
    assert response.ChargeService.EnergyTransferType == offered
    assert response.PaymentOptions.PaymentOption == ["ExternalPayment"]


@pytest.mark.parametrize(
    ("services", "payment", "iso2_code", "din_code"),
    [
        ((1,), "ExternalPayment", "OK", "OK"),
        ((1,), "Contract", "FAILED_PaymentSelectionInvalid", "FAILED_PaymentSelectionInvalid"),
        ((1, 77), "ExternalPayment", "FAILED_ServiceSelectionInvalid", "FAILED_ServiceSelectionInvalid"),
        ((77,), "ExternalPayment", "FAILED_NoChargeServiceSelected", "FAILED_ServiceSelectionInvalid"),
        ((77,), "Contract", "FAILED_NoChargeServiceSelected", "FAILED_PaymentSelectionInvalid"),
    ],
)
def test_the_selection_must_be_what_was_offered(
    services: tuple[int, ...], payment: str, iso2_code: str, din_code: str
) -> None:
    for kind, code in (("iso2", iso2_code), ("din", din_code)):
        it = talk(kind, State.SERVICE_SELECTION)
        assert it.ask(selection(it.m, services, payment)).ResponseCode == code
        assert bool(it.charger.published("selected_payment_option")) == (code == "OK")


# -- authorization


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_authorization_is_asked_for_once_and_waits_for_the_answer(kind: str) -> None:
    it = talk(kind, State.AUTHORIZATION)
    waiting = "Ongoing" if kind == "din" else "Ongoing_WaitingForCustomerInteraction"
    for _ in range(3):
        response = it.ask(authorization(it.m))
        assert (response.ResponseCode, response.EVSEProcessing) == ("OK", waiting)
    assert it.charger.names().count("require_auth_eim") == 1
    it.change(authorized=True)
    assert it.ask(authorization(it.m)).EVSEProcessing == "Finished"


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_an_authorization_that_was_there_first_is_taken(kind: str) -> None:
    it = talk(kind, State.AUTHORIZATION)
    it.change(authorized=True)
    assert it.ask(authorization(it.m)).EVSEProcessing == "Finished"
    assert "require_auth_eim" in it.charger.names()


@pytest.mark.parametrize("kind", ["din", "iso2"])
def test_a_refused_authorization_fails(kind: str) -> None:
    it = talk(kind, State.AUTHORIZATION)
    it.ask(authorization(it.m))
    it.change(authorized=False)
    assert it.ask(authorization(it.m)).ResponseCode == "FAILED"


def test_nobody_authorizes_in_time() -> None:
    it = talk("iso2", State.AUTHORIZATION, Settings(auth_timeout_eim_s=50.0))
    it.ask(authorization(it.m))
    it.wait(49.0)
    assert it.ask(authorization(it.m)).ResponseCode == "OK"
    it.wait(1.5)
    assert it.ask(authorization(it.m)).ResponseCode == "FAILED"


def test_an_authorization_timeout_of_zero_never_comes() -> None:
    it = talk("iso2", State.AUTHORIZATION, Settings(auth_timeout_eim_s=0.0))
    for _ in range(30):
        assert it.ask(authorization(it.m)).ResponseCode == "OK"
        it.wait(50.0)


def test_an_authorization_belongs_to_one_session() -> None:
    it = talk("iso2", State.CABLE_CHECK)
    it.end()
    assert it.facts.session.authorized is None


# -- services beside charging


def internet() -> OfferedService:
    return OfferedService(service_id=3, service_name="whatever", free_service=True)


def with_services() -> Talk:
    custom = OfferedService(service_id=60000, service_name="Massage", service_scope="seat", free_service=False)
    return talk("iso2", State.SERVICE_DISCOVERY, offered_services={3: internet(), 60000: custom})


def test_value_added_services_are_listed_and_filtered() -> None:
    services = with_services().ask(iso2.ServiceDiscoveryReq()).ServiceList.Service
    assert [(s.ServiceID, s.ServiceName, s.ServiceCategory, s.FreeService) for s in services] == [
        (3, "InternetAccess", "Internet", True),
        (60000, "Massage", "OtherCustom", False),
    ]
    by_category = iso2.ServiceDiscoveryReq(ServiceCategory=iso2.serviceCategoryType.Internet)
    assert [s.ServiceID for s in with_services().ask(by_category).ServiceList.Service] == [3]
    by_scope = iso2.ServiceDiscoveryReq(ServiceScope="roof", ServiceCategory=iso2.serviceCategoryType.OtherCustom)
    assert with_services().ask(by_scope).ServiceList is None


def test_details_are_asked_of_the_provider_and_the_answer_waits_for_them() -> None:
    it = with_services()
    it.ask(iso2.ServiceDiscoveryReq())
    assert it.ask(iso2.ServiceDetailReq(ServiceID=3)) is None
    assert out.GetServiceParameters(3) in it.charger.log
    values = [
        ("Protocol", ParameterValue(finite_string="http")),
        ("Port", ParameterValue(int_value=80)),
        ("Free", ParameterValue(bool_value=True)),
        ("Power", ParameterValue(rational_number=11.04)),
    ]
    sets = [ParameterSet(set_id=3, parameters=[Parameter(name=name, value=value) for name, value in values])]
    it.facts.session.service_parameters[3] = sets
    response = it.change()
    (one,) = response.ServiceParameterList.ParameterSet
    protocol, port, free, power = one.Parameter
    assert (one.ParameterSetID, protocol.stringValue, port.intValue, free.boolValue) == (3, "http", 80, True)
    assert (power.physicalValue.Value, power.physicalValue.Multiplier) == (11, 0)


def test_a_silent_provider_does_not_make_the_answer_late() -> None:
    it = with_services()
    it.ask(iso2.ServiceDiscoveryReq())
    assert it.ask(iso2.ServiceDetailReq(ServiceID=3)) is None
    response = it.answer_in(it.wait(1.5))
    assert response.ResponseCode == "FAILED_ServiceIDInvalid" and response.ServiceID == 3


def test_an_unknown_service_has_no_details() -> None:
    for kind in ("iso2", "din"):
        it = talk(kind, State.SERVICE_SELECTION)
        assert it.ask(it.m.ServiceDetailReq(ServiceID=99)).ResponseCode == "FAILED_ServiceIDInvalid"
        assert it.ask(it.m.ServiceDetailReq(ServiceID=1)).ResponseCode == "OK"


def test_a_value_that_the_wire_cannot_carry_is_an_answer_and_no_crash() -> None:
    it = with_services()
    it.ask(iso2.ServiceDiscoveryReq())
    it.ask(iso2.ServiceDetailReq(ServiceID=3))
    big = Parameter(name="big", value=ParameterValue(int_value=2**40))
    it.facts.session.service_parameters[3] = [ParameterSet(set_id=3, parameters=[big])]
    assert it.change().ResponseCode == "FAILED"
    assert "cannot be written" in it.charger.broken()[0]


def test_chosen_services_are_told_to_their_provider() -> None:
    it = with_services()
    it.ask(iso2.ServiceDiscoveryReq())
    body = selection(iso2, (1, 60000))
    body.SelectedServiceList.SelectedService[1].ParameterSetID = 5
    assert it.ask(body).ResponseCode == "OK"
    assert out.SelectServices(((60000, 5),)) in it.charger.log


@pytest.mark.parametrize(("mode", "service_id"), [("V2H", 28472), ("V2G", 28473)])
def test_sae_j2847_offers_power_from_the_car_as_a_service(mode: str, service_id: int) -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY, bidirectional_mode=mode)
    (service,) = it.ask(iso2.ServiceDiscoveryReq()).ServiceList.Service
    assert (service.ServiceID, service.ServiceCategory, service.FreeService) == (service_id, "OtherCustom", True)
    assert it.ask(selection(iso2, (1, service_id))).ResponseCode == "OK"
    assert "sae_bidi_mode_active" in it.charger.names()


def test_the_codec_round_trips_what_the_handshake_offers() -> None:
    best_first = [handshake.ISO15118D2, handshake.DIN70121]
    offered = handshake.offer(best_first)
    assert codec("sap").decode(codec("sap").encode(offered)) == offered
    response = handshake.choose(offered, reversed(best_first)).response
    assert handshake.accepted(response, best_first) is handshake.ISO15118D2
    assert handshake.accepted(handshake.refuse().response, best_first) is None


@pytest.mark.parametrize(
    ("evse_id", "iso2_text", "din_octets"),
    [
        ("DE*CHB*E123456*1", "DE*CHB*E123456*1", b"DE*CHB*E123456*1"),
        ("DE*C*E1", "DE*C*E1", b"DE*C*E1"),
        ("DE*C*E", "ZZ00000", b"DE*C*E"),
        ("", "ZZ00000", b"\0"),
        ("DE*CHB*E" + "1" * 29, "DE*CHB*E" + "1" * 29, b"\0"),
        ("DE*CHB*E" + "1" * 30, "ZZ00000", b"\0"),
    ],
)
def test_no_evse_id_is_made_up(evse_id: str, iso2_text: str, din_octets: bytes) -> None:
    """Neither filled with zeros nor cut: that would be another EVSE's. ZZ00000 and zero stand for none."""
    it = Talk(iso2, dc_facts(evse_id=evse_id))
    assert iso2_text == it.ask(iso2.SessionSetupReq(EVCCID=bytes(6))).EVSEID
    it = Talk(din, dc_facts(evse_id=evse_id, evse_id_din=""))
    assert din_octets == it.ask(din.SessionSetupReq(EVCCID=bytes(6))).EVSEID


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        # -20:DC of rank 2 before -2 of rank 1: the car's rank counts, not the order.
        (
            "01fe8001000000478000f3ab9371d34b9b79d39ba321d34b9b79d189a98989c1d1699181d222180100001c0401d75726e3a69736f"
            "3a31353131383a323a323031333a4d73674465660040000480080",
            "01fe80010000000480400240",
        ),
        # -20:AC and -20:DC alone: nothing in common.
        (
            "01fe8001000000488000f3ab9371d34b9b79d39ba321d34b9b79d189a98989c1d1699181d20a180100000c0001e75726"
            "e3a69736f3a7374643a69736f3a31353131383a2d32303a44430020000200880",
            "01fe800100000003804880",
        ),
    ],
)
def test_offers_of_cars_with_iso_15118_20(offer: str, answer: str) -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    effects = it.raw(bytes.fromhex(offer))
    (sent,) = [effect for effect in effects if isinstance(effect, out.Send)]
    assert sent.data.hex() == answer
    assert it.charger.broken() == [], "it was read to its end"


def test_a_car_that_prefers_iso_15118_20_gets_what_both_speak() -> None:
    it = Talk(iso2, dc_facts(), shake=False)
    entries = [entry("urn:iso:std:iso:15118:-20:DC", 1, 0, 3, 1), entry(ISO2, 2, 0, 9, 2)]
    payload = codec("sap").encode(sap.supportedAppProtocolReq(AppProtocol=entries))
    effects = it.raw(Frame(EXI_DIN_ISO2, payload).to_bytes())
    (sent,) = [effect for effect in effects if isinstance(effect, out.Send)]
    answer: Any = codec("sap").decode(sent.data[8:])
    assert answer.SchemaID == 9


@pytest.mark.parametrize("service_id", [1, 2])
def test_no_provider_takes_the_place_of_the_own_services(service_id: int) -> None:
    it = talk("iso2", State.SERVICE_DISCOVERY)
    it.facts.offered_services = {service_id: iso15118_vas.OfferedService(service_id=service_id)}
    assert it.ask(iso2.ServiceDiscoveryReq()).ServiceList is None


def test_a_service_that_is_chosen_without_a_parameter_set_has_the_number_0() -> None:
    it = talk("iso2", State.SERVICE_SELECTION)
    it.facts.offered_services = {4711: iso15118_vas.OfferedService(service_id=4711)}
    assert it.ask(selection(iso2, services=(1, 4711))).ResponseCode == "OK"
    assert [one.selected for one in it.charger.log if isinstance(one, out.SelectServices)] == [((4711, 0),)]
