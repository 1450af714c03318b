"""The whole update with a real RAUC: fetched, verified, written into the other slot, booted, and every way to fail."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chargebyte_fw.contracts.types.system import BootReason, FirmwareUpdateRequest, UpdateFirmwareResponse
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatusEnum as Status
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.modules.system import cb_system
from chargebyte_fw.modules.system.cb_system import CbSystem
from chargebyte_fw.modules.system.update import timing
from tests.system.cb_system import rig

REQUEST = 7
WAIT_S = 30.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses that a person or a back end needs are nothing to wait for here."""
    monkeypatch.setattr(timing, "REBOOT_DELAY_S", 0.05)
    monkeypatch.setattr(timing, "INSTALL_PAUSE_S", 0.2)
    monkeypatch.setattr(timing, "BOOT_LOOK_S", 0.2)


class Charger:
    """One run of the module; `rebooted` is set instead of a reboot."""

    def __init__(self, assembly: Any) -> None:
        self.assembly = assembly
        self.module: CbSystem = assembly.modules["system"]
        self.face = assembly.provider("system", "main")
        self.said: list[Status] = []
        self.rebooted = asyncio.Event()
        self.face.firmware_update_status.subscribe(lambda value: self.said.append(value.firmware_update_status))

    async def until(self, *ends: Status) -> list[Status]:
        async with asyncio.timeout(WAIT_S):
            await self.face.firmware_update_status.wait_for(lambda value: value.firmware_update_status in ends)
        # The list hears of it in the same turn of the loop.
        await asyncio.sleep(0)
        return self.said

    async def ask(self, location: str, keys: rig.Authority | None, image: bytes, **more: Any) -> UpdateFirmwareResponse:
        if keys is not None:
            more.setdefault("signing_certificate", keys.pem)
            more.setdefault("signature", base64.b64encode(keys.sign(image)).decode())
        request_id = REQUEST if keys is not None else -1
        request = FirmwareUpdateRequest(request_id=request_id, location=location, **more)
        answer: UpdateFirmwareResponse = await self.face.update_firmware(request)
        return answer


@asynccontextmanager
async def charger(assemble: Callable[..., Any], **config: Any) -> Any:
    assembly = assemble(system=(CbSystem, config))
    it = Charger(assembly)

    async def reboot() -> None:
        it.rebooted.set()

    await assembly.modules["system"].init()
    it.module.host.reboot = reboot  # type: ignore[method-assign]
    await assembly.modules["system"].ready()
    try:
        yield it
    finally:
        await it.module.stop()
        await it.module.cancel_tasks()


