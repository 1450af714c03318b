"""display_message_API: a client of MQTT is the display."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.types.display_message import (
    ClearDisplayMessageResponse,
    ClearMessageResponseEnum,
    DisplayMessageStatusEnum,
    GetDisplayMessageResponse,
    SetDisplayMessageResponse,
)
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, RequestConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, driven_by_client


def _messages(messages: list[Any]) -> list[Any]:
    return messages


_COMMANDS = {
    "set_display_message": Ask(
        "set_display_message",
        SetDisplayMessageResponse,
        SetDisplayMessageResponse(status=DisplayMessageStatusEnum.UnknownTransaction),
        _messages,
    ),
    "get_display_messages": Ask("get_display_message", GetDisplayMessageResponse, GetDisplayMessageResponse()),
    "clear_display_message": Ask(
        "clear_display_message",
        ClearDisplayMessageResponse,
        ClearDisplayMessageResponse(status=ClearMessageResponseEnum.Unknown),
    ),
}


class display_message_API(Bridge):
    """A client of MQTT is the display."""

    Config = RequestConfig
    group = "cloud"
    api_type = "display_message"
    watched = ("generic_error", "generic/CommunicationFault")

    main = provides(driven_by_client(DisplayMessage, _COMMANDS), description="The display.")
    generic_error = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
