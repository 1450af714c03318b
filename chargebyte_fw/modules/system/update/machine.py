"""The states of a firmware update: what follows what, which status is published, what a restart leaves to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest, UpdateFirmwareResponse
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatusEnum as Status
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.system.update import messages as m
from chargebyte_fw.modules.system.update import timing
from chargebyte_fw.modules.system.update.messages import Update
from chargebyte_fw.modules.system.update.messages import UpdateState as S

NOT_YET_WRITING = (
    S.ACCEPTED,
    S.DOWNLOAD_SCHEDULED,
    S.DOWNLOADING,
    S.DOWNLOAD_PAUSED,
    S.VERIFYING,
    S.INSTALL_SCHEDULED,
    S.AWAITING_PERMISSION,
)
"""A later request may take the place of an update in these states."""
RUNNING_UNASKED = tuple(state for state in S if state not in (S.IDLE, S.AWAITING_PERMISSION))
"""There is an update, and it does not wait for permission."""


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
    Without `reboots` what is installed runs at once. With `runs_at_once` it does, too, and a reboot follows a signed
    update only: EVerest's `System`.
    """

    initial = S.IDLE

    def __init__(
        self, *, boot_id: str = "", ask_permission: bool = False, reboots: bool = True, runs_at_once: bool = False
    ) -> None:
        super().__init__()
        self.boot_id = boot_id
        self.ask_permission = ask_permission
        self._reboots = reboots
        self._runs_at_once = runs_at_once
        self.update: Update | None = None
        self._schedule_published = False
        self._looking_since_s = 0.0
        self._downloading_since_s = 0.0
        self._came_further = False
        """Whether the last try brought more of the file than those before."""

    def answer_to(self, request: FirmwareUpdateRequest) -> UpdateFirmwareResponse:
        """Return what a request would be answered now; changes nothing."""
        if m.is_signed(request) and not (request.signing_certificate and request.signature):
            return UpdateFirmwareResponse.Rejected
        if self.state is S.IDLE:
            return UpdateFirmwareResponse.Accepted
        if request.request_id != m.UNSIGNED and self.state in NOT_YET_WRITING:
            return UpdateFirmwareResponse.AcceptedCanceled
        return UpdateFirmwareResponse.Rejected

    # --- beginning

    @on(S.IDLE, *NOT_YET_WRITING, event=m.Requested, to=S.ACCEPTED)
    def _requested(self, event: m.Requested, now: float) -> list[Any]:
        """Take a request; an update that writes nothing yet gives way to it."""
        # Also a part that an earlier update left: it may be of another firmware under the same address.
        before: list[Any] = [m.StopWork(forget=True)]
        if self.update is not None:
            before.append(m.Log(f"update {self.update.request.request_id} gives way to a later one"))
        self.update = event.update
        self.start("reply", now + timing.REPLY_FIRST_S)
        return before + self._go(S.ACCEPTED)

    @on(S.ACCEPTED, timer="reply")
    def _begin(self, now: float) -> list[Any]:
        """Look at the wall clock, once the caller has its answer."""
        return [m.ReadClock()]

    @on(S.ACCEPTED, event=m.ClockRead, to=(S.DOWNLOAD_SCHEDULED, S.DOWNLOADING))
    def _begin_at(self, event: m.ClockRead, now: float) -> list[Any]:
        """Download, or wait for the time of the download."""
        if not self._is_ahead(self._request.retrieve_timestamp, event.at):
            return self._first_download(now)
        effects = self._publish_if_numbered(Status.DownloadScheduled) + self._go(S.DOWNLOAD_SCHEDULED)
        self._await_time(self._request.retrieve_timestamp, event.at, now)
        return effects

    @on(S.DOWNLOAD_SCHEDULED, S.INSTALL_SCHEDULED, timer="clock")
    def _look_at_clock(self, now: float) -> list[Any]:
        """Look at the wall clock again."""
        return [m.ReadClock()]

    @on(S.DOWNLOAD_SCHEDULED, event=m.ClockRead, to=S.DOWNLOADING)
    def _download_when_due(self, event: m.ClockRead, now: float) -> list[Any]:
        """Download when its time has come."""
        if not self._is_ahead(self._request.retrieve_timestamp, event.at):
            return self._first_download(now)
        self._await_time(self._request.retrieve_timestamp, event.at, now)
        return []

    # --- download

    def _first_download(self, now: float) -> list[Any]:
        self._downloading_since_s = now
        return self._download()

    def _download(self, *, silent: bool = False) -> list[Any]:
        status = [] if silent else self._publish(Status.Downloading)
        return status + self._go(S.DOWNLOADING) + [m.Download(self._request.location)]

    @on(S.DOWNLOADING, event=m.DownloadBroke, to=(S.DOWNLOAD_PAUSED, S.IDLE))
    def _download_broke(self, event: m.DownloadBroke, now: float) -> list[Any]:
        """Wait before another attempt, or give up."""
        update = self._current
        # A try that came further is no failed one: the next goes on where it ended, and no status is due.
        self._came_further = event.reached >= update.reached + timing.PROGRESS_BYTES
        update.reached = max(update.reached, event.reached)
        if not self._came_further:
            update.tries_left -= 1
        late = now - self._downloading_since_s >= timing.DOWNLOAD_LIMIT_S
        if event.final or late or update.tries_left <= 0:
            reason = event.reason + (f", and {timing.DOWNLOAD_LIMIT_S / 3600:g} h are over" if late else "")
            log = m.Log(f"the firmware cannot be downloaded: {reason}", trouble=True)
            return [log, *self._publish(Status.DownloadFailed), *self._end()]
        pause_s = max(update.retry_interval_s, timing.RESUME_PAUSE_S)
        log = m.Log(f"the download of the firmware broke: {event.reason}; on in {pause_s:g} s", trouble=True)
        # Each failed try has its own pair of statuses, as EVerest's system modules publish it.
        further = self._came_further
        status = self._publish_if_numbered(Status.DownloadPaused) if further else self._publish(Status.DownloadFailed)
        self.start("retry", now + pause_s)
        return [log, *status, *self._go(S.DOWNLOAD_PAUSED)]

    @on(S.DOWNLOAD_PAUSED, timer="retry", to=S.DOWNLOADING)
    def _download_again(self, now: float) -> list[Any]:
        """Go on with the download."""
        return self._download(silent=self._came_further and not self._current.numbered)

    @on(S.DOWNLOADING, event=m.DownloadEnded, to=(S.VERIFYING, S.INSTALL_SCHEDULED))
    def _downloaded(self, _event: m.DownloadEnded, now: float) -> list[Any]:
        """Check the signature."""
        status = self._publish(Status.Downloaded)
        return status + (self._verify() if self._current.signed else self._schedule_install())

    # --- signature

    def _verify(self) -> list[Any]:
        request = self._request
        check = m.CheckSignature(request.signing_certificate or "", request.signature or "")
        return [*self._go(S.VERIFYING), check]

    @on(S.VERIFYING, event=m.SignatureChecked, to=(S.INSTALL_SCHEDULED, S.IDLE))
    def _signature_checked(self, event: m.SignatureChecked, now: float) -> list[Any]:
        """Go on with a good signature; refuse a bad one."""
        if event.trouble:
            log = m.Log(f"the firmware's signature is not valid: {event.trouble}", trouble=True)
            return [log, *self._publish(Status.InvalidSignature), *self._end()]
        return self._publish(Status.SignatureVerified) + self._schedule_install()

    # --- installation

    def _schedule_install(self) -> list[Any]:
        self._schedule_published = False
        return [*self._go(S.INSTALL_SCHEDULED), m.ReadClock()]

    @on(S.INSTALL_SCHEDULED, event=m.ClockRead, to=(S.AWAITING_PERMISSION, S.INSTALLING))
    def _install_when_due(self, event: m.ClockRead, now: float) -> list[Any]:
        """Install when its time has come."""
        if self._is_ahead(self._request.install_timestamp, event.at):
            status = [] if self._schedule_published else self._publish_if_numbered(Status.InstallScheduled)
            self._schedule_published = True
            self._await_time(self._request.install_timestamp, event.at, now)
            return status
        if self.ask_permission and not self._current.permitted:
            return [m.Log("the installation waits for permission"), *self._go(S.AWAITING_PERMISSION)]
        return self._install()

    @on(S.AWAITING_PERMISSION, event=m.Permitted, to=S.INSTALLING)
    def _permitted(self, _event: m.Permitted, now: float) -> list[Any]:
        """Install."""
        self._current.permitted = True
        return self._install()

    @on(*RUNNING_UNASKED, event=m.Permitted)
    def _permitted_early(self, _event: m.Permitted, now: float) -> list[Any]:
        """Keep the permission for later."""
        if self._current.permitted:
            return []
        self._current.permitted = True
        return self._save()

    def _install(self, *, silent: bool = False) -> list[Any]:
        status = [] if silent else self._publish(Status.Installing)
        self._current.installs += 1
        self._current.boot_id = self.boot_id
        return status + self._go(S.INSTALLING) + [m.Install(self._request.request_id)]

    @on(S.INSTALLING, event=m.TargetChosen)
    def _target_chosen(self, event: m.TargetChosen, now: float) -> list[Any]:
        """Note the slot that is written."""
        self._current.target_slot = event.slot
        return self._save()

    @on(S.INSTALLING, event=m.InstallBroke, to=(S.INSTALL_PAUSED, S.IDLE))
    def _install_broke(self, event: m.InstallBroke, now: float) -> list[Any]:
        """Wait before another attempt, or give up."""
        if self._current.installs >= timing.INSTALL_TRIES:
            return self._failed(event.reason)
        self.start("again", now + timing.INSTALL_PAUSE_S)
        log = m.Log(f"the installation was interrupted: {event.reason}; again", trouble=True)
        return [log, *self._go(S.INSTALL_PAUSED)]

    @on(S.INSTALL_PAUSED, timer="again", to=S.INSTALLING)
    def _install_again(self, now: float) -> list[Any]:
        """Install again."""
        return self._install(silent=True)

    @on(S.INSTALLING, event=m.InstallRefused, to=S.IDLE)
    def _install_refused(self, event: m.InstallRefused, now: float) -> list[Any]:
        """Fail: the bundle was refused."""
        # OCPP 1.6 without the security extension has one status for every failure.
        numbered = self._current.numbered
        return self._failed(event.reason, Status.InstallVerificationFailed if numbered else Status.InstallationFailed)

    @on(S.INSTALLING, event=m.InstallFailed, to=S.IDLE)
    def _install_failed(self, event: m.InstallFailed, now: float) -> list[Any]:
        """Fail."""
        return self._failed(event.reason)

    # --- reboot

    @on(S.INSTALLING, event=m.InstallEnded, to=(S.REBOOT_DUE, S.IDLE))
    def _installed(self, _event: m.InstallEnded, now: float) -> list[Any]:
        """Reboot into the new system, where that is needed."""
        if not self._runs_at_once and self._reboots:
            return self._reboot_soon(now)
        installed = self._publish(Status.Installed)
        if self._reboots and self._current.signed:
            return [*installed, *self._reboot_soon(now)]
        return [*installed, *self._end()]

    def _reboot_soon(self, now: float) -> list[Any]:
        self.start("reboot", now + timing.REBOOT_DELAY_S)
        return self._publish(Status.InstallRebooting) + self._go(S.REBOOT_DUE)

    @on(S.REBOOT_DUE, timer="reboot", to=S.REBOOTING)
    def _reboot(self, now: float) -> list[Any]:
        """Order the reboot."""
        self._current.boot_id = self.boot_id
        self.start("rebooted", now + timing.REBOOT_LIMIT_S)
        return [*self._go(S.REBOOTING), m.Reboot()]

    @on(S.REBOOTING, timer="rebooted")
    def _reboot_again(self, now: float) -> list[Any]:
        """Order the reboot again: it did not come."""
        self.start("rebooted", now + timing.REBOOT_LIMIT_S)
        return [m.Log("the reboot into the new firmware does not come; again", trouble=True), m.Reboot()]

    # --- after a start

    @on(
        S.IDLE,
        event=m.Restored,
        to=(S.ACCEPTED, S.DOWNLOADING, S.VERIFYING, S.INSTALL_SCHEDULED, S.LOOKING_BACK),
    )
    def _restored(self, event: m.Restored, now: float) -> list[Any]:
        """Go on with an update that was under way before the restart."""
        update = self.update = event.update
        log = m.Log(f"update {update.request.request_id} goes on from {update.state}")
        if update.state in (S.ACCEPTED, S.DOWNLOAD_SCHEDULED):
            return self.enter(S.ACCEPTED, log, m.ReadClock())
        if update.state in (S.DOWNLOADING, S.DOWNLOAD_PAUSED):
            return [log, *self._first_download(now)]
        if update.state in (S.VERIFYING, S.INSTALL_SCHEDULED, S.AWAITING_PERMISSION):
            if update.signed:
                # The file lay there unattended: a signature counts only for what is about to be installed.
                return [log, *self._verify()]
            # The grantor of the permission began anew, too, and waits for the status that asks for it.
            return [log, *self._publish(Status.Downloaded), *self._schedule_install()]
        self._looking_since_s = now
        return self.enter(S.LOOKING_BACK, m.ReadSlots())

    @on(S.LOOKING_BACK, event=m.SlotsUnknown, to=S.IDLE)
    def _slots_unknown(self, event: m.SlotsUnknown, now: float) -> list[Any]:
        """Look again, or give up."""
        if now - self._looking_since_s >= timing.BOOT_LIMIT_S:
            return self._failed(f"RAUC does not say what was booted: {event.reason}")
        self.start("look", now + timing.BOOT_LOOK_S)
        return []

    @on(S.LOOKING_BACK, event=m.RaucBusy, to=S.INSTALLING)
    def _rauc_is_busy(self, _event: m.RaucBusy, now: float) -> list[Any]:
        """Look again later."""
        update = self._current
        if update.state is not S.INSTALLING or update.boot_id != self.boot_id or not update.target_slot:
            # Ours ended with the boot before, or had not begun: another program installs.
            self.start("look", now + timing.BOOT_LOOK_S)
            return []
        running = m.Install(update.request.request_id, running=True)
        return [*self._publish(Status.Installing), *self._go(S.INSTALLING), running]

    @on(S.LOOKING_BACK, timer="look")
    def _look_again(self, now: float) -> list[Any]:
        """Ask for the slots again."""
        return [m.ReadSlots()]

    @on(S.LOOKING_BACK, event=m.SlotsSeen, to=(S.REBOOT_DUE, S.VERIFYING, S.INSTALLING, S.IDLE))
    def _slots_seen(self, event: m.SlotsSeen, now: float) -> list[Any]:
        """Report how the update ended, by the slot that runs."""
        update = self._current
        if update.target_slot and event.booted == update.target_slot:
            log = m.Log(f"the new firmware runs (slot {event.booted})")
            return [log, *self._publish(Status.Installed), *self._end()]
        asked = update.state is S.REBOOTING
        # Without a boot id from the kernel a boot counts as another one: never reboot in a circle.
        if asked and (update.boot_id != self.boot_id or not self.boot_id):
            return self._failed(f"slot {event.booted} was booted, not {update.target_slot}: the new firmware fell back")
        written = update.target_slot and event.primary == update.target_slot and event.good
        if asked or written:
            return self._reboot_soon(now)
        if update.installs >= timing.INSTALL_TRIES:
            return self._failed("the installation was interrupted too often")
        log = m.Log("the installation was interrupted; again", trouble=True)
        # Damage or exchange of the file in the meantime must show before anything is written.
        again = self._verify() if update.signed else self._install()
        return [log, *again]

    # --- helpers

    @property
    def _current(self) -> Update:
        if self.update is None:
            raise AssertionError("no update in a state that has one")
        return self.update

    @property
    def _request(self) -> FirmwareUpdateRequest:
        return self._current.request

    def _is_ahead(self, timestamp: str | None, at: datetime) -> bool:
        due = time_of(timestamp)
        return due is not None and due > at

    def _await_time(self, timestamp: str | None, at: datetime, now: float) -> None:
        due = time_of(timestamp)
        left_s = (due - at).total_seconds() if due is not None else 0.0
        self.start("clock", now + min(left_s, timing.CLOCK_LOOK_S))

    def _publish(self, status: Status) -> list[Any]:
        return [m.PublishStatus(status, self._request.request_id)]

    def _publish_if_numbered(self, status: Status) -> list[Any]:
        # OCPP 1.6 without the security extension does not know the status.
        return self._publish(status) if self._current.numbered else []

    def _save(self) -> list[Any]:
        return [m.Save(msgspec.structs.replace(self._current))]

    def _go(self, state: S) -> list[Any]:
        self._current.state = state
        return self.enter(state, *self._save())

    def _failed(self, reason: str, status: Status = Status.InstallationFailed) -> list[Any]:
        log = m.Log(f"the firmware cannot be installed: {reason}", trouble=True)
        return [log, *self._publish(status), *self._end()]

    def _end(self) -> list[Any]:
        self.update = None
        return self.enter(S.IDLE, m.Save(None), m.StopWork(forget=True))
