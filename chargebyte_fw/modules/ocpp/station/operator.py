"""Commands of the person at the station (`secc ocpp`), served by a block like those of other modules."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from chargebyte_fw.kernel.contract import Contract


class Operator(Contract, interface="secc"):
    """Commands of `secc ocpp` to a running station."""

    @abstractmethod
    async def send_message(self, request: Any) -> dict[str, Any]:
        """Send a message to the CSMS; returns its answer in words of JSON."""

    @abstractmethod
    async def use_priority_charging(self, evse_id: int, activate: bool) -> bool:
        """Begin or end priority charging of the transaction at an EVSE; returns whether it is as wished."""

    @abstractmethod
    async def set_variable(self, place: Any, text: str) -> str:
        """Set a variable as the CSMS may; returns the status."""
