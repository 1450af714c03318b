"""TerminalDisplayMessage: a display of messages whose screen is the log."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.display_message import DisplayMessage
from chargebyte_fw.contracts.types import display_message as types
from chargebyte_fw.kernel.module import Module, provides

MOST = 100
"""Messages that are kept."""


class _Display(DisplayMessage):
    """The display."""

    module: TerminalDisplayMessage

    async def set_display_message(self, request: list[types.DisplayMessage]) -> types.SetDisplayMessageResponse:
        """Keep and show messages; one with the id of another replaces it."""
        messages = self.module.messages
        refused = types.DisplayMessageStatusEnum.Rejected
        if len(messages) + len(request) > MOST:
            return types.SetDisplayMessageResponse(status=refused, status_info=f"there are {len(messages)} messages")
        for one in request:
            number = one.id if one.id is not None else min(messages, default=0) - 1
            one.id = number
            messages[number] = one
            self.module.log.info("message %d: %s", number, one.message.content)
        return types.SetDisplayMessageResponse(status=types.DisplayMessageStatusEnum.Accepted)

    async def get_display_messages(self, request: types.GetDisplayMessageRequest) -> types.GetDisplayMessageResponse:
        """Return the messages that the request filters."""
        found = [
            one
            for one in self.module.messages.values()
            if (not request.id or one.id in request.id)
            and request.priority in (None, one.priority)
            and request.state in (None, one.state)
        ]
        return types.GetDisplayMessageResponse(messages=found)

    async def clear_display_message(
        self, request: types.ClearDisplayMessageRequest
    ) -> types.ClearDisplayMessageResponse:
        """Remove a message."""
        known = self.module.messages.pop(request.id, None) is not None
        answers = types.ClearMessageResponseEnum
        return types.ClearDisplayMessageResponse(status=answers.Accepted if known else answers.Unknown)


class TerminalDisplayMessage(Module):
    """Shows the messages of the charging station in the log."""

    group = "cloud"
    display_message = provides(_Display, description="The display.")

    async def init(self) -> None:
        """Begin without a message."""
        self.messages: dict[int, types.DisplayMessage] = {}
