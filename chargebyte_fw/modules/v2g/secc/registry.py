"""Every protocol that has a folder here, for offline tools; a module file names the protocols that it serves itself."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache

from chargebyte_fw.modules.v2g import secc
from chargebyte_fw.modules.v2g.secc.protocol import Protocol


@cache
def protocols() -> tuple[Protocol, ...]:
    """Return the `PROTOCOL` of each folder with a `protocol.py`."""
    found = []
    for folder in pkgutil.iter_modules(secc.__path__, f"{secc.__name__}."):
        if folder.ispkg and importlib.util.find_spec(f"{folder.name}.protocol") is not None:
            protocol = getattr(importlib.import_module(f"{folder.name}.protocol"), "PROTOCOL", None)
            found += [] if protocol is None else [protocol]
    return tuple(found)
