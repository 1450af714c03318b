"""GetDiagnostics (§5.9) and GetLog (security whitepaper N01) of OCPP 1.6, and their status messages."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
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
ENDED = (L.Uploaded, L.UploadFailure, L.BadMessage, L.NotSupportedOperation, L.PermissionDenied, L.AcceptedCanceled)
_DIAGNOSTICS = {
    L.Uploading: DiagnosticsStatus.Uploading,
    L.Uploaded: DiagnosticsStatus.Uploaded,
    L.Idle: DiagnosticsStatus.Idle,
}


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


class Logs16(Block):
    """Uploads logs and reports how it goes; an identical report in a row is progress, and not sent again."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._diagnostics = L.Idle
        self._log = LogStatus(log_status=L.Idle, request_id=0)

    @answers(GetDiagnosticsRequest)
    def get_diagnostics(self, request: GetDiagnosticsRequest) -> Deferred:
        """Upload diagnostics; the answer has the name of the file."""
        if "FirmwareManagement" not in self.station.variables.get(SUPPORTED_FEATURE_PROFILES):
            raise RequestRefused("NotSupported", "the profile FirmwareManagement is not in use")
        wanted = system.UploadLogsRequest(
            location=request.location,
            retries=(request.retries or 0) + 1,
            retry_interval_s=request.retry_interval_s,
            oldest_timestamp=_time(request.start_time),
            latest_timestamp=_time(request.stop_time),
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
        log = request.log
        wanted = system.UploadLogsRequest(
            location=log.remote_location,
            retries=(request.retries or 0) + 1,
            retry_interval_s=request.retry_interval_s,
            oldest_timestamp=_time(log.oldest_timestamp),
            latest_timestamp=_time(log.latest_timestamp),
            type=request.log_type.value,
            request_id=request.request_id,
        )
        deferred = self.station.defer()
        self.station.command(call(System.upload_logs, wanted), partial(self._log_started, deferred))
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
        elif (status.log_status, status.request_id) != (self._log.log_status, self._log.request_id):
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
        ended = self._log.log_status in ENDED
        self._send_log(LogStatus(log_status=L.Idle, request_id=0) if ended else self._log, triggered=True)
