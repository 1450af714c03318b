"""Signing requests of OCPP 2.1 (A02, A03): which request a certificate answers, and the root that it is to lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.modules.ocpp.security.hashes import issuing_root
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2
from tests.security.pki import chain, issue
from tests.security.store import ask, put, put_chain, running

Install = security.InstallCertificateResult
Kind = security.CertificateType
OF_2_1: dict[str, Any] = {
    "version": Version.V21,
    "V2GCertificateInstallationEnabled": True,
    "SeccId": "SECC",
    "OrganizationName": "CPO",
}
BOTH = pytest.mark.parametrize("cause", ["trigger", "expiry"])


def station_of(cause: str = "trigger", **how: Any) -> Station2:
    """Return a station with profile 3 whose two certificates end soon, or not."""
    station = Station2(connects=False, **{**OF_2_1, **how})
    prepare(station, expires=cause == "expiry")
    return station


def prepare(station: Station2, *, expires: bool = False) -> None:
    accepted = security.GetCertificateSignRequestStatus.Accepted
    csr = security.GetCertificateSignRequestResult(status=accepted, csr="CSR")
    station.results["generate_certificate_signing_request"] = csr
    station.results["get_leaf_expiry_days_count"] = 10 if expires else 300
    station.results["update_leaf_certificate"] = Install.Accepted
    station.connect(security_profile=3)
    station.pass_s(61)


def trigger(station: Station2, what: str = "SignChargingStationCertificate") -> None:
    assert station.ask("TriggerMessage", {"requestedMessage": what})["status"] == "Accepted"


def asked(station: Station2) -> list[dict[str, Any]]:
    return list(station.payloads_of("SignCertificate"))


def signed(station: Station2, request_id: int | None, use: str | None = None) -> str:
    given = {"requestId": request_id, "certificateType": use}
    request = {"certificateChain": "CHAIN", **{key: value for key, value in given.items() if value is not None}}
    status: str = station.ask("CertificateSigned", request)["status"]
    return status


@pytest.mark.ocpp("A02.FR.24", "A03.FR.20")
@BOTH
def test_each_request_has_its_number_and_its_repetitions_the_same(cause: str) -> None:
    station = station_of(cause, CertSigningWaitMinimum=30, CertSigningRepeatTimes=1)
    if cause == "trigger":
        trigger(station)
        trigger(station, "SignV2GCertificate")
    uses = ["ChargingStationCertificate", "V2GCertificate"]
    assert sorted((one["certificateType"], one["requestId"]) for one in asked(station)) == list(zip(uses, (1, 2)))
    station.requests()
    station.pass_s(30)
    assert sorted((one["certificateType"], one["requestId"]) for one in asked(station)) == list(zip(uses, (1, 2)))
    station.pass_s(1000)
    station.requests()
    trigger(station)
    assert [one["requestId"] for one in asked(station)] == [3]


@pytest.mark.ocpp("A02.FR.26", "A03.FR.22")
@BOTH
def test_a_certificate_for_another_request_is_refused(cause: str) -> None:
    station = station_of(cause)
    if cause == "trigger":
        trigger(station)
        trigger(station, "SignV2GCertificate")
    numbers = {one["certificateType"]: one["requestId"] for one in asked(station)}
    station.requests()
    assert signed(station, 99, "ChargingStationCertificate") == "Rejected"
    assert signed(station, 99) == "Rejected"
    assert signed(station, numbers["V2GCertificate"], "ChargingStationCertificate") == "Rejected"
    assert station.commanded("update_leaf_certificate") == []
    events = [one["type"] for one in station.payloads_of("SecurityEventNotification")]
    assert events == ["InvalidChargingStationCertificate"] * 3
    number = numbers["ChargingStationCertificate"]
    assert signed(station, number, "ChargingStationCertificate") == "Accepted", "the request has not ended by it"
    assert signed(station, number, "ChargingStationCertificate") == "Rejected", "it was answered"


def test_without_a_type_it_is_that_of_its_request() -> None:
    station = station_of()
    trigger(station, "SignV2GCertificate")
    assert signed(station, asked(station)[0]["requestId"]) == "Accepted"
    [(_, _, (_, kind))] = station.commanded("update_leaf_certificate")
    assert kind is security.LeafCertificateType.V2G


def test_a_csms_that_knows_no_numbers_is_answered_as_before() -> None:
    station = station_of()
    trigger(station)
    assert signed(station, None) == "Accepted"


def test_a_bad_certificate_may_be_followed_by_a_good_one() -> None:
    station = station_of()
    trigger(station)
    station.results["update_leaf_certificate"] = Install.Expired
    assert signed(station, 1) == "Rejected"
    station.results["update_leaf_certificate"] = Install.Accepted
    assert signed(station, 1) == "Accepted"


def test_the_numbers_outlive_a_restart() -> None:
    station = station_of()
    trigger(station)
    again = station.restart(connects=False, **{key: value for key, value in OF_2_1.items() if key != "version"})
    prepare(again)
    assert signed(again, 1) == "Accepted"
    trigger(again)
    assert [one["requestId"] for one in asked(again)] == [2]
    assert signed(again, 1) == "Rejected"


# The root.


def hashes(name: str, issuer: str) -> security.CertificateHashData:
    algorithm = security.HashAlgorithm.SHA256
    return security.CertificateHashData(
        hash_algorithm=algorithm, issuer_name_hash=f"{issuer}-name", issuer_key_hash=f"{issuer}-key", serial_number=name
    )


def installed(*roots: str, chains: tuple[str, ...] = ()) -> security.GetInstalledCertificatesResult:
    """Return what the store lists: roots, and a chain of the station below each of `chains`."""
    found = [
        security.CertificateHashDataChain(
            certificate_type=Kind.V2GRootCertificate, certificate_hash_data=hashes(root, root)
        )
        for root in roots
    ]
    found += [
        security.CertificateHashDataChain(
            certificate_type=Kind.V2GCertificateChain,
            certificate_hash_data=hashes("leaf", "sub2"),
            child_certificate_hash_data=[hashes("sub2", "sub1"), hashes("sub1", root)],
        )
        for root in chains
    ]
    status = security.GetInstalledCertificatesStatus.Accepted
    return security.GetInstalledCertificatesResult(status=status, certificate_hash_data_chain=found)


@pytest.mark.ocpp("A02.FR.27", "A03.FR.23")
@BOTH
@pytest.mark.parametrize(
    ("listed", "root"),
    [
        (installed("a", "b", chains=("b",)), "b"),
        (installed("a", "b", chains=("b", "b")), "b"),
        (installed("a"), "a"),
        (installed("a", "b"), None),
        (installed("a", "b", chains=("a", "b")), None),
        (installed(), None),
        (RuntimeError("the store does not answer"), None),
    ],
)
def test_a_v2g_certificate_is_asked_for_below_the_root_of_the_present_one(
    cause: str, listed: Any, root: str | None
) -> None:
    station = Station2(connects=False, **OF_2_1)
    station.results["get_installed_certificates"] = listed
    prepare(station, expires=cause == "expiry")
    if cause == "trigger":
        trigger(station, "SignV2GCertificate")
    [request] = [one for one in asked(station) if one["certificateType"] == "V2GCertificate"]
    wanted = root and {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": f"{root}-name",
        "issuerKeyHash": f"{root}-key",
        "serialNumber": root,
    }
    assert request.get("hashRootCertificate") == wanted
    assert request["requestId"] > 0


def test_2_0_1_has_neither_number_nor_root() -> None:
    station = station_of(version=Version.V201)
    station.results["get_installed_certificates"] = installed("a")
    trigger(station, "SignV2GCertificate")
    assert asked(station) == [{"csr": "CSR", "certificateType": "V2GCertificate"}]


def test_of_the_store_s_list_it_is_the_root_of_the_installed_chain(run: Any, assemble: Any, tmp_path: Path) -> None:
    own, other = chain("Own"), issue("Other root")
    put_chain(tmp_path, own)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", other.pem, own.root.pem)

    async def test(world: Any) -> None:
        kinds = [Kind.V2GRootCertificate, Kind.V2GCertificateChain]
        found = issuing_root(await ask(world, "get_installed_certificates", kinds))
        assert found is not None and int(found.serial_number, 16) == own.root.certificate.serial_number

    running(run, assemble, test)
