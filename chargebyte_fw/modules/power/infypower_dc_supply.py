"""InfypowerDCSupply: rectifier modules of Infypower's BEG and BEC series, one group of them on a CAN bus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types import power_supply_DC
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.limits import Limits, LimitsAre, Options
from chargebyte_fw.modules.power.infypower.link import CanTape, InfypowerLink
from chargebyte_fw.modules.power.infypower.machine import InfypowerGroup
from chargebyte_fw.modules.power.infypower.states import State
from chargebyte_fw.modules.power.infypower.timing import times
from chargebyte_fw.modules.power.messages import ModeIs, Output, SetExport, SetImport, SetMode

EFFICIENCY_EXPORT = 0.9
EFFICIENCY_IMPORT = 0.85
RIPPLE_A = 2.0
TOLERANCE_A = 2.0


class ModuleType(StrEnum):
    """Series of modules."""

    BEG = "BEG"
    BEC = "BEC"


BIDIRECTIONAL = (ModuleType.BEG, ModuleType.BEC)


def capabilities(limits: Limits, *, bidirectional: bool) -> power_supply_DC.Capabilities:
    """Write the limits of the group as the contract has them; what concerns import only when it can."""
    result = power_supply_DC.Capabilities(
        bidirectional=bidirectional,
        current_regulation_tolerance_A=TOLERANCE_A,
        peak_current_ripple_A=RIPPLE_A,
        min_export_voltage_V=limits.min_voltage_V,
        max_export_voltage_V=limits.max_voltage_V,
        min_export_current_A=0.0,
        max_export_current_A=limits.max_current_A,
        max_export_power_W=limits.max_power_W,
        conversion_efficiency_export=EFFICIENCY_EXPORT,
    )
    if bidirectional:
        result.min_import_voltage_V = limits.min_voltage_V
        result.max_import_voltage_V = limits.max_voltage_V
        result.min_import_current_A = 0.0
        result.max_import_current_A = limits.max_current_A
        result.max_import_power_W = limits.max_power_W
        result.conversion_efficiency_import = EFFICIENCY_IMPORT
    return result


class Supply(PowerSupplyDC):
    """The group of modules as one power supply."""

    module: InfypowerDCSupply

    async def setMode(self, mode: Mode, phase: ChargingPhase) -> None:
        """Switch the output. After Off it returns when no current flows, or no module is there."""
        self.module.pump.feed(SetMode(mode, phase))
        if mode in (Mode.Off, Mode.Fault):
            await self.module.rest()

    async def setExportVoltageCurrent(self, voltage: float, current: float) -> None:
        """Set what goes to the car, in V and A; kept within what the modules can."""
        self.module.pump.feed(SetExport(voltage, current))

    async def setImportVoltageCurrent(self, voltage: float, current: float) -> None:
        """Set the voltage in V below which nothing is drawn from the car, and the greatest current in A."""
        self.module.pump.feed(SetImport(voltage, current))


class InfypowerDCSupply(Module):
    """Drives a group of Infypower BEG or BEC power modules over CAN."""

    packages = ("can",)

    class Config(ModuleConfig):
        """Bus, addresses and limits."""

        device: Annotated[
            str, Meta(description="CAN interface, or INTERFACE:CHANNEL of python-can, as udp_multicast:239.74.163.2.")
        ] = "can0"
        bitrate: Annotated[int, Meta(ge=1000, le=1_000_000, description="Bit rate of the bus, in bit/s.")] = 125_000
        can_source_address: Annotated[int, Meta(ge=240, le=248, description="Address of this controller.")] = 240
        can_destination_address: Annotated[
            int, Meta(ge=0, le=60, description="Address of the group, as its DIP switches say.")
        ] = 0
        dc_module_type: Annotated[ModuleType, Meta(description="Series of the modules.")] = ModuleType.BEG
        override_max_current: Annotated[
            float, Meta(description="Greatest current of the group instead of what the modules tell, in A; -1: off.")
        ] = -1.0
        override_max_power: Annotated[
            float, Meta(description="Greatest power of the group instead of what the modules tell, in W; -1: off.")
        ] = -1.0
        override_cutoff_voltage: Annotated[
            float,
            Meta(
                le=2000,
                description="Voltage below which nothing is drawn from the car instead of the set one, in V; -1: off.",
            ),
        ] = -1.0

    config: Config
    main = provides(Supply, description="The group of power modules.")

    pump: Pump

    @classmethod
    def claims(cls, config: Config, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The group on its bus; how fast the bus is."""
        yield Claim("CAN bus", config.device, "bitrate", f"{config.bitrate} bit/s")
        group = f"{config.can_destination_address} on {config.device}"
        yield Claim(
            "group address",
            group,
            "can_destination_address",
            hint="give each group an address of its own by its DIP switches",
        )

    async def init(self) -> None:
        """Build the group; the bus is not opened yet."""
        config = self.config
        self._bidirectional = config.dc_module_type in BIDIRECTIONAL
        self._times = times(loop_speed())
        self._changed = asyncio.Event()
        options = Options(
            source=config.can_source_address,
            destination=config.can_destination_address,
            bidirectional=self._bidirectional,
            override_max_current_A=config.override_max_current,
            override_max_power_W=config.override_max_power,
            override_cutoff_V=config.override_cutoff_voltage,
        )
        self.machine = InfypowerGroup(options, self._times)
        tape = CanTape(self.runtime.trace, self.id, config.device, options, self._times, self.machine)
        self.pump = Pump(self.machine, self._act, self.crash, tape)
        self.link = InfypowerLink(
            config.device,
            config.bitrate,
            options,
            self.runtime,
            self.log,
            up=lambda: self.pump.feed(m.BusUp()),
            received=self._receive,
            down=lambda why: self.pump.feed(m.BusDown(why)),
        )

    async def ready(self) -> None:
        """Look for the group; without one the supply is faulted, not dead."""
        self.spawn(self.link.keep(), "can")

    async def stop(self) -> None:
        """Take the power off, and wait until it is."""
        self.pump.feed(SetMode(Mode.Off, ChargingPhase.Other))
        await self.rest()
        self.pump.close()
        self.link.close()

    async def rest(self) -> None:
        """Wait until the output is off and without current; gives up after a while with a word in the log."""
        try:
            async with asyncio.timeout(self._times.off_limit_s):
                while not self.machine.at_rest:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.log.error("the modules do not confirm that the output is off and without current")

    def _receive(self, frame: Any) -> None:
        self.pump.feed(frame)
        self._changed.set()

    def _act(self, effect: Any) -> None:
        match effect:
            case m.Transmit(frame):
                self.link.send(frame)
            case Output(voltage_V, current_A):
                self.main.voltage_current.publish(
                    power_supply_DC.VoltageCurrent(voltage_V=voltage_V, current_A=current_A)
                )
            case ModeIs(mode):
                self.main.mode.publish(mode)
                self._changed.set()
            case LimitsAre(limits):
                self.main.capabilities.publish(capabilities(limits, bidirectional=self._bidirectional))
            case m.Raise(error, sub_type, text):
                if self.machine.state is not State.NO_BUS:  # the link has logged it
                    self.log.warning("%s: %s", error, text)
                self.main.faults.raise_fault(f"power_supply_DC/{error}", text, sub_type=sub_type)
                self._changed.set()
            case m.Clear(error, sub_type):
                self.log.info("%s is over", " ".join(filter(None, (error, sub_type))))
                self.main.faults.clear(f"power_supply_DC/{error}", sub_type)
            case m.Report(level, text):
                self.log.log(level, "%s", text)
            case Unexpected():
                self.log.debug("unexpected %s while %s", effect.event, effect.state.value)
