"""DCSupplySimulator: a power stage and its meter that exist only in numbers."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types import power_supply_DC, powermeter, units
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.power.machine import PowerStage, Ratings
from chargebyte_fw.modules.power.messages import Begin, ModeIs, Output, Reading, SetExport, SetImport, SetMode
from chargebyte_fw.modules.power.simulated_meter import Meter

METER_ID = "DC_POWERMETER"
EFFICIENCY_EXPORT = 0.9
EFFICIENCY_IMPORT = 0.85
RIPPLE_A = 2.0
TOLERANCE_A = 2.0


class SupplyConfig(ModuleConfig):
    """Ratings of the simulated stage."""

    bidirectional: Annotated[bool, Meta(description="Whether power can flow back from the car.")] = True
    max_power: Annotated[float, Meta(gt=0, description="Greatest power in either direction, in W.")] = 150_000.0
    min_voltage: Annotated[float, Meta(ge=0, description="Lowest voltage result as a capability, in V.")] = 200.0
    max_voltage: Annotated[float, Meta(gt=0, description="Greatest voltage, in V.")] = 900.0
    min_current: Annotated[float, Meta(ge=0, description="Least current result as a capability, in A.")] = 1.0
    max_current: Annotated[float, Meta(gt=0, description="Greatest current, in A.")] = 200.0
    nominal_max_export_power: Annotated[
        float, Meta(ge=0, description="Greatest power towards the car to be advertised, in W.")
    ] = 150_000.0
    nominal_max_import_power: Annotated[
        float, Meta(ge=0, description="Greatest power from the car to be advertised, in W.")
    ] = 150_000.0
    nominal_min_voltage: Annotated[float, Meta(ge=0, description="Lowest voltage to be advertised, in V.")] = 200.0
    nominal_max_voltage: Annotated[float, Meta(ge=0, description="Greatest voltage to be advertised, in V.")] = 900.0
    nominal_min_current: Annotated[float, Meta(ge=0, description="Least current to be advertised, in A.")] = 1.0
    nominal_max_current: Annotated[float, Meta(ge=0, description="Greatest current to be advertised, in A.")] = 200.0


def capabilities_from_config(config: SupplyConfig) -> power_supply_DC.Capabilities:
    """Return the capabilities of the stage; those of import only when it can."""
    result = power_supply_DC.Capabilities(
        bidirectional=config.bidirectional,
        current_regulation_tolerance_A=TOLERANCE_A,
        peak_current_ripple_A=RIPPLE_A,
        min_export_voltage_V=config.min_voltage,
        max_export_voltage_V=config.max_voltage,
        min_export_current_A=config.min_current,
        max_export_current_A=config.max_current,
        max_export_power_W=config.max_power,
        nominal_min_export_voltage_V=config.nominal_min_voltage,
        nominal_max_export_voltage_V=config.nominal_max_voltage,
        nominal_min_export_current_A=config.nominal_min_current,
        nominal_max_export_current_A=config.nominal_max_current,
        nominal_max_export_power_W=config.nominal_max_export_power,
        conversion_efficiency_export=EFFICIENCY_EXPORT,
    )
    if config.bidirectional:
        result.min_import_voltage_V = config.min_voltage
        result.max_import_voltage_V = config.max_voltage
        result.min_import_current_A = config.min_current
        result.max_import_current_A = config.max_current
        result.max_import_power_W = config.max_power
        result.nominal_min_import_voltage_V = config.nominal_min_voltage
        result.nominal_max_import_voltage_V = config.nominal_max_voltage
        result.nominal_min_import_current_A = config.nominal_min_current
        result.nominal_max_import_current_A = config.nominal_max_current
        result.nominal_max_import_power_W = config.nominal_max_import_power
        result.conversion_efficiency_import = EFFICIENCY_IMPORT
    return result


class Supply(PowerSupplyDC):
    """The power stage."""

    module: DCSupplySimulator
    config: SupplyConfig

    async def setMode(self, mode: Mode, phase: ChargingPhase) -> None:
        """Switch the stage; when this returns after Off, no current flows."""
        if mode is Mode.Import and not self.config.bidirectional:
            self.module.log.warning("asked to import, but it is not bidirectional: switching off")
        self.module.pump.feed(SetMode(mode, phase))

    async def setExportVoltageCurrent(self, voltage: float, current: float) -> None:
        """Set what goes to the car, in V and A."""
        self.module.pump.feed(SetExport(voltage, current))

    async def setImportVoltageCurrent(self, voltage: float, current: float) -> None:
        """Set what comes from the car, in V and A."""
        self.module.pump.feed(SetImport(voltage, current))


class DCSupplySimulator(Module):
    """A direct-current power supply with a meter, simulated: it follows its set points and counts the energy."""

    main = provides(Supply, config=SupplyConfig, description="The power stage.")
    powermeter = provides(Meter, description="The meter at its output.")

    pump: Pump

    async def init(self) -> None:
        """Build the stage from its ratings."""
        config: SupplyConfig = self.main.config
        ratings = Ratings(config.max_voltage, config.max_current, config.max_power, config.bidirectional)
        self.pump = Pump(PowerStage(ratings), self._act, self.crash)

    async def ready(self) -> None:
        """Publish the capabilities and begin to measure."""
        self.main.capabilities.publish(capabilities_from_config(self.main.config))
        self.pump.feed(Begin())

    async def stop(self) -> None:
        """Take the power off."""
        self.pump.feed(SetMode(Mode.Off, ChargingPhase.Other))
        self.pump.close()

    def _act(self, effect: Any) -> None:
        match effect:
            case ModeIs(mode):
                self.main.mode.publish(mode)
            case Output(voltage_V, current_A):
                self.main.voltage_current.publish(
                    power_supply_DC.VoltageCurrent(voltage_V=voltage_V, current_A=current_A)
                )
            case Reading():
                self.powermeter.powermeter.publish(reading_from_stage(effect))


def reading_from_stage(reading: Reading) -> powermeter.Powermeter:
    """Write the meter's values in the words of the contract."""
    return powermeter.Powermeter(
        timestamp=rfc3339(utc_now()),
        meter_id=METER_ID,
        energy_Wh_import=units.Energy(total=reading.imported_Wh),
        energy_Wh_export=units.Energy(total=reading.exported_Wh),
        power_W=units.Power(total=reading.voltage_V * reading.current_A),
        voltage_V=units.Voltage(DC=reading.voltage_V),
        current_A=units.Current(DC=reading.current_A),
    )
