"""EVerest type file `text_message`."""

from __future__ import annotations

from enum import StrEnum

from chargebyte_fw.contracts.open_type import OpenType


class MessageFormat(StrEnum):
    """EVerest enumeration `MessageFormat`."""

    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE"


class MessageContent(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `text_message.MessageContent`."""

    content: str
    format: MessageFormat | None = None
    language: str | None = None
    """Language tag."""
