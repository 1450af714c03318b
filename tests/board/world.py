"""A board in memory: the driver as a module, a wire, the virtual safety controller, a reset line, a pilot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.mcu_port import McuOnWire
from chargebyte_fw.sim.pilot import Pilot

PORT = "serial:/dev/ttyLP2"
RESET = "gpio:nSAFETY_RESET_INT"


class World:
    """Everything between the bus and the car's socket; what was published is in `events`, `raised`, `cleared`."""

    def __init__(
        self, assemble: Callable[..., Any], runtime: Any, hardware: Hardware | None = None, **config: Any
    ) -> None:
        ours, theirs = memory.wire()
        self.plug = ours.plug
        runtime.wires.plug(PORT, ours)
        self.pilot = Pilot()
        self.mcu = McuOnWire(VirtualMcu(self.pilot, hardware), theirs)
        self.resets: list[float] = []
        runtime.wires.plug(RESET, self._reset_line)
        self.runtime = runtime
        self.assembly = assemble(bsp=(CbChargeSOMDriver, config))
        self.driver: CbChargeSOMDriver = self.assembly.modules["bsp"]
        self.board = self.driver.evse_board_support
        self.events: list[str] = []
        self.ampacities: list[str] = []
        self.raised: list[tuple[str, str]] = []
        self.cleared: list[tuple[str, str]] = []
        self.board.event.subscribe(lambda told: self.events.append(told.event.value))
        self.board.ac_pp_ampacity.subscribe(lambda told: self.ampacities.append(told.ampacity.value))
        for implementation in (self.board, self.driver.ac_rcd, self.driver.temperatures):
            implementation.faults.subscribe(
                lambda fault: self.raised.append(_name(fault)), lambda fault: self.cleared.append(_name(fault))
            )

    def _reset_line(self, high: bool) -> None:
        if not high:
            self.resets.append(asyncio.get_running_loop().time())
        self.mcu.reset_line(high)

    async def start(self, enable: bool = True) -> World:
        """Start the driver and wait until the link is up."""
        await self.assembly.start()
        await asyncio.sleep(1.0)
        if enable:
            await self.board.enable(True)
            await asyncio.sleep(0.3)
        return self

    async def charge(self) -> None:
        """Plug a car in and close the contactors."""
        self.pilot.car_state = "B"
        await self.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        self.pilot.car_state = "C"
        await asyncio.sleep(0.3)
        await self.allow(True)
        await asyncio.sleep(0.3)
        assert self.pilot.contactors_closed

    async def allow(self, value: bool) -> None:
        reason = PowerOnOffReason.FullPowerCharging if value else PowerOnOffReason.PowerOff
        await self.board.allow_power_on(PowerOnOff(allow_power_on=value, reason=reason))

    @property
    def active(self) -> set[tuple[str, str]]:
        """Type and sub-type of each active fault of the three implementations."""
        books = (self.board.faults, self.driver.ac_rcd.faults, self.driver.temperatures.faults)
        return {_name(fault) for book in books for fault in book.active}

    @property
    def heard(self) -> ChargeControl:
        """The control image that the controller has."""
        return self.mcu.mcu.control

    async def stop(self) -> None:
        await self.assembly.stop()
        self.mcu.close()


def _name(fault: Fault) -> tuple[str, str]:
    return fault.type, fault.sub_type
