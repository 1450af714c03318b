"""The commands of `system` beside the update: reset, clock, boot reason, logs; and what is refused at the door."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tarfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import network, system
from chargebyte_fw.contracts.types.system import BootReason, LogStatusEnum, ResetType, UpdateFirmwareResponse
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.system.cb_system import CbSystem
from chargebyte_fw.modules.system.persistent_store import PersistentStore
from tests.system.cb_system import rig, servers


class Host:
    """Stands in for reboot and the end of the process, which no test survives."""

    def __init__(self, module: CbSystem) -> None:
        self.done: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()

        async def reboot() -> None:
            self.done.append(("reboot", loop.time()))

        module.host.reboot = reboot  # type: ignore[method-assign]
        module.host.end_process = lambda: self.done.append(("end", loop.time()))  # type: ignore[method-assign]


async def started(assemble: Any, store: bool = True, **config: Any) -> tuple[Any, Any, Host]:
    modules: dict[str, Any] = {}
    if store:
        modules["kvs"] = (PersistentStore, {"sqlite_db_file_path": "/store.db"})
    wanted = {"store": "kvs.main"} if store else {}
    world = assemble(**modules, system=(CbSystem, config, wanted))
    await world.start()
    return world, world.provider("system", "main"), Host(world.modules["system"])


# --- reset and boot reason


@pytest.mark.parametrize(
    ("kind", "scheduled", "what", "reason"),
    [
        (ResetType.Soft, False, "end", BootReason.RemoteReset),
        (ResetType.Hard, False, "reboot", BootReason.RemoteReset),
        (ResetType.NotSpecified, False, "reboot", BootReason.RemoteReset),
        (ResetType.Hard, True, "reboot", BootReason.ScheduledReset),
    ],
)
def test_a_reset_comes_after_the_delay_and_the_next_start_knows_why(
    run: Any, assemble: Any, kind: ResetType, scheduled: bool, what: str, reason: BootReason
) -> None:
    async def before() -> None:
        world, face, host = await started(assemble, reset_delay=5)
        assert await face.is_reset_allowed(kind) is True
        began_s = asyncio.get_running_loop().time()
        await face.reset(kind, scheduled)
        await asyncio.sleep(4.9)
        assert host.done == []
        await asyncio.sleep(0.2)
        assert host.done == [(what, pytest.approx(began_s + 5))]
        await world.stop()

    run(before())

    async def after(expected: BootReason) -> None:
        world, face, _ = await started(assemble)
        assert await face.get_boot_reason() is expected
        assert await face.get_boot_reason() is expected, "why this process started does not change"
        await world.stop()

    run(after(reason))
    run(after(BootReason.PowerUp))


def test_a_hard_reset_replaces_a_soft_one_that_waits(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world, face, host = await started(assemble)
        await face.reset(ResetType.Soft, False)
        await face.reset(ResetType.Soft, False)
        await face.reset(ResetType.Hard, False)
        await face.reset(ResetType.Soft, False)
        await asyncio.sleep(60)
        assert [what for what, _ in host.done] == ["reboot"]
        await world.stop()

    run(main())


def test_a_reboot_that_fails_leaves_no_false_reason(run: Any, assemble: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        tries: list[None] = []

        async def reboot() -> None:
            tries.append(None)
            raise Unavailable("reboot: not allowed")

        world.modules["system"].host.reboot = reboot
        for _ in range(2):
            await face.reset(ResetType.Hard, False)
            await asyncio.sleep(5)
        assert len(tries) == 2, "asked again it is tried again"
        await world.stop()
        world, face, _ = await started(assemble)
        assert await face.get_boot_reason() is BootReason.PowerUp
        await world.stop()

    run(main())
    assert "reboot: not allowed" in caplog.text


def test_a_noted_reason_is_kept_and_a_strange_one_is_told(
    run: Any, assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        await world.provider("kvs", "main").store("ocpp_boot_reason", "Watchdog")
        await face.reset(ResetType.Hard, False)
        await asyncio.sleep(5)
        assert await world.provider("kvs", "main").load("ocpp_boot_reason") == "Watchdog"
        await world.provider("kvs", "main").store("ocpp_boot_reason", ["nonsense"])
        await world.stop()
        world, face, _ = await started(assemble)
        assert await face.get_boot_reason() is BootReason.PowerUp
        await world.stop()

    run(main())
    assert "is no reason of a start" in caplog.text


def test_without_a_store_it_works_all_the_same(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world, face, host = await started(assemble, store=False)
        assert await face.get_boot_reason() is BootReason.PowerUp
        await face.reset(ResetType.Hard, False)
        await asyncio.sleep(5)
        assert [what for what, _ in host.done] == ["reboot"]
        await world.stop()

    run(main())


def test_everests_marker_of_another_firmware_is_understood(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    marker = tmp_path / "var/lib/everest/.ocpp_fw_installed"
    marker.parent.mkdir(parents=True)
    marker.write_text("rootfs.1\n42\n")

    async def main() -> None:
        world, face, _ = await started(assemble)
        assert await face.get_boot_reason() is BootReason.FirmwareUpdate
        await world.stop()
        marker.write_text("what is this")
        world, face, _ = await started(assemble)
        assert await face.get_boot_reason() is BootReason.PowerUp
        await world.stop()

    run(main())
    assert "not a slot and a request id" in caplog.text


def test_a_damaged_note_is_told_and_does_not_stop_the_start(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note = tmp_path / "var/lib/everest/firmware-update.json"
    note.parent.mkdir(parents=True)
    note.write_bytes(b'{"request": {"request_id": 7, "loc')

    async def main() -> None:
        world, face, _ = await started(assemble)
        request = system.FirmwareUpdateRequest(request_id=-1, location="http://127.0.0.1:9/file")
        assert await face.update_firmware(request) is UpdateFirmwareResponse.Accepted
        await world.stop()

    run(main())
    assert "an update of the last run is lost" in caplog.text


def test_a_machine_that_is_not_ours_is_never_rebooted(tmp_path: Path, assemble: Any) -> None:
    """A checkout or a demo has a root of its own: there the process ends in place of the machine."""
    program = (
        "import asyncio, sys\nfrom chargebyte_fw.modules.system.host_link import HostLink\n"
        "asyncio.run(HostLink(None, sys.argv[1:]).reboot())\nprint('went on')\n"
    )

    def run_it(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=False)

    assert run_it().returncode == -15
    assert run_it("touch", str(tmp_path / "rebooted")).stdout == "went on\n"
    assert (tmp_path / "rebooted").exists()
    assert "Unavailable: no-such-program" in run_it("no-such-program").stderr

    async def main() -> None:
        world, _, _ = await started(assemble, store=False)
        assert world.modules["system"].host._reboot_command == ()
        await world.stop()

    clock.run(main(), speed=None)


# --- clock


class Timedated:
    """systemd's clock service, as far as it is called, on the private bus."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bool, bool]] = []
        self.refusal = ""

    async def serve(self) -> Any:
        from dbus_fast import BusType, Message, MessageType
        from dbus_fast.aio import MessageBus

        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()

        def take(message: Message) -> Message | None:
            if message.message_type is not MessageType.METHOD_CALL or message.member != "SetTime":
                return None
            if self.refusal:
                return Message.new_error(message, "org.freedesktop.timedate1.Refused", self.refusal)
            self.asked.append(tuple(message.body))
            return Message.new_method_return(message)

        bus.add_message_handler(take)
        await bus.request_name("org.freedesktop.timedate1")
        return bus


