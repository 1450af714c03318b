"""The life of an update: what follows what, what is said of it, and what a restart at any moment leaves to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest, UpdateFirmwareResponse
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatusEnum as Status
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.system.update import messages as m
from chargebyte_fw.modules.system.update import timing
from chargebyte_fw.modules.system.update.messages import Update, UpdateState

NOT_YET_WRITING = frozenset(
    {
        UpdateState.ACCEPTED,
        UpdateState.DOWNLOAD_SCHEDULED,
        UpdateState.DOWNLOADING,
        UpdateState.DOWNLOAD_PAUSED,
        UpdateState.VERIFYING,
        UpdateState.INSTALL_SCHEDULED,
        UpdateState.AWAITING_PERMISSION,
    }
)
"""A later request may take the place of an update in these phases."""


def time_of(text: str | None) -> datetime | None:
    """Return the time that a request names (UTC where it names no zone); raises ValueError for a text that is none."""
    if text is None or not text.strip():
        return None
    # RFC 3339 lets T and Z be small letters.
    at = datetime.fromisoformat(text.strip().upper())
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


class UpdateMachine(Machine):
    """One update at a time. `update` is the one that runs, None when none does.

    `boot_id` is the kernel's name for this boot. With `ask_permission` an installation begins only after `Permitted`.
    """

    def __init__(self, *, boot_id: str = "", ask_permission: bool = False) -> None:
        super().__init__(UpdateState.IDLE)
        self.boot_id = boot_id
        self.ask_permission = ask_permission
        self.update: Update | None = None
        self._wait_is_said = False
        self._looking_since = 0.0
        self._downloading_since = 0.0
        self._came_further = False

    def judge(self, request: FirmwareUpdateRequest) -> UpdateFirmwareResponse:
        """Tell what a request would be answered now; changes nothing."""
        signed = request.request_id != m.UNSIGNED
        if signed and not (request.signing_certificate and request.signature):
            return UpdateFirmwareResponse.Rejected
        if self.state is UpdateState.IDLE:
            return UpdateFirmwareResponse.Accepted
        if signed and self.state in NOT_YET_WRITING:
            return UpdateFirmwareResponse.AcceptedCanceled
        return UpdateFirmwareResponse.Rejected

    # --- beginning

    @on(UpdateState.IDLE, *NOT_YET_WRITING, event=m.Requested)
    def _requested(self, event: m.Requested, now: float) -> list[Any]:
        # Also a part that an earlier update left: it may be of another firmware under the same address.
        before: list[Any] = [m.StopWork(forget=True)]
        if self.update is not None:
            before.append(m.Log(f"update {self.update.request.request_id} gives way to a later one"))
        self.update = event.update
        return before + self._go(UpdateState.ACCEPTED, until=now + timing.REPLY_FIRST_S)

    @on(UpdateState.ACCEPTED, event=Timeout)
    def _begin(self, _event: Timeout, now: float) -> list[Any]:
        return [m.ReadClock()]

    @on(UpdateState.ACCEPTED, event=m.ClockRead)
    def _begin_at(self, event: m.ClockRead, now: float) -> list[Any]:
        if self._is_ahead(self._request.retrieve_timestamp, event.at):
            effects = self._say_if_signed(Status.DownloadScheduled)
            return effects + self._go(UpdateState.DOWNLOAD_SCHEDULED) + self._await_time(event.at, now)
        self._downloading_since = now
        return self._download()

    @on(UpdateState.DOWNLOAD_SCHEDULED, UpdateState.INSTALL_SCHEDULED, event=Timeout)
    def _look_at_clock(self, _event: Timeout, now: float) -> list[Any]:
        return [m.ReadClock()]

    @on(UpdateState.DOWNLOAD_SCHEDULED, event=m.ClockRead)
    def _download_when_due(self, event: m.ClockRead, now: float) -> list[Any]:
        if self._is_ahead(self._request.retrieve_timestamp, event.at):
            return self._await_time(event.at, now)
        self._downloading_since = now
        return self._download()

    # --- download

    def _download(self, *, silent: bool = False) -> list[Any]:
        said = [] if silent else self._say(Status.Downloading)
        return said + self._go(UpdateState.DOWNLOADING) + [m.Download(self._request.location)]

    @on(UpdateState.DOWNLOADING, event=m.DownloadBroke)
    def _download_broke(self, event: m.DownloadBroke, now: float) -> list[Any]:
        update = self._current
        # A try that came further is no failed one: the next goes on where it ended, and nobody needs to hear of it.
        self._came_further = event.reached >= update.reached + timing.PROGRESS_BYTES
        update.reached = max(update.reached, event.reached)
        if not self._came_further:
            update.tries_left -= 1
        late = now - self._downloading_since >= timing.DOWNLOAD_LIMIT_S
        if event.final or late or update.tries_left <= 0:
            reason = event.reason + (f", and {timing.DOWNLOAD_LIMIT_S / 3600:g} h are over" if late else "")
            said = self._say(Status.DownloadFailed)
            return [m.Log(f"the firmware cannot be downloaded: {reason}", trouble=True), *said, *self._end()]
        pause_s = max(update.retry_interval_s, timing.RESUME_PAUSE_S)
        note = m.Log(f"the download of the firmware broke: {event.reason}; on in {pause_s:g} s", trouble=True)
        # Each failed try has its own pair of statuses, as EVerest's system modules say it.
        said = self._say_if_signed(Status.DownloadPaused) if self._came_further else self._say(Status.DownloadFailed)
        return [note, *said, *self._go(UpdateState.DOWNLOAD_PAUSED, until=now + pause_s)]

    @on(UpdateState.DOWNLOAD_PAUSED, event=Timeout)
    def _download_again(self, _event: Timeout, now: float) -> list[Any]:
        return self._download(silent=self._came_further and not self._current.signed)

    @on(UpdateState.DOWNLOADING, event=m.DownloadEnded)
    def _downloaded(self, _event: m.DownloadEnded, now: float) -> list[Any]:
        said = self._say(Status.Downloaded)
        return said + (self._verify() if self._current.signed else self._schedule_install())

    # --- signature

    def _verify(self) -> list[Any]:
        request = self._request
        check = m.CheckSignature(request.signing_certificate or "", request.signature or "")
        return [*self._go(UpdateState.VERIFYING), check]

    @on(UpdateState.VERIFYING, event=m.SignatureChecked)
    def _signature_checked(self, event: m.SignatureChecked, now: float) -> list[Any]:
        if event.trouble:
            note = m.Log(f"the firmware's signature is not valid: {event.trouble}", trouble=True)
            return [note, *self._say(Status.InvalidSignature), *self._end()]
        return self._say(Status.SignatureVerified) + self._schedule_install()

    # --- installation

    def _schedule_install(self) -> list[Any]:
        self._wait_is_said = False
        return [*self._go(UpdateState.INSTALL_SCHEDULED), m.ReadClock()]

    @on(UpdateState.INSTALL_SCHEDULED, event=m.ClockRead)
    def _install_when_due(self, event: m.ClockRead, now: float) -> list[Any]:
        if self._is_ahead(self._request.install_timestamp, event.at):
            said = [] if self._wait_is_said else self._say_if_signed(Status.InstallScheduled)
            self._wait_is_said = True
            return said + self._await_time(event.at, now, install=True)
        if self.ask_permission and not self._current.permitted:
            return [m.Log("the installation waits for permission"), *self._go(UpdateState.AWAITING_PERMISSION)]
        return self._install()

    @on(event=m.Permitted)
    def _permitted(self, _event: m.Permitted, now: float) -> list[Any]:
        if self.update is None or self.update.permitted:
            return []
        self.update.permitted = True
        if self.state is UpdateState.AWAITING_PERMISSION:
            return self._install()
        return self._keep()

    def _install(self) -> list[Any]:
        said = self._say(Status.Installing) if self.state is not UpdateState.INSTALL_PAUSED else []
        self._current.installs += 1
        self._current.boot_id = self.boot_id
        return said + self._go(UpdateState.INSTALLING) + [m.Install(self._request.request_id)]

    @on(UpdateState.INSTALLING, event=m.TargetChosen)
    def _target_chosen(self, event: m.TargetChosen, now: float) -> list[Any]:
        self._current.target_slot = event.slot
        return self._keep()

    @on(UpdateState.INSTALLING, event=m.InstallBroke)
    def _install_broke(self, event: m.InstallBroke, now: float) -> list[Any]:
        if self._current.installs >= timing.INSTALL_TRIES:
            return self._failed(event.reason)
        note = m.Log(f"the installation was interrupted: {event.reason}; again", trouble=True)
        return [note, *self._go(UpdateState.INSTALL_PAUSED, until=now + timing.INSTALL_PAUSE_S)]

    @on(UpdateState.INSTALL_PAUSED, event=Timeout)
    def _install_again(self, _event: Timeout, now: float) -> list[Any]:
        return self._install()

    @on(UpdateState.INSTALLING, event=m.InstallRefused)
    def _install_refused(self, event: m.InstallRefused, now: float) -> list[Any]:
        # OCPP 1.6 without the security extension has one word for every failure.
        signed = self._current.signed
        return self._failed(event.reason, Status.InstallVerificationFailed if signed else Status.InstallationFailed)

    @on(UpdateState.INSTALLING, event=m.InstallFailed)
    def _install_failed(self, event: m.InstallFailed, now: float) -> list[Any]:
        return self._failed(event.reason)

    # --- reboot

    @on(UpdateState.INSTALLING, event=m.InstallEnded)
    def _installed(self, _event: m.InstallEnded, now: float) -> list[Any]:
        said = self._say(Status.InstallRebooting)
        return said + self._go(UpdateState.REBOOT_DUE, until=now + timing.REBOOT_DELAY_S)

    @on(UpdateState.REBOOT_DUE, event=Timeout)
    def _reboot(self, _event: Timeout, now: float) -> list[Any]:
        self._current.boot_id = self.boot_id
        return [*self._go(UpdateState.REBOOTING, until=now + timing.REBOOT_LIMIT_S), m.Reboot()]

    @on(UpdateState.REBOOTING, event=Timeout)
    def _reboot_again(self, _event: Timeout, now: float) -> list[Any]:
        self.deadline = now + timing.REBOOT_LIMIT_S
        return [m.Log("the reboot into the new firmware does not come; again", trouble=True), m.Reboot()]

    # --- after a start

    @on(UpdateState.IDLE, event=m.Restored)
    def _restored(self, event: m.Restored, now: float) -> list[Any]:
        self.update = event.update
        phase = event.update.phase
        self.state = phase
        note = m.Log(f"update {event.update.request.request_id} goes on from {phase}")
        if phase in (UpdateState.ACCEPTED, UpdateState.DOWNLOAD_SCHEDULED):
            self.state = UpdateState.ACCEPTED
            return [note, m.ReadClock()]
        if phase in (UpdateState.DOWNLOADING, UpdateState.DOWNLOAD_PAUSED):
            self._downloading_since = now
            return [note, *self._download()]
        if phase in (UpdateState.VERIFYING, UpdateState.INSTALL_SCHEDULED, UpdateState.AWAITING_PERMISSION):
            if event.update.signed:
                # The file lay there unattended: a signature counts only for what is about to be installed.
                return [note, *self._verify()]
            # Who gives the permission began anew, too, and waits for the word that asks for it.
            return [note, *self._say(Status.Downloaded), *self._schedule_install()]
        self._looking_since = now
        self.state = UpdateState.LOOKING_BACK
        return [m.ReadSlots()]

    @on(UpdateState.LOOKING_BACK, event=m.SlotsUnknown)
    def _slots_unknown(self, event: m.SlotsUnknown, now: float) -> list[Any]:
        if now - self._looking_since >= timing.BOOT_LIMIT_S:
            return self._failed(f"RAUC does not say what was booted: {event.reason}")
        self.deadline = now + timing.BOOT_LOOK_S
        return []

    @on(UpdateState.LOOKING_BACK, event=m.RaucBusy)
    def _rauc_is_busy(self, _event: m.RaucBusy, now: float) -> list[Any]:
        update = self._current
        if update.phase is not UpdateState.INSTALLING or update.boot_id != self.boot_id or not update.target_slot:
            # Ours ended with the boot before, or had not begun: somebody else installs.
            self.deadline = now + timing.BOOT_LOOK_S
            return []
        running = m.Install(update.request.request_id, running=True)
        return [*self._say(Status.Installing), *self._go(UpdateState.INSTALLING), running]

    @on(UpdateState.LOOKING_BACK, event=Timeout)
    def _look_again(self, _event: Timeout, now: float) -> list[Any]:
        return [m.ReadSlots()]

    @on(UpdateState.LOOKING_BACK, event=m.SlotsSeen)
    def _slots_seen(self, event: m.SlotsSeen, now: float) -> list[Any]:
        update = self._current
        if update.target_slot and event.booted == update.target_slot:
            note = m.Log(f"the new firmware runs (slot {event.booted})")
            return [note, *self._say(Status.Installed), *self._end()]
        asked = update.phase is UpdateState.REBOOTING
        # Without the kernel's word for it a boot counts as another one: never reboot in a circle.
        if asked and (update.boot_id != self.boot_id or not self.boot_id):
            return self._failed(f"slot {event.booted} was booted, not {update.target_slot}: the new firmware fell back")
        written = update.target_slot and event.primary == update.target_slot and event.good
        if asked or written:
            said = self._say(Status.InstallRebooting)
            return said + self._go(UpdateState.REBOOT_DUE, until=now + timing.REBOOT_DELAY_S)
        if update.installs >= timing.INSTALL_TRIES:
            return self._failed("the installation was interrupted too often")
        self.state = UpdateState.INSTALLING
        note = m.Log("the installation was interrupted; again", trouble=True)
        # Damage or exchange of the file in the meantime must show before anything is written.
        again = self._verify() if update.signed else self._install()
        return [note, *again]

    # --- helpers

    @property
    def _current(self) -> Update:
        if self.update is None:
            raise AssertionError("no update in a phase that has one")
        return self.update

    @property
    def _request(self) -> FirmwareUpdateRequest:
        return self._current.request

    def _is_ahead(self, timestamp: str | None, at: datetime) -> bool:
        due = time_of(timestamp)
        return due is not None and due > at

    def _await_time(self, at: datetime, now: float, *, install: bool = False) -> list[Any]:
        due = time_of(self._request.install_timestamp if install else self._request.retrieve_timestamp)
        left_s = (due - at).total_seconds() if due is not None else 0.0
        self.deadline = now + min(left_s, timing.CLOCK_LOOK_S)
        return []

    def _say(self, status: Status) -> list[Any]:
        return [m.PublishStatus(status, self._request.request_id)]

    def _say_if_signed(self, status: Status) -> list[Any]:
        # OCPP 1.6 without the security extension does not know the status.
        return self._say(status) if self._current.signed else []

    def _keep(self) -> list[Any]:
        return [m.Save(msgspec.structs.replace(self._current))]

    def _go(self, phase: UpdateState, until: float | None = None) -> list[Any]:
        self._current.phase = phase
        return self.enter(phase, *self._keep(), until=until)

    def _failed(self, reason: str, status: Status = Status.InstallationFailed) -> list[Any]:
        note = m.Log(f"the firmware cannot be installed: {reason}", trouble=True)
        return [note, *self._say(status), *self._end()]

    def _end(self) -> list[Any]:
        self.update = None
        return self.enter(UpdateState.IDLE, m.Save(None), m.StopWork(forget=True))
