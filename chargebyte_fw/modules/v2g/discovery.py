"""Finds the protocols of a package: each folder with a `protocol.py` that has a `PROTOCOL` or several `PROTOCOLS`."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType
from typing import Any


def protocols_in(package: ModuleType) -> tuple[Any, ...]:
    """Return the `PROTOCOL`, or the `PROTOCOLS` (one a name space), of each folder of `package`."""
    found: list[Any] = []
    for folder in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if folder.ispkg and importlib.util.find_spec(f"{folder.name}.protocol") is not None:
            module = importlib.import_module(f"{folder.name}.protocol")
            protocol = getattr(module, "PROTOCOL", None)
            found += getattr(module, "PROTOCOLS", [] if protocol is None else [protocol])
    return tuple(found)
