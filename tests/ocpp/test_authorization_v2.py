"""Tokens and contracts of OCPP 2.x as a CSMS sees them."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken, ValidationResult
from chargebyte_fw.contracts.types.evse_security import (
    CertificateHashData,
    CertificateValidationResult,
    HashAlgorithm,
    OCSPRequestData,
    OCSPRequestDataList,
)
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import token
from tests.ocpp.station2 import Station2

# Authorization.


@pytest.mark.ocpp(
    "C10", "C12", "C11", "C10.FR.04", "C10.FR.10", "C11.FR.01", "C11.FR.02", "C11.FR.03", "C01.FR.02", "C01.FR.05"
)
def test_the_cache_is_filled_used_and_cleared() -> None:
    station = Station2(LocalPreAuthorize=True)
    for _ in range(2):
        assert station.present("DeadBeef").authorization_status.value == "Accepted"
    assert station.present("DEADBEEF").authorization_status.value == "Accepted"
    assert len(station.requests("Authorize")) == 1
    assert station.ask("ClearCache") == {"status": "Accepted"}
    station.present("DEADBEEF")
    assert len(station.requests("Authorize")) == 1
    station.set("LifeTime", 100)
    station.ask("ClearCache")
    station.present("DEADBEEF")
    station.pass_s(101)
    station.present("DEADBEEF")
    assert len(station.requests("Authorize")) == 2


@pytest.mark.ocpp("C09")
def test_a_group_reaches_the_stack() -> None:
    station = Station2()
    station.answers["Authorize"]["idTokenInfo"]["groupIdToken"] = {"idToken": "GROUP", "type": "Central"}
    result = station.present("CAFE")
    assert result.parent_id_token is not None and result.parent_id_token.value == "GROUP"


@pytest.mark.ocpp("C15", "C15.FR.08")
@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Unknown")])
def test_offline_an_unknown_token_is_as_the_configuration_has_it(allowed: bool, status: str) -> None:
    station = Station2(OfflineTxForUnknownIdEnabled=allowed)
    station.disconnect()
    assert station.present("CAFE").authorization_status.value == status


@pytest.mark.ocpp("C15")
@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Unknown")])
def test_offline_a_token_that_the_csms_does_not_know_is_an_unknown_one(allowed: bool, status: str) -> None:
    station = Station2(LocalPreAuthorize=True, LocalAuthorizeOffline=True, OfflineTxForUnknownIdEnabled=allowed)
    station.answers["Authorize"] = {"idTokenInfo": {"status": "Unknown"}}
    assert station.present("CAFE").authorization_status.value == "Unknown"
    station.answers["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}
    assert station.present("BABE").authorization_status.value == "Blocked"
    station.disconnect()
    assert station.present("CAFE").authorization_status.value == status
    assert station.present("BABE").authorization_status.value == "Blocked"


@pytest.mark.ocpp("C09")
def test_a_group_that_the_csms_names_during_a_transaction_reaches_the_stack() -> None:
    station = Station2()
    info = {"status": "Accepted", "groupIdToken": {"idToken": "GROUP", "type": "Central"}}
    station.answers["TransactionEvent"] = {"idTokenInfo": info}
    station.charge()
    [update] = station.published("validate_result_update")
    assert update.connector_id == 1
    assert update.validation_result.authorization_status.value == "Accepted"
    assert update.validation_result.parent_id_token.value == "GROUP"


@pytest.mark.ocpp("C13", "C14", "D01", "D02")
def test_the_local_list_decides_and_a_refused_entry_is_asked_about() -> None:
    station = Station2(LocalPreAuthorize=True)

    def send(version: int, kind: str, *entries: tuple[str, str | None]) -> str:
        found = [
            {"idToken": {"idToken": name, "type": "ISO14443"}, **({} if s is None else {"idTokenInfo": {"status": s}})}
            for name, s in entries
        ]
        payload: dict[str, Any] = {"versionNumber": version, "updateType": kind}
        return str(
            station.ask("SendLocalList", {**payload, **({"localAuthorizationList": found} if found else {})})["status"]
        )

    assert send(0, "Full", ("A", "Accepted")) == "Failed"
    assert send(3, "Full", ("A", "Accepted"), ("B", "Blocked")) == "Accepted"
    assert send(3, "Differential", ("C", "Accepted")) == "VersionMismatch"
    assert send(4, "Full", ("A", None)) == "Failed"
    assert send(4, "Full", ("A", "Accepted"), ("a", "Accepted")) == "Failed"
    station.present("a")
    assert station.requests("Authorize") == []
    station.present("B")
    assert len(station.requests("Authorize")) == 1
    station.disconnect()
    assert station.present("B").authorization_status.value == "Blocked"
    station.connect()
    assert station.ask("GetLocalListVersion") == {"versionNumber": 3}
    assert send(9, "Full") == "Accepted"
    assert station.ask("GetLocalListVersion") == {"versionNumber": 9}
    station.set("Enabled", False)


@pytest.mark.ocpp("C02", "C05", "C03.FR.01", "C05.FR.01")
@pytest.mark.parametrize("kind", ["Central", "NoAuthorization"])
def test_tokens_of_the_station_itself_are_accepted(kind: str) -> None:
    station = Station2()
    station.requests()
    presented = token("X")
    presented.id_token.type = type(presented.id_token.type)(kind)
    assert validated(station, presented).authorization_status.value == "Accepted"
    assert station.requests() == []


@pytest.mark.parametrize(("version", "status"), [(Version.V201, "Invalid"), (Version.V21, "Accepted")])
def test_the_length_of_a_token_is_that_of_the_version(version: Version, status: str) -> None:
    station = Station2(version=version)
    presented = token("A")
    presented.id_token.value = "A" * 40
    assert validated(station, presented).authorization_status.value == status


def validated(station: Station2, presented: ProvidedIdToken) -> ValidationResult:
    station.other.clear()
    station.feed(events.Served("auth", "auth_token_validator", "validate_token", (presented,)))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    result: ValidationResult = reply.result
    return result


# Contracts (C07).

HASH = CertificateHashData(
    hash_algorithm=HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="1"
)


def contract(certificate: str | None = "PEM") -> ProvidedIdToken:
    presented = token("DEABC123456789")
    presented.id_token.type = type(presented.id_token.type).eMAID
    presented.authorization_type = AuthorizationType.PlugAndCharge
    presented.certificate = certificate
    return presented


@pytest.mark.ocpp("C07", "C07.FR.01", "C07.FR.02")
def test_a_contract_is_asked_about_with_the_hashes_of_its_chain() -> None:
    station = Station2()
    data = OCSPRequestData(certificate_hash_data=HASH, responder_url="http://ocsp")
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[data])
    station.answers["Authorize"]["certificateStatus"] = "CertificateRevoked"
    result = validated(station, contract())
    [payload] = station.payloads_of("Authorize")
    assert payload["iso15118CertificateHashData"][0]["responderURL"] == "http://ocsp" and "certificate" not in payload
    assert (result.authorization_status.value, str(result.certificate_status)) == ("Invalid", "CertificateRevoked")


@pytest.mark.parametrize(
    ("found", "central", "status", "sent"),
    [
        ("Valid", False, "Accepted", "token"),
        ("IssuerNotFound", True, "Accepted", "certificate"),
        ("IssuerNotFound", False, "Invalid", None),
        ("Expired", True, "Expired", None),
    ],
)
@pytest.mark.ocpp("C07", "C07.FR.06")
def test_a_contract_without_responders_is_verified_here_first(
    found: str, central: bool, status: str, sent: str | None
) -> None:
    station = Station2(CentralContractValidationAllowed=central)
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[])
    station.results["verify_certificate"] = CertificateValidationResult(found)
    assert validated(station, contract()).authorization_status.value == status
    payloads = list(station.payloads_of("Authorize"))
    assert [("certificate" if "certificate" in one else "token") for one in payloads] == ([sent] if sent else [])


@pytest.mark.ocpp("C07", "C07.FR.06")
def test_a_chain_whose_root_is_not_installed_goes_whole_to_the_csms() -> None:
    """The hash of the certificate below the root needs the root: the others alone are not the chain."""
    station = Station2(CentralContractValidationAllowed=True)
    data = OCSPRequestData(certificate_hash_data=HASH, responder_url="http://ocsp")
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[data])
    station.results["verify_certificate"] = CertificateValidationResult.IssuerNotFound
    chain = 2 * "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    assert validated(station, contract(chain)).authorization_status.value == "Accepted"
    [payload] = station.payloads_of("Authorize")
    assert payload["certificate"] == chain and "iso15118CertificateHashData" not in payload
    station.results["verify_certificate"] = CertificateValidationResult.Valid
    validated(station, contract(chain))
    payload = list(station.payloads_of("Authorize"))[-1]
    assert len(payload["iso15118CertificateHashData"]) == 1 and "certificate" not in payload


@pytest.mark.ocpp("C07", "C07.FR.07", "C07.FR.08")
@pytest.mark.parametrize(
    ("offline", "found", "unknown", "status"),
    [
        (False, "Valid", True, "NotAtThisTime"),
        (True, "Expired", True, "Expired"),
        (True, "Valid", False, "Unknown"),
    ],
)
def test_offline_a_contract_needs_a_valid_chain_and_an_entry(
    offline: bool, found: str, unknown: bool, status: str
) -> None:
    station = Station2(ContractValidationOffline=offline, OfflineTxForUnknownIdEnabled=unknown)
    station.results["verify_certificate"] = CertificateValidationResult(found)
    station.disconnect()
    assert validated(station, contract()).authorization_status.value == status


def test_without_plug_and_charge_a_contract_is_unknown_and_nothing_is_sent() -> None:
    station = Station2(PnCEnabled=False)
    station.requests()
    assert validated(station, contract()).authorization_status.value == "Unknown"
    assert station.requests() == []
