"""The security whitepaper in OCPP 1.6: signing requests, certificates by security profile, security events."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import Station16

CSR = security.GetCertificateSignRequestResult(status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR")
HASH = security.CertificateHashData(
    hash_algorithm=security.HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="01"
)
ROOT = {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"}
TRIGGER = {"requestedMessage": "SignChargePointCertificate"}


class Secured16(Station16):
    def __init__(self, security_profile: int = 3, **keys: Any) -> None:
        super().__init__(connects=False, **keys)
        self.results["generate_certificate_signing_request"] = CSR
        self.results["update_leaf_certificate"] = security.InstallCertificateResult.Accepted
        self.results["install_ca_certificate"] = security.InstallCertificateResult.Accepted
        self.connect(security_profile)
        self.requests()
        self.commanded()

    def event_types(self) -> list[str]:
        return [one.type for one in self.requests("SecurityEventNotification")]

    def raise_event(self, **event: Any) -> None:
        self.feed(events.Served("x", "ocpp", Ocpp.security_event_.__name__, (ocpp.SecurityEvent(**event),)))


@pytest.mark.ocpp("1.6 security §A02")
def test_a_signing_request_is_repeated_with_doubled_pauses_as_often_as_is_configured() -> None:
    station = Secured16(CertSigningWaitMinimum=20, CertSigningRepeatTimes=2)
    assert station.ask("ExtendedTriggerMessage", TRIGGER) == {"status": "Accepted"}
    found = []
    for pause_s in (0, 19, 2, 38, 2, 1000):
        station.pass_s(pause_s)
        found.append(len(station.requests("SignCertificate")))
    assert found == [1, 0, 1, 0, 1, 0]


@pytest.mark.ocpp("1.6 security §A02")
def test_a_certificate_that_comes_ends_the_repetition_and_is_used_with_a_new_connection() -> None:
    station = Secured16()
    station.ask("ExtendedTriggerMessage", TRIGGER)
    station.requests()
    assert station.ask("CertificateSigned", {"certificateChain": "PEM"}) == {"status": "Accepted"}
    assert [one for one in station.other if isinstance(one, do.Reconnect)] != []
    station.pass_s(3600)
    assert station.requests("SignCertificate") == []


def test_without_a_name_of_the_operator_nothing_is_signed() -> None:
    station = Secured16(OrganizationName="")
    assert station.ask("ExtendedTriggerMessage", TRIGGER) == {"status": "Rejected"}


@pytest.mark.parametrize("chain", ["PEM", "x" * 200])
def test_an_invalid_or_too_long_chain_is_rejected_with_a_security_event(chain: str) -> None:
    station = Secured16(MaxCertificateChainSize=100)
    station.results["update_leaf_certificate"] = security.InstallCertificateResult.InvalidCertificateChain
    assert station.ask("CertificateSigned", {"certificateChain": chain}) == {"status": "Rejected"}
    assert station.event_types() == ["InvalidChargePointCertificate"]


@pytest.mark.parametrize(
    ("profile", "allowed", "status"), [(1, False, "Rejected"), (1, True, "Accepted"), (2, False, "Accepted")]
)
def test_a_root_over_an_unsecure_connection(profile: int, allowed: bool, status: str) -> None:
    """Field case 19."""
    station = Secured16(profile, AllowCSMSRootCertInstallWithUnsecureConnection=allowed)
    assert station.ask("InstallCertificate", ROOT) == {"status": status}


@pytest.mark.ocpp("1.6 security §M05")
def test_a_root_that_the_store_refuses() -> None:
    """Field case 18: the store refuses what is no self-signed root."""
    station = Secured16()
    station.results["install_ca_certificate"] = security.InstallCertificateResult.InvalidCertificateChain
    assert station.ask("InstallCertificate", ROOT) == {"status": "Rejected"}
    station.results["install_ca_certificate"] = security.InstallCertificateResult.WriteError
    assert station.ask("InstallCertificate", ROOT) == {"status": "Failed"}


@pytest.mark.ocpp("1.6 security §M03", "1.6 security §M04")
def test_roots_are_listed_and_deleted() -> None:
    station = Secured16()
    wanted = {"certificateType": "CentralSystemRootCertificate"}
    assert station.ask("GetInstalledCertificateIds", wanted) == {"status": "NotFound"}
    chain = security.CertificateHashDataChain(
        certificate_type=security.CertificateType.CSMSRootCertificate, certificate_hash_data=HASH
    )
    station.results["get_installed_certificates"] = security.GetInstalledCertificatesResult(
        status=security.GetInstalledCertificatesStatus.Accepted, certificate_hash_data_chain=[chain]
    )
    [data] = station.ask("GetInstalledCertificateIds", wanted)["certificateHashData"]
    station.results["delete_certificate"] = security.DeleteCertificateResult.Accepted
    assert station.ask("DeleteCertificate", {"certificateHashData": data}) == {"status": "Accepted"}
    [(_, _, (deleted,))] = station.commanded("delete_certificate")
    assert deleted == HASH


@pytest.mark.ocpp("1.6 security §A03")
def test_a_client_certificate_that_expires_soon_is_renewed() -> None:
    station = Secured16()
    station.results["get_leaf_expiry_days_count"] = 29
    station.pass_s(61)
    assert len(station.requests("SignCertificate")) == 1


# Security events.


@pytest.mark.ocpp("1.6 security §A04")
def test_critical_events_are_sent_others_only_published() -> None:
    station = Secured16()
    station.other.clear()
    station.raise_event(type="InvalidMessages")
    station.raise_event(type="TamperDetectionActivated")
    station.raise_event(type="Other", critical=True)
    assert station.event_types() == ["TamperDetectionActivated", "Other"]
    assert [one.type for one in station.published("security_event")] == [
        "InvalidMessages",
        "TamperDetectionActivated",
        "Other",
    ]


def test_texts_are_cut_at_the_length_of_the_message() -> None:
    station = Secured16()
    station.raise_event(type="T" * 60, info="i" * 300, critical=True)
    [event] = station.requests("SecurityEventNotification")
    assert (len(event.type), len(event.tech_info)) == (50, 255)


def test_notifications_may_be_disabled() -> None:
    station = Secured16(DisableSecurityEventNotifications=True)
    station.other.clear()
    station.raise_event(type="TamperDetectionActivated")
    assert station.event_types() == []
    assert [one.type for one in station.published("security_event")] == ["TamperDetectionActivated"]


def test_what_the_connection_finds_has_the_name_of_the_version() -> None:
    station = Secured16()
    station.feed(events.SecurityEventFound("InvalidCsmsCertificate", "expired"))
    assert station.event_types() == ["InvalidCentralSystemCertificate"]
