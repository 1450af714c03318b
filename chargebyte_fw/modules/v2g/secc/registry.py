"""Every protocol that has a folder here, for offline tools; a module file names the protocols that it serves itself."""

from __future__ import annotations

from functools import cache

from chargebyte_fw.modules.v2g import secc
from chargebyte_fw.modules.v2g.discovery import protocols_in
from chargebyte_fw.modules.v2g.secc.protocol import Protocol


@cache
def protocols() -> tuple[Protocol, ...]:
    """Return the `PROTOCOL` of each folder with a `protocol.py`."""
    return protocols_in(secc)
