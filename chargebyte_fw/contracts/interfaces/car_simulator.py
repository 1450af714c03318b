"""EVerest interface `car_simulator`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.kernel.contract import Contract, Var


class CarSimulator(Contract, interface="car_simulator"):
    """Scripted charging session."""

    enabled: Var[bool]

    @abstractmethod
    async def enable(self, value: bool) -> None:
        """EVerest command `enable`."""

    @abstractmethod
    async def execute_charging_session(self, value: str) -> None:
        """`;`-separated command string, see section 9."""
