"""Plug and Charge of OCPP 1.6 in DataTransfer: contracts, certificates, requests of cars, OCSP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.modules.ocpp.messages.v16.plug_and_charge import VENDOR_ID
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import Station16

HASH = security.CertificateHashData(
    hash_algorithm=security.HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)
OCSP = security.OCSPRequestDataList(
    ocsp_request_data_list=[security.OCSPRequestData(responder_url="http://ocsp", certificate_hash_data=HASH)]
)
KEYS: dict[str, Any] = {"PnCEnabled": True, "ISO15118CertificateManagementEnabled": True, "SeccId": "SECC001"}
V2G_KEYS: dict[str, Any] = {"CountryName": "DE", "OrganizationName": "O"}


class Pnc16(Station16):
    """A station whose CSMS answers Plug and Charge: `inner` has the 2.0.1 answers by action."""

    def __init__(self, **keys: Any) -> None:
        self.inner: dict[str, dict[str, Any]] = {
            "Authorize": {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"},
            "SignCertificate": {"status": "Accepted"},
            "Get15118EVCertificate": {"status": "Accepted", "exiResponse": "RVhJ"},
            "GetCertificateStatus": {"status": "Accepted", "ocspResult": "T0NTUA=="},
        }
        super().__init__(**{**KEYS, **V2G_KEYS, **keys})
        self.results["get_mo_ocsp_request_data"] = OCSP
        self.results["get_v2g_ocsp_request_data"] = OCSP
        self.results["verify_certificate"] = security.CertificateValidationResult.Valid

    def _csms(self, message: do.Enqueue) -> list[Any]:
        if message.request.action_name == "DataTransfer":
            inner = self.inner[message.request.message_id]
            self.answers["DataTransfer"] = {"status": "Accepted", "data": json.dumps(inner)}
        return super()._csms(message)

    def transfer(self, action: str, payload: Any) -> dict[str, Any]:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        answer = self.ask("DataTransfer", {"vendorId": VENDOR_ID, "messageId": action, "data": data})
        assert answer["status"] == "Accepted"
        found: dict[str, Any] = json.loads(answer["data"])
        return found

    def transfers(self, action: str) -> list[dict[str, Any]]:
        sent = [one for one in self.requests("DataTransfer") if one.message_id == action]
        assert all(one.vendor_id == VENDOR_ID for one in sent)
        return [json.loads(one.data) for one in sent]

    def contract(self, **more: Any) -> ValidationResult:
        token = ProvidedIdToken(
            id_token=IdToken(value="DE8AAA123456789", type=IdTokenType.eMAID),
            authorization_type=AuthorizationType.PlugAndCharge,
            certificate="-----BEGIN CERTIFICATE-----",
            **more,
        )
        self.other.clear()
        self.feed(events.Served("auth", "auth_token_validator", "validate_token", (token,)))
        [reply] = [one for one in self.other if isinstance(one, do.Reply)]
        result: ValidationResult = reply.result
        return result


def test_a_contract_is_authorized_with_the_hashes_of_its_chain() -> None:
    station = Pnc16()
    assert station.contract().authorization_status is AuthorizationStatus.Accepted
    [request] = station.transfers("Authorize")
    assert request["idToken"] == {"idToken": "DE8AAA123456789", "type": "eMAID"}
    [data] = request["iso15118CertificateHashData"]
    assert (data["issuerNameHash"], data["responderURL"]) == ("aa", "http://ocsp")


def test_a_contract_whose_certificate_is_revoked_is_refused() -> None:
    station = Pnc16()
    station.inner["Authorize"]["certificateStatus"] = "CertificateRevoked"
    result = station.contract()
    assert result.authorization_status is AuthorizationStatus.Invalid
    assert result.certificate_status is CertificateStatus.CertificateRevoked


@pytest.mark.parametrize("allowed", [True, False])
def test_a_chain_without_a_known_root_goes_to_the_csms_where_that_is_allowed(allowed: bool) -> None:
    station = Pnc16(CentralContractValidationAllowed=allowed)
    station.results["get_mo_ocsp_request_data"] = security.OCSPRequestDataList(ocsp_request_data_list=[])
    station.results["verify_certificate"] = security.CertificateValidationResult.IssuerNotFound
    accepted = station.contract().authorization_status is AuthorizationStatus.Accepted
    assert accepted is allowed
    assert [one["certificate"] for one in station.transfers("Authorize")] == ["-----BEGIN CERTIFICATE-----"] * allowed


def test_other_tokens_are_asked_about_as_ever() -> None:
    station = Pnc16()
    assert station.present("CAFE").authorization_status is AuthorizationStatus.Accepted
    assert len(station.requests("Authorize")) == 1 and station.transfers("Authorize") == []


def test_an_answer_that_is_no_json_authorizes_no_one() -> None:
    station = Pnc16()
    station.inner["Authorize"] = {"idTokenInfo": {}}
    assert station.contract().authorization_status is AuthorizationStatus.Invalid


@pytest.mark.parametrize(
    ("trigger", "kind"), [("SignV2GCertificate", {"certificateType": "V2GCertificate"}), ("SignCertificate", {})]
)
def test_a_v2g_certificate_is_asked_for_and_installed(trigger: str, kind: dict[str, str]) -> None:
    station = Pnc16()
    station.results["generate_certificate_signing_request"] = security.GetCertificateSignRequestResult(
        status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR"
    )
    wanted = {"requestedMessage": trigger}
    assert station.transfer("TriggerMessage", wanted) == {"status": "Accepted"}
    assert station.transfers("SignCertificate") == [{"csr": "CSR", "certificateType": "V2GCertificate"}]
    [(_, _, arguments)] = station.commanded("generate_certificate_signing_request")
    assert arguments == (security.LeafCertificateType.V2G, "DE", "O", "SECC001", False)
    station.results["update_leaf_certificate"] = security.InstallCertificateResult.Accepted
    assert station.transfer("CertificateSigned", {"certificateChain": "PEM", **kind}) == {"status": "Accepted"}
    [(_, _, installed)] = station.commanded("update_leaf_certificate")
    assert installed == ("PEM", security.LeafCertificateType.V2G)
    station.pass_s(3600)
    assert station.transfers("SignCertificate") == [], "nothing is repeated"


def test_without_keys_for_it_the_subject_of_a_v2g_certificate_is_that_of_the_station() -> None:
    station = Pnc16(SeccId="", CountryName="", OrganizationName="Operator", ChargeBoxSerialNumber="SN1")
    station.results["generate_certificate_signing_request"] = security.GetCertificateSignRequestResult(
        status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR"
    )
    assert station.transfer("TriggerMessage", {"requestedMessage": "SignCertificate"}) == {"status": "Accepted"}
    [(_, _, arguments)] = station.commanded("generate_certificate_signing_request")
    assert arguments[:4] == (security.LeafCertificateType.V2G, "DE", "Operator", "SN1")


def test_an_invalid_chain_is_rejected_with_a_security_event() -> None:
    station = Pnc16()
    station.results["update_leaf_certificate"] = security.InstallCertificateResult.InvalidSignature
    signed = {"certificateChain": "PEM", "certificateType": "V2GCertificate"}
    assert station.transfer("CertificateSigned", signed)["status"] == "Rejected"
    assert [one.type for one in station.requests("SecurityEventNotification")][-1] == "InvalidChargePointCertificate"


def test_certificates_are_listed_installed_and_deleted() -> None:
    station = Pnc16()
    none = security.GetInstalledCertificatesResult(
        status=security.GetInstalledCertificatesStatus.NotFound, certificate_hash_data_chain=[]
    )
    station.results["get_installed_certificates"] = none
    assert station.transfer("GetInstalledCertificateIds", {}) == {"status": "NotFound"}
    assert len(station.commanded("get_installed_certificates")) == 1
    assert station.transfer("GetInstalledCertificateIds", {"certificateType": []}) == {"status": "NotFound"}
    assert station.commanded("get_installed_certificates") == [], "of no type there is none"
    station.results["install_ca_certificate"] = security.InstallCertificateResult.Accepted
    root = {"certificateType": "V2GRootCertificate", "certificate": "PEM"}
    assert station.transfer("InstallCertificate", root) == {"status": "Accepted"}
    station.results["install_ca_certificate"] = security.InstallCertificateResult.InvalidFormat
    assert station.transfer("InstallCertificate", root) == {"status": "Rejected"}
    station.results["delete_certificate"] = security.DeleteCertificateResult.NotFound
    data = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"}
    assert station.transfer("DeleteCertificate", {"certificateHashData": data})["status"] == "NotFound"


def test_a_car_gets_its_contract_certificate_or_a_refusal() -> None:
    station = Pnc16()
    wanted = iso15118.RequestExiStreamSchema(
        exi_request="QQ==", iso15118_schema_version="urn:x", certificate_action=iso15118.CertificateActionEnum.Install
    )
    fact = events.FactReceived("iso15118_extensions", "iso15118_certificate_request", wanted, 1)
    station.feed(fact)
    [(_, evse_id, (reply,))] = station.commanded("set_get_certificate_response")
    assert (evse_id, reply.status.value, reply.exi_response) == (1, "Accepted", "RVhJ")
    station.inner["Get15118EVCertificate"]["status"] = "Failed"
    station.feed(fact)
    station.disconnect()
    station.feed(fact)
    replies = [arguments[0].status.value for _, _, arguments in station.commanded("set_get_certificate_response")]
    assert replies == ["Failed", "Failed"]


def test_ocsp_responses_are_renewed_a_minute_after_the_registration_and_weekly() -> None:
    station = Pnc16(interval_s=86400)
    station.pass_s(61)
    [(_, _, (known, response))] = station.commanded("update_ocsp_cache")
    assert (known, response) == (HASH, "T0NTUA==")
    assert len(station.transfers("GetCertificateStatus")) == 1
    station.pass_days(7)
    assert len(station.transfers("GetCertificateStatus")) == 1


def test_what_cannot_be_read_or_is_unknown_is_refused() -> None:
    station = Pnc16()
    for data in ("{", '{"certificateType": "OtherRoot", "certificate": "PEM"}'):
        ask = {"vendorId": VENDOR_ID, "messageId": "InstallCertificate", "data": data}
        assert station.ask("DataTransfer", ask)["status"] == "Rejected"
    answer = station.ask("DataTransfer", {"vendorId": VENDOR_ID, "messageId": "Reset", "data": "{}"})
    assert answer["status"] == "UnknownMessageId"
    assert station.transfer("TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "NotImplemented"}
