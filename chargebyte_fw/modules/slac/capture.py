"""Offline reading of HomePlug frames: what an MME is called and what stands in it, for people."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac import messages

ADDRESSES = ("pev_mac", "evse_mac", "source_address", "forwarding_station", "msound_target")


class Dissected(msgspec.Struct, frozen=True):
    """One MME: its name in the words of the specification and its fields as plain data; `error` if it is damaged."""

    title: str
    fields: dict[str, Any]
    error: str = ""


def dissect(frame: bytes) -> Dissected:
    """Take an Ethernet frame with an MME apart; never raises."""
    try:
        message = messages.decode(frame).message
    except PeerError as error:
        return Dissected("MME", {}, str(error))
    if isinstance(message, messages.Unknown):
        return Dissected(message.title, {"octets": message.octets.rstrip(b"\0").hex()})
    fields = {}
    for name in message.places:
        value = getattr(message, name)
        if name.startswith(("reserved", "header_reserved")):
            continue
        if isinstance(value, bytes):
            fields[name] = _octets(name, value)
        else:
            fields[name] = value
    return Dissected(message.title, fields)


def _octets(name: str, value: bytes) -> Any:
    if name in ADDRESSES:
        return messages.mac_text(value)
    if name == "attenuation_dB":
        return list(value)
    return value.hex()
