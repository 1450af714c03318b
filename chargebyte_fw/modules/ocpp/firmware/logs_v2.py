"""GetLog of OCPP 2.x (N01) and LogStatusNotification."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.firmware.log_upload import NO_UPLOAD, is_same, to_report, upload_of
from chargebyte_fw.modules.ocpp.messages.v2.diagnostics import (
    GetLogRequest,
    GetLogResponse,
    LogStatusEnumType,
    LogStatusNotificationRequest,
    UploadLogStatusEnumType,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named


class Logs2(Block):
    """Uploads logs and reports how it goes; an identical report in a row is progress, and not sent again."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._last = NO_UPLOAD

    @answers(GetLogRequest)
    def get_log(self, request: GetLogRequest) -> Deferred:
        """Upload the diagnostics or the security log."""
        deferred = self.station.defer()
        self.station.command(call(System.upload_logs, upload_of(request)), partial(self._started, deferred))
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
        if not is_same(status, before):
            self._send(status)

    def _send(self, status: LogStatus, *, triggered: bool = False) -> None:
        word = named(UploadLogStatusEnumType, status.log_status, UploadLogStatusEnumType.UploadFailure)
        # requestId is there unless the status is Idle (N01).
        request_id = None if status.log_status is LogStatusEnum.Idle else status.request_id
        self.station.send(LogStatusNotificationRequest(status=word, request_id=request_id), triggered=triggered)

    def report(self) -> None:
        """Send the status now; Idle after the end of an upload (F06)."""
        self._send(to_report(self._last), triggered=True)
