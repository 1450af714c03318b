"""Offline reading of HomePlug frames: what an MME is called and what stands in it, for people."""

from __future__ import annotations

import dataclasses
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac import messages

ADDRESSES = ("pev_mac", "evse_mac", "source_address", "forwarding_station", "msound_target")


@dataclasses.dataclass(frozen=True, slots=True)
class Dissected:
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
    for field in dataclasses.fields(message):  # type: ignore[arg-type]
        value = getattr(message, field.name)
        if field.name.startswith(("reserved", "header_reserved")):
            continue
        if isinstance(value, bytes):
            fields[field.name] = _octets(field.name, value)
        else:
            fields[field.name] = value
    return Dissected(message.title, fields)


def _octets(name: str, value: bytes) -> Any:
    if name in ADDRESSES:
        return messages.mac_text(value)
    if name == "attenuation_dB":
        return list(value)
    return value.hex()
