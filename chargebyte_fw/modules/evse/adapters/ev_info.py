"""What is known of the EV in this session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import CarManufacturer, EVInfo

VOLKSWAGEN = ("00:7D:FA",)
TESLA = ("0C:29:8F", "4C:FC:AA", "54:F8:F0", "98:ED:5C", "DC:44:27:1")


def manufacturer_from_mac(mac: str) -> CarManufacturer:
    """Tell the maker from a MAC address, where it is one that we know."""
    if mac.upper().startswith(VOLKSWAGEN):
        return CarManufacturer.VolkswagenGroup
    if mac.upper().startswith(TESLA):
        return CarManufacturer.Tesla
    return CarManufacturer.Unknown


class EvInfoAdapter:
    """The EV's data; `publish` is called with each change that is worth telling."""

    def __init__(self, publish: Callable[[EVInfo], None]) -> None:
        self._publish = publish
        self.info = EVInfo()

    def learn(self, **facts: Any) -> None:
        """Enter facts; tell them if they are news."""
        if self.enter(**facts):
            self._publish(self.info)

    def enter(self, **facts: Any) -> bool:
        """Enter facts without telling; returns whether anything changed."""
        if all(getattr(self.info, name) == value for name, value in facts.items()):
            return False
        self.info = msgspec.structs.replace(self.info, **facts)
        return True

    def forget(self) -> None:
        """The session begins or ends: nothing is known, and clients learn of that."""
        self.info = EVInfo()
        self._publish(self.info)
