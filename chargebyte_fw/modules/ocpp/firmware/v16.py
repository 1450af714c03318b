"""UpdateFirmware (§5.19) and SignedUpdateFirmware (security whitepaper L01) of OCPP 1.6, and their status messages."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec.structs

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus, FirmwareUpdateStatusEnum
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.firmware.installation import ENDED, Installation
from chargebyte_fw.modules.ocpp.firmware.update_request import (
    KEY,
    NO_REQUEST,
    TABLE,
    keep_install_time,
    kept_install_time,
    kept_status,
    takes,
    update_of,
)
from chargebyte_fw.modules.ocpp.messages.v16.firmware import (
    FirmwareStatus,
    FirmwareStatusNotificationRequest,
    UpdateFirmwareRequest,
    UpdateFirmwareResponse,
)
from chargebyte_fw.modules.ocpp.messages.v16.security import (
    FirmwareStatusEnumType,
    SignedFirmwareStatusNotificationRequest,
    SignedUpdateFirmwareRequest,
    SignedUpdateFirmwareResponse,
    UpdateFirmwareStatusEnumType,
)
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.provisioning.v16 import Provisioning16
from chargebyte_fw.modules.ocpp.station import Block, Deferred, RequestRefused, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables.standard.legacy import SUPPORTED_FEATURE_PROFILES

UNSIGNED = NO_REQUEST
"""request_id of an UpdateFirmware, which has none."""
S = FirmwareUpdateStatusEnum
_UNSIGNED_STATUS = {
    S.Downloading: FirmwareStatus.Downloading,
    S.Downloaded: FirmwareStatus.Downloaded,
    S.DownloadFailed: FirmwareStatus.DownloadFailed,
    S.Installing: FirmwareStatus.Installing,
    S.Installed: FirmwareStatus.Installed,
    S.InstallationFailed: FirmwareStatus.InstallationFailed,
    S.InstallVerificationFailed: FirmwareStatus.InstallationFailed,
    S.InvalidSignature: FirmwareStatus.InstallationFailed,
    S.Idle: FirmwareStatus.Idle,
}
"""The states that FirmwareStatus has a word for; the others are steps between them."""


class Firmware16(Block):
    """Starts updates and reports how they go, over the restart of an installation, too."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._last = FirmwareUpdateStatus(firmware_update_status=S.Idle, request_id=UNSIGNED)
        self._unreported: FirmwareUpdateStatus | None = None
        self._install_at: datetime | None = None
        self._followed = False
        """Whether the system has reported since the start."""

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the status before the restart."""
        self._install_at = kept_install_time(event)
        status = kept_status(self.station, event)
        if status is not None:
            self._last = status
            if status.firmware_update_status in ENDED:
                self._unreported = status

    # Requests.

    @answers(UpdateFirmwareRequest)
    def update(self, request: UpdateFirmwareRequest) -> UpdateFirmwareResponse:
        """Start an update; how it goes is reported."""
        if "FirmwareManagement" not in self.station.variables.get(SUPPORTED_FEATURE_PROFILES):
            raise RequestRefused("NotSupported", "the profile FirmwareManagement is not in use")
        wanted = system.FirmwareUpdateRequest(
            request_id=UNSIGNED,
            location=request.location,
            retries=(request.retries or 0) + 1,
            retry_interval_s=request.retry_interval_s,
            retrieve_timestamp=rfc3339(request.retrieve_date),
        )
        begin = call(System.update_firmware, wanted)
        self.station.after_answer(lambda: self.station.command(begin, partial(self._taken, wanted)))
        return UpdateFirmwareResponse()

    @answers(SignedUpdateFirmwareRequest)
    def signed_update(self, request: SignedUpdateFirmwareRequest) -> Deferred:
        """Start an update whose certificate the system has checked."""
        deferred = self.station.defer()
        wanted = update_of(request)
        self.station.command(call(System.update_firmware, wanted), partial(self._started, deferred, wanted))
        return deferred

    def _taken(self, wanted: system.FirmwareUpdateRequest, result: Any) -> None:
        if takes(result):
            self.station.block(Installation).forget_plan()
            self._install_at = keep_install_time(self.station, wanted)

    def _started(self, deferred: Deferred, wanted: system.FirmwareUpdateRequest, result: Any) -> None:
        self._taken(wanted, result)
        status = named(UpdateFirmwareStatusEnumType, result, UpdateFirmwareStatusEnumType.Rejected)
        if status in (UpdateFirmwareStatusEnumType.InvalidCertificate, UpdateFirmwareStatusEnumType.RevokedCertificate):
            self.station.notify(SecurityEventRaised("InvalidFirmwareSigningCertificate", status.value))
        self.station.answer(deferred, SignedUpdateFirmwareResponse(status=status))

    # Status.

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Follow the update."""
        if not isinstance(event.value, FirmwareUpdateStatus):
            return
        status, before, self._last = event.value, self._last, event.value
        kind = status.firmware_update_status
        repeated = (kind, status.request_id) == (before.firmware_update_status, before.request_id)
        if repeated and self._followed:
            return
        # After a restart the system asks again for the permission to install, with the status that was the last.
        self._followed = True
        if not repeated:
            self._report(status)
        signed = status.request_id != UNSIGNED
        installation = self.station.block(Installation)
        if kind is (S.SignatureVerified if signed else S.Downloaded):
            installation.ready_to_install(status, self._install_at, partial(self._waits, status, reported=repeated))
        elif kind in ENDED:
            installation.ended(self.station.block(Connectors16).wanted_operative())
        if kind is S.InvalidSignature:
            self.station.notify(SecurityEventRaised("InvalidFirmwareSignature", f"request {status.request_id}"))

    @property
    def _reports(self) -> bool:
        provisioning = self.station.block(Provisioning16)
        return provisioning.accepted and provisioning.online

    def _report(self, status: FirmwareUpdateStatus) -> None:
        if self._reports:
            self._reported(status)
        else:
            self._unreported = status
            self.station.save(TABLE, KEY, status)

    def _waits(self, status: FirmwareUpdateStatus, *, reported: bool) -> None:
        """Report that the installation waits for a transaction, unless it was reported for its time before."""
        known = reported or self._last.firmware_update_status is S.InstallScheduled
        if self._reports and not known:
            self._send(msgspec.structs.replace(status, firmware_update_status=S.InstallScheduled))

    def _reported(self, status: FirmwareUpdateStatus) -> None:
        self._send(status)
        self.station.save(TABLE, KEY, None if status.firmware_update_status in ENDED else status)

    @receives(Registered)
    @receives(BackOnline)
    def went_online(self, event: Registered | BackOnline) -> None:
        """Report what the CSMS could not receive: the end of an installation that restarted the station."""
        status, self._unreported = self._unreported, None
        if status is not None:
            self._reported(status)

    def _send(self, status: FirmwareUpdateStatus, *, triggered: bool = False) -> None:
        request: Any
        if status.request_id == UNSIGNED:
            word = _UNSIGNED_STATUS.get(status.firmware_update_status)
            if word is None:
                return
            request = FirmwareStatusNotificationRequest(status=word)
        else:
            request = SignedFirmwareStatusNotificationRequest(
                status=FirmwareStatusEnumType(status.firmware_update_status.value), request_id=status.request_id
            )
        self.station.send(request, triggered=triggered)

    def report(self, *, signed: bool) -> None:
        """Send the status now; Idle when no update runs, as after its end."""
        status = self._last
        if status.firmware_update_status in ENDED:
            status = FirmwareUpdateStatus(firmware_update_status=S.Idle, request_id=UNSIGNED)
        if status.firmware_update_status is S.Idle and signed:
            idle = SignedFirmwareStatusNotificationRequest(status=FirmwareStatusEnumType.Idle)
            self.station.send(idle, triggered=True)
        else:
            self._send(status, triggered=True)
