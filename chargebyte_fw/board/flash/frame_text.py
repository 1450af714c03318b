"""Frames of the controller in one line: the fields that are not at rest."""

from __future__ import annotations

from enum import Enum

from chargebyte_fw.board.link.messages.charge_som import Action, ActionId, ErrorMessage
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import Generation

_ALWAYS = ("cp_state", "ce_state", "id_state")
"""Fields that are shown whatever they are."""


def text_of(frame: Frame, generation: Generation) -> str:
    """Return a frame as a line."""
    message = generation.decode(frame)
    if message is None:
        return f"COM 0x{frame.com_id:02X}: {frame.payload.hex(' ')}"
    if isinstance(message, ErrorMessage):
        module, reason = generation.error_text(message)
        data = [f"0x{value:04X}" for value in (message.data_1, message.data_2) if value is not None]
        return " ".join(["ErrorMessage", "raised" if message.active else "cleared", module, reason, *data])
    if isinstance(message, Action) and message.confirmed is ActionId.NONE:
        return "Action refused"
    return " ".join([type(message).__name__, *fields_of(message)])


def fields_of(message: Message) -> list[str]:
    """Return the fields of a message that are not at rest, each as a word."""
    words = []
    at_rest = type(message)()
    for name in message.places:
        value = getattr(message, name)
        if value is None or value is False or (value == getattr(at_rest, name) and name not in _ALWAYS):
            continue
        if value is True:
            words.append(name)
        elif isinstance(value, bytes):
            words.append(f"{name}={value.hex()}")
        elif isinstance(value, Enum):
            words.append(f"{name}={value.name}")
        else:
            words.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
    return words
