"""Bringing a controller to a firmware file: by hand (`flash`) and at every boot (`auto_update`)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from chargebyte_fw.board.flash import image, parameters
from chargebyte_fw.board.flash.events import Refused
from chargebyte_fw.board.flash.image import BadImage, Info
from chargebyte_fw.board.flash.messages import AreaKind, Status
from chargebyte_fw.board.flash.parameters import Notify
from chargebyte_fw.board.flash.programmer import Programmer, Running
from chargebyte_fw.board.flash.record import FlashRecord
from chargebyte_fw.board.link.messages.charge_som import Platform
from chargebyte_fw.board.params import yaml_text
from chargebyte_fw.board.params.layout import Parameters
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.log import ModuleLog

FOLDER = "/usr/share/ra-utils"
PATTERN = "*_fw_*.bin"
BOOT_TRIES = 3
FOR_GOOD = (
    Status.UNSUPPORTED,
    Status.ADDRESS,
    Status.BAUD_MARGIN,
    Status.PROTECTED,
    Status.ID_MISMATCH,
    Status.SERIAL_DISABLED,
)
"""Refusals that another try does not change."""
FIRST_BLOCK_PATTERN = "*_parameter-block_only-contactor.yaml"
"""The parameter block of a controller that never had one; without such a file: three contactors without feedback."""


class Blocks(Enum):
    """What to do about a parameter block of another version than the new firmware needs."""

    WARN = "warn"
    MIGRATE = "migrate"


class Outcome(Enum):
    """How an update at boot ended."""

    CURRENT = "nothing to do"
    UPDATED = "updated"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class UpdateOrder:
    """What to flash and how."""

    data: bytes
    info: Info
    platform: Platform | None = None
    """The board, where it is given by hand; None: device tree, or what is on the chip."""
    verify: bool = True
    blocks: Blocks = Blocks.WARN
    first_block: Parameters = field(default_factory=parameters.only_contactor)
    """What a controller gets that never had a block."""


def find_first_block(folder: Path) -> Parameters:
    """Return the parameters of the one file for a first block, the built-in ones without a file; raises BadImage."""
    files = sorted(folder.glob(FIRST_BLOCK_PATTERN))
    if not files:
        return parameters.only_contactor()
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise BadImage(f"{len(files)} files for a first parameter block in {folder}, there must be one: {names}")
    document = yaml_text.read_file(files[0])
    if document.failed:
        raise BadImage("; ".join(str(finding) for finding in document.findings if finding.severity == "error"))
    return document.parameters


def find_image(folder: Path) -> Path:
    """Return the one firmware file of a folder; raises BadImage when there is none or more than one."""
    files = sorted(folder.glob(PATTERN))
    if not files:
        raise BadImage(f"no firmware file ({PATTERN}) in {folder}")
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise BadImage(f"{len(files)} firmware files in {folder}, there must be exactly one: {names}")
    return files[0]


async def flash_firmware(programmer: Programmer, order: UpdateOrder, record: FlashRecord, notify: Notify) -> None:
    """Flash the firmware while the boot loader runs. Everything that can be refused is refused before the erase.

    Raises BadImage, PeerError, Unavailable. When the power goes in the middle, the next run repairs the board.
    """
    assert programmer.chip is not None, "the boot loader is not running"
    code = programmer.chip.area(AreaKind.CODE)
    there = await programmer.info()
    board = order.platform or programmer.platform_of_board() or (there.platform if there is not None else None)
    image.check_fits(order.info, board, code.size, code.write_unit)
    if board is None:
        notify(f"nothing says which board this is; the file's word is taken ({order.info.platform.text})")
    flash = await programmer.read(programmer.chip.area(AreaKind.DATA), what="read parameters")
    wanted = order.info.parameter_version
    if order.blocks is Blocks.MIGRATE:
        firmware = there.version if there is not None else None
        block = parameters.plan(flash, record.block, wanted, firmware, order.first_block, notify)
        if block is not None:
            await parameters.store(programmer, block, record)
    elif warning := parameters.mismatch(flash, wanted):
        notify(warning)
    record.begin_flashing(order.info.text)
    await programmer.write(code, order.data, verify=order.verify)
    record.end_flashing()
    if order.blocks is Blocks.MIGRATE:
        record.drop_block()


async def check_running(programmer: Programmer, info: Info) -> Running:
    """Return what runs after `info` was flashed; raises PeerError when it is something else or nothing."""
    running = await programmer.running()
    if running is None:
        raise PeerError("safety controller", f"{info.version_text} was flashed and does not answer")
    if not running.is_of(info):
        raise PeerError("safety controller", f"{info.text} was flashed and {running.text} answers")
    return running


async def auto_update(
    programmer: Programmer, folder: Path, record: FlashRecord, log: ModuleLog, tries: int = BOOT_TRIES
) -> Outcome:
    """Bring the controller to the firmware file of `folder` unless it has it; the same again changes nothing.

    Compared are size, CRC, version, platform, application and commit of the file and of the chip. The same firmware is
    flashed again when its flashing was interrupted or when it does not answer. A passing trouble after the flash was
    touched is tried again at once: there is no operator at the boot. Raises BadImage, PeerError, Unavailable.
    """
    path = find_image(folder)
    try:
        data = path.read_bytes()
        info = image.check(data)
    except OSError as error:
        raise BadImage(f"{path}: {error.strerror or error}") from error
    except BadImage as error:
        raise BadImage(f"{path}: {error}") from error
    order = UpdateOrder(data, info, blocks=Blocks.MIGRATE, first_block=find_first_block(folder))
    for left in reversed(range(tries)):
        try:
            return await _update(programmer, order, path.name, record, log)
        except (PeerError, Unavailable) as error:
            untouched = not record.is_flashing and not record.block
            if not left or untouched or (isinstance(error, Refused) and error.status in FOR_GOOD):
                raise
            log.warning("safety controller: %s; once more", error)
    raise AssertionError("unreachable")


async def _update(
    programmer: Programmer, order: UpdateOrder, name: str, record: FlashRecord, log: ModuleLog
) -> Outcome:
    info = order.info
    async with programmer.in_boot_loader():
        there = await programmer.info()
        await _show_parameters(programmer, record, log)
    interrupted = record.is_flashing or bool(record.block)
    if there == info and not interrupted:
        running = await programmer.running()
        if running is not None:
            log.info("safety controller: %s runs, as in %s", running.text, name)
            return Outcome.CURRENT
        log.warning("safety controller: %s is flashed and does not answer", info.version_text)
    outcome = Outcome.UPDATED if there is not None and there != info and not interrupted else Outcome.REPAIRED
    before = "nothing that starts" if there is None else there.text
    log.info("safety controller: %s -> %s (%s)", before, info.text, name)
    started_s = asyncio.get_running_loop().time()
    async with programmer.in_boot_loader():
        await flash_firmware(programmer, order, record, lambda what: log.warning("safety controller: %s", what))
        await _show_parameters(programmer, record, log)
    await check_running(programmer, info)
    lasted_s = asyncio.get_running_loop().time() - started_s
    log.info("safety controller: %s flashed, verified and running after %.0f s", info.version_text, lasted_s)
    return outcome


async def _show_parameters(programmer: Programmer, record: FlashRecord, log: ModuleLog) -> None:
    assert programmer.chip is not None, "the boot loader is not running"
    flash = await programmer.read(programmer.chip.area(AreaKind.DATA), what="parameters")
    try:
        record.show_parameters(parameters.text_of(flash))
    except OSError as error:
        log.warning("the parameter block cannot be left for others to read: %s", error)
