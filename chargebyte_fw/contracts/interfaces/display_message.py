"""EVerest interface `display_message`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import display_message
from chargebyte_fw.kernel.contract import Contract


class DisplayMessage(Contract, interface="display_message"):
    """User display."""

    @abstractmethod
    async def set_display_message(
        self, request: list[display_message.DisplayMessage]
    ) -> display_message.SetDisplayMessageResponse:
        """EVerest command `set_display_message`."""

    @abstractmethod
    async def get_display_messages(
        self, request: display_message.GetDisplayMessageRequest
    ) -> display_message.GetDisplayMessageResponse:
        """EVerest command `get_display_messages`."""

    @abstractmethod
    async def clear_display_message(
        self, request: display_message.ClearDisplayMessageRequest
    ) -> display_message.ClearDisplayMessageResponse:
        """EVerest command `clear_display_message`."""
