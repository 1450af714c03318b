"""Configuration of EvManager."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types.iso15118 import DcEvBPTParameters, DcEvParameters
from chargebyte_fw.kernel.module import ModuleConfig


class EvConfig(ModuleConfig):
    """The car and what it does by itself."""

    connector_id: Annotated[int, Meta(ge=0, description="Number in the topics of the simulation.")]
    auto_enable: Annotated[bool, Meta(description="Whether the car is there from the start.")] = False
    auto_exec: Annotated[bool, Meta(description="Whether auto_exec_commands are run at the start.")] = False
    auto_exec_infinite: Annotated[bool, Meta(description="Whether they are run again and again.")] = False
    auto_exec_commands: Annotated[str, Meta(description="Script of the start.")] = ""
    plugin_commands: Annotated[str, Meta(description="What the command `plugin` stands for.")] = ""
    ac_nominal_voltage: Annotated[float, Meta(gt=0, description="Voltage of a phase, in V.")] = 230.0
    dc_max_current_limit: Annotated[int, Meta(ge=0, description="Greatest current in DC, in A.")] = 300
    dc_max_power_limit: Annotated[int, Meta(ge=0, description="Greatest power in DC, in W.")] = 150_000
    dc_max_voltage_limit: Annotated[int, Meta(ge=0, description="Greatest voltage in DC, in V.")] = 900
    dc_energy_capacity: Annotated[int, Meta(gt=0, description="Capacity of the battery, in Wh.")] = 60_000
    dc_target_current: Annotated[int, Meta(ge=0, description="Current that the car asks for in DC, in A.")] = 5
    dc_target_voltage: Annotated[int, Meta(ge=0, description="Voltage that the car asks for in DC, in V.")] = 200
    support_sae_j2847: Annotated[bool, Meta(description="Whether the car can give energy by SAE J2847/2.")] = False
    dc_discharge_max_current_limit: Annotated[int, Meta(ge=0, description="Greatest current back, in A.")] = 300
    dc_discharge_max_power_limit: Annotated[int, Meta(ge=0, description="Greatest power back, in W.")] = 150_000
    dc_discharge_target_current: Annotated[int, Meta(ge=0, description="Current that the car gives, in A.")] = 5
    dc_discharge_v2g_minimal_soc: Annotated[
        int, Meta(ge=0, le=100, description="State of charge below which the car gives nothing, in percent.")
    ] = 20
    max_current: Annotated[float, Meta(ge=0, description="Greatest current of a phase in AC, in A.")] = 16.0
    three_phases: Annotated[bool, Meta(description="Whether the car uses three phases in AC.")] = True
    departure_time: Annotated[int, Meta(ge=0, description="Time to the departure, in s.")] = 86_400
    e_amount: Annotated[int, Meta(ge=0, description="Energy that the car wants, in Wh; 0: any.")] = 0
    soc: Annotated[int, Meta(ge=0, le=100, description="State of charge at the start, in percent.")] = 30
    keep_cross_boot_plugin_state: Annotated[
        bool, Meta(description="Whether a car that was plugged in is so after a new start, too (needs kvs).")
    ] = False
    force_payment_option: Annotated[
        bool, Meta(description="Whether the car insists on the payment option of the script.")
    ] = False

    def dc_parameters(self) -> DcEvParameters:
        """Return what the car's V2G stack is to offer and ask for in DC."""
        return DcEvParameters(
            max_current_limit=self.dc_max_current_limit,
            max_power_limit=self.dc_max_power_limit,
            max_voltage_limit=self.dc_max_voltage_limit,
            energy_capacity=self.dc_energy_capacity,
            target_current=self.dc_target_current,
            target_voltage=self.dc_target_voltage,
        )

    def dc_bpt_parameters(self) -> DcEvBPTParameters:
        """Return what it is to give."""
        return DcEvBPTParameters(
            discharge_max_current_limit=self.dc_discharge_max_current_limit,
            discharge_max_power_limit=self.dc_discharge_max_power_limit,
            discharge_target_current=self.dc_discharge_target_current,
            discharge_minimal_soc=self.dc_discharge_v2g_minimal_soc,
        )
