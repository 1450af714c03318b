"""What GetLog asks of the system, in both generations (OCPP 2.x N01; security whitepaper of 1.6 N01)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import LogStatus, LogStatusEnum
from chargebyte_fw.kernel.clock import rfc3339

if TYPE_CHECKING:
    # A station of one generation does not load the messages of the other one.
    from chargebyte_fw.modules.ocpp.messages.v2.diagnostics import GetLogRequest as GetLogRequest2
    from chargebyte_fw.modules.ocpp.messages.v16.security import GetLogRequest as GetLogRequest16

L = LogStatusEnum
ENDED = (L.Uploaded, L.UploadFailure, L.BadMessage, L.NotSupportedOperation, L.PermissionDenied, L.AcceptedCanceled)
"""After these an upload is over."""
NO_UPLOAD = LogStatus(log_status=L.Idle, request_id=0)


def upload_of(request: GetLogRequest16 | GetLogRequest2) -> system.UploadLogsRequest:
    """Return the upload that a GetLog asks for; the CSMS counts retries, the system counts tries."""
    log = request.log
    return system.UploadLogsRequest(
        location=log.remote_location,
        retries=(request.retries or 0) + 1,
        retry_interval_s=request.retry_interval_s,
        oldest_timestamp=text_of(log.oldest_timestamp),
        latest_timestamp=text_of(log.latest_timestamp),
        type=request.log_type.value,
        request_id=request.request_id,
    )


def text_of(at: datetime | None) -> str | None:
    """Return a time as the system takes it."""
    return None if at is None else rfc3339(at)


def is_same(one: LogStatus, other: LogStatus) -> bool:
    """Return whether two reports are of the same step: the second one is progress, and not sent."""
    return (one.log_status, one.request_id) == (other.log_status, other.request_id)


def to_report(status: LogStatus) -> LogStatus:
    """Return the status that a CSMS gets on its request; Idle after the end of an upload."""
    return NO_UPLOAD if status.log_status in ENDED else status
