"""The driver on the wires of a board's second safety controller: its port and reset line are the configured ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.kernel import memory
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnWire
from chargebyte_fw.sim.pilot import Pilot


@pytest.mark.parametrize("active_low", [True, False])
def test_port_reset_line_and_its_level_are_the_configured_ones(
    run: Any, assemble: Any, runtime: Any, active_low: bool
) -> None:
    async def main() -> None:
        ours, theirs = memory.wire()
        pilot = Pilot()
        mcu = McuOnWire(VirtualMcu(pilot), theirs)
        levels: list[bool] = []

        def line(high: bool) -> None:
            levels.append(high)
            mcu.reset_line(high is active_low)

        runtime.wires.plug("serial:/dev/ttyLP1", ours)
        runtime.wires.plug("gpio:nSAFETY2_RESET_INT", line)
        config = {
            "serial_port": "/dev/ttyLP1",
            "reset_gpio_line_name": "nSAFETY2_RESET_INT",
            "reset_active_low": active_low,
        }
        assembly = assemble(bsp=(CbChargeSOMDriver, config))
        await assembly.start()
        await asyncio.sleep(1.0)
        board = assembly.modules["bsp"].evse_board_support
        await board.enable(True)
        await asyncio.sleep(0.5)
        assert levels[:2] == [not active_low, active_low], "reset, then released"
        assert pilot.letter == "A"
        await assembly.stop()
        mcu.close()

    run(main())
