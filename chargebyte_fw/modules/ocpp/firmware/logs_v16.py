"""GetDiagnostics (§5.9) and GetLog (security whitepaper N01) of OCPP 1.6, and their status messages."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.firmware.log_upload import ENDED, NO_UPLOAD, is_same, text_of, to_report, upload_of
from chargebyte_fw.modules.ocpp.messages.v16.firmware import (
    DiagnosticsStatus,
    DiagnosticsStatusNotificationRequest,
    GetDiagnosticsRequest,
    GetDiagnosticsResponse,
)
from chargebyte_fw.modules.ocpp.messages.v16.security import (
    GetLogRequest,
    GetLogResponse,
    LogStatusEnumType,
    LogStatusNotificationRequest,
    UploadLogStatusEnumType,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, RequestRefused, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables.standard.legacy import SUPPORTED_FEATURE_PROFILES

DIAGNOSTICS = -1
"""request_id of a GetDiagnostics, which has none."""
L = LogStatusEnum
_DIAGNOSTICS = {
    L.Uploading: DiagnosticsStatus.Uploading,
    L.Uploaded: DiagnosticsStatus.Uploaded,
    L.Idle: DiagnosticsStatus.Idle,
}


class Logs16(Block):
    """Uploads logs and reports how it goes; an identical report in a row is progress, and not sent again."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._diagnostics = L.Idle
        self._log = NO_UPLOAD

    @answers(GetDiagnosticsRequest)
    def get_diagnostics(self, request: GetDiagnosticsRequest) -> Deferred:
        """Upload diagnostics; the answer has the name of the file."""
        if "FirmwareManagement" not in self.station.variables.get(SUPPORTED_FEATURE_PROFILES):
            raise RequestRefused("NotSupported", "the profile FirmwareManagement is not in use")
        wanted = system.UploadLogsRequest(
            location=request.location,
            retries=(request.retries or 0) + 1,
            retry_interval_s=request.retry_interval_s,
            oldest_timestamp=text_of(request.start_time),
            latest_timestamp=text_of(request.stop_time),
            request_id=DIAGNOSTICS,
        )
        deferred = self.station.defer()
        self.station.command(call(System.upload_logs, wanted), partial(self._diagnostics_started, deferred))
        return deferred

    def _diagnostics_started(self, deferred: Deferred, result: Any) -> None:
        accepted = isinstance(result, system.UploadLogsResponse)
        accepted = accepted and result.upload_logs_status is not system.UploadLogsStatus.Rejected
        self.station.answer(deferred, GetDiagnosticsResponse(file_name=result.file_name if accepted else None))

    @answers(GetLogRequest)
    def get_log(self, request: GetLogRequest) -> Deferred:
        """Upload the diagnostics or the security log."""
        deferred = self.station.defer()
        self.station.command(call(System.upload_logs, upload_of(request)), partial(self._log_started, deferred))
        return deferred

    def _log_started(self, deferred: Deferred, result: Any) -> None:
        status, name = LogStatusEnumType.Rejected, None
        if isinstance(result, system.UploadLogsResponse):
            status, name = named(LogStatusEnumType, result.upload_logs_status, status), result.file_name
        self.station.answer(deferred, GetLogResponse(status=status, filename=name))

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Follow an upload."""
        if not isinstance(event.value, LogStatus):
            return
        status = event.value
        if status.request_id == DIAGNOSTICS:
            if status.log_status is not self._diagnostics:
                self._diagnostics = status.log_status
                self._send_diagnostics(status.log_status)
        elif not is_same(status, self._log):
            self._log = status
            self._send_log(status)

    def _send_diagnostics(self, status: LogStatusEnum, *, triggered: bool = False) -> None:
        word = _DIAGNOSTICS.get(status, DiagnosticsStatus.UploadFailed)
        self.station.send(DiagnosticsStatusNotificationRequest(status=word), triggered=triggered)

    def _send_log(self, status: LogStatus, *, triggered: bool = False) -> None:
        word = named(UploadLogStatusEnumType, status.log_status, UploadLogStatusEnumType.UploadFailure)
        request_id = None if status.log_status is L.Idle else status.request_id
        self.station.send(LogStatusNotificationRequest(status=word, request_id=request_id), triggered=triggered)

    def report_diagnostics(self) -> None:
        """Send the status of the diagnostics now; Idle after their end."""
        self._send_diagnostics(L.Idle if self._diagnostics in ENDED else self._diagnostics, triggered=True)

    def report_log(self) -> None:
        """Send the status of the log now; Idle after its end."""
        self._send_log(to_report(self._log), triggered=True)
