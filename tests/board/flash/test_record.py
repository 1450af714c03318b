"""What is remembered over a power cut: on the disk, content before name, before the flash is changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.flash.record import FOLDER, FlashRecord

BLOCK = bytes(range(64))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """Name and content of what each fsync has put on the disk; of a folder its name alone."""
    seen: list[tuple[str, bytes]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append((path.name, b"" if folder else path.read_bytes()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    return seen


def test_a_saved_block_is_whole_on_the_disk_before_it_has_its_name(
    runtime: Any, settled: list[tuple[str, bytes]]
) -> None:
    """What is still in the process at the fsync would be missing after a power cut."""
    record = FlashRecord(runtime.root, "/dev/ttyLP2")
    record.save_block(BLOCK)
    assert settled == [("ttyLP2.parameters.bin.new", BLOCK), (Path(FOLDER).name, b"")]
    assert record.block == BLOCK
    settled.clear()
    record.drop_block()
    assert settled == [(Path(FOLDER).name, b"")]
    assert record.block == b""


def test_a_flashing_that_was_begun_is_known_to_the_next_run_until_it_ends(
    runtime: Any, settled: list[tuple[str, bytes]]
) -> None:
    FlashRecord(runtime.root, "/dev/ttyLP2").begin_flashing("0.4.1")
    assert settled == [("ttyLP2.flashing.new", b"0.4.1"), (Path(FOLDER).name, b"")]
    assert FlashRecord(runtime.root, "/dev/ttyLP2").is_flashing
    assert not FlashRecord(runtime.root, "/dev/ttyLP1").is_flashing, "each controller has its own"
    FlashRecord(runtime.root, "/dev/ttyLP2").end_flashing()
    assert not FlashRecord(runtime.root, "/dev/ttyLP2").is_flashing
