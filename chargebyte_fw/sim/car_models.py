"""Which car it is: battery, protocols, keys, and the script it comes with."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.sim.battery import Battery
from chargebyte_fw.sim.car_commands import Scripts, scripts_for

_ALL = ("ISO15118D20", "ISO15118D2", "DIN70121")
PROTOCOLS = {
    "iso2": ("ISO15118D2", "DIN70121"),
    "iso2-ac": ("ISO15118D2",),
    "din": ("DIN70121",),
    "iso20-dc": _ALL,
    "iso20-dc-bpt": _ALL,
    "iso20-ac": _ALL[:2],
    "iso20-ac-bpt": _ALL[:2],
    "iso20-ac-der": ("ISO15118D20",),
    "mcs": ("ISO15118D20",),
    "mcs-bpt": ("ISO15118D20",),
    "basic": (),
}
"""What a car offers, best first, by the name it has on command lines."""
MODES = {
    "iso2-ac": "AC_three_phase_core",
    "iso20-ac": "AC_three_phase_core",
    "iso20-ac-bpt": "AC_BPT",
    "iso20-ac-der": "AC_DER_IEC",
    "iso20-dc-bpt": "DC_BPT",
    "mcs": "MCS",
    "mcs-bpt": "MCS_BPT",
}
"""EVerest's energy transfer mode; DC_extended where there is none."""
AC_CURRENT_A, AC_POWER_W = 16.0, 11_040.0
"""The on-board charger: three phases of 230 V."""
DISCHARGE_W, DISCHARGE_A = 20_000.0, 60.0
REACTIVE_VAR = 5_000.0


class Model(msgspec.Struct, frozen=True):
    """One car on order."""

    protocol: str = "iso2"
    battery_kWh: float = 60.0
    soc_percent: float = 30.0
    target_soc_percent: float = 80.0
    demand_pause_s: float = 0.1
    """From the response of a charge loop of DC to the next request."""
    tls: str = "none"
    """`none`, `offer` or `require` (`evcc.CarSettings.tls`)."""
    payment: str = "auto"
    """`external`, `contract` or `auto`."""
    install_contract: str = "missing"
    control_mode: str = ""
    """ISO 15118-20: `Scheduled` or `Dynamic`; empty: what the charger names first."""
    parking: str = ""
    """ISO 15118-20: check `in`, `out` or `both` where the charger has the parking status."""
    keys: evcc.KeyStore = evcc.KeyStore()
    misbehaviours: tuple[evcc.Misbehaviour, ...] = ()
    battery_V: float | None = None
    """Voltage of the battery at every charge, as of a load on a bench; None: that of a battery of its kind."""

    def battery(self) -> Battery:
        """Return the battery; raises ValueError for one that cannot be."""
        battery = Battery(capacity_Wh=self.battery_kWh * 1000, soc_percent=self.soc_percent)
        if self.protocol.startswith("mcs"):
            battery.empty_V, battery.full_V, battery.max_voltage_V = 660.0, 820.0, 900.0
            battery.max_current_A, battery.max_power_W = 1500.0, 1_200_000.0
        if self.battery_V is not None:
            battery.empty_V = battery.full_V = self.battery_V
            battery.max_voltage_V = self.battery_V * 1.1
        return battery

    def settings(self, evcc_id: bytes) -> evcc.CarSettings:
        """Return what the V2G stack of this car is set to."""
        battery = self.battery()
        mode = MODES.get(self.protocol, "DC_extended")
        settings = evcc.CarSettings(
            protocols=PROTOCOLS[self.protocol] or PROTOCOLS["iso2"],
            energy_transfer_mode=mode,
            tls=self.tls,
            payment=self.payment,
            install_contract=self.install_contract,
            control_mode=self.control_mode,
            parking=self.parking,
            keys=self.keys,
            misbehaviours=self.misbehaviours,
            evcc_id=evcc_id,
            max_voltage_V=battery.max_voltage_V,
            max_current_A=battery.max_current_A,
            max_power_W=battery.max_power_W,
            energy_capacity_Wh=battery.capacity_Wh,
            target_soc_percent=round(self.target_soc_percent),
            demand_pause_s=self.demand_pause_s,
        )
        vehicle = self.keys.iso20.vehicle
        if vehicle is not None:
            settings.evcc_name = evcc.plug_and_charge.common_name(vehicle.certificate)
        if mode.startswith("AC"):
            settings.max_current_A, settings.max_power_W = AC_CURRENT_A, AC_POWER_W
        if "BPT" in mode or "DER" in mode:
            settings.max_discharge_power_W, settings.max_discharge_current_A = DISCHARGE_W, DISCHARGE_A
        if "DER" in mode:
            settings.max_reactive_power_var = REACTIVE_VAR
        return settings

    def scripts(self) -> Scripts:
        """Return the scripts that the short words stand for."""
        return scripts_for(self.protocol, self.target_soc_percent)
