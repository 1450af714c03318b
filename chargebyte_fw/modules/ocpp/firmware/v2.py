"""UpdateFirmware of OCPP 2.x, signed (L01) and unsigned (L02), and FirmwareStatusNotification."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import system
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus, FirmwareUpdateStatusEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
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
from chargebyte_fw.modules.ocpp.messages.v2.firmware import (
    FirmwareStatusEnumType,
    FirmwareStatusNotificationRequest,
    UpdateFirmwareRequest,
    UpdateFirmwareResponse,
    UpdateFirmwareStatusEnumType,
)
from chargebyte_fw.modules.ocpp.provisioning.events import Registered, SecurityEventRaised
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, events, receives
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.transactions.events import TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.internal import DEFER_FIRMWARE_DOWNLOAD

DEFERRED = "deferred"
"""Key of an update that waits for the last transaction."""
UNSIGNED = "unsigned"
"""Key of the note that the update that runs has no signature (L02)."""
S = FirmwareUpdateStatusEnum
Statuses = UpdateFirmwareStatusEnumType


class Firmware2(Block):
    """Starts updates and reports how they go, over the restart of an installation, too."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._last = FirmwareUpdateStatus(firmware_update_status=S.Idle, request_id=NO_REQUEST)
        self._signed = True
        self._install_at: datetime | None = None
        self._followed = False
        """Whether the system has reported since the start."""
        self._unreported: FirmwareUpdateStatus | None = None
        self._deferred: system.FirmwareUpdateRequest | None = None

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take the status before the restart."""
        self._last = kept_status(self.station, event) or self._last
        self._signed = UNSIGNED not in event.tables.get(TABLE, {})
        self._install_at = kept_install_time(event)
        deferred = event.tables.get(TABLE, {}).get(DEFERRED)
        if deferred is not None:
            try:
                self._deferred = msgspec.json.decode(deferred, type=system.FirmwareUpdateRequest)
            except msgspec.DecodeError:
                self.station.save(TABLE, DEFERRED, None)

    @answers(UpdateFirmwareRequest)
    def update(self, request: UpdateFirmwareRequest) -> UpdateFirmwareResponse | Deferred:
        """Start an update; the system checks the certificate of a signed one.

        With DeferFirmwareDownloadDuringTransaction the download begins after the last transaction.
        """
        wanted = update_of(request)
        if wanted.signing_certificate is not None and wanted.signature is None:
            return UpdateFirmwareResponse(status=Statuses.Rejected)
        if self.station.variables.get(DEFER_FIRMWARE_DOWNLOAD) and self.station.block(Transactions2).running():
            replaced, self._deferred = self._deferred is not None, wanted
            self.station.save(TABLE, DEFERRED, wanted)
            scheduled = FirmwareUpdateStatus(firmware_update_status=S.DownloadScheduled, request_id=wanted.request_id)
            self.station.after_answer(partial(self._follow, scheduled))
            return UpdateFirmwareResponse(status=Statuses.AcceptedCanceled if replaced else Statuses.Accepted)
        deferred = self.station.defer()
        self.station.command(call(System.update_firmware, wanted), partial(self._started, deferred, wanted))
        return deferred

    def _started(self, deferred: Deferred, wanted: system.FirmwareUpdateRequest, result: Any) -> None:
        status = named(Statuses, result, Statuses.Rejected)
        self._taken(wanted, result)
        if status in (Statuses.InvalidCertificate, Statuses.RevokedCertificate):
            self.station.notify(SecurityEventRaised("InvalidFirmwareSigningCertificate", status.value))
        self.station.answer(deferred, UpdateFirmwareResponse(status=status))

    def _taken(self, wanted: system.FirmwareUpdateRequest, result: Any) -> None:
        """Note of an update that the system takes whether it is signed: what it installs after, over a restart, too."""
        if takes(result):
            self.station.block(Installation).forget_plan()
            self._install_at = keep_install_time(self.station, wanted)
            self._signed = wanted.signing_certificate is not None
            self.station.save(TABLE, UNSIGNED, None if self._signed else True)

    @receives(TransactionEnded)
    def transaction_ended(self, event: TransactionEnded) -> None:
        """Begin a download that waited for the last transaction."""
        self._begin_deferred()

    def _begin_deferred(self) -> None:
        if self._deferred is not None and not self.station.block(Transactions2).running():
            wanted, self._deferred = self._deferred, None
            self.station.save(TABLE, DEFERRED, None)
            self.station.command(call(System.update_firmware, wanted), partial(self._taken, wanted))

    # Status.

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Follow the update."""
        if not isinstance(event.value, FirmwareUpdateStatus):
            return
        self._follow(event.value)

    def _follow(self, status: FirmwareUpdateStatus) -> None:
        before, self._last = self._last, status
        kind = status.firmware_update_status
        repeated = (kind, status.request_id) == (before.firmware_update_status, before.request_id)
        if repeated and self._followed:
            return
        # After a restart the system asks again for the permission to install, with the status that was the last.
        self._followed = True
        self.station.save(TABLE, KEY, None if kind in ENDED else status)
        if not repeated:
            self._report(status)
        installation = self.station.block(Installation)
        if kind is (S.SignatureVerified if self._signed else S.Downloaded):
            scheduled = msgspec.structs.replace(status, firmware_update_status=S.InstallScheduled)
            installation.ready_to_install(status, self._install_at, partial(self._waits, scheduled, reported=repeated))
        elif kind in ENDED:
            installation.ended(self.station.block(Availability2).wanted_operative())
        if kind is S.InvalidSignature:
            self.station.notify(SecurityEventRaised("InvalidFirmwareSignature", f"request {status.request_id}"))

    def _waits(self, scheduled: FirmwareUpdateStatus, *, reported: bool) -> None:
        """Report that the installation waits for a transaction (L01), unless it was reported for its time before."""
        if not reported and self._last.firmware_update_status is not S.InstallScheduled:
            self._report(scheduled)

    def _report(self, status: FirmwareUpdateStatus) -> None:
        if self.station.block(Provisioning2).accepted:
            self._send(status)
        else:
            self._unreported = status

    @receives(Registered)
    def registered(self, event: Registered) -> None:
        """Report what happened before the CSMS accepted the station: the end of an installation that restarted it."""
        status, self._unreported = self._unreported, None
        if status is not None:
            self._send(status)
        self._begin_deferred()

    def _send(self, status: FirmwareUpdateStatus, *, triggered: bool = False) -> None:
        idle = status.firmware_update_status is S.Idle
        request = FirmwareStatusNotificationRequest(
            status=named(FirmwareStatusEnumType, status.firmware_update_status, FirmwareStatusEnumType.Idle),
            # requestId is there unless the status is Idle (L01).
            request_id=None if idle or status.request_id == NO_REQUEST else status.request_id,
        )
        self.station.send(request, triggered=triggered)

    def report(self) -> None:
        """Send the status now; Idle after an installation that succeeded (F06, L01)."""
        status = self._last
        if status.firmware_update_status is S.Installed:
            status = FirmwareUpdateStatus(firmware_update_status=S.Idle, request_id=NO_REQUEST)
        self._send(status, triggered=True)
