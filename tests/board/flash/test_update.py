"""Updates: refusals before anything is touched, power cuts that the next run repairs, parameter blocks that follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.flash import image, parameters, update
from chargebyte_fw.board.flash.events import Refused, Silent
from chargebyte_fw.board.flash.image import BadImage
from chargebyte_fw.board.flash.messages import AreaKind, Command, Status
from chargebyte_fw.board.flash.update import Blocks, Outcome, UpdateOrder
from chargebyte_fw.board.link.messages.charge_som import ChargeControl, Platform
from chargebyte_fw.board.link.messages.framing import encode_message
from chargebyte_fw.board.params import layout
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.sim.bootloader import Trouble
from chargebyte_fw.sim.chip import CODE, DATA, Chip, firmware_image
from chargebyte_fw.sim.mcu import McuState
from tests.board.flash.conftest import Bench, shipped_chip

NEW = firmware_image((0, 5, 0))


def order(data: bytes = NEW, **others: Any) -> UpdateOrder:
    return UpdateOrder(data, image.check(data), **others)


async def flash_firmware(bench: Bench, wanted: UpdateOrder, say: Any = lambda _: None) -> None:
    async with bench.tool.in_boot_loader():
        await update.flash_firmware(bench.tool, wanted, bench.record, say)
    await update.check_running(bench.tool, wanted.info)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "usr/share/ra-utils"
    folder.mkdir(parents=True)
    (folder / "chargesom_fw_v_00_05_00.bin").write_bytes(NEW)
    return folder


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What goes to the journal."""
    told: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(f"{record.levelname} {record.getMessage()}")

    logger, handler = logging.getLogger("secc.mcu"), Keep()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel("INFO")
    yield told
    logger.setLevel(level)
    logger.removeHandler(handler)


async def at_boot(bench: Bench, folder: Path, tries: int = 1) -> Outcome:
    """One boot; a single try unless it is about more: with the controller's power the host's goes as well."""
    return await update.auto_update(bench.tool, folder, bench.record, bench.log, tries)


# By hand


def test_firmware_for_another_board_is_refused_before_the_erase(work: Any) -> None:
    async def story(bench: Bench) -> None:
        before = bytes(bench.chip.memory[AreaKind.CODE])
        other = firmware_image((0, 5, 0), Platform.CHARGE_CONTROL_Y)
        with pytest.raises(BadImage, match="is for Charge Control Y, this is a Charge SOM"):
            await flash_firmware(bench, order(other))
        with pytest.raises(BadImage, match="is for Charge SOM, this is a Charge Control Y"):
            await flash_firmware(bench, order(platform=Platform.CHARGE_CONTROL_Y))
        assert bench.chip.memory[AreaKind.CODE] == before
        assert not bench.record.is_flashing

    work(story)


@pytest.mark.parametrize("name", ["charge-control-y", "imx93-charge-control-y", "imx93-charge-control-y-evb"])
def test_the_device_tree_says_which_board_it_is(work: Any, tmp_path: Path, name: str) -> None:
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "compatible").write_bytes(b"chargebyte,%s\0fsl,imx93\0" % name.encode())

    async def story(bench: Bench) -> None:
        with pytest.raises(BadImage, match="this is a Charge Control Y"):
            await flash_firmware(bench, order())

    work(story)


def test_on_an_empty_chip_without_a_device_tree_the_file_is_believed_and_that_is_told(work: Any) -> None:
    async def story(bench: Bench) -> None:
        told: list[str] = []
        await flash_firmware(bench, order(), told.append)
        assert any("nothing says which board this is" in line for line in told)

    work(story, chip=Chip())


WORK = {Command.ERASE: "erase", Command.WRITE: "write, after", Command.READ: "read, after"}
CUTS = [
    *((Command.ERASE, part) for part in (0.0, 0.5, 0.99)),
    *((Command.WRITE, part) for part in (0.0, 0.01, 0.5, 0.99, 0.999)),
    *((Command.READ, part) for part in (0.01, 0.5, 0.99)),
]


