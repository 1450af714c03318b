"""EVerest interface `isolation_monitor`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import isolation_monitor
from chargebyte_fw.kernel.contract import Contract, Var


class IsolationMonitor(Contract, interface="isolation_monitor", one_user="error", errors=("isolation_monitor",)):
    """DC insulation monitor."""

    isolation_measurement: Var[isolation_monitor.IsolationMeasurement]
    """Periodic while started."""
    self_test_result: Var[bool]
    """True = passed."""

    @abstractmethod
    async def start(self) -> None:
        """Periodic measurement on."""

    @abstractmethod
    async def stop(self) -> None:
        """Off."""

    @abstractmethod
    async def start_self_test(self, test_voltage_V: float) -> None:
        """Returns at once; V present on the line; result via self_test_result."""
