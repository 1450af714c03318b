"""EVerest interface `cb_temperatures`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import temperature
from chargebyte_fw.kernel.contract import Contract, Var


class CbTemperatures(Contract, interface="cb_temperatures", errors=("cb_temperatures",)):
    """Temperatures measured by the safety controller (chargebyte)."""

    temperatures: Var[list[temperature.Temperature]]
    """Once a second."""
