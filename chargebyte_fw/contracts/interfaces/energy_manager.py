"""EVerest interface `energy_manager`."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract


class EnergyManager(Contract, interface="energy_manager"):
    """Marker interface, no members."""
