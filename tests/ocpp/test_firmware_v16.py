"""Firmware updates and logs of OCPP 1.6: status messages, connectors during an installation, restarts, retries."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import FirmwareUpdateMetadata, FirmwareUpdateStatusEnum, LogStatusEnum
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import Station16

S, L = FirmwareUpdateStatusEnum, LogStatusEnum
SIGNED = {
    "requestId": 5,
    "firmware": {
        "location": "https://x/y",
        "retrieveDateTime": "2023-11-15T00:00:00Z",
        "signingCertificate": "PEM",
        "signature": "c2ln",
    },
}
LOG = {"logType": "SecurityLog", "requestId": 9, "log": {"remoteLocation": "ftp://x/y"}}


class Updated16(Station16):
    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.results["update_firmware"] = system.UpdateFirmwareResponse.Accepted
        self.results["upload_logs"] = system.UploadLogsResponse(
            upload_logs_status=system.UploadLogsStatus.Accepted, file_name="diagnostics.tgz"
        )
        self.requests()
        self.commanded()

    def progress(
        self, *statuses: FirmwareUpdateStatusEnum, request_id: int = -1, disable: bool | None = None
    ) -> list[str]:
        """Let the system report; return what the CSMS was sent."""
        metadata = None if disable is None else FirmwareUpdateMetadata(disable_connectors_during_install=disable)
        for status in statuses:
            value = system.FirmwareUpdateStatus(
                firmware_update_status=status, request_id=request_id, firmware_update_metadata=metadata
            )
            self.feed(events.FactReceived("system", "firmware_update_status", value))
        sent = self.requests("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
        assert all(getattr(one, "request_id", -1) == request_id for one in sent)
        return [one.status.value for one in sent]

    def upload(self, *statuses: LogStatusEnum, request_id: int = -1) -> list[str]:
        for status in statuses:
            value = system.LogStatus(log_status=status, request_id=request_id)
            self.feed(events.FactReceived("system", "log_status", value))
        sent = self.requests("DiagnosticsStatusNotification", "LogStatusNotification")
        return [one.status.value for one in sent]

    def disabled(self) -> list[tuple[int | None, str]]:
        commands = self.commanded("enable_disable")
        return [(evse_id, arguments[1].enable_state.value) for _, evse_id, arguments in commands]


@pytest.mark.ocpp("1.6 §5.19", "1.6 §4.5")
def test_an_unsigned_update() -> None:
    station = Updated16()
    wanted = {"location": "ftp://x/y", "retrieveDate": "2023-11-15T00:00:00Z", "retries": 2, "retryInterval": 10}
    assert station.ask("UpdateFirmware", wanted) == {}
    [(_, _, (request,))] = station.commanded("update_firmware")
    assert (request.request_id, request.retries, request.retry_interval_s) == (-1, 3, 10)
    assert station.progress(S.Downloading, S.Downloading, S.Downloaded) == ["Downloading", "Downloaded"]
    names = [name for name, _, _ in station.commanded("enable_disable", "allow_firmware_installation")]
    assert names == ["enable_disable", "enable_disable", "allow_firmware_installation"]
    assert station.progress(S.Installing, S.Installed) == ["Installing", "Installed"]
    assert station.disabled() == [(1, "Enable"), (2, "Enable")]
    station.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    assert station.progress() == ["Idle"]


def test_each_attempt_of_a_download_is_reported() -> None:
    station = Updated16()
    steps = (S.Downloading, S.DownloadFailed)
    assert station.progress(*steps * 3) == ["Downloading", "DownloadFailed"] * 3


@pytest.mark.ocpp("1.6 security §L01")
def test_a_signed_update_waits_for_the_transaction() -> None:
    station = Updated16()
    station.charge()
    station.requests()
    station.commanded()
    assert station.ask("SignedUpdateFirmware", SIGNED) == {"status": "Accepted"}
    found = station.progress(S.Downloading, S.Downloaded, S.SignatureVerified, request_id=5)
    assert found == ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"]
    commands = station.commanded("enable_disable", "allow_firmware_installation")
    assert [(name, evse_id) for name, evse_id, _ in commands] == [("enable_disable", 2)]
    station.finish()
    names = [name for name, _, _ in station.commanded("enable_disable", "allow_firmware_installation")]
    assert names == ["enable_disable", "allow_firmware_installation"]


@pytest.mark.parametrize(("ready", "request_id"), [(S.SignatureVerified, 5), (S.Downloaded, -1)])
def test_an_installation_that_waits_is_allowed_after_a_restart_too(
    ready: FirmwareUpdateStatusEnum, request_id: int
) -> None:
    station = Updated16()
    station.charge()
    station.progress(ready, request_id=request_id)
    again = Updated16(saved=station.tables)
    assert again.progress(ready, request_id=request_id) == [], "it was said before"
    assert len(again.commanded("allow_firmware_installation")) == 1


def test_free_connectors_may_stay_in_use_until_none_of_them_is() -> None:
    station = Updated16(AllowNewSessionsPendingFirmwareUpdate=True)
    station.charge()
    station.commanded()
    station.progress(S.SignatureVerified, request_id=5)
    assert station.disabled() == []
    station.finish()
    assert station.disabled() == [(1, "Disable"), (2, "Disable")]


def test_connectors_stay_in_use_until_the_time_of_the_installation() -> None:
    station = Updated16()
    later = {**SIGNED["firmware"], "installDateTime": "2023-11-15T06:00:00Z"}  # type: ignore[dict-item]
    assert station.ask("SignedUpdateFirmware", {**SIGNED, "firmware": later}) == {"status": "Accepted"}
    station.commanded()
    steps = (S.SignatureVerified, S.InstallScheduled)
    assert station.progress(*steps, request_id=5) == [step.value for step in steps]
    station.pass_s(5 * 3600.0)
    assert station.disabled() == []
    station.pass_s(3700.0)
    names = [name for name, _, _ in station.commanded("enable_disable", "allow_firmware_installation")]
    assert names == ["enable_disable", "enable_disable", "allow_firmware_installation"]


def test_an_idle_station_installs_at_once() -> None:
    """Field case 63."""
    station = Updated16()
    steps = (S.Downloading, S.Downloaded, S.SignatureVerified, S.Installing, S.Installed)
    assert station.progress(*steps, request_id=5) == [step.value for step in steps]


def test_connectors_stay_in_use_where_the_firmware_says_so() -> None:
    station = Updated16()
    station.progress(S.SignatureVerified, request_id=5, disable=False)
    names = [name for name, _, _ in station.commanded("enable_disable", "allow_firmware_installation")]
    assert names == ["allow_firmware_installation"]


def test_a_connector_that_the_csms_has_disabled_stays_so_after_the_installation() -> None:
    station = Updated16()
    station.ask("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    station.progress(S.Downloaded)
    station.commanded()
    station.progress(S.Installed)
    assert station.disabled() == [(1, "Enable")]


@pytest.mark.parametrize("lost_again", [False, True])
def test_an_installation_that_restarts_the_station_is_reported_after_the_registration(lost_again: bool) -> None:
    """Field case 20."""
    station = Updated16()
    station.progress(S.SignatureVerified, S.Installing, request_id=5)
    again = Updated16(saved=station.tables, connects=False)
    assert again.progress(S.Installed, request_id=5) == []
    if lost_again:
        again = Updated16(saved=again.tables, connects=False)
    again.connect()
    sent = again.requests("BootNotification", "SignedFirmwareStatusNotification")
    assert [one.action_name for one in sent] == ["BootNotification", "SignedFirmwareStatusNotification"]
    assert (sent[1].status.value, sent[1].request_id) == ("Installed", 5)
    assert "status" not in again.tables["FIRMWARE_UPDATE"]


def test_what_happens_offline_is_reported_once_with_its_last_status() -> None:
    station = Updated16()
    station.disconnect()
    assert station.progress(S.Downloading, S.DownloadFailed, request_id=5) == []
    station.connect()
    assert station.progress(request_id=5) == ["DownloadFailed"]


def test_an_invalid_signature_or_certificate_is_a_security_event() -> None:
    station = Updated16()
    value = system.FirmwareUpdateStatus(firmware_update_status=S.InvalidSignature, request_id=5)
    station.feed(events.FactReceived("system", "firmware_update_status", value))
    station.results["update_firmware"] = system.UpdateFirmwareResponse.InvalidCertificate
    assert station.ask("SignedUpdateFirmware", SIGNED) == {"status": "InvalidCertificate"}
    found = [one.type for one in station.requests("SecurityEventNotification")]
    assert found == ["InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate"]


# Logs.


@pytest.mark.ocpp("1.6 §5.9", "1.6 §4.4")
def test_diagnostics_are_reported_for_each_attempt_and_each_request() -> None:
    """Field case 62."""
    station = Updated16()
    wanted = {"location": "ftp://nowhere/x", "retries": 0}
    for _ in range(2):
        assert station.ask("GetDiagnostics", wanted) == {"fileName": "diagnostics.tgz"}
        [(_, _, (request,))] = station.commanded("upload_logs")
        assert (request.retries, request.request_id) == (1, -1)
        found = station.upload(L.Uploading, L.Uploading, L.UploadFailure)
        assert found == ["Uploading", "UploadFailed"]
    station.ask("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"})
    assert station.upload() == ["Idle"]


@pytest.mark.ocpp("1.6 security §N01")
def test_a_log_has_its_request_in_each_status() -> None:
    station = Updated16()
    assert station.ask("GetLog", LOG) == {"status": "Accepted", "filename": "diagnostics.tgz"}
    [(_, _, (request,))] = station.commanded("upload_logs")
    assert (request.type, request.request_id) == ("SecurityLog", 9)
    value = system.LogStatus(log_status=L.Uploaded, request_id=9)
    station.feed(events.FactReceived("system", "log_status", value))
    [sent] = station.requests("LogStatusNotification")
    assert (sent.status.value, sent.request_id) == ("Uploaded", 9)


def test_a_system_that_does_not_answer_uploads_and_updates_nothing() -> None:
    station = Updated16()
    station.results["upload_logs"] = station.results["update_firmware"] = RuntimeError("gone")
    assert station.ask("GetLog", LOG)["status"] == "Rejected"
    assert station.ask("GetDiagnostics", {"location": "ftp://x"}) == {}
    assert station.ask("SignedUpdateFirmware", SIGNED)["status"] == "Rejected"
