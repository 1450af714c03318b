"""InfypowerDCSupply as a module, its bus in memory, and virtual power modules at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower_dc_supply import InfypowerDCSupply
from chargebyte_fw.sim.infypower import InfypowerBench, InfypowerModules, OneModule

CAPABILITIES_WITHIN_S = 2.0


class World:
    """`heard` is every frame that the controller sent, `raised` and `cleared` what it said of faults."""

    def __init__(self, assemble: Callable[..., Any], runtime: Any, count: int = 2, **config: Any) -> None:
        ours, self.end = memory.wire()
        runtime.wires.plug("can:can0", ours)
        self.battery_V: float | None = None
        self.modules = InfypowerModules(
            [OneModule(number + 1) for number in range(count)],
            group=config.get("can_destination_address", 0),
            battery_V=lambda: self.battery_V,
        )
        self.bench = InfypowerBench(self.modules, self.end)
        answer = self.end.receive
        assert answer is not None
        self.heard: list[m.Message] = []

        def listen(data: bytes) -> None:
            said = m.read(CanFrame.decode(data))
            assert said is not None
            self.heard.append(said)
            answer(data)

        self.end.receive = listen
        self.assembly = assemble(supply=(InfypowerDCSupply, config))
        self.module: InfypowerDCSupply = self.assembly.modules["supply"]
        self.main = self.module.main
        self.raised: list[tuple[str, str, str]] = []
        self.cleared: list[tuple[str, str]] = []
        self.modes: list[Mode] = []
        self.main.mode.subscribe(self.modes.append)
        self.main.faults.subscribe(self._raised, lambda fault: self.cleared.append((fault.type, fault.sub_type)))

    def _raised(self, fault: Fault) -> None:
        self.raised.append((fault.type, fault.sub_type, fault.message))

    @property
    def active(self) -> set[tuple[str, str]]:
        return {(fault.type.removeprefix("power_supply_DC/"), fault.sub_type) for fault in self.main.faults.active}

    @property
    def output(self) -> tuple[float, float]:
        """What was published last, in V and A."""
        value = self.main.voltage_current.value
        assert value is not None
        return value.voltage_V, value.current_A

    def commands(self) -> list[tuple[str, float]]:
        """What was written since the last call, in order."""
        told = [(said.item.name, said.value) for said in self.heard if said.item.command is m.Command.WRITE]
        self.heard.clear()
        return told

    async def start(self) -> World:
        await self.assembly.start()
        async with asyncio.timeout(CAPABILITIES_WITHIN_S):
            await self.main.capabilities.wait_for()
        return self

    async def export(self, voltage_V: float, current_A: float, phase: ChargingPhase = ChargingPhase.Charging) -> None:
        await self.main.setExportVoltageCurrent(voltage_V, current_A)
        await self.main.setMode(Mode.Export, phase)

    async def off(self) -> None:
        await self.main.setMode(Mode.Off, ChargingPhase.Other)

    async def stop(self) -> None:
        await self.assembly.stop()
        self.bench.close()
