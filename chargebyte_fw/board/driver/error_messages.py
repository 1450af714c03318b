"""ERROR_MESSAGE of the controller: one warning a module while any of its reasons is active."""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.board.driver.effects import Log
from chargebyte_fw.board.driver.fault_table import FaultKey, FaultTable, Implementation
from chargebyte_fw.board.link.messages.charge_som import ErrorMessage
from chargebyte_fw.board.link.messages.generations import Generation

PLUG_LOCK_MODULE = "APP_INLET"
"""The module whose errors are faults of the plug lock (plug_lock.py)."""


class ErrorMessages:
    """The reasons that are active, by module."""

    def __init__(self, faults: FaultTable) -> None:
        self._faults = faults
        self._active: dict[str, set[int]] = {}

    def take(self, error: ErrorMessage, generation: Generation) -> list[Any]:
        """Return what an error message logs, raises or clears."""
        module, text = generation.error_text(error)
        if module == PLUG_LOCK_MODULE:
            return []
        reasons = self._active.setdefault(module, set())
        if error.active is (error.reason in reasons):
            return []
        if error.active:
            reasons.add(error.reason)
        else:
            reasons.discard(error.reason)
        data = ", ".join(str(one) for one in (error.data_1, error.data_2) if one is not None)
        text = f"{module}: {text} [{data}]" if data else f"{module}: {text}"
        line = Log(logging.WARNING, "safety controller %s: %s", ("reports" if error.active else "takes back", text))
        return [line, *self._settle(text)]

    def void(self) -> list[Any]:
        """Return what is cleared when the controller is well again or was reset."""
        self._active.clear()
        return self._settle("")

    def _settle(self, text: str) -> list[Any]:
        before = self._faults.raised("warnings")
        keys = [
            FaultKey(Implementation.BOARD, "evse_board_support/VendorWarning", module)
            for module, reasons in self._active.items()
            if reasons
        ]
        return self._faults.settle("warnings", {key: before.get(key, text) for key in keys})
