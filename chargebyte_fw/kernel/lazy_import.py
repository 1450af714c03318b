"""Modules of the standard library that a dependency imports and the charger does not use: loaded on first use.

    with_first_use("urllib.request")      # before paho.mqtt.client is imported

paho-mqtt imports `urllib.request` for proxies of MQTT over WebSocket, and with it `http.client` and `email`; websockets
imports `importlib.metadata` for the version of a development tree. Each costs 1.5 to 2 MB of resident memory.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def with_first_use(name: str) -> None:
    """Put a module into `sys.modules` that runs when the first attribute of it is looked up (PEP 562).

    Without effect where it is imported already. Raises ModuleNotFoundError where there is none of this name.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = importlib.util.module_from_spec(spec)
    module.__getattr__ = _FirstUse(module, spec)  # type: ignore[method-assign]
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


class _FirstUse:
    """`__getattr__` of a module that has not run yet; another thread waits until it has."""

    def __init__(self, module: ModuleType, spec: ModuleSpec) -> None:
        self._module = module
        self._spec = spec
        self._lock = threading.RLock()
        self._running = False

    def __call__(self, attribute: str) -> Any:
        names = vars(self._module)
        with self._lock:
            if names.get("__getattr__") is self and not self._running:
                self._run()
        if names.get("__getattr__") is self:  # asked by the module's own code, which has not come as far
            raise AttributeError(f"module {self._spec.name!r} has no attribute {attribute!r}")
        return getattr(self._module, attribute)

    def _run(self) -> None:
        assert self._spec.loader is not None
        self._running = True
        try:
            self._spec.loader.exec_module(self._module)
        finally:
            self._running = False
        if vars(self._module).get("__getattr__") is self:
            del self._module.__getattr__
