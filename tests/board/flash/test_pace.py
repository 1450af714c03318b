"""How long flashing takes beside the time that the bytes need at 115200 baud; the same on a real pseudo-terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.messages import AreaKind
from chargebyte_fw.board.flash.programmer import Programmer, Wiring
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.sim.board import BoardOnPty
from chargebyte_fw.sim.bootloader import Speed
from chargebyte_fw.sim.chip import CODE, firmware_image
from tests.board.flash.conftest import Bench, shipped_chip

OVERHEAD = 0.05
BITS_PER_BYTE = 10


def test_a_whole_chip_is_flashed_and_verified_at_the_pace_of_the_wire(work: Any) -> None:
    """Counted from the erase to the last byte read back; the bytes of the image alone are what cannot be saved."""

    async def story(bench: Bench) -> None:
        assert bench.mcu is not None and bench.mcu.flash is not None
        bench.mcu.flash.speed = Speed(erase_block_s=0.0)
        image, now = firmware_image((0, 5, 0), size=CODE.size), asyncio.get_running_loop().time
        await bench.tool.boot_loader()
        bench.mcu.flash.wire_s, before = 0.0, now()
        await bench.tool.write(CODE, image)
        lasted_s, payload_s = now() - before, 2 * len(image) * BITS_PER_BYTE / timing.BAUD
        assert lasted_s < bench.mcu.flash.wire_s * (1 + OVERHEAD / 10)
        assert lasted_s < payload_s * (1 + OVERHEAD)

    work(story)


@pytest.mark.parametrize("size", [58448])
def test_a_usual_firmware_with_all_resets_and_waits_takes_what_the_protocol_prescribes(work: Any, size: int) -> None:
    async def story(bench: Bench) -> None:
        assert bench.mcu is not None and bench.mcu.flash is not None
        bench.mcu.flash.speed = Speed(erase_block_s=0.0)
        before = asyncio.get_running_loop().time()
        async with bench.tool.in_boot_loader() as chip:
            await bench.tool.write(chip.area(AreaKind.CODE), firmware_image((0, 5, 0), size=size))
        lasted_s = asyncio.get_running_loop().time() - before
        waits_s = 2 * timing.RESET_HOLD_S + timing.SETTLE_S + timing.PULSE_PAUSE_S + timing.SWITCH_S
        prescribed_s = bench.mcu.flash.wire_s + waits_s + timing.READY_AFTER_RESET_S
        assert lasted_s < prescribed_s * (1 + OVERHEAD / 10)

    work(story)


def test_on_a_pseudo_terminal_with_its_baud_rates(tmp_path: Path, runtime: Runtime) -> None:
    image = firmware_image((0, 5, 0), size=4096)

    async def main() -> float:
        chip, steps = shipped_chip(), []
        board = BoardOnPty(tmp_path, chip)
        assert board.mcu.flash is not None
        board.mcu.flash.speed = Speed(erase_block_s=0.0)
        wiring = Wiring(reset_hold_s=0.02)
        try:
            report = lambda *step: steps.append(step)  # noqa: E731
            async with Programmer(runtime, wiring, ModuleLog("mcu"), report) as tool:
                now = asyncio.get_running_loop().time
                await tool.boot_loader()
                assert board.mcu.flash.host_baud == timing.BAUD
                board.mcu.flash.wire_s, before = 0.0, now()
                await tool.write(CODE, image)
                overhead = (now() - before) / board.mcu.flash.wire_s - 1
                await tool.application()
                running = await tool.running()
                assert running is not None and running.firmware.version == (0, 5, 0)
        finally:
            board.close()
        assert chip.memory[AreaKind.CODE][: len(image)] == image
        assert ("verify", 4096, 4096) in steps
        return overhead

    # Scheduling of a busy machine is in here; on a quiet one it is below OVERHEAD.
    assert clock.run(main()) < 0.5
