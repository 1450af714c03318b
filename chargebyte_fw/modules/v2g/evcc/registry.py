"""Every protocol that a car may offer: each has a folder here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.discovery import protocols_in
from chargebyte_fw.modules.v2g.evcc.protocol import Protocol


@cache
def protocols() -> Mapping[str, Protocol]:
    """Return the `PROTOCOL` of each folder with a `protocol.py` by EVerest's name of it."""
    return {protocol.name: protocol for protocol in protocols_in(evcc)}
