"""Interface of chargebyte `cb_mcs`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import cb_board_support
from chargebyte_fw.kernel.contract import Contract, Var


class CbMcs(Contract, interface="cb_mcs", errors=("generic",)):
    """Megawatt Charging System: the states of the ID and CE lines."""

    id_state: Var[cb_board_support.IDState]
    ce_state: Var[cb_board_support.CEState]

    @abstractmethod
    async def mcs_hlc_enable(self, value: bool) -> bool:
        """Permit the change from state B0 to B; the result is whether the order reached the safety controller."""
