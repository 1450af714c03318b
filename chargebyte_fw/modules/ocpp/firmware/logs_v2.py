"""GetLog of OCPP 2.x (N01) and LogStatusNotification."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2.diagnostics import (
    GetLogRequest,
    GetLogResponse,
    LogStatusEnumType,
    LogStatusNotificationRequest,
    UploadLogStatusEnumType,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named

L = LogStatusEnum
ENDED = (L.Uploaded, L.UploadFailure, L.BadMessage, L.NotSupportedOperation, L.PermissionDenied, L.AcceptedCanceled)


class Logs2(Block):
    """Uploads logs and reports how it goes; an identical report in a row is progress, and not sent again."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._last = LogStatus(log_status=L.Idle, request_id=0)

    @answers(GetLogRequest)
    def get_log(self, request: GetLogRequest) -> Deferred:
        """Upload the diagnostics or the security log."""
        log = request.log
        wanted = system.UploadLogsRequest(
            location=log.remote_location,
            retries=(request.retries or 0) + 1,
            retry_interval_s=request.retry_interval_s,
            oldest_timestamp=None if log.oldest_timestamp is None else rfc3339(log.oldest_timestamp),
            latest_timestamp=None if log.latest_timestamp is None else rfc3339(log.latest_timestamp),
            type=request.log_type.value,
            request_id=request.request_id,
        )
        deferred = self.station.defer()
        self.station.command(call(System.upload_logs, wanted), partial(self._started, deferred))
        return deferred

    def _started(self, deferred: Deferred, result: Any) -> None:
        status, name = LogStatusEnumType.Rejected, None
        if isinstance(result, system.UploadLogsResponse):
            status, name = named(LogStatusEnumType, result.upload_logs_status, status), result.file_name
        self.station.answer(deferred, GetLogResponse(status=status, filename=name))

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Follow an upload."""
        if not isinstance(event.value, LogStatus):
            return
        status, before, self._last = event.value, self._last, event.value
        if (status.log_status, status.request_id) != (before.log_status, before.request_id):
            self._send(status)

    def _send(self, status: LogStatus, *, triggered: bool = False) -> None:
        word = named(UploadLogStatusEnumType, status.log_status, UploadLogStatusEnumType.UploadFailure)
        # requestId is there unless the status is Idle (N01).
        request_id = None if status.log_status is L.Idle else status.request_id
        self.station.send(LogStatusNotificationRequest(status=word, request_id=request_id), triggered=triggered)

    def report(self) -> None:
        """Send the status now; Idle after the end of an upload (F06)."""
        ended = self._last.log_status in ENDED
        self._send(LogStatus(log_status=L.Idle, request_id=0) if ended else self._last, triggered=True)
