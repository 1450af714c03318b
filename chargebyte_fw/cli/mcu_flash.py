"""The commands of `secc mcu` that reset, look at and flash the controller."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli import mcu_bench, mcu_view
from chargebyte_fw.cli.mcu_options import PLATFORMS
from chargebyte_fw.cli.outputs import STDOUT, write_bytes

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.messages import AreaKind
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.board.flash.record import FlashRecord


def reset(arguments: argparse.Namespace) -> int:
    """Reset into the application."""
    mcu_bench.run(lambda programmer, _: programmer.application(), arguments)
    return 0


def boot_loader(arguments: argparse.Namespace) -> int:
    """Reset into the boot loader and leave it there."""
    mcu_bench.run(lambda programmer, _: programmer.reset_into_boot_loader(), arguments)
    return 0


def hold(arguments: argparse.Namespace) -> int:
    """Hold in reset until Ctrl-C."""
    mcu_bench.note("the controller is held in reset until Ctrl-C")
    mcu_bench.run(lambda programmer, _: programmer.hold(), arguments)
    return 0


def info(arguments: argparse.Namespace) -> int:
    """Show a firmware file, or what is on the chip and what runs."""
    return _file_info(arguments) if arguments.file is not None else _chip_info(arguments)


def _file_info(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.board.flash import image

    data = arguments.file.read_bytes()
    found = image.info_of(data)
    try:
        image.check(data)
        problem = ""
    except image.BadImage as error:
        problem = str(error)
    if arguments.json:
        print(json.dumps({"file": mcu_view.info_json(found), "problem": problem or None}, indent=2))
    elif found is not None:
        print(mcu_view.info_text(found, str(arguments.file), valid=not problem))
    if problem:
        mcu_bench.note(f"{arguments.file}: {problem}")
    return 1 if problem else 0


def _chip_info(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.board.flash import parameters
    from chargebyte_fw.board.flash.messages import AreaKind

    async def look(programmer: Programmer, record: FlashRecord) -> dict[str, Any]:
        async with programmer.in_boot_loader() as chip:
            there = await programmer.info()
            data = await programmer.read(chip.area(AreaKind.DATA), what="parameters")
        return {
            "flash": there,
            "block": parameters.block_of(data),
            "running": await programmer.running(),
            "interrupted": record.is_flashing,
        }

    seen = mcu_bench.run(look, arguments)
    block = parameters.version_of(seen["block"]) if seen["block"] else None
    if arguments.json:
        found = {
            "flash": mcu_view.info_json(seen["flash"]),
            "running": mcu_view.running_json(seen["running"]),
            "parameter_block_version": block,
            "interrupted": seen["interrupted"],
        }
        print(json.dumps(found, indent=2))
    else:
        whole = seen["flash"] is not None and not seen["interrupted"]
        print(mcu_view.info_text(seen["flash"], "Current MCU Firmware", valid=whole))
        print(_chip_text(seen, block))
    return 0 if seen["flash"] is not None and seen["running"] is not None else 1


def _chip_text(seen: dict[str, Any], block: int | None) -> str:
    running = seen["running"]
    lines = [("Running", "nothing answers" if running is None else running.text)]
    if running is not None and running.part_number:
        lines.append(("Part Number", mcu_view.part_number_text(running.part_number)))
    lines.append(("Parameter Block", "none that is valid" if block is None else f"version {block}"))
    if seen["interrupted"]:
        lines.append(("Note", "a flashing was interrupted: flash the firmware again"))
    return mcu_view.rows(lines)


def chip_info(arguments: argparse.Namespace) -> int:
    """Show the boot loader's description of the chip."""

    async def look(programmer: Programmer, _: FlashRecord) -> None:
        async with programmer.in_boot_loader() as chip:
            if arguments.json:
                print(json.dumps(mcu_view.chip_json(chip), indent=2))
            else:
                print(mcu_view.chip_text(chip))

    mcu_bench.run(look, arguments)
    return 0


def _area(arguments: argparse.Namespace) -> AreaKind:
    from chargebyte_fw.board.flash.messages import AreaKind

    return AreaKind.CODE if arguments.flash_area == "code" else AreaKind.DATA


def erase(arguments: argparse.Namespace) -> int:
    """Erase an area."""

    async def work(programmer: Programmer, record: FlashRecord) -> None:
        async with programmer.in_boot_loader() as chip:
            await programmer.erase(chip.area(_area(arguments)))
            if arguments.flash_area == "code":
                record.end_flashing()  # nothing half-written is left
            else:
                record.drop_block()

    mcu_bench.run(work, arguments)
    return 0


def dump(arguments: argparse.Namespace) -> int:
    """Write the content of an area to a file or to standard output."""
    if arguments.file is None and sys.stdout.isatty():
        mcu_bench.note("the content is binary: name a file, or send standard output somewhere")
        return 2

    async def look(programmer: Programmer, _: FlashRecord) -> bytes:
        async with programmer.in_boot_loader() as chip:
            return await programmer.read(chip.area(_area(arguments)))

    content = mcu_bench.run(look, arguments)
    write_bytes(Path(STDOUT) if arguments.file is None else arguments.file, content)
    return 0


def flash(arguments: argparse.Namespace) -> int:
    """Flash a firmware file, or (area data) a parameter block."""
    if arguments.flash_area == "data":
        from chargebyte_fw.cli import mcu_params

        return mcu_params.write(arguments)
    from chargebyte_fw.board.flash import image, update
    from chargebyte_fw.board.link.messages.charge_som import Platform
    from chargebyte_fw.kernel.errors import PeerError, Unavailable

    data = arguments.file.read_bytes()
    try:
        about = image.check(data)
    except image.BadImage as error:
        raise image.BadImage(f"{arguments.file}: {error}") from error
    platform = None if arguments.platform is None else Platform(PLATFORMS[arguments.platform])
    blocks = update.Blocks.MIGRATE if arguments.migrate_parameters else update.Blocks.WARN
    order = update.UpdateOrder(data, about, platform, not arguments.no_verify, blocks)

    async def work(programmer: Programmer, record: FlashRecord) -> str:
        try:
            async with programmer.in_boot_loader():
                await update.flash_firmware(programmer, order, record, mcu_bench.note)
        except (asyncio.CancelledError, PeerError, Unavailable):
            if record.is_flashing:
                mcu_bench.note("the controller may have no whole firmware now: the same command once more repairs that")
            raise
        return (await update.check_running(programmer, about)).text

    print(f"{mcu_bench.run(work, arguments)} is running")
    return 0


def auto_update(arguments: argparse.Namespace) -> int:
    """Bring the controller to the firmware of the image, once at every boot."""
    from chargebyte_fw.board.flash import image, update
    from chargebyte_fw.kernel import log
    from chargebyte_fw.kernel.errors import PeerError, Unavailable

    log.set_up("DEBUG" if arguments.verbose else "INFO")
    module_log = log.ModuleLog("mcu")
    root = mcu_bench.runtime_root(arguments)
    folder: Path = arguments.folder or root.read(update.FOLDER)

    async def work(programmer: Programmer, record: FlashRecord) -> None:
        await update.auto_update(programmer, folder, record, module_log)

    try:
        mcu_bench.run(work, arguments)
    except (image.BadImage, PeerError, Unavailable, OSError) as error:
        module_log.error("safety controller: not updated: %s", error)
        return 1
    return 0
