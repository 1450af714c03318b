"""A controller with its boot loader on wires in memory, on a virtual clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chargebyte_fw.board.flash.parameters import only_contactor
from chargebyte_fw.board.flash.programmer import Programmer, Wiring
from chargebyte_fw.board.flash.record import FlashRecord
from chargebyte_fw.board.params import layout
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.sim import board
from chargebyte_fw.sim.bootloader import Trouble
from chargebyte_fw.sim.chip import CODE, DATA, Chip, firmware_image
from chargebyte_fw.sim.mcu_port import McuOnWire


@dataclass
class Bench:
    """What a test may touch: the chip from inside, the tool from outside."""

    runtime: Runtime
    chip: Chip
    trouble: Trouble
    record: FlashRecord
    log: ModuleLog = field(default_factory=lambda: ModuleLog("mcu"))
    progress: list[tuple[str, int, int]] = field(default_factory=list)
    mcu: McuOnWire | None = None
    programmer: Programmer | None = None

    @property
    def tool(self) -> Programmer:
        assert self.programmer is not None
        return self.programmer


Story = Callable[[Bench], Awaitable[Any]]


def shipped_chip(**firmware: Any) -> Chip:
    """A chip with firmware and a block of the version that it wants."""
    chip = Chip()
    chip.put(CODE, firmware_image(**firmware))
    chip.put(DATA, layout.encode(only_contactor(), firmware.get("parameter_version", 1)))
    return chip


@pytest.fixture
def work(run: Any, runtime: Runtime) -> Callable[..., Any]:
    """Tell a story with a controller on the bench; returns what the story returns."""

    def tell(story: Story, chip: Chip | None = None, trouble: Trouble | None = None) -> Any:
        async def main() -> Any:
            wiring = Wiring()
            bench = Bench(runtime, chip or shipped_chip(), trouble or Trouble(), FlashRecord(runtime.root, wiring.uart))
            bench.mcu = board.on_wires(runtime.wires, bench.chip, bench.trouble)
            report = lambda *step: bench.progress.append(step)  # noqa: E731
            async with Programmer(runtime, wiring, bench.log, report) as bench.programmer:
                result = await story(bench)
            assert bench.mcu.failure is None
            return result

        return run(main())

    return tell