def test_the_clock_is_set_over_dbus_unless_it_is_right(assemble: Any, board: rig.Board) -> None:
    async def main() -> None:
        service = Timedated()
        bus = await service.serve()
        world, face, _ = await started(assemble, min_time_deviation=5000)
        assert await face.set_system_time(rfc3339(utc_now() + timedelta(seconds=2))) is True
        assert service.asked == []
        assert await face.set_system_time("2030-01-01T01:00:00.250+01:00") is True
        expected = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(milliseconds=250)
        assert service.asked == [(int(expected.timestamp() * 1e6), False, False)]
        service.refusal = "Previous request is not finished, refusing."
        assert await face.set_system_time("2030-01-01T00:00:00Z") is True
        service.refusal = "Automatic time synchronization is enabled"
        assert await face.set_system_time("2030-01-01T00:00:00Z") is False
        bus.disconnect()
        assert await face.set_system_time("2030-01-01T00:00:00Z") is False
        await world.stop()

    clock.run(main())


@pytest.mark.parametrize("text", ["", "yesterday", "2030-13-01T00:00:00Z", "1"])
def test_a_time_that_is_none_does_not_set_the_clock(run: Any, assemble: Any, text: str) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        assert await face.set_system_time(text) is False
        await world.stop()

    run(main())


