"""System: an update in appearance, with the metadata of its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types import system
from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.system import system as module
from chargebyte_fw.modules.system.system import System, metadata_in
from tests.system.cb_system import servers

BLOCK = "\n===== BEGIN METADATA =====\n{}\n===== END METADATA =====\n"
OPTION = "disable_connectors_during_install"


async def update(assemble: Any, folder: Path, monkeypatch: Any, fragment: str = "", **config: Any) -> list[Any]:
    """Have `folder/firmware.pnx` installed; returns what was published."""
    monkeypatch.setattr(module, "INSTALLATION_S", 0.05)
    assembly = assemble(system=(System, config))
    await assembly.start()
    it: Any = assembly.provider("system", "main")
    published: list[Any] = []
    it.firmware_update_status.subscribe(published.append)
    async with servers.http(folder) as (port, _):
        location = f"http://127.0.0.1:{port}/firmware.pnx{fragment}"
        answer = await it.update_firmware(system.FirmwareUpdateRequest(request_id=-1, location=location))
        assert answer is system.UpdateFirmwareResponse.Accepted
        async with asyncio.timeout(20):
            await it.firmware_update_status.wait_for(lambda status: status.firmware_update_status == "Downloaded")
            await it.allow_firmware_installation()
            await it.firmware_update_status.wait_for(lambda status: status.firmware_update_status == "Installed")
    await asyncio.sleep(0.05)
    await assembly.stop()
    return published


@pytest.mark.parametrize("reset", [False, True])
def test_what_is_installed_without_a_signature_runs_at_once(
    assemble: Any, tmp_path: Path, monkeypatch: Any, reset: bool
) -> None:
    (tmp_path / "firmware.pnx").write_text("This is firmware")
    got = clock.run(update(assemble, tmp_path, monkeypatch, ResetAfterUpdate=reset))
    names = [status.firmware_update_status.value for status in got]
    assert names == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert {status.firmware_update_metadata for status in got} == {None}


@pytest.mark.parametrize("place", ["file", "fragment"])
def test_the_metadata_of_an_update_go_with_its_status(
    assemble: Any, tmp_path: Path, monkeypatch: Any, place: str
) -> None:
    text = BLOCK.format(f"{OPTION}=false") if place == "file" else ""
    (tmp_path / "firmware.pnx").write_text("This is firmware" + text)
    fragment = f"#{OPTION}=false" if place == "fragment" else ""
    got = clock.run(update(assemble, tmp_path, monkeypatch, fragment, ResetAfterUpdate=False))
    metadata = got[-1].firmware_update_metadata
    assert metadata is not None and metadata.disable_connectors_during_install is False


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None),
        (BLOCK.format(""), None),
        (BLOCK.format(f"{OPTION}=perhaps"), None),
        (BLOCK.format(f"x=1\n{OPTION} = TRUE"), None),
        (BLOCK.format(f"{OPTION}=TRUE"), True),
        ("x" * 10_000 + BLOCK.format(f"{OPTION}=false"), False),
    ],
)
def test_metadata_are_at_the_end_of_the_file(tmp_path: Path, text: str, wanted: bool | None) -> None:
    file = tmp_path / "firmware"
    file.write_text(text)
    found = metadata_in(file)
    assert (None if found is None else found.disable_connectors_during_install) is wanted


def test_without_a_file_there_are_no_metadata(tmp_path: Path) -> None:
    assert metadata_in(tmp_path / "none") is None
