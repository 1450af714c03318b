"""EVerest interface `temperature_sensor`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import temperature
from chargebyte_fw.kernel.contract import Contract, Var


class TemperatureSensor(Contract, interface="temperature_sensor", errors=("generic",)):
    """List of temperatures."""

    temperatures: Var[list[temperature.Temperature]]