def test_without_a_bus_the_clock_is_not_set(assemble: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")

    async def main() -> None:
        world, face, _ = await started(assemble)
        assert await face.set_system_time("2030-01-01T00:00:00Z") is False
        await world.stop()

    clock.run(main())


def test_a_time_in_small_letters_is_a_time(assemble: Any, board: rig.Board) -> None:
    """RFC 3339 §5.6 lets `T` and `Z` be small."""

    async def main() -> None:
        service = Timedated()
        bus = await service.serve()
        world, face, _ = await started(assemble, min_time_deviation=0)
        for text in ("2030-01-01t00:00:00z", " 2030-01-01T00:00:00.000000001Z", "2029-12-31T23:00:00-01:00"):
            assert await face.set_system_time(text) is True
        assert [one[0] for one in service.asked] == [1893456000_000000] * 3
        await world.stop()
        bus.disconnect()

    clock.run(main())


def test_the_network_is_not_ours(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        request = network.ConfigureNetworkRequest(request_id=1, interface=network.InterfaceClass.Wired0)
        answer = await face.configure_network(request)
        assert answer.status is network.ConfigureNetworkStatusEnum.NotSupported
        await world.stop()

    run(main())


# --- firmware requests at the door


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"signing_certificate": None}, UpdateFirmwareResponse.Rejected),
        ({"signature": None}, UpdateFirmwareResponse.Rejected),
        ({"signature": None, "signing_certificate": None}, UpdateFirmwareResponse.Accepted),
        ({"signing_certificate": "no PEM"}, UpdateFirmwareResponse.InvalidCertificate),
        ({"retrieve_timestamp": "soon"}, UpdateFirmwareResponse.Rejected),
        ({"install_timestamp": "later"}, UpdateFirmwareResponse.Rejected),
        ({}, UpdateFirmwareResponse.Accepted),
    ],
)
@pytest.mark.ocpp("L01.FR.21")
def test_what_a_request_is_answered(
    assemble: Any, keys: rig.Authority, change: dict[str, Any], answer: UpdateFirmwareResponse
) -> None:
    fields = {"signing_certificate": keys.pem, "signature": "c2ln", **change}

    async def main() -> None:
        world, face, _ = await started(assemble)
        request = system.FirmwareUpdateRequest(request_id=3, location="http://127.0.0.1:9/file", **fields)
        assert await face.update_firmware(request) is answer
        await world.stop()

    clock.run(main())


