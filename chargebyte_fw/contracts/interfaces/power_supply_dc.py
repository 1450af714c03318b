"""EVerest interface `power_supply_DC`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import power_supply_DC
from chargebyte_fw.kernel.contract import Contract, Var


class PowerSupplyDC(Contract, interface="power_supply_DC", one_user="error", errors=("power_supply_DC",)):
    """DC power supply, optionally bidirectional."""

    voltage_current: Var[power_supply_DC.VoltageCurrent]
    """At least 1/s, 4/s advised."""
    mode: Var[power_supply_DC.Mode]
    """On change."""
    capabilities: Var[power_supply_DC.Capabilities]
    """Charging is blocked until published once; later updates of current/power take effect at once, the rest next
    session.
    """

    @abstractmethod
    async def setMode(self, mode: power_supply_DC.Mode, phase: power_supply_DC.ChargingPhase) -> None:
        """For Off return only once output current is safe to switch (or the link is lost); cache mode and
        setpoints while in error and re-apply before clearing.
        """

    @abstractmethod
    async def setExportVoltageCurrent(self, voltage: float, current: float) -> None:
        """V, A."""

    @abstractmethod
    async def setImportVoltageCurrent(self, voltage: float, current: float) -> None:
        """V below which nothing is drawn, A limit."""