@pytest.mark.parametrize(("during", "part"), CUTS)
def test_a_power_cut_anywhere_leaves_a_board_that_the_next_run_repairs(work: Any, during: Command, part: float) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Silent, match=WORK[during]):
            await flash_firmware(bench, order())
        assert bench.record.is_flashing
        running = await bench.tool.running()
        assert (running is not None) is (during is Command.READ or (during, part) == (Command.ERASE, 0.0))
        await flash_firmware(bench, order())
        assert not bench.record.is_flashing
        assert bench.chip.memory[AreaKind.CODE][: len(NEW)] == NEW

    work(story, trouble=Trouble(power_fails_at=part, power_fails_while=during))


def test_a_block_of_another_version_is_told_and_can_be_brought_along(work: Any) -> None:
    newer = firmware_image((0, 6, 0), parameter_version=2)

    async def story(bench: Bench) -> None:
        told: list[str] = []
        await flash_firmware(bench, order(newer), told.append)
        assert any("has version 1, this firmware needs version 2" in line for line in told)
        await flash_firmware(bench, order(newer, blocks=Blocks.MIGRATE), told.append)
        assert parameters.version_of(parameters.block_of(bytes(bench.chip.memory[AreaKind.DATA]))) == 2
        assert not bench.record.block

    work(story)


def test_a_block_that_cannot_be_brought_along_stops_before_anything_is_touched(work: Any) -> None:
    unknown = firmware_image((0, 9, 0), parameter_version=3)

    async def story(bench: Bench) -> None:
        before = {kind: bytes(memory) for kind, memory in bench.chip.memory.items()}
        with pytest.raises(BadImage, match="the layout of version 3 is not known"):
            await flash_firmware(bench, order(unknown, blocks=Blocks.MIGRATE))
        assert bench.chip.memory == before

    work(story)


def test_other_firmware_than_was_flashed_is_an_error(work: Any) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(PeerError, match=r"0.5.0 .* was flashed and 0.4.1 .* answers"):
            await update.check_running(bench.tool, image.check(NEW))

    work(story)


# At boot


def test_the_first_boot_updates_and_the_next_ones_change_nothing(work: Any, folder: Path, lines: list[str]) -> None:
    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder) is Outcome.UPDATED
        assert [line.partition(":")[0] for line in lines] == ["INFO safety controller"] * 2
        assert "0.4.1 (" in lines[0] and "-> 0.5.0" in lines[0]
        assert "0.5.0 flashed, verified and running after" in lines[1]
        lines.clear()
        bench.progress.clear()
        assert await at_boot(bench, folder) is Outcome.CURRENT
        assert len(lines) == 1 and "0.5.0" in lines[0] and "runs, as in chargesom_fw_v_00_05_00.bin" in lines[0]
        assert {step[0] for step in bench.progress} == {"info", "parameters"}

    work(story)


def test_the_parameter_block_is_left_for_everybody_to_read(work: Any, folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "run/ra-utils/ttyLP2.yaml"
    chip = shipped_chip(version=(0, 2, 5), parameter_version=0)
    chip.put(DATA, layout.encode(customers_block(0), 0))

    async def story(bench: Bench) -> None:
        await at_boot(bench, folder)
        assert seen.read_text().startswith("version: 1\n"), "as it is after the update"
        assert "with-feedback-normally-closed" in seen.read_text() and seen.stat().st_mode & 0o777 == 0o644
        bench.chip.put(DATA, b"")
        await at_boot(bench, folder)
        assert seen.read_text() == "# there is no valid parameter block: it is erased\n"
        block = layout.MARKER + b"\x03\0" + bytes(60) + layout.MARKER
        bench.chip.put(DATA, block + bytes((layout.crc8(block),)))
        assert parameters.text_of(bytes(bench.chip.memory[AreaKind.DATA])).startswith(
            "# a parameter block of version 3"
        )

    work(story, chip=chip)


def test_a_place_that_cannot_be_written_does_not_stop_an_update(
    work: Any, folder: Path, tmp_path: Path, lines: list[str]
) -> None:
    (tmp_path / "run").write_text("no folder")

    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder) is Outcome.UPDATED
        assert any("cannot be left for others to read" in line for line in lines)

    work(story)


