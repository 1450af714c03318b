"""Texts for a display (OCPP 2.x part 2, blocks C, I and O)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In201, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type


class MessageFormatEnumType(Values):
    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE", SINCE_21


class MessageContentType(V2Type, kw_only=True):
    format: MessageFormatEnumType
    content: Annotated[str, Text(1024), In201(Text(512))]
    language: Annotated[str | None, Text(8)] = None