@asynccontextmanager
async def served(image: bytes) -> Any:
    async def get(_: web.Request) -> web.Response:
        return web.Response(body=image)

    app = web.Application()
    app.router.add_get("/firmware.image", get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield f"http://127.0.0.1:{port}/firmware.image"
    finally:
        await runner.cleanup()


async def reached(board: rig.Board, gate: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not board.reached(gate):
            await asyncio.sleep(0.02)


def real(main: Callable[[], Awaitable[None]]) -> None:
    """Run on the real clock: RAUC is in another process."""
    clock.run(main())  # type: ignore[arg-type]


def test_a_signed_bundle_is_installed_and_after_the_reboot_it_is_said(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, tmp_path: Path
) -> None:
    image = bundle.read_bytes()

    async def before() -> None:
        async with charger(assemble) as it, served(image) as url:
            assert await it.ask(url, keys, image) is UpdateFirmwareResponse.Accepted
            await it.until(Status.InstallRebooting)
            await asyncio.wait_for(it.rebooted.wait(), WAIT_S)
            assert it.said == [
                Status.Downloading,
                Status.Downloaded,
                Status.SignatureVerified,
                Status.Installing,
                Status.InstallRebooting,
            ]

    real(before)
    assert board.slot("B") == rig.image_of(bundle)
    assert board.primary == "B"
    assert (board.folder / "copied/.ocpp_fw_installed").read_text() == f"rootfs.1\n{REQUEST}\n"
    board.boot()

    async def after() -> None:
        async with charger(assemble) as it:
            assert await it.until(Status.Installed) == [Status.Installed]
            assert it.face.firmware_update_status.value.request_id == REQUEST
            assert await it.face.get_boot_reason() is BootReason.FirmwareUpdate

    real(after)
    assert not (tmp_path / cb_system.MARKER.lstrip("/")).exists()
    assert not (tmp_path / cb_system.NOTE.lstrip("/")).exists()

    async def later() -> None:
        async with charger(assemble) as it:
            await asyncio.sleep(0.2)
            assert it.said == [] and await it.face.get_boot_reason() is BootReason.PowerUp

    real(later)


def test_an_unsigned_request_installs_a_bundle_that_rauc_trusts(assemble: Any, board: rig.Board, bundle: Path) -> None:
    async def main() -> None:
        async with charger(assemble) as it, served(bundle.read_bytes()) as url:
            await it.ask(url, None, b"")
            said = await it.until(Status.InstallRebooting, Status.InstallationFailed)
            assert said == [Status.Downloading, Status.Downloaded, Status.Installing, Status.InstallRebooting]

    real(main)
    assert board.slot("B") == rig.image_of(bundle)


def test_a_new_firmware_that_does_not_boot_is_told_by_the_old_one(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority
) -> None:
    image = bundle.read_bytes()

    async def before() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await asyncio.wait_for(it.rebooted.wait(), WAIT_S)
            await it.module.updater.tools.journal.settled()

    real(before)
    board.boot("A")

    async def after() -> None:
        async with charger(assemble) as it:
            assert await it.until(Status.InstallationFailed) == [Status.InstallationFailed]

    real(after)


def test_a_bundle_under_another_authority_is_refused(
    assemble: Any, board: rig.Board, keys: rig.Authority, tmp_path: Path
) -> None:
    forger = rig.Authority(tmp_path / "forger", "forger")
    forged = rig.make_bundle(tmp_path / "forged", "forged", forger)
    image = forged.read_bytes()

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            assert (await it.until(Status.InstallVerificationFailed))[-2:] == [
                Status.Installing,
                Status.InstallVerificationFailed,
            ]
            await it.ask(url, None, b"")
            await it.until(Status.InstallationFailed)

    real(main)
    assert board.primary == "A" and board.slot("B") == bytes(rig.SLOT_BYTES)


def test_a_request_signed_by_another_key_is_refused_before_rauc_sees_it(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, tmp_path: Path
) -> None:
    image = bundle.read_bytes()
    forger = rig.Authority(tmp_path / "forger", "forger")
    wrong = base64.b64encode(forger.sign(image)).decode()

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image, signature=wrong)
            assert (await it.until(Status.InvalidSignature))[-1] is Status.InvalidSignature

    real(main)
    assert board.primary == "A" and not board.reached("pre")
    assert not (tmp_path / "srv/firmware-update.image").exists()


@pytest.mark.parametrize("damage", ["cut", "byte", "compatible", "nonsense"])
def test_a_damaged_or_foreign_bundle_is_refused_and_the_slot_stays(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, tmp_path: Path, damage: str
) -> None:
    image = bundle.read_bytes()
    if damage == "cut":
        image = image[: len(image) // 2]
    elif damage == "byte":
        image = image[:5000] + bytes([image[5000] ^ 1]) + image[5001:]
    elif damage == "compatible":
        image = rig.make_bundle(tmp_path / "other", "other", keys, compatible="Another board").read_bytes()
    else:
        image = b"\x7fELF" * 10000

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await it.until(Status.InstallVerificationFailed)
            # The next update is welcome.
            assert it.module.updater.machine.update is None

    real(main)
    assert board.primary == "A" and board.slot("B") == bytes(rig.SLOT_BYTES)


@pytest.mark.parametrize("gate", ["pre", "activate", "post"])
def test_rauc_killed_in_the_middle_is_survived(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, gate: str
) -> None:
    image = bundle.read_bytes()
    board.close_gate(gate)

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await reached(board, gate)
            board.kill_rauc()
            board.open_gate(gate)
            await asyncio.to_thread(board.start_rauc)
            said = await it.until(Status.InstallRebooting, Status.InstallationFailed)
            assert said.count(Status.Installing) == 1 and said[-1] is Status.InstallRebooting

    real(main)
    assert board.slot("B") == rig.image_of(bundle) and board.primary == "B"


RUN_US = """
import asyncio, sys
from pathlib import Path
from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.system.cb_system import CbSystem

async def main():
    root = Path(sys.argv[1])
    assembly = Assembly(Runtime(root=Root(root, root)))
    assembly.build([ModulePlan("system", CbSystem, CbSystem.Config(), {}, {})])
    await assembly.start()
    request = FirmwareUpdateRequest(
        request_id=7, location=sys.argv[2], signing_certificate=sys.argv[3], signature=sys.argv[4]
    )
    print(await assembly.provider("system", "main").update_firmware(request), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("rauc_ends", ["meanwhile", "later"])
def test_our_process_killed_in_the_middle_of_an_installation_is_survived(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, tmp_path: Path, rauc_ends: str
) -> None:
    image = bundle.read_bytes()
    board.close_gate("pre")

    async def main() -> None:
        async with served(image) as url:
            signature = base64.b64encode(keys.sign(image)).decode()
            command = [sys.executable, "-c", RUN_US, str(tmp_path), url, keys.pem, signature]
            process = subprocess.Popen(command, env=board.environment)
            try:
                await reached(board, "pre")
            finally:
                process.kill()
                process.wait()
            if rauc_ends == "meanwhile":
                board.open_gate("pre")
                async with asyncio.timeout(WAIT_S):
                    while board.primary != "B":
                        await asyncio.sleep(0.05)
            async with charger(assemble) as it:
                if rauc_ends == "later":
                    await it.until(Status.Installing)
                    board.open_gate("pre")
                said = await it.until(Status.InstallRebooting, Status.InstallationFailed)
                assert said[-1] is Status.InstallRebooting
                await asyncio.wait_for(it.rebooted.wait(), WAIT_S)

    real(main)
    assert board.slot("B") == rig.image_of(bundle)


def test_a_power_cut_in_the_middle_of_an_installation_is_survived(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority
) -> None:
    image = bundle.read_bytes()
    board.close_gate("activate")

    async def before() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await reached(board, "activate")

    real(before)
    board.kill_rauc()
    board.open_gate("activate")
    board.boot()
    assert (board.folder / "booted").read_text() == "A\n", "RAUC had not yet made the new slot the next one"

    async def after() -> None:
        async with charger(assemble) as it:
            await it.until(Status.InstallRebooting)

    real(after)
    assert board.slot("B") == rig.image_of(bundle) and board.primary == "B"


def test_without_rauc_the_installation_fails_in_plain_words(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, caplog: pytest.LogCaptureFixture
) -> None:
    image = bundle.read_bytes()
    board.kill_rauc()

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await it.until(Status.InstallationFailed)

    real(main)
    assert "de.pengutronix.rauc is not there" in caplog.text
    assert "Traceback" not in caplog.text


def test_one_installation_after_the_other_over_the_same_bus(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The second one notices a lost bus just as the first."""
    image = bundle.read_bytes()

    async def main() -> None:
        async with charger(assemble) as it, served(image) as url:
            board.close_gate("pre")
            await it.ask(url, keys, image)
            await reached(board, "pre")
            board.kill_rauc()
            board.open_gate("pre")
            await asyncio.to_thread(board.start_rauc)
            (board.folder / "reached-pre").unlink()
            board.close_gate("pre")
            await reached(board, "pre")
            board.stop_bus()
            await it.until(Status.InstallationFailed)

    real(main)
    assert "the installation was interrupted: the D-Bus broke" in caplog.text


def test_an_installation_of_somebody_else_is_waited_for(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority
) -> None:
    """A USB stick installs while the back end's request comes: the file is not to blame."""
    image = bundle.read_bytes()
    board.close_gate("pre")

    async def main() -> None:
        stick = subprocess.Popen(
            ["rauc", "install", str(bundle)],
            env=board.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await reached(board, "pre")
        async with charger(assemble) as it, served(image) as url:
            await it.ask(url, keys, image)
            await it.until(Status.Installing)
            await asyncio.sleep(0.5)
            assert it.said[-1] is Status.Installing
            board.open_gate("pre")
            said = await it.until(Status.InstallRebooting, Status.InstallationFailed, Status.InstallVerificationFailed)
            assert said[-1] is Status.InstallRebooting
        assert stick.wait(10) == 0

    real(main)
    assert board.slot("B") == rig.image_of(bundle)


def test_a_second_request_takes_the_place_of_a_download_and_keeps_its_own_id(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority
) -> None:
    image = bundle.read_bytes()
    ids: list[tuple[Status, int]] = []

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + bytes(100_000))
            await asyncio.sleep(60)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(stalling, "127.0.0.1", 0)
        slow = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        async with charger(assemble) as it, served(image) as url:
            it.face.firmware_update_status.subscribe(
                lambda value: ids.append((value.firmware_update_status, value.request_id))
            )
            assert await it.ask(slow, keys, image) is UpdateFirmwareResponse.Accepted
            await it.until(Status.Downloading)
            await asyncio.sleep(0.2)
            signature = base64.b64encode(keys.sign(image)).decode()
            second = FirmwareUpdateRequest(
                request_id=REQUEST + 1, location=url, signing_certificate=keys.pem, signature=signature
            )
            assert await it.face.update_firmware(second) is UpdateFirmwareResponse.AcceptedCanceled
            await it.until(Status.InstallRebooting)
            assert await it.face.update_firmware(second) is UpdateFirmwareResponse.Rejected
        server.close()

    real(main)
    assert ids == [
        (Status.Downloading, REQUEST),
        (Status.Downloading, REQUEST + 1),
        (Status.Downloaded, REQUEST + 1),
        (Status.SignatureVerified, REQUEST + 1),
        (Status.Installing, REQUEST + 1),
        (Status.InstallRebooting, REQUEST + 1),
    ]


def test_times_are_awaited_over_a_restart(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = bundle.read_bytes()
    monkeypatch.setattr(timing, "CLOCK_LOOK_S", 0.1)
    began = utc_now()

    async def main() -> None:
        async with served(image) as url:
            later = {
                "retrieve_timestamp": rfc3339(began + timedelta(seconds=1.5)),
                "install_timestamp": rfc3339(began + timedelta(seconds=5)),
            }
            async with charger(assemble) as it:
                await it.ask(url, keys, image, **later)
                assert await it.until(Status.DownloadScheduled) == [Status.DownloadScheduled]
            async with charger(assemble) as it:
                await it.until(Status.InstallScheduled)
                assert utc_now() >= began + timedelta(seconds=1.5)
                assert it.said == [
                    Status.DownloadScheduled,
                    Status.Downloading,
                    Status.Downloaded,
                    Status.SignatureVerified,
                    Status.InstallScheduled,
                ]
            async with charger(assemble) as it:
                await it.until(Status.InstallRebooting)
                assert utc_now() >= began + timedelta(seconds=5)
                assert it.said[:3] == [Status.SignatureVerified, Status.InstallScheduled, Status.Installing]
                assert it.face.firmware_update_status.value.request_id == REQUEST

    real(main)


def test_an_installation_waits_for_permission_where_that_is_configured(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority
) -> None:
    image = bundle.read_bytes()

    async def main() -> None:
        async with served(image) as url:
            async with charger(assemble, wait_for_permission=True) as it:
                await it.ask(url, keys, image)
                await it.until(Status.SignatureVerified)
                await asyncio.sleep(0.3)
                assert it.said[-1] is Status.SignatureVerified and not board.reached("pre")
            async with charger(assemble, wait_for_permission=True) as it:
                await it.until(Status.SignatureVerified)
                await it.face.allow_firmware_installation()
                assert (await it.until(Status.InstallRebooting))[-2:] == [Status.Installing, Status.InstallRebooting]

    real(main)


def test_our_process_killed_again_and_again_comes_to_the_same_end(
    assemble: Any, board: rig.Board, bundle: Path, keys: rig.Authority, tmp_path: Path
) -> None:
    """At whatever moment: each run takes up what the last one left."""
    image = bundle.read_bytes()

    async def main() -> None:
        async with served(image) as url:
            signature = base64.b64encode(keys.sign(image)).decode()
            for number in range(6):
                command = [sys.executable, "-c", RUN_US, str(tmp_path), url, keys.pem, signature]
                process = subprocess.Popen(command, env=board.environment, stdout=subprocess.DEVNULL)
                await asyncio.sleep(0.3 + 0.12 * number)
                process.kill()
                process.wait()
            async with charger(assemble) as it:
                if it.module._left is None:
                    await it.ask(url, keys, image)
                said = await it.until(Status.InstallRebooting, Status.InstallationFailed)
                assert said[-1] is Status.InstallRebooting

    real(main)
    assert board.slot("B") == rig.image_of(bundle)
