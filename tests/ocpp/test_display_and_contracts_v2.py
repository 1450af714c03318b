"""Display messages (O01 to O05), contract certificates of cars (M01, M02) and OCSP responses (M06) of OCPP 2.x."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types import iso15118, text_message
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station2 import Station2

MESSAGE = {"id": 3, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "hello", "language": "en"}}


@pytest.mark.parametrize("status", list(display.DisplayMessageStatusEnum))
@pytest.mark.ocpp("O01")
def test_a_message_is_shown_as_the_display_answers(status: display.DisplayMessageStatusEnum) -> None:
    station = Station2()
    station.results["set_display_message"] = display.SetDisplayMessageResponse(status=status)
    assert station.ask("SetDisplayMessage", {"message": MESSAGE}) == {"status": status.value}
    [(_, _, ([shown],))] = station.commanded("set_display_message")
    assert (shown.id, shown.message.content, shown.message.language) == (3, "hello", "en")
    assert (shown.identifier_id, shown.identifier_type) == (None, display.IdentifierType.TransactionId)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"message": {"format": "HTML", "content": "x"}}, "NotSupportedMessageFormat"),
        ({"priority": "AlwaysFront"}, "NotSupportedPriority"),
        ({"transactionId": "none"}, "UnknownTransaction"),
    ],
)
@pytest.mark.ocpp("O01", "O02", "O02.FR.01")
def test_what_the_display_cannot_show_is_refused(change: dict[str, Any], status: str) -> None:
    station = Station2()
    assert station.ask("SetDisplayMessage", {"message": {**MESSAGE, **change}}) == {"status": status}
    assert station.commanded("set_display_message") == []


@pytest.mark.ocpp("O02")
def test_a_message_for_a_transaction_is_bound_to_it() -> None:
    station = Station2()
    station.charge()
    station.ask("SetDisplayMessage", {"message": {**MESSAGE, "transactionId": "s1"}})
    [(_, _, ([shown],))] = station.commanded("set_display_message")
    assert (shown.identifier_id, shown.identifier_type) == ("s1", display.IdentifierType.TransactionId)


@pytest.mark.ocpp("O06", "O06.FR.01")
def test_a_message_with_the_id_of_another_takes_its_place() -> None:
    station = Station2()
    accepted = display.SetDisplayMessageResponse(status=display.DisplayMessageStatusEnum.Accepted)
    station.results["set_display_message"] = accepted
    for text in ("hello", "goodbye"):
        wanted = {**MESSAGE, "message": {"format": "UTF8", "content": text}}
        assert station.ask("SetDisplayMessage", {"message": wanted}) == {"status": "Accepted"}
    shown = [args[0][0] for _, _, args in station.commanded("set_display_message")]
    assert [(one.id, one.message.content) for one in shown] == [(3, "hello"), (3, "goodbye")]


@pytest.mark.ocpp("O03", "O04")
def test_messages_are_listed_in_notifications_after_the_answer() -> None:
    station = Station2()
    content = text_message.MessageContent(content="x")
    found = [display.DisplayMessage(id=n, message=content) for n in range(5)] + [
        display.DisplayMessage(message=content)
    ]
    station.results["get_display_messages"] = display.GetDisplayMessageResponse(messages=found)
    station.requests()
    assert station.ask("GetDisplayMessages", {"requestId": 9}) == {"status": "Accepted"}
    sent = list(station.payloads_of("NotifyDisplayMessages"))
    ids = [([one["id"] for one in payload["messageInfo"]], payload.get("tbc", False)) for payload in sent]
    assert ids == [([0, 1, 2, 3], True), ([4], False)] and {one["requestId"] for one in sent} == {9}
    station.results["get_display_messages"] = display.GetDisplayMessageResponse(messages=[])
    assert station.ask("GetDisplayMessages", {"requestId": 9, "id": [7]}) == {"status": "Unknown"}


@pytest.mark.parametrize("status", list(display.ClearMessageResponseEnum))
@pytest.mark.ocpp("O05", "O05.FR.01", "O05.FR.02")
def test_a_message_is_removed_as_the_display_answers(status: display.ClearMessageResponseEnum) -> None:
    station = Station2()
    station.results["clear_display_message"] = display.ClearDisplayMessageResponse(status=status)
    assert station.ask("ClearDisplayMessage", {"id": 3}) == {"status": status.value}


# Contract certificates of cars.

WANTED = iso15118.RequestExiStreamSchema(
    exi_request="cmVx",
    iso15118_schema_version="urn:iso:15118:2:2013:MsgDef",
    certificate_action=iso15118.CertificateActionEnum.Install,
)


def asked(station: Station2, wanted: iso15118.RequestExiStreamSchema = WANTED) -> list[Any]:
    station.feed(events.FactReceived("iso15118_extensions", "iso15118_certificate_request", wanted, 2))
    return [(evse_id, args[0]) for _, evse_id, args in station.commanded("set_get_certificate_response")]


@pytest.mark.ocpp("M01", "M01.FR.01")
def test_the_request_of_a_car_goes_to_the_csms_and_the_answer_back_to_its_evse() -> None:
    station = Station2()
    station.answers["Get15118EVCertificate"] = {"status": "Accepted", "exiResponse": "cmVz"}
    [(evse_id, reply)] = asked(station)
    assert (evse_id, reply.status.value, reply.exi_response) == (2, "Accepted", "cmVz")
    [payload] = station.payloads_of("Get15118EVCertificate")
    assert payload == {
        "iso15118SchemaVersion": WANTED.iso15118_schema_version,
        "action": "Install",
        "exiRequest": "cmVx",
    }


@pytest.mark.ocpp("M02", "M02.FR.01")
def test_a_contract_is_updated_as_it_is_installed() -> None:
    station = Station2()
    station.answers["Get15118EVCertificate"] = {"status": "Accepted", "exiResponse": "cmVz"}
    update = iso15118.CertificateActionEnum.Update
    wanted = iso15118.RequestExiStreamSchema(
        exi_request="dXBk", iso15118_schema_version=WANTED.iso15118_schema_version, certificate_action=update
    )
    [(evse_id, reply)] = asked(station, wanted)
    assert (evse_id, reply.status.value, reply.exi_response, reply.certificate_action) == (
        2,
        "Accepted",
        "cmVz",
        update,
    )
    [payload] = station.payloads_of("Get15118EVCertificate")
    assert (payload["action"], payload["exiRequest"]) == ("Update", "dXBk")


@pytest.mark.parametrize(("case", "exi"), [("failed", ""), ("refused", "cmVz"), ("offline", ""), ("disabled", "")])
def test_a_car_always_gets_an_answer(case: str, exi: str) -> None:
    station = Station2(ContractCertificateInstallationEnabled=case != "disabled")
    station.answers["Get15118EVCertificate"] = {"status": "Failed", "exiResponse": exi}
    if case == "offline":
        station.disconnect()
    [(_, reply)] = asked(station)
    assert (reply.status.value, reply.exi_response) == ("Failed", exi or None)


@pytest.mark.ocpp("M06", "M06.FR.06", "M06.FR.10")
def test_ocsp_responses_are_renewed_at_the_start_and_sooner_after_a_failure() -> None:
    station = Station2(connects=False)
    data = security.CertificateHashData(
        hash_algorithm=security.HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="1"
    )
    station.results["get_v2g_ocsp_request_data"] = security.OCSPRequestDataList(
        ocsp_request_data_list=[security.OCSPRequestData(certificate_hash_data=data, responder_url="http://x")]
    )
    station.answers["GetCertificateStatus"] = {"status": "Failed"}
    station.connect()
    station.pass_s(0)
    assert station.commanded("update_ocsp_cache") == []
    station.answers["GetCertificateStatus"] = {"status": "Accepted", "ocspResult": "T0NTUA=="}
    station.pass_s(3600)
    assert station.commanded("update_ocsp_cache") == [("update_ocsp_cache", None, (data, "T0NTUA=="))]
    station.pass_days(7)
    assert station.commanded("update_ocsp_cache") == [("update_ocsp_cache", None, (data, "T0NTUA=="))], "weekly"