def test_an_older_file_is_flashed_as_well(work: Any, folder: Path) -> None:
    (folder / "chargesom_fw_v_00_05_00.bin").write_bytes(firmware_image((0, 3, 1)))

    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder) is Outcome.UPDATED
        running = await bench.tool.running()
        assert running is not None and running.firmware.version == (0, 3, 1)

    work(story)


@pytest.mark.parametrize(("during", "part"), CUTS)
def test_a_power_cut_during_an_update_at_boot_is_repaired_at_the_next(
    work: Any, folder: Path, during: Command, part: float
) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Silent):
            await at_boot(bench, folder)
        assert await at_boot(bench, folder) is Outcome.REPAIRED
        assert await at_boot(bench, folder) is Outcome.CURRENT

    work(story, trouble=Trouble(power_fails_at=part, power_fails_while=during))


@pytest.mark.parametrize(("during", "part"), CUTS)
def test_a_passing_trouble_of_the_controller_alone_is_repaired_in_the_same_run(
    work: Any, folder: Path, lines: list[str], during: Command, part: float
) -> None:
    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder, update.BOOT_TRIES) is Outcome.REPAIRED
        assert len([line for line in lines if line.endswith("; once more")]) == 1
        assert not bench.record.is_flashing and not bench.record.block

    work(story, trouble=Trouble(power_fails_at=part, power_fails_while=during))


@pytest.mark.parametrize(("status", "tries"), [(Status.PROTECTED, 1), (Status.ERASE_FAILED, update.BOOT_TRIES)])
def test_a_refusal_for_good_is_not_asked_for_again(
    work: Any, folder: Path, lines: list[str], status: Status, tries: int
) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            await at_boot(bench, folder, update.BOOT_TRIES)
        assert len([line for line in lines if line.endswith("; once more")]) == tries - 1

    work(story, trouble=Trouble(refuse={Command.ERASE: status}))


def test_a_controller_that_does_not_answer_at_all_does_not_hold_up_the_start_for_long(
    work: Any, folder: Path, lines: list[str]
) -> None:
    async def story(bench: Bench) -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(Silent, match="to the first byte"):
            await at_boot(bench, folder, update.BOOT_TRIES)
        assert asyncio.get_running_loop().time() - began < 10.0 and lines == []

    work(story, trouble=Trouble(mute={-1}))


def test_firmware_that_is_cut_short_is_found_although_its_block_says_what_the_file_says(
    work: Any, folder: Path, lines: list[str]
) -> None:
    chip = shipped_chip()
    chip.put(CODE, NEW[:4096])

    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder) is Outcome.REPAIRED
        assert "WARNING safety controller: 0.5.0 is flashed and does not answer" in lines

    work(story, chip=chip)


def customers_block(version: int) -> layout.Parameters:
    made = layout.Parameters()
    made.set(layout.CONTACTOR_TYPE, 0, 3)
    made.set(layout.ABORT_TEMPERATURE, 2, 850)
    made.set(layout.ESTOP, 0, 1)
    return made


def test_a_block_without_version_follows_the_firmware(work: Any, folder: Path) -> None:
    chip = shipped_chip(version=(0, 2, 5), parameter_version=0)
    chip.put(DATA, layout.encode(customers_block(0), 0))

    async def story(bench: Bench) -> None:
        assert await at_boot(bench, folder) is Outcome.UPDATED
        block = bytes(bench.chip.memory[AreaKind.DATA])
        assert block[:39] == layout.encode(customers_block(1), 1)

    work(story, chip=chip)


def test_the_old_word_for_a_channel_that_is_off_becomes_the_new_one(work: Any, folder: Path) -> None:
    block = bytearray(layout.encode(layout.Parameters(), 1))
    block[6:8] = b"\x00\x80"
    block[-1] = layout.crc8(block[:-1])
    chip = shipped_chip(version=(0, 2, 2))
    chip.put(DATA, bytes(block))

    async def story(bench: Bench) -> None:
        await at_boot(bench, folder)
        assert bench.chip.memory[AreaKind.DATA][:39] == layout.encode(layout.Parameters(), 1)

    work(story, chip=chip)