@pytest.mark.parametrize(
    "location",
    ["nonsense", "http://" + "a" * 70 + "/x", "ftp://a..b/x", "sftp://host name/x", "http://[::1/x", "tftp://host/x"],
)
def test_an_address_that_is_none_fails_the_download_and_nothing_else(
    assemble: Any, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        said: list[str] = []
        face.firmware_update_status.subscribe(lambda value: said.append(value.firmware_update_status))
        request = system.FirmwareUpdateRequest(request_id=-1, location=location, retries=5)
        assert await face.update_firmware(request) is UpdateFirmwareResponse.Accepted
        async with asyncio.timeout(10):
            await face.firmware_update_status.wait_for(lambda value: value.firmware_update_status == "DownloadFailed")
        await asyncio.sleep(0)
        assert said == ["Downloading", "DownloadFailed"]
        assert world.modules["system"].updater.machine.update is None
        await world.stop()

    clock.run(main())
    assert "the firmware cannot be downloaded: " in caplog.text and "Traceback" not in caplog.text


def test_a_scheduled_download_follows_the_wall_clock_when_ntp_sets_it(
    run: Any, assemble: Any, keys: rig.Authority
) -> None:
    year = timedelta(days=365)

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world, face, _ = await started(assemble, store=False)
        said: list[str] = []
        face.firmware_update_status.subscribe(lambda value: said.append(value.firmware_update_status))
        loop.set_wall(datetime.now(UTC))
        due_at = utc_now() + timedelta(hours=1)
        request = system.FirmwareUpdateRequest(
            request_id=5, location="nonsense", signing_certificate=keys.pem, signature="AAAA",
            retrieve_timestamp=rfc3339(due_at),
        )  # fmt: skip
        assert await face.update_firmware(request) is UpdateFirmwareResponse.Accepted
        for wall_at, s in ((utc_now(), 10), (due_at - 6 * year, 7200), (due_at - timedelta(seconds=30), 20)):
            loop.set_wall(wall_at)
            await asyncio.sleep(s)
            assert said == ["DownloadScheduled"]
        loop.set_wall(due_at + 6 * year)
        await asyncio.sleep(0.1)
        assert said[:2] == ["DownloadScheduled", "Downloading"]
        await world.stop()

    run(main())


def test_a_request_that_cannot_be_kept_is_rejected(assemble: Any, keys: rig.Authority) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        request = system.FirmwareUpdateRequest(request_id=-1, location="http://host/\udc80")
        assert await face.update_firmware(request) is UpdateFirmwareResponse.Rejected
        await world.stop()

    clock.run(main())


def test_a_disk_that_takes_no_note_is_said_once(
    assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        note = tmp_path / "var/lib/everest/firmware-update.json"
        note.mkdir(parents=True)
        request = system.FirmwareUpdateRequest(request_id=-1, location="http://127.0.0.1:9/x")
        await face.update_firmware(request)
        async with asyncio.timeout(10):
            await face.firmware_update_status.wait_for(lambda value: value.firmware_update_status == "DownloadFailed")
        await world.stop()

    clock.run(main())
    assert caplog.text.count("would not survive a restart") == 1


def test_the_defaults_of_the_configuration_count_where_the_request_is_silent(
    assemble: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble, default_retries=3, default_retry_interval=2)
        request = system.FirmwareUpdateRequest(request_id=-1, location="http://127.0.0.1:9/file")
        await face.update_firmware(request)
        update = world.modules["system"].updater.machine.update
        assert (update.tries_left, update.retry_interval_s) == (3, 2)
        await world.stop()
        world, face, _ = await started(assemble, default_retries=3, default_retry_interval=2)
        update = world.modules["system"].updater.machine.update
        assert (update.tries_left, update.retry_interval_s) == (3, 2), "also after a restart"
        await world.stop()
        (world.runtime.root.state / "var/lib/everest/firmware-update.json").unlink()
        world, face, _ = await started(assemble, default_retries=3)
        request = system.FirmwareUpdateRequest(
            request_id=-1, location="http://127.0.0.1:9/file", retries=9, retry_interval_s=-5
        )
        await face.update_firmware(request)
        update = world.modules["system"].updater.machine.update
        assert (update.tries_left, update.retry_interval_s) == (9, 0)
        await world.stop()

    clock.run(main())


def test_the_bound_of_the_file_is_kept_and_its_status_said(
    assemble: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CbSystem, "firmware_limit_bytes", 1000)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "file").write_bytes(bytes(1001))
    said: list[str] = []

    async def main(stack: AsyncExitStack) -> None:
        port, _ = await stack.enter_async_context(servers.http(folder))
        world, face, _ = await started(assemble)
        face.firmware_update_status.subscribe(lambda value: said.append(value.firmware_update_status))
        location = f"http://{servers.LOGIN}@127.0.0.1:{port}/file"
        await face.update_firmware(system.FirmwareUpdateRequest(request_id=-1, location=location, retries=5))
        async with asyncio.timeout(10):
            await face.firmware_update_status.wait_for(lambda value: value.firmware_update_status == "DownloadFailed")
        await asyncio.sleep(0)
        await world.stop()

    real(main)
    assert said == ["Downloading", "DownloadFailed"]
    assert "1001 bytes are more than 1000" in caplog.text and "word" not in caplog.text


def test_a_download_goes_on_after_a_restart_of_the_process(assemble: Any, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    data = os.urandom(400_000)
    (folder / "file").write_bytes(data)
    image = tmp_path / "srv/firmware-update.image"
    part = image.with_name("firmware-update.image.part")

    async def main(stack: AsyncExitStack) -> None:
        port, requests = await stack.enter_async_context(servers.http(folder))
        line = await stack.enter_async_context(servers.line(port, 200_000, stalls=True))
        request = system.FirmwareUpdateRequest(request_id=-1, location=f"http://127.0.0.1:{line.port}/file")
        world, face, _ = await started(assemble)
        await face.update_firmware(request)
        async with asyncio.timeout(10):
            while not part.exists() or part.stat().st_size < 100_000:
                await asyncio.sleep(0.02)
        await world.stop()
        world, face, _ = await started(assemble)
        async with asyncio.timeout(10):
            await face.firmware_update_status.wait_for(lambda value: value.firmware_update_status == "Downloaded")
        assert image.read_bytes() == data
        assert requests[-1].headers["Range"].startswith("bytes=1")
        await world.stop()

    real(main)


# --- logs


def real(main: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with AsyncExitStack() as stack:
            await main(stack)

    clock.run(whole())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few commands do: the whole list takes seconds."""
    from chargebyte_fw.modules.system.logs import archive, uploader

    monkeypatch.setattr(uploader, "RETRY_PAUSE_S", 0.05)
    commands = (("uname", "-s"), ("no-such-tool",), ("echo", "password: hunter2"), ("false",))
    monkeypatch.setattr(archive, "COMMANDS", commands)
    monkeypatch.setattr(archive, "JOURNAL", ("echo", "journal"))


def log_statuses(face: Any) -> list[tuple[str, int]]:
    said: list[tuple[str, int]] = []
    face.log_status.subscribe(lambda value: said.append((value.log_status.value, value.request_id)))
    return said


async def until_log(face: Any, *ends: LogStatusEnum) -> None:
    async with asyncio.timeout(20):
        await face.log_status.wait_for(lambda value: value.log_status in ends)
    await asyncio.sleep(0)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("scheme", ["http", "ftp", "sftp"])
@pytest.mark.ocpp("N01.FR.02", "N01.FR.09", "N01.FR.21")
def test_logs_are_gathered_packed_and_sent(assemble: Any, tmp_path: Path, scheme: str) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (tmp_path / "etc/everest").mkdir(parents=True)
    (tmp_path / "etc/everest/config.yaml").write_text("AuthorizationKey: abcdef\nurl: https://u:secret@host/\nx: 1\n")
    name = ""

    async def main(stack: AsyncExitStack) -> None:
        nonlocal name
        if scheme == "ftp":
            port, _ = stack.enter_context(servers.ftp(folder))
        elif scheme == "http":
            port, _ = await stack.enter_async_context(servers.http(folder))
        else:
            port = await stack.enter_async_context(servers.sftp(folder))
        world, face, _ = await started(assemble)
        said = log_statuses(face)
        location = f"{scheme}://{servers.LOGIN}@127.0.0.1:{port}/"
        answer = await face.upload_logs(system.UploadLogsRequest(location=location, type="SecurityLog", request_id=11))
        assert said == []
        name = answer.file_name
        assert answer.upload_logs_status is system.UploadLogsStatus.Accepted
        await until_log(face, LogStatusEnum.Uploaded)
        assert said == [("Uploading", 11), ("Uploaded", 11)]
        await world.stop()

    real(main)
    stamp = datetime.strptime(name, "SecurityLog_%Y-%m-%dT%H-%M-%SZ.tar.gz").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1), "the Z says UTC"
    with tarfile.open(folder / name) as archive:
        told = {member.name: archive.extractfile(member).read().decode() for member in archive}  # type: ignore[union-attr]
    assert "### uname -s\nLinux" in told["commands.log"] and "### no-such-tool\n(No such file" in told["commands.log"]
    assert "hunter2" not in told["commands.log"] and "### echo journal" not in told
    assert told["etc/everest/config.yaml"] == "AuthorizationKey: ***\nurl: https://u:***@host/\nx: 1\n"
    assert list((tmp_path / "tmp").iterdir()) == [], "nothing is left behind"


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("kind", "location", "path"),
    [
        ("DiagnosticsLog", "/private/station.tar.gz", "/private/station.tar.gz"),
        ("DiagnosticsLog", "/private/a%2Fb?sig=%41", "/private/a%2Fb?sig=%41"),
        ("DiagnosticsLog", "/private/", "/private/{name}"),
        (None, "/private", "/private/{name}"),
    ],
)
@pytest.mark.ocpp("N01.FR.04", "N01.FR.25", "N01.FR.29")
def test_diagnostics_go_where_the_request_says_with_its_password(
    assemble: Any, tmp_path: Path, kind: str | None, location: str, path: str
) -> None:
    """OCPP 2.1: an address without a slash at the end is used as received; GetDiagnostics of 1.6 names a folder."""
    folder = tmp_path / "server"
    folder.mkdir()

    async def main(stack: AsyncExitStack) -> None:
        port, requests = await stack.enter_async_context(servers.http(folder))
        world, face, _ = await started(assemble)
        wanted = f"http://{servers.LOGIN}@127.0.0.1:{port}{location}"
        answer = await face.upload_logs(system.UploadLogsRequest(location=wanted, type=kind, request_id=11))
        await until_log(face, LogStatusEnum.Uploaded)
        [request] = requests
        assert request.raw_path == path.format(name=answer.file_name), "behind a password, so its login was used"
        await world.stop()

    real(main)
    [file] = [one for one in folder.rglob("*") if one.is_file()]
    with tarfile.open(file) as archive:
        assert "commands.log" in archive.getnames()


@pytest.mark.ocpp("N01.FR.05")
def test_a_log_that_there_is_not_is_refused(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        request = system.UploadLogsRequest(location="http://127.0.0.1:9/", type="DataCollectorLog", request_id=1)
        said = log_statuses(face)
        answer = await face.upload_logs(request)
        assert (answer.upload_logs_status, answer.file_name) == (system.UploadLogsStatus.Rejected, None)
        await asyncio.sleep(1)
        assert said == []
        await world.stop()

    run(main())


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("tftp://host/", LogStatusEnum.NotSupportedOperation),
        ("nonsense", LogStatusEnum.BadMessage),
        ("http://no-such-host.invalid/", LogStatusEnum.BadMessage),
        ("http://charger:wrong@127.0.0.1:{port}/private", LogStatusEnum.PermissionDenied),
        ("http://127.0.0.1:9/", LogStatusEnum.UploadFailure),
    ],
)
def test_how_an_upload_fails(assemble: Any, tmp_path: Path, location: str, status: LogStatusEnum) -> None:
    async def main(stack: AsyncExitStack) -> None:
        port, _ = await stack.enter_async_context(servers.http(tmp_path))
        world, face, _ = await started(assemble)
        said = log_statuses(face)
        await face.upload_logs(system.UploadLogsRequest(location=location.format(port=port)))
        await until_log(face, status)
        assert said == [("Uploading", -1), (status.value, -1)]
        await world.stop()

    real(main)


@pytest.mark.usefixtures("short")
def test_an_upload_is_tried_as_often_as_asked(
    assemble: Any, tmp_path: Path, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[tuple[str, int]] = []

    async def main(_: AsyncExitStack) -> None:
        world, face, _host = await started(assemble)
        face.log_status.subscribe(lambda value: said.append((value.log_status.value, value.request_id)))
        location = f"http://127.0.0.1:{unused_port}/"
        await face.upload_logs(system.UploadLogsRequest(location=location, retries=3, retry_interval_s=0))
        async with asyncio.timeout(20):
            while len(said) < 6:
                await asyncio.sleep(0.01)
        await world.stop()

    real(main)
    assert caplog.text.count("again in 0 s") == 2
    assert said == [("Uploading", -1), ("UploadFailure", -1)] * 3, "each try has its own pair, as EVerest says it"


@pytest.mark.usefixtures("short")
@pytest.mark.ocpp("N01.FR.12", "N01.FR.20")
def test_a_second_upload_takes_the_place_of_the_first(assemble: Any, tmp_path: Path, unused_port: int) -> None:
    folder = tmp_path / "server"
    folder.mkdir()

    async def main(stack: AsyncExitStack) -> None:
        port, _ = await stack.enter_async_context(servers.http(folder))
        world, face, _ = await started(assemble)
        said = log_statuses(face)
        first = system.UploadLogsRequest(
            location=f"http://127.0.0.1:{unused_port}/", request_id=1, retries=99, retry_interval_s=60
        )
        await face.upload_logs(first)
        await until_log(face, LogStatusEnum.UploadFailure)
        answer = await face.upload_logs(system.UploadLogsRequest(location=f"http://127.0.0.1:{port}/", request_id=2))
        assert answer.upload_logs_status is system.UploadLogsStatus.AcceptedCanceled
        await until_log(face, LogStatusEnum.Uploaded)
        assert said == [
            ("Uploading", 1),
            ("UploadFailure", 1),
            ("AcceptedCanceled", 1),
            ("Uploading", 2),
            ("Uploaded", 2),
        ]
        answer = await face.upload_logs(system.UploadLogsRequest(location=f"http://127.0.0.1:{port}/"))
        assert answer.upload_logs_status is system.UploadLogsStatus.Accepted
        await until_log(face, LogStatusEnum.Uploaded)
        await world.stop()

    real(main)


@pytest.mark.usefixtures("short")
def test_what_a_killed_process_left_is_cleared_and_a_full_disk_is_said(
    assemble: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from chargebyte_fw.modules.system.logs import archive

    left = tmp_path / "tmp" / "secc-logs-abc"
    left.mkdir(parents=True)
    (left / "diagnostics.tar.gz").write_bytes(bytes(1000))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_add", full)

    async def main(_: AsyncExitStack) -> None:
        world, face, _host = await started(assemble)
        await face.upload_logs(system.UploadLogsRequest(location="http://127.0.0.1:9/"))
        await until_log(face, LogStatusEnum.UploadFailure)
        await world.stop()

    real(main)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "No space left on device" in caplog.text and "Traceback" not in caplog.text


def test_an_upload_with_a_time_that_is_none_is_rejected(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world, face, _ = await started(assemble)
        request = system.UploadLogsRequest(location="http://host/", oldest_timestamp="last week")
        answer = await face.upload_logs(request)
        assert answer.upload_logs_status is system.UploadLogsStatus.Rejected
        await world.stop()

    run(main())


def test_nothing_heavy_is_loaded_before_a_transfer_begins() -> None:
    program = (
        "import sys\nfrom chargebyte_fw.modules.system.cb_system import CbSystem\n"
        "print([n for n in ('aiohttp', 'paramiko', 'dbus_fast', 'cryptography', 'ftplib', 'tarfile', 'ssl') "
        "if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for name in ("aiohttp", "paramiko", "dbus_fast", "cryptography", "ftplib"):
        assert name not in told
