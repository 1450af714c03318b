"""EVerest interface `over_voltage_monitor`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.kernel.contract import Contract, Var


class OverVoltageMonitor(
    Contract, interface="over_voltage_monitor", one_user="error", errors=("over_voltage_monitor",)
):
    """Fast DC over-voltage supervision (IEC 61851-23 6.3.1.106)."""

    voltage_measurement_V: Var[float]
    """About 1/s; omit when hardware cannot measure."""

    @abstractmethod
    async def set_limits(self, emergency_over_voltage_limit_V: float, error_over_voltage_limit_V: float) -> None:
        """V; may come at any time, cache; emergency = hard shutdown, error = controlled shutdown."""

    @abstractmethod
    async def start(self) -> None:
        """Begin of energy transfer."""

    @abstractmethod
    async def stop(self) -> None:
        """End of energy transfer; raise nothing afterwards."""

    @abstractmethod
    async def reset_over_voltage_error(self) -> None:
        """The only way MREC5OverVoltage is cleared."""
