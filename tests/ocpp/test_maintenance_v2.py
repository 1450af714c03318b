"""Firmware, logs, certificates, security events and triggers of OCPP 2.x as a CSMS sees them."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.system import (
    BootReason,
    FirmwareUpdateMetadata,
    FirmwareUpdateStatus,
    FirmwareUpdateStatusEnum,
    LogStatus,
    LogStatusEnum,
    UpdateFirmwareResponse,
    UploadLogsResponse,
    UploadLogsStatus,
)
from chargebyte_fw.modules.ocpp.messages.schema import MessageError
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused

S = FirmwareUpdateStatusEnum
SIGNED = {
    "requestId": 5,
    "retries": 2,
    "firmware": {
        "location": "https://x/y",
        "retrieveDateTime": "2023-11-15T00:00:00Z",
        "signingCertificate": "PEM",
        "signature": "c2ln",
    },
}
Install = security.InstallCertificateResult


def progress(station: Station2, *kinds: FirmwareUpdateStatusEnum, **metadata: Any) -> list[str]:
    station.requests()
    for kind in kinds:
        extra = FirmwareUpdateMetadata(**metadata) if metadata else None
        status = FirmwareUpdateStatus(firmware_update_status=kind, request_id=5, firmware_update_metadata=extra)
        station.feed(events.FactReceived("system", "firmware_update_status", status))
    found = list(station.payloads_of("FirmwareStatusNotification"))
    assert {one.get("requestId") for one in found} <= {5}
    return [one["status"] for one in found]


@pytest.mark.ocpp("L01", "L01.FR.01", "L01.FR.05", "L01.FR.10")
def test_a_signed_update_of_an_idle_station() -> None:
    station = Station2()
    station.results["update_firmware"] = UpdateFirmwareResponse.Accepted
    assert station.ask("UpdateFirmware", SIGNED) == {"status": "Accepted"}
    [(_, _, (request,))] = station.commanded("update_firmware")
    assert (request.request_id, request.retries, request.location) == (5, 3, "https://x/y")
    kinds = (S.Downloading, S.Downloaded, S.SignatureVerified, S.Installing, S.Installed)
    assert progress(station, *kinds) == [kind.value for kind in kinds], "without InstallScheduled"
    disabled = [(evse_id, args[1].enable_state.value) for _, evse_id, args in station.commanded("enable_disable")]
    assert disabled == [(1, "Disable"), (2, "Disable"), (1, "Enable"), (2, "Enable")]


@pytest.mark.ocpp("L01", "L01.FR.06", "L01.FR.07")
def test_an_installation_waits_for_the_transaction() -> None:
    station = Station2()
    station.results["update_firmware"] = UpdateFirmwareResponse.Accepted
    station.ask("UpdateFirmware", SIGNED)
    station.charge()
    station.commanded()
    assert progress(station, S.SignatureVerified) == ["SignatureVerified", "InstallScheduled"]
    assert [name for name, _, _ in station.commanded()] == ["enable_disable"], "the idle EVSE, no installation"
    station.finish()
    assert station.commanded("allow_firmware_installation") != []


def test_a_firmware_that_disturbs_nothing_leaves_the_connectors_in_use() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    progress(station, S.SignatureVerified, disable_connectors_during_install=False)
    assert [name for name, _, _ in station.commanded()] == ["allow_firmware_installation"]


@pytest.mark.ocpp("L02", "L02.FR.02")
def test_an_unsigned_update_installs_what_was_downloaded() -> None:
    station = Station2()
    station.results["update_firmware"] = UpdateFirmwareResponse.Accepted
    firmware = {"location": "https://x/y", "retrieveDateTime": "2023-11-15T00:00:00Z"}
    assert station.ask("UpdateFirmware", {"requestId": 5, "firmware": firmware}) == {"status": "Accepted"}
    station.commanded()
    progress(station, S.Downloaded)
    assert "allow_firmware_installation" in [name for name, _, _ in station.commanded()]
    assert station.ask("UpdateFirmware", {"requestId": 6, "firmware": {**firmware, "signingCertificate": "PEM"}}) == {
        "status": "Rejected"
    }


UNSIGNED = {"requestId": 5, "firmware": {"location": "https://x/y", "retrieveDateTime": "2023-11-15T00:00:00Z"}}
BY_SIGNATURE = pytest.mark.parametrize(("wanted", "ready"), [(SIGNED, S.SignatureVerified), (UNSIGNED, S.Downloaded)])
"""An update and the status after which it may be installed."""


def updating(wanted: dict[str, Any], **values: Any) -> Station2:
    """A station whose car charges at EVSE 1, and which has taken an update."""
    station = Station2(**values)
    station.results["update_firmware"] = UpdateFirmwareResponse.Accepted
    station.charge()
    assert station.ask("UpdateFirmware", wanted) == {"status": "Accepted"}
    station.commanded()
    return station


def switched(station: Station2) -> list[tuple[Any, ...]]:
    """What was commanded since the last look: EVSE and whether it is in use, and the permission to install."""
    return [
        (evse_id, args[1].enable_state.value) if name == "enable_disable" else (name,)
        for name, evse_id, args in station.commanded()
        if name in ("enable_disable", "allow_firmware_installation")
    ]


@pytest.mark.ocpp("L02.FR.01", "L02.FR.06", "L02.FR.09", "L02.FR.21")
def test_each_status_of_an_update_without_a_signature_is_sent_with_its_request() -> None:
    station = Station2()
    station.results["update_firmware"] = UpdateFirmwareResponse.Accepted
    assert station.ask("UpdateFirmware", UNSIGNED) == {"status": "Accepted"}
    kinds = (S.DownloadScheduled, S.Downloading, S.Downloaded, S.InstallScheduled, S.Installing, S.InstallRebooting)
    assert progress(station, *kinds) == [kind.value for kind in kinds]
    station.requests()
    again = station.restart()
    assert progress(again, S.Installed) == ["Installed"]


@BY_SIGNATURE
@pytest.mark.ocpp("L02.FR.03", "L02.FR.04", "L02.FR.22", "L01.FR.06", "L01.FR.07")
def test_free_connectors_are_out_of_use_until_the_last_transaction_has_ended(
    wanted: dict[str, Any], ready: FirmwareUpdateStatusEnum
) -> None:
    station = updating(wanted)
    assert progress(station, ready) == [ready.value, "InstallScheduled"]
    assert switched(station) == [(2, "Disable")]
    station.pass_s(3600)
    assert switched(station) == []
    station.finish()
    assert switched(station) == [(1, "Disable"), ("allow_firmware_installation",)]
    progress(station, S.Installing, S.InstallRebooting)
    assert switched(station) == [], "none is in use when the reboot comes"


@BY_SIGNATURE
@pytest.mark.ocpp("L02.FR.04", "L02.FR.03", "L01.FR.06", "L01.FR.07")
def test_free_connectors_may_stay_in_use_until_none_of_them_is(
    wanted: dict[str, Any], ready: FirmwareUpdateStatusEnum
) -> None:
    station = updating(wanted, AllowNewSessionsPendingFirmwareUpdate=True)
    assert progress(station, ready) == [ready.value, "InstallScheduled"]
    assert switched(station) == []
    station.finish()
    assert switched(station) == [(1, "Disable"), (2, "Disable"), ("allow_firmware_installation",)]


@BY_SIGNATURE
@pytest.mark.ocpp("L02.FR.03")
def test_an_installation_that_waits_is_allowed_after_a_restart_too(
    wanted: dict[str, Any], ready: FirmwareUpdateStatusEnum
) -> None:
    station = updating(wanted)
    progress(station, ready)
    again = station.restart()
    again.commanded()
    assert progress(again, ready) == [], "it was said before"
    assert ("allow_firmware_installation",) in switched(again)


@BY_SIGNATURE
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.ocpp("L02.FR.04", "L02.FR.10", "L01.FR.07", "L01.FR.16")
def test_connectors_stay_in_use_until_the_time_of_the_installation(
    wanted: dict[str, Any], ready: FirmwareUpdateStatusEnum, restarts: bool
) -> None:
    later = {**wanted["firmware"], "installDateTime": "2023-11-15T06:00:00Z"}
    station = updating({**wanted, "firmware": later})
    assert progress(station, ready, S.InstallScheduled) == [ready.value, "InstallScheduled"]
    assert switched(station) == []
    if restarts:
        station = station.restart(going_on=frozenset({"s1"}))
        station.commanded()
        progress(station, ready, S.InstallScheduled)
    station.requests()
    station.pass_s(5 * 3600.0)
    assert switched(station) == [], "an hour before"
    station.pass_s(3700.0)
    assert switched(station) == [(2, "Disable")], "the transaction goes on"
    assert list(station.payloads_of("FirmwareStatusNotification")) == [], "InstallScheduled was said"
    station.finish()
    assert switched(station) == [(1, "Disable"), ("allow_firmware_installation",)]


@pytest.mark.parametrize("wanted", [SIGNED, UNSIGNED])
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.ocpp("L02.FR.07", "L01.FR.13")
def test_a_download_that_waits_for_a_transaction_is_scheduled(wanted: dict[str, Any], restarts: bool) -> None:
    station = updating(wanted, DeferFirmwareDownloadDuringTransaction=True)
    if restarts:
        station = station.restart(going_on=frozenset({"s1"}), DeferFirmwareDownloadDuringTransaction=True)
        assert station.commanded("update_firmware") == []
    else:
        assert list(station.payloads_of("FirmwareStatusNotification")) == [
            {"status": "DownloadScheduled", "requestId": 5}
        ]
    station.finish()
    assert len(station.commanded("update_firmware")) == 1
    assert progress(station, S.Downloading) == ["Downloading"]


@pytest.mark.ocpp("L01", "L01.FR.02", "L01.FR.03", "L01.FR.22")
def test_a_bad_certificate_or_signature_is_a_security_event() -> None:
    station = Station2()
    station.results["update_firmware"] = UpdateFirmwareResponse.InvalidCertificate
    assert station.ask("UpdateFirmware", SIGNED) == {"status": "InvalidCertificate"}
    kinds = [one["type"] for one in station.payloads_of("SecurityEventNotification")]
    assert kinds[-1] == "InvalidFirmwareSigningCertificate"
    progress(station, S.InvalidSignature)
    kinds = [one["type"] for one in station.payloads_of("SecurityEventNotification")]
    assert kinds == ["InvalidFirmwareSignature"]


@pytest.mark.ocpp("L01.FR.28", "L01.FR.32")
def test_the_end_of_an_installation_is_reported_after_the_restart_that_it_needed() -> None:
    station = Station2()
    progress(station, S.Installing)
    again = station.restart(connects=False)
    done = FirmwareUpdateStatus(firmware_update_status=S.Installed, request_id=5)
    again.feed(events.FactReceived("system", "firmware_update_status", done))
    assert again.requests() == []
    again.connect()
    names = [one.action_name for one in again.sent]
    assert names.index("BootNotification") < names.index("FirmwareStatusNotification")


def test_a_download_may_be_deferred_until_the_last_transaction_has_ended() -> None:
    station = Station2(DeferFirmwareDownloadDuringTransaction=True)
    station.charge()
    station.commanded()
    assert station.ask("UpdateFirmware", SIGNED) == {"status": "Accepted"}
    assert station.ask("UpdateFirmware", SIGNED) == {"status": "AcceptedCanceled"}
    assert station.commanded("update_firmware") == []
    station.finish()
    assert len(station.commanded("update_firmware")) == 1


@pytest.mark.ocpp("N01", "N01.FR.01", "N01.FR.07", "N01.FR.08", "N01.FR.10")
def test_a_log_is_uploaded_and_each_step_reported_once() -> None:
    station = Station2()
    accepted = UploadLogsResponse(upload_logs_status=UploadLogsStatus.Accepted, file_name="log.gz")
    station.results["upload_logs"] = accepted
    wanted = {"requestId": 7, "logType": "SecurityLog", "log": {"remoteLocation": "ftp://x"}}
    assert station.ask("GetLog", wanted) == {"status": "Accepted", "filename": "log.gz"}
    station.requests()
    for kind in (LogStatusEnum.Uploading, LogStatusEnum.Uploading, LogStatusEnum.UploadFailure):
        status = LogStatus(log_status=kind, request_id=7)
        station.feed(events.FactReceived("system", "log_status", status))
    found = [(one["status"], one["requestId"]) for one in station.payloads_of("LogStatusNotification")]
    assert found == [("Uploading", 7), ("UploadFailure", 7)]
    station.requests()
    station.ask("TriggerMessage", {"requestedMessage": "LogStatusNotification"})
    assert list(station.payloads_of("LogStatusNotification")) == [{"status": "Idle"}]


@pytest.mark.ocpp("N01.FR.05")
@pytest.mark.parametrize("result", [UploadLogsResponse(upload_logs_status=UploadLogsStatus.Rejected), None])
def test_a_log_that_the_system_does_not_have_is_rejected(result: UploadLogsResponse | None) -> None:
    station = Station2()
    station.results["upload_logs"] = result
    wanted = {"requestId": 7, "logType": "DiagnosticsLog", "log": {"remoteLocation": "ftp://x"}}
    assert station.ask("GetLog", wanted) == {"status": "Rejected"}
    [(_, _, (request,))] = station.commanded("upload_logs")
    assert (request.type, request.request_id) == ("DiagnosticsLog", 7)


@pytest.mark.parametrize("timestamp", ["", "2024-02-30T10:00:00Z"])
def test_a_log_with_a_date_that_is_none_is_refused_and_not_uploaded(timestamp: str) -> None:
    station = Station2()
    log = {"remoteLocation": "ftp://x", "oldestTimestamp": timestamp}
    with pytest.raises(MessageError, match="oldestTimestamp"):
        station.ask("GetLog", {"requestId": 7, "logType": "DiagnosticsLog", "log": log})
    assert station.commanded("upload_logs") == []


# Certificates.


@pytest.mark.ocpp("A02")
def test_a_signing_request_is_repeated_with_growing_pauses_until_the_certificate_comes() -> None:
    station = Station2(CertSigningWaitMinimum=30, CertSigningRepeatTimes=2)
    csr = security.GetCertificateSignRequestResult(status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR")
    station.results["generate_certificate_signing_request"] = csr
    trigger = {"requestedMessage": "SignChargingStationCertificate"}
    assert station.ask("TriggerMessage", trigger) == {"status": "Accepted"}
    assert station.ask("TriggerMessage", trigger)["statusInfo"] == {"reasonCode": "RequestPending"}
    for pause_s, number in ((29, 1), (1, 2), (59, 2), (1, 3)):
        station.pass_s(pause_s)
        assert len(list(station.payloads_of("SignCertificate"))) == number
    station.results["update_leaf_certificate"] = Install.Accepted
    signed = {"certificateChain": "CHAIN", "certificateType": "ChargingStationCertificate"}
    assert station.ask("CertificateSigned", signed) == {"status": "Accepted"}
    station.pass_s(1000)
    assert len(list(station.payloads_of("SignCertificate"))) == 3


CSR = security.GetCertificateSignRequestResult(status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR")
CHARGER = {"csr": "CSR", "certificateType": "ChargingStationCertificate"}


BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def signing(cause: str, version: Version = Version.V201, **keys: Any) -> Station2:
    """Return a station that asks for a certificate: a CSMS has triggered it, or the one it has ends soon."""
    station = Station2(connects=False, version=version, **keys)
    station.results["generate_certificate_signing_request"] = CSR
    station.results["get_leaf_expiry_days_count"] = 29 if cause == "expiry" else 300
    station.connect(security_profile=3)
    station.pass_s(60)
    if cause == "trigger":
        assert list(station.payloads_of("SignCertificate")) == []
        triggered(station)
    return station


def triggered(station: Station2) -> None:
    answer = station.ask("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    assert answer["status"] == "Accepted"


@pytest.mark.ocpp(
    "A02.FR.03",
    "A02.FR.13",
    "A02.FR.17",
    "A02.FR.18",
    "A02.FR.19",
    "A03.FR.03",
    "A03.FR.13",
    "A03.FR.17",
    "A03.FR.18",
    "A03.FR.19",
    "A02.FR.19 (2.1)",
    "A03.FR.19 (2.1)",
)
@BOTH
@pytest.mark.parametrize("cause", ["trigger", "expiry"])
def test_without_a_certificate_the_request_is_repeated_with_doubled_pauses_and_then_given_up(
    cause: str, version: Version
) -> None:
    station = signing(cause, version, CertSigningWaitMinimum=30, CertSigningRepeatTimes=2)
    for pause_s, number in ((29, 1), (1, 2), (59, 2), (1, 3), (5000, 3)):
        station.pass_s(pause_s)
        of_version = {"requestId": 1} if version is Version.V21 else {}
        assert list(station.payloads_of("SignCertificate")) == [CHARGER | of_version] * number
    triggered(station)
    assert len(list(station.payloads_of("SignCertificate"))) == 4


@pytest.mark.ocpp("A02.FR.22")
def test_a_certificate_for_cars_is_asked_for_when_the_csms_wants_it() -> None:
    enabled: dict[str, Any] = {"V2GCertificateInstallationEnabled": True, "SeccId": "SECC1", "OrganizationName": "CPO"}
    station = Station2(version=Version.V21, **enabled)
    station.results["generate_certificate_signing_request"] = CSR
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": "SignV2GCertificate"}) == {"status": "Accepted"}
    [payload] = station.payloads_of("SignCertificate")
    assert (payload["csr"], payload["certificateType"]) == ("CSR", "V2GCertificate")
    [(_, _, (kind, _, organization, common, _))] = station.commanded("generate_certificate_signing_request")
    assert (kind.value, organization, common) == ("V2G", "CPO", "SECC1")


@pytest.mark.ocpp("A02.FR.07", "A02.FR.20", "A03.FR.07", "A02.FR.20 (2.1)")
@BOTH
@pytest.mark.parametrize("cause", ["trigger", "expiry"])
def test_after_a_bad_certificate_it_asks_again_when_the_csms_wants_it(cause: str, version: Version) -> None:
    station = signing(cause, version, CertSigningWaitMinimum=30, CertSigningRepeatTimes=2)
    station.results["update_leaf_certificate"] = Install.Expired
    signed = {"certificateChain": "CHAIN", "certificateType": "ChargingStationCertificate"}
    assert station.ask("CertificateSigned", signed)["status"] == "Rejected"
    [event] = [one for one in station.payloads_of("SecurityEventNotification") if "Certificate" in one["type"]]
    assert event["type"] == "InvalidChargingStationCertificate"
    station.pass_s(5000)
    assert len(list(station.payloads_of("SignCertificate"))) == 1
    triggered(station)
    assert len(list(station.payloads_of("SignCertificate"))) == 2


@BOTH
@pytest.mark.ocpp("A02.FR.08", "A03.FR.08", "A02.FR.16", "A03.FR.16")
@pytest.mark.parametrize("cause", ["trigger", "expiry"])
def test_a_good_certificate_is_used_on_a_new_connection_and_a_long_chain_is_refused(
    cause: str, version: Version
) -> None:
    station = signing(cause, version, MaxCertificateChainSize=100)
    station.results["update_leaf_certificate"] = Install.Accepted
    signed = {"certificateType": "ChargingStationCertificate"}
    assert station.ask("CertificateSigned", {**signed, "certificateChain": "x" * 101})["status"] == "Rejected"
    assert station.commanded("update_leaf_certificate") == []
    station.other.clear()
    assert station.ask("CertificateSigned", {**signed, "certificateChain": "CHAIN"}) == {"status": "Accepted"}
    assert [type(one) for one in station.other if isinstance(one, do.Reconnect)] == [do.Reconnect]


@pytest.mark.ocpp("L01.FR.31")
def test_the_first_start_of_a_firmware_is_one_security_event() -> None:
    station = Station2(connects=False)
    station.feed(events.Started(boot_reason=BootReason.FirmwareUpdate))
    station.connect()
    progress_of_now = FirmwareUpdateStatus(firmware_update_status=S.Installed, request_id=5)
    station.feed(events.FactReceived("system", "firmware_update_status", progress_of_now))
    assert [one["type"] for one in station.payloads_of("SecurityEventNotification")] == ["FirmwareUpdated"]


def test_a_signing_request_needs_its_data_and_permission() -> None:
    station = Station2(OrganizationName="")
    for message, reason in (
        ("SignChargingStationCertificate", "MissingDevModelInfo"),
        ("SignV2GCertificate", "NotEnabled"),
    ):
        assert station.ask("TriggerMessage", {"requestedMessage": message})["statusInfo"]["reasonCode"] == reason


@pytest.mark.ocpp("A02")
def test_a_certificate_that_cannot_be_installed_is_a_security_event() -> None:
    station = Station2()
    station.results["update_leaf_certificate"] = Install.InvalidCommonName
    station.requests()
    assert station.ask("CertificateSigned", {"certificateChain": "CHAIN"})["status"] == "Rejected"
    [event] = station.payloads_of("SecurityEventNotification")
    assert (event["type"], event["techInfo"]) == ("InvalidChargingStationCertificate", "InvalidCommonName")


@pytest.mark.ocpp("M05", "M05.FR.01", "M05.FR.02", "M05.FR.03", "M05.FR.07")
@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Install.Accepted, "Accepted"),
        (Install.WriteError, "Failed"),
        (Install.InvalidCertificateChain, "Rejected"),
        (Install.CertificateStoreMaxLengthExceeded, "Rejected"),
    ],
)
def test_roots_are_installed_as_the_store_answers(result: Install, status: str) -> None:
    station = Station2()
    station.results["install_ca_certificate"] = result
    root = {"certificateType": "CSMSRootCertificate", "certificate": "PEM"}
    assert station.ask("InstallCertificate", root)["status"] == status


def test_an_unsecure_connection_may_be_kept_from_installing_roots() -> None:
    station = Station2(AllowCSMSRootCertInstallWithUnsecureConnection=False)
    root = {"certificateType": "CSMSRootCertificate", "certificate": "PEM"}
    assert station.ask("InstallCertificate", root)["status"] == "Rejected"
    assert station.commanded("install_ca_certificate") == []
    station.connect(security_profile=2)
    station.results["install_ca_certificate"] = Install.Accepted
    assert station.ask("InstallCertificate", root)["status"] == "Accepted"


@pytest.mark.ocpp(
    "M03",
    "M04",
    "M03.FR.01",
    "M03.FR.02",
    "M03.FR.03",
    "M03.FR.04",
    "M03.FR.05",
    "M04.FR.01",
    "M04.FR.02",
    "M04.FR.03",
    "M04.FR.04",
)
def test_what_is_installed_is_listed_and_deleted() -> None:
    station = Station2()
    empty = security.GetInstalledCertificatesResult(
        status=security.GetInstalledCertificatesStatus.NotFound, certificate_hash_data_chain=[]
    )
    station.results["get_installed_certificates"] = empty
    assert station.ask("GetInstalledCertificateIds") == {"status": "NotFound"}
    data = security.CertificateHashData(
        hash_algorithm=security.HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="1"
    )
    chain = security.CertificateHashDataChain(
        certificate_type=security.CertificateType.V2GCertificateChain,
        certificate_hash_data=data,
        child_certificate_hash_data=[data],
    )
    station.results["get_installed_certificates"] = security.GetInstalledCertificatesResult(
        status=security.GetInstalledCertificatesStatus.Accepted, certificate_hash_data_chain=[chain]
    )
    [found] = station.ask("GetInstalledCertificateIds", {"certificateType": ["V2GCertificateChain"]})[
        "certificateHashDataChain"
    ]
    assert found["certificateType"] == "V2GCertificateChain" and len(found["childCertificateHashData"]) == 1
    for result in security.DeleteCertificateResult:
        station.results["delete_certificate"] = result
        wanted = {"certificateHashData": found["certificateHashData"]}
        assert station.ask("DeleteCertificate", wanted) == {"status": result.value}


@pytest.mark.ocpp("A03", "A03.FR.02", "A03.FR.03", "A03.FR.13")
def test_a_client_certificate_that_ends_soon_is_renewed_with_profile_3() -> None:
    station = Station2(connects=False)
    station.results["get_leaf_expiry_days_count"] = 10
    station.results["generate_certificate_signing_request"] = security.GetCertificateSignRequestResult(
        status=security.GetCertificateSignRequestStatus.Accepted, csr="CSR"
    )
    station.connect(security_profile=3)
    station.pass_s(61)
    [request] = station.payloads_of("SignCertificate")
    assert request == {"csr": "CSR", "certificateType": "ChargingStationCertificate"}


# Security events and triggers.


@pytest.mark.ocpp("A04", "A04.FR.01")
def test_critical_events_are_sent_and_all_are_published() -> None:
    station = Station2(connects=False)
    station.feed(events.Started(boot_reason=BootReason.Watchdog))
    station.connect()
    assert [one["type"] for one in station.payloads_of("SecurityEventNotification")] == ["ResetOrReboot"]
    station.requests()
    station.other.clear()
    for kind, critical in (("InvalidMessages", None), ("TamperDetectionActivated", None), ("Own", True)):
        event = ocpp.SecurityEvent(type=kind, info="x" * 300, critical=critical)
        station.feed(events.Served("r", "ocpp", "security_event_", (event,)))
    assert [one.type for one in station.published("security_event")] == [
        "InvalidMessages",
        "TamperDetectionActivated",
        "Own",
    ]
    sent = [(one["type"], len(one["techInfo"])) for one in station.payloads_of("SecurityEventNotification")]
    assert sent == [("TamperDetectionActivated", 255), ("Own", 255)]


@pytest.mark.ocpp("F06", "F06.FR.07")
def test_triggers_and_their_conditions() -> None:
    station = Station2(Measurands=("Voltage",))

    def trigger(message: str, **place: Any) -> str:
        return str(station.ask("TriggerMessage", {"requestedMessage": message, **place})["status"])

    first, second = {"evse": {"id": 1, "connectorId": 1}}, {"evse": {"id": 2}}
    assert trigger("BootNotification") == "Rejected", "the station is accepted"
    assert trigger("MeterValues") == trigger("TransactionEvent") == "Rejected"
    assert trigger("StatusNotification") == "Rejected" and trigger("StatusNotification", **first) == "Accepted"
    assert trigger("SignCombinedCertificate") == "NotImplemented"
    with pytest.raises(Refused, match="OccurrenceConstraintViolation"):
        trigger("MeterValues", evse={"id": 9})
    station.measure(1000)
    station.charge()
    station.requests()
    assert trigger("MeterValues") == "Accepted" and trigger("MeterValues", **second) == "Rejected"
    [values] = station.payloads_of("MeterValues")
    assert values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
    assert trigger("TransactionEvent", evse={"id": 1}) == "Accepted"
    event = station.events()[-1]
    assert (event["eventType"], event["triggerReason"]) == ("Updated", "Trigger")
    assert event["transactionInfo"]["chargingState"] == "Charging"
    station.event(E.ChargingPausedEV)
