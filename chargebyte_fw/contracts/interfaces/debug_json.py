"""EVerest interface `debug_json`."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.contract import Contract, Var


class DebugJson(Contract, interface="debug_json"):
    """An object of any shape for a display of debug data."""

    title: Var[str]
    """Heading of the object."""
    debug_json: Var[dict[str, Any]]
    """The object."""
