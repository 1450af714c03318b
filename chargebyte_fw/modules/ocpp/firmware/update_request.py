"""What an update with a certificate asks of the system, and what is kept of its status, in both generations (L01)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.station import Station, events

if TYPE_CHECKING:
    # A station of one generation does not load the messages of the other one.
    from chargebyte_fw.modules.ocpp.messages.v2.firmware import UpdateFirmwareRequest
    from chargebyte_fw.modules.ocpp.messages.v16.security import SignedUpdateFirmwareRequest

TABLE, KEY = "FIRMWARE_UPDATE", "status"
INSTALL_AT = "install_at"
"""Key of the time before which the update that runs is not installed."""
NO_REQUEST = -1
"""request_id where there is none: no update, or an unsigned one of OCPP 1.6."""


def update_of(request: SignedUpdateFirmwareRequest | UpdateFirmwareRequest) -> system.FirmwareUpdateRequest:
    """Return the update that a request asks for; the CSMS counts retries, the system counts tries."""
    firmware = request.firmware
    install = firmware.install_date_time
    return system.FirmwareUpdateRequest(
        request_id=request.request_id,
        location=firmware.location,
        retries=(request.retries or 0) + 1,
        retry_interval_s=request.retry_interval_s,
        retrieve_timestamp=rfc3339(firmware.retrieve_date_time),
        install_timestamp=None if install is None else rfc3339(install),
        signing_certificate=firmware.signing_certificate,
        signature=firmware.signature,
    )


def kept_status(station: Station, event: events.Loaded) -> FirmwareUpdateStatus | None:
    """Return the status before the restart: the system reports the end of the installation to its request."""
    data = event.tables.get(TABLE, {}).get(KEY)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=FirmwareUpdateStatus)
    except msgspec.DecodeError:
        station.save(TABLE, KEY, None)
        return None


def keep_install_time(station: Station, wanted: system.FirmwareUpdateRequest) -> datetime | None:
    """Note the time before which an update that the system has taken is not installed; returns it."""
    station.save(TABLE, INSTALL_AT, wanted.install_timestamp)
    return None if wanted.install_timestamp is None else datetime.fromisoformat(wanted.install_timestamp)


def kept_install_time(event: events.Loaded) -> datetime | None:
    """Return that time after a restart."""
    data = event.tables.get(TABLE, {}).get(INSTALL_AT)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=datetime)
    except msgspec.DecodeError:
        return None


def takes(result: object) -> bool:
    """Return whether the system takes an update."""
    return result in (system.UpdateFirmwareResponse.Accepted, system.UpdateFirmwareResponse.AcceptedCanceled)
