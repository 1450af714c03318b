"""EVerest interface `ac_rcd`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.kernel.contract import Contract, Var


class AcRcd(Contract, interface="ac_rcd", one_user="error", errors=("ac_rcd",)):
    """Residual current device."""

    rcd_current_mA: Var[float]
    """Report only."""

    @abstractmethod
    async def self_test(self) -> None:
        """Raise error Selftest on failure."""

    @abstractmethod
    async def reset(self) -> bool:
        """After a trip; may be unsupported."""
