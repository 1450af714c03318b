"""Which car it is: battery, protocols, and the script it comes with."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.sim.battery import Battery
from chargebyte_fw.sim.car_commands import Scripts, scripts_for

PROTOCOLS = {"iso2": ("ISO15118D2", "DIN70121"), "din": ("DIN70121",), "basic": ()}
"""What a car offers, best first, by the name it has on command lines."""


class Model(msgspec.Struct, frozen=True):
    """One car on order."""

    protocol: str = "iso2"
    battery_kWh: float = 60.0
    soc_percent: float = 30.0
    target_soc_percent: float = 80.0
    demand_pause_s: float = 0.1
    """From a CurrentDemandRes to the next CurrentDemandReq."""

    def battery(self) -> Battery:
        """Return the battery; raises ValueError for one that cannot be."""
        return Battery(capacity_Wh=self.battery_kWh * 1000, soc_percent=self.soc_percent)

    def settings(self, evcc_id: bytes) -> evcc.CarSettings:
        """Return what the V2G stack of this car is set to."""
        battery = self.battery()
        return evcc.CarSettings(
            protocols=PROTOCOLS[self.protocol] or PROTOCOLS["iso2"],
            evcc_id=evcc_id,
            max_voltage_V=battery.max_voltage_V,
            max_current_A=battery.max_current_A,
            max_power_W=battery.max_power_W,
            energy_capacity_Wh=battery.capacity_Wh,
            demand_pause_s=self.demand_pause_s,
        )

    def scripts(self) -> Scripts:
        """Return the scripts that the short words stand for."""
        return scripts_for(self.protocol, self.target_soc_percent)