def test_firmware_0_1_0_gets_its_first_block(work: Any, folder: Path) -> None:
    chip = shipped_chip(version=(0, 1, 0), parameter_version=0)
    chip.put(DATA, b"")

    async def story(bench: Bench) -> None:
        await at_boot(bench, folder)
        block = bytes(bench.chip.memory[AreaKind.DATA])[:39].hex()
        assert block == "0df001c00100ff1fff1fff1fff1f00000000000000000101010000000000000000000df001c0c0"

    work(story, chip=chip)


def test_the_first_block_is_the_one_of_the_folder_if_there_is_one(work: Any, folder: Path) -> None:
    own = folder / "chargesom_parameter-block_only-contactor.yaml"
    chip = shipped_chip(version=(0, 1, 0), parameter_version=0)
    chip.put(DATA, b"")

    async def story(bench: Bench) -> None:
        own.write_text("contactors: [without-feedback, 3]\n")
        with pytest.raises(BadImage, match=r"only-contactor\.yaml:1:32: .*'3' is none of"):
            await at_boot(bench, folder)
        assert not bench.record.is_flashing
        own.write_text("pt1000s: [off, off, off, off]\ncontactors: [with-feedback, off, off]\nestops: [off, off, off]")
        await at_boot(bench, folder)
        wanted = layout.Parameters()
        wanted.set(layout.CONTACTOR_TYPE, 0, 3)
        assert bench.chip.memory[AreaKind.DATA][:39] == layout.encode(wanted, 1)

    work(story, chip=chip)


def test_a_block_that_the_power_cut_destroyed_is_restored(work: Any, folder: Path, lines: list[str]) -> None:
    chip = shipped_chip(version=(0, 2, 5), parameter_version=0)
    chip.put(DATA, layout.encode(customers_block(0), 0))
    trouble = Trouble(power_fails_at=0.4, power_fails_in=AreaKind.DATA)

    async def story(bench: Bench) -> None:
        with pytest.raises(Silent):
            await at_boot(bench, folder)
        assert parameters.block_of(bytes(bench.chip.memory[AreaKind.DATA])) == b""
        assert await at_boot(bench, folder) is Outcome.REPAIRED
        assert bench.chip.memory[AreaKind.DATA][:39] == layout.encode(customers_block(1), 1)
        assert any("it is restored" in line for line in lines)
        assert await at_boot(bench, folder) is Outcome.CURRENT

    work(story, chip=chip, trouble=trouble)


def test_firmware_whose_block_cannot_be_made_is_not_flashed(work: Any, folder: Path) -> None:
    (folder / "chargesom_fw_v_00_05_00.bin").write_bytes(firmware_image((0, 9, 0), parameter_version=3))

    async def story(bench: Bench) -> None:
        with pytest.raises(BadImage, match="needs version 3"):
            await at_boot(bench, folder)
        running = await bench.tool.running()
        assert running is not None and running.firmware.version == (0, 4, 1)

    work(story)


def test_there_must_be_exactly_one_file(work: Any, folder: Path) -> None:
    async def story(bench: Bench) -> None:
        (folder / "parsley_fw_v_00_05_00.bin").write_bytes(NEW)
        with pytest.raises(BadImage, match=r"2 firmware files .* exactly one: chargesom.*, parsley"):
            await at_boot(bench, folder)
        for path in folder.iterdir():
            path.unlink()
        with pytest.raises(BadImage, match="no firmware file"):
            await at_boot(bench, folder)
        (folder / "x_fw_1.bin").write_bytes(NEW[:1000])
        with pytest.raises(BadImage, match=r"x_fw_1\.bin: no firmware|too few"):
            await at_boot(bench, folder)
        assert bench.progress == []

    work(story)


# What the virtual controller does with a block that it does not want


def test_a_controller_with_a_block_of_another_version_is_in_its_safe_state(work: Any) -> None:
    chip = shipped_chip(parameter_version=2)
    chip.put(DATA, layout.encode(layout.Parameters(), 1))

    async def story(bench: Bench) -> None:
        await bench.tool.application()
        assert bench.mcu is not None
        assert bench.mcu.mcu.hardware.error_messages == [("MW_PARAM", 6, 1, 2)]
        bench.tool.port.send(encode_message(ChargeControl()))
        await asyncio.sleep(0.05)
        assert bench.mcu.mcu.state is McuState.SAFE

    work(story, chip=chip)
