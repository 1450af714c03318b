"""The update's machine on a test's own clock: what follows what, and what a restart at any moment leaves to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest, UpdateFirmwareResponse
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatusEnum as Status
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, rfc3339
from chargebyte_fw.modules.system.update import messages as m
from chargebyte_fw.modules.system.update import timing
from chargebyte_fw.modules.system.update.machine import NOT_YET_WRITING, UpdateMachine
from chargebyte_fw.modules.system.update.messages import UpdateState


class Desk:
    """Feeds a machine and keeps what it wants. The clock of day is read when the machine asks for it."""

    def __init__(self, boot_id: str = "first", **options: Any) -> None:
        self.machine = UpdateMachine(boot_id=boot_id, **options)
        self.now = 0.0
        self.day_off = timedelta()
        self.said: list[Status] = []
        self.kept: m.Update | None = None
        self.work: list[Any] = []

    def day(self) -> datetime:
        return VIRTUAL_EPOCH + timedelta(seconds=self.now) + self.day_off

    def feed(self, event: Any) -> Desk:
        self._do(self.machine.feed(event, self.now))
        return self

    def _do(self, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, m.PublishStatus):
                self.said.append(effect.status)
            elif isinstance(effect, m.Save):
                # As on the disk: what is kept is a copy, and it can be read back.
                kept = effect.update
                self.kept = None if kept is None else msgspec.json.decode(msgspec.json.encode(kept), type=m.Update)
            elif isinstance(effect, m.ReadClock):
                self.feed(m.ClockRead(self.day()))
            elif not isinstance(effect, m.Log):
                self.work.append(effect)

    def pass_time(self, seconds: float) -> Desk:
        end = self.now + seconds
        while self.machine.deadline is not None and self.machine.deadline <= end:
            self.now = max(self.now, self.machine.deadline)
            self._do(self.machine.wake(self.now))
        self.now = end
        return self

    def last(self, kind: type) -> Any:
        assert self.work and isinstance(self.work[-1], kind), self.work
        return self.work[-1]

    def restart(self, boot_id: str | None = None, **options: Any) -> Desk:
        """The process ends here; another one finds what was kept."""
        desk = Desk(boot_id or self.machine.boot_id, **options)
        desk.now, desk.day_off = self.now, self.day_off
        if self.kept is not None:
            desk.kept = self.kept
            desk.feed(m.Restored(self.kept))
        return desk


def request(request_id: int = m.UNSIGNED, **more: Any) -> FirmwareUpdateRequest:
    if request_id != m.UNSIGNED:
        more = {"signing_certificate": "PEM", "signature": "c2ln", **more}
    return FirmwareUpdateRequest(request_id=request_id, location="https://host/file", **more)


def asked(desk: Desk, wanted: FirmwareUpdateRequest, tries: int = 1, interval_s: float = 10.0) -> Desk:
    desk.feed(m.Requested(m.Update(request=wanted, tries_left=tries, retry_interval_s=interval_s)))
    return desk


def at(seconds: float) -> str:
    return rfc3339(VIRTUAL_EPOCH + timedelta(seconds=seconds))


def downloading(request_id: int = m.UNSIGNED, tries: int = 1, **more: Any) -> Desk:
    return asked(Desk(), request(request_id, **more), tries).pass_time(1)


def installing(request_id: int = m.UNSIGNED) -> Desk:
    desk = downloading(request_id).feed(m.DownloadEnded())
    if request_id != m.UNSIGNED:
        desk.feed(m.SignatureChecked())
    return desk.feed(m.TargetChosen("rootfs.1"))


def rebooting(request_id: int = 7) -> Desk:
    desk = installing(request_id).feed(m.InstallEnded()).pass_time(timing.REBOOT_DELAY_S)
    desk.last(m.Reboot)
    return desk


def test_an_unsigned_update_says_what_ocpp_16_knows_and_reboots() -> None:
    desk = installing()
    assert desk.last(m.Install) == m.Install(m.UNSIGNED)
    desk.feed(m.InstallEnded())
    assert desk.said == [Status.Downloading, Status.Downloaded, Status.Installing, Status.InstallRebooting]
    desk.pass_time(timing.REBOOT_DELAY_S - 1)
    assert not isinstance(desk.work[-1], m.Reboot), "the status needs time to get out"
    desk.pass_time(1).last(m.Reboot)


@pytest.mark.parametrize("request_id", [m.UNSIGNED, 5])
def test_what_runs_at_once_is_installed_and_after_a_signed_update_reboots(request_id: int) -> None:
    desk = asked(Desk(runs_at_once=True), request(request_id)).pass_time(1).feed(m.DownloadEnded())
    if request_id == 5:
        desk.feed(m.SignatureChecked())
    desk.feed(m.TargetChosen("this system")).feed(m.InstallEnded())
    if request_id == 5:
        assert desk.said[-2:] == [Status.Installed, Status.InstallRebooting]
        desk.pass_time(timing.REBOOT_DELAY_S).last(m.Reboot)
    else:
        assert desk.said[-2:] == [Status.Installing, Status.Installed]
        assert desk.machine.state is UpdateState.IDLE and desk.kept is None


@pytest.mark.ocpp("L01.FR.04")
def test_a_signed_update_is_verified_before_it_is_installed() -> None:
    desk = downloading(5).feed(m.DownloadEnded())
    assert desk.last(m.CheckSignature) == m.CheckSignature("PEM", "c2ln")
    desk.feed(m.SignatureChecked())
    assert desk.said == [Status.Downloading, Status.Downloaded, Status.SignatureVerified, Status.Installing]


def test_a_wrong_signature_ends_it_and_removes_the_file() -> None:
    desk = downloading(5).feed(m.DownloadEnded()).feed(m.SignatureChecked("it does not fit"))
    assert desk.said[-1] is Status.InvalidSignature
    assert desk.machine.state is UpdateState.IDLE and desk.kept is None
    assert desk.last(m.StopWork).forget


def test_no_status_overtakes_the_answer() -> None:
    desk = asked(Desk(), request(5))
    assert desk.said == []
    assert desk.pass_time(timing.REPLY_FIRST_S).said == [Status.Downloading]


@pytest.mark.parametrize(("certificate", "signature"), [(None, "c2ln"), ("PEM", None), ("", ""), ("PEM", "")])
def test_a_signed_request_needs_certificate_and_signature(certificate: str | None, signature: str | None) -> None:
    wanted = request(5, signing_certificate=certificate, signature=signature)
    assert Desk().machine.answer_to(wanted) is UpdateFirmwareResponse.Rejected


UNSIGNED_OF_2_X: dict[str, Any] = {"signing_certificate": None, "signature": None}


@pytest.mark.ocpp("L02.FR.01", "L02.FR.06", "L02.FR.09", "L02.FR.21")
def test_an_update_of_ocpp_2_x_without_a_signature_says_each_step_and_is_installed() -> None:
    desk = downloading(5, **UNSIGNED_OF_2_X).feed(m.DownloadEnded()).feed(m.TargetChosen("rootfs.1"))
    desk.feed(m.InstallEnded())
    assert desk.said == [Status.Downloading, Status.Downloaded, Status.Installing, Status.InstallRebooting]
    desk.pass_time(timing.REBOOT_DELAY_S).last(m.Reboot)
    new = desk.restart("second").feed(m.SlotsSeen("rootfs.1", "rootfs.1", good=True))
    assert new.said == [Status.Installed], "by the new firmware, once it runs"


@pytest.mark.ocpp("L02.FR.07", "L02.FR.10")
def test_the_times_of_an_update_without_a_signature_are_awaited_too() -> None:
    wanted = request(5, retrieve_timestamp=at(600), install_timestamp=at(1200), **UNSIGNED_OF_2_X)
    desk = asked(Desk(), wanted).pass_time(599)
    assert desk.said == [Status.DownloadScheduled]
    desk.pass_time(2).feed(m.DownloadEnded()).pass_time(590)
    assert desk.said[1:] == [Status.Downloading, Status.Downloaded, Status.InstallScheduled]
    assert desk.pass_time(15).said[-1] is Status.Installing


@pytest.mark.ocpp("L02.FR.15", "L02.FR.18")
def test_a_second_update_without_a_signature_takes_the_place_of_one_that_is_not_written_yet() -> None:
    later = request(6, **UNSIGNED_OF_2_X)
    waiting = asked(Desk(), request(5, install_timestamp=at(1200), **UNSIGNED_OF_2_X)).pass_time(1)
    waiting.feed(m.DownloadEnded())
    for desk in (downloading(5, **UNSIGNED_OF_2_X), waiting):
        assert desk.machine.answer_to(later) is UpdateFirmwareResponse.AcceptedCanceled
        asked(desk, later).pass_time(1).feed(m.DownloadEnded())
        assert desk.kept is not None and desk.kept.request.request_id == 6
    writing = downloading(5, **UNSIGNED_OF_2_X).feed(m.DownloadEnded())
    assert writing.last(m.Install) and writing.machine.answer_to(later) is UpdateFirmwareResponse.Rejected


@pytest.mark.ocpp("L02.FR.19")
def test_the_last_try_of_an_update_without_a_signature_fails_it() -> None:
    desk = downloading(5, tries=2, **UNSIGNED_OF_2_X).feed(m.DownloadBroke("no answer"))
    assert desk.machine.state is UpdateState.DOWNLOAD_PAUSED
    desk.pass_time(10).feed(m.DownloadBroke("no answer"))
    assert desk.said[-1] is Status.DownloadFailed and desk.machine.state is UpdateState.IDLE


@pytest.mark.ocpp("L02.FR.20")
def test_what_runs_at_once_is_installed_without_a_reboot() -> None:
    desk = asked(Desk(runs_at_once=True), request(5, **UNSIGNED_OF_2_X)).pass_time(1).feed(m.DownloadEnded())
    desk.feed(m.TargetChosen("this system")).feed(m.InstallEnded())
    assert desk.said == [Status.Downloading, Status.Downloaded, Status.Installing, Status.Installed]
    assert desk.machine.state is UpdateState.IDLE


def test_an_unsigned_request_is_refused_while_an_update_runs() -> None:
    assert downloading().machine.answer_to(request()) is UpdateFirmwareResponse.Rejected
    assert downloading(5).machine.answer_to(request()) is UpdateFirmwareResponse.Rejected
    assert Desk().machine.answer_to(request()) is UpdateFirmwareResponse.Accepted


@pytest.mark.ocpp("L01.FR.24")
def test_a_second_signed_request_takes_the_place_of_a_download() -> None:
    desk = downloading(5)
    assert desk.machine.answer_to(request(6)) is UpdateFirmwareResponse.AcceptedCanceled
    asked(desk, request(6))
    assert desk.last(m.StopWork).forget
    desk.pass_time(1).feed(m.DownloadEnded()).feed(m.SignatureChecked())
    assert desk.kept is not None and desk.kept.request.request_id == 6
    assert Status.DownloadFailed not in desk.said


@pytest.mark.ocpp("L01.FR.27")
def test_nothing_takes_the_place_of_an_installation() -> None:
    for desk in (installing(5), installing(5).feed(m.InstallEnded()), rebooting()):
        assert desk.machine.answer_to(request(6)) is UpdateFirmwareResponse.Rejected
    idle = installing(5).feed(m.InstallFailed("no"))
    assert idle.machine.answer_to(request(6)) is UpdateFirmwareResponse.Accepted


@pytest.mark.ocpp("L01.FR.13", "L01.FR.16")
def test_retrieve_and_install_times_in_the_future_are_awaited() -> None:
    desk = asked(Desk(), request(5, retrieve_timestamp=at(600), install_timestamp=at(1200))).pass_time(599)
    assert desk.said == [Status.DownloadScheduled]
    desk.pass_time(2)
    assert desk.said[-1] is Status.Downloading
    desk.feed(m.DownloadEnded()).feed(m.SignatureChecked()).pass_time(590)
    assert desk.said[-2:] == [Status.SignatureVerified, Status.InstallScheduled], "said once, however long it takes"
    assert desk.pass_time(15).said[-1] is Status.Installing


def test_an_unsigned_update_waits_without_words_that_its_protocol_lacks() -> None:
    desk = asked(Desk(), request(retrieve_timestamp=at(600), install_timestamp=at(1200))).pass_time(599)
    assert desk.said == []
    desk.pass_time(2).feed(m.DownloadEnded()).pass_time(100)
    assert desk.said == [Status.Downloading, Status.Downloaded]
    assert desk.pass_time(500).said[-1] is Status.Installing


def test_a_clock_that_is_set_while_we_wait_counts() -> None:
    desk = asked(Desk(), request(5, retrieve_timestamp=at(86400))).pass_time(10)
    desk.day_off = timedelta(days=1)
    assert desk.pass_time(timing.CLOCK_LOOK_S).said == [Status.DownloadScheduled, Status.Downloading]


def test_a_time_in_the_past_is_now() -> None:
    assert asked(Desk(), request(5, retrieve_timestamp=at(-600))).pass_time(1).said == [Status.Downloading]


@pytest.mark.ocpp("L01.FR.30")
def test_each_try_that_brings_nothing_counts_and_the_last_one_fails() -> None:
    desk = downloading(5, tries=3)
    for tries in (1, 2):
        desk.feed(m.DownloadBroke("no answer"))
        assert desk.said == [Status.Downloading, Status.DownloadFailed] * tries
        assert desk.machine.state is UpdateState.DOWNLOAD_PAUSED
        desk.pass_time(9.9)
        assert sum(isinstance(effect, m.Download) for effect in desk.work) == tries
        desk.pass_time(0.1)
    desk.feed(m.DownloadBroke("no answer"))
    assert desk.said == [Status.Downloading, Status.DownloadFailed] * 3 and desk.kept is None


def test_a_try_that_brought_something_goes_on_and_does_not_count() -> None:
    desk = downloading()
    for megabytes in range(1, 6):
        desk.feed(m.DownloadBroke("cut", reached=megabytes << 20)).pass_time(10)
    desk.feed(m.DownloadEnded())
    # OCPP 1.6 has no word for a pause, and nothing failed.
    assert desk.said == [Status.Downloading, Status.Downloaded, Status.Installing]
    signed = downloading(5).feed(m.DownloadBroke("cut", reached=1 << 20)).pass_time(10)
    assert signed.said == [Status.Downloading, Status.DownloadPaused, Status.Downloading]


def test_a_server_that_never_comes_further_does_not_keep_us_for_ever() -> None:
    """One that always begins anew, or gives a byte a try."""
    anew = downloading(tries=3)
    for _ in range(3):
        anew.feed(m.DownloadBroke("cut", reached=1 << 20)).pass_time(10)
    assert anew.machine.state is UpdateState.DOWNLOADING, "the first of them came further, the others did not"
    assert anew.feed(m.DownloadBroke("cut", reached=1 << 20)).said[-1] is Status.DownloadFailed
    assert anew.machine.state is UpdateState.IDLE
    drop = downloading(tries=3)
    for count in range(3):
        drop.feed(m.DownloadBroke("cut", reached=count + 1)).pass_time(10)
    assert drop.machine.state is UpdateState.IDLE


def test_all_tries_together_are_bounded_in_time() -> None:
    desk = downloading(5)
    megabytes = 0
    while desk.machine.state is not UpdateState.IDLE:
        megabytes += 1
        desk.pass_time(3600).feed(m.DownloadBroke("cut", reached=megabytes << 20)).pass_time(10)
        assert megabytes < 50
    assert desk.said[-1] is Status.DownloadFailed
    assert megabytes == timing.DOWNLOAD_LIMIT_S / 3600


def test_what_another_try_cannot_mend_is_not_tried_again() -> None:
    desk = downloading(5, tries=9).feed(m.DownloadBroke("too large", final=True))
    assert desk.said[-1] is Status.DownloadFailed and desk.machine.state is UpdateState.IDLE


def test_an_interval_of_nothing_is_no_hot_loop() -> None:
    desk = asked(Desk(), request(), tries=5, interval_s=0).pass_time(1).feed(m.DownloadBroke("cut"))
    desk.pass_time(timing.RESUME_PAUSE_S / 2)
    assert desk.machine.state is UpdateState.DOWNLOAD_PAUSED


@pytest.mark.ocpp("L01.FR.29")
def test_a_bundle_that_rauc_refuses() -> None:
    assert installing(5).feed(m.InstallRefused("signature")).said[-1] is Status.InstallVerificationFailed
    assert installing().feed(m.InstallRefused("signature")).said[-1] is Status.InstallationFailed


def test_an_interrupted_installation_begins_again_but_not_for_ever() -> None:
    desk = installing(5)
    for _ in range(timing.INSTALL_TRIES - 1):
        desk.feed(m.InstallBroke("RAUC ended")).pass_time(timing.INSTALL_PAUSE_S)
        assert desk.machine.state is UpdateState.INSTALLING
    desk.feed(m.InstallBroke("RAUC ended"))
    assert desk.said.count(Status.Installing) == 1 and desk.said[-1] is Status.InstallationFailed


def test_permission_is_waited_for_only_if_configured() -> None:
    desk = Desk(ask_permission=True)
    asked(desk, request(5)).pass_time(1).feed(m.DownloadEnded()).feed(m.SignatureChecked())
    assert desk.machine.state is UpdateState.AWAITING_PERMISSION and desk.said[-1] is Status.SignatureVerified
    assert desk.feed(m.Permitted()).said[-1] is Status.Installing
    early = Desk(ask_permission=True)
    asked(early, request(5)).pass_time(1).feed(m.Permitted()).feed(m.DownloadEnded()).feed(m.SignatureChecked())
    assert early.said[-1] is Status.Installing, "a permission that came early is remembered"
    assert Desk().feed(m.Permitted()).said == []


# --- a restart at any moment


@pytest.mark.parametrize("state", sorted(NOT_YET_WRITING))
def test_a_restart_before_the_installation_goes_on_and_comes_to_the_same_end(state: UpdateState) -> None:
    begin: dict[UpdateState, Callable[[], Desk]] = {
        UpdateState.ACCEPTED: lambda: asked(Desk(), request(5)),
        UpdateState.DOWNLOAD_SCHEDULED: lambda: downloading(5, retrieve_timestamp=at(100)),
        UpdateState.DOWNLOADING: lambda: downloading(5),
        UpdateState.DOWNLOAD_PAUSED: lambda: downloading(5, tries=2).feed(m.DownloadBroke("cut")),
        UpdateState.VERIFYING: lambda: downloading(5).feed(m.DownloadEnded()),
        UpdateState.INSTALL_SCHEDULED: lambda: (
            downloading(5, install_timestamp=at(100)).feed(m.DownloadEnded()).feed(m.SignatureChecked())
        ),
        UpdateState.AWAITING_PERMISSION: lambda: downloading(5).feed(m.DownloadEnded()),
    }
    before = begin[state]()
    assert before.machine.state is state or state is UpdateState.AWAITING_PERMISSION
    desk = before.restart("second").pass_time(200)
    if isinstance(desk.work[-1], m.Download):
        desk.feed(m.DownloadEnded())
    desk.last(m.CheckSignature)
    desk.feed(m.SignatureChecked()).pass_time(200)
    assert desk.said[-1] is Status.Installing


def test_who_gives_the_permission_hears_after_a_restart_that_it_is_wanted() -> None:
    desk = Desk(ask_permission=True)
    asked(desk, request()).pass_time(1).feed(m.DownloadEnded())
    assert desk.machine.state is UpdateState.AWAITING_PERMISSION
    again = desk.restart("second", ask_permission=True)
    assert again.said == [Status.Downloaded] and again.machine.state is UpdateState.AWAITING_PERMISSION
    assert again.feed(m.Permitted()).said[-1] is Status.Installing


def test_the_new_firmware_says_that_it_is_installed() -> None:
    # The note in the new slot was copied while RAUC installed.
    for before in (installing(7), rebooting()):
        desk = before.restart("second")
        desk.last(m.ReadSlots)
        desk.feed(m.SlotsSeen("rootfs.1", "rootfs.1", good=True))
        assert desk.said == [Status.Installed] and desk.kept is None and desk.machine.state is UpdateState.IDLE


def test_the_old_firmware_says_that_the_new_one_fell_back() -> None:
    desk = rebooting().restart("second").feed(m.SlotsSeen("rootfs.0", "rootfs.0", good=True))
    assert desk.said == [Status.InstallationFailed] and desk.kept is None


def test_a_process_that_ends_before_the_reboot_comes_reboots_again() -> None:
    desk = rebooting().restart().feed(m.SlotsSeen("rootfs.0", "rootfs.1", good=True))
    assert desk.said == [Status.InstallRebooting]
    desk.pass_time(timing.REBOOT_DELAY_S).last(m.Reboot)


def test_an_unknown_boot_never_reboots_in_circles() -> None:
    desk = rebooting()
    desk.machine.boot_id = ""
    desk = desk.restart("").feed(m.SlotsSeen("rootfs.0", "rootfs.1", good=True))
    assert desk.said == [Status.InstallationFailed]


def test_after_a_kill_the_running_installation_is_followed() -> None:
    desk = installing(7).restart().feed(m.RaucBusy())
    assert desk.last(m.Install).running
    desk.feed(m.InstallEnded())
    assert desk.said == [Status.Installing, Status.InstallRebooting]


def test_an_installation_of_somebody_else_after_the_boot_is_not_ours() -> None:
    for before in (installing(7), rebooting()):
        desk = before.restart("second").feed(m.RaucBusy())
        assert desk.said == []
        desk.pass_time(timing.BOOT_LOOK_S).feed(m.SlotsSeen("rootfs.1", "rootfs.1", good=True))
        assert desk.said == [Status.Installed]


def test_a_process_killed_before_its_installation_began_does_not_follow_somebody_elses() -> None:
    desk = downloading(5).feed(m.DownloadEnded()).feed(m.SignatureChecked()).restart().feed(m.RaucBusy())
    assert desk.said == [] and desk.machine.state is UpdateState.LOOKING_BACK


def test_after_a_kill_an_installation_that_ended_meanwhile_counts() -> None:
    desk = installing(7).restart().feed(m.SlotsSeen("rootfs.0", "rootfs.1", good=True))
    assert desk.said == [Status.InstallRebooting]


def test_after_a_power_cut_the_half_written_slot_is_written_again() -> None:
    desk = installing(7).restart("second").feed(m.SlotsSeen("rootfs.0", "rootfs.0", good=True))
    desk.last(m.CheckSignature)
    desk.feed(m.SignatureChecked())
    assert desk.last(m.Install) == m.Install(7)
    assert desk.kept is not None and desk.kept.installs == 2


def test_an_installation_that_takes_the_machine_down_each_time_is_given_up() -> None:
    desk = installing(7)
    for _ in range(timing.INSTALL_TRIES - 1):
        desk = desk.restart("next").feed(m.SlotsSeen("rootfs.0", "rootfs.0", good=True))
        desk.feed(m.SignatureChecked()).feed(m.TargetChosen("rootfs.1"))
    desk = desk.restart("last").feed(m.SlotsSeen("rootfs.0", "rootfs.0", good=True))
    assert desk.said == [Status.InstallationFailed]


def test_rauc_that_does_not_answer_after_the_boot_is_asked_again() -> None:
    desk = rebooting().restart("second").feed(m.SlotsUnknown("no bus"))
    assert desk.said == []
    desk.pass_time(timing.BOOT_LOOK_S).last(m.ReadSlots)
    desk.feed(m.SlotsSeen("rootfs.1", "rootfs.1", good=True))
    assert desk.said == [Status.Installed]
    dead = rebooting().restart("second")
    for _ in range(int(timing.BOOT_LIMIT_S / timing.BOOT_LOOK_S) + 1):
        dead.feed(m.SlotsUnknown("no bus")).pass_time(timing.BOOT_LOOK_S)
    assert dead.said == [Status.InstallationFailed]


def test_a_reboot_that_does_not_come_is_asked_for_again() -> None:
    desk = rebooting().pass_time(timing.REBOOT_LIMIT_S)
    assert sum(isinstance(effect, m.Reboot) for effect in desk.work) == 2
