"""EVerest interface `ev_manager`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import board_support_common, evse_manager
from chargebyte_fw.kernel.contract import Contract, Var


class EvManager(Contract, interface="ev_manager", errors=("evse_manager",)):
    """EV-side charging logic (status only)."""

    bsp_event: Var[board_support_common.BspEvent]
    ev_info: Var[evse_manager.EVInfo]
