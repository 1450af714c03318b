"""Every state machine of the product, found by its table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TypeVar

import chargebyte_fw
from chargebyte_fw.kernel.composite import Composite
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.extras import missing
from chargebyte_fw.kernel.level_machine import LevelMachine
from chargebyte_fw.kernel.machine import Machine

K = TypeVar("K")
FRAMES = (Machine, Composite, LevelMachine)


def machines() -> list[type[Machine]]:
    """Return every machine that is used as it is: the last of each line of subclasses."""
    for found in pkgutil.walk_packages(chargebyte_fw.__path__, f"{chargebyte_fw.__name__}."):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            # A part whose library is not installed has no machine that could run.
            if not missing(error):
                raise Unavailable(f"{found.name} cannot be loaded: {error}") from error
    classes = [kind for kind in dict.fromkeys(subclasses(Machine)) if kind.__module__.startswith("chargebyte_fw.")]
    used = [kind for kind in classes if kind not in FRAMES and not kind.__subclasses__() and kind.table]
    return sorted(used, key=lambda kind: (kind.__module__, kind.__qualname__))


def subclasses(kind: type[K]) -> Iterator[type[K]]:
    """Yield every class below `kind` that has been imported."""
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def house(kind: type[Machine]) -> str:
    """Return the house of a machine: `board`, `evse`, `v2g`, ..."""
    parts = kind.__module__.split(".")
    return parts[2] if parts[1] == "modules" else parts[1]
