"""Start the car of PyPI `iso15118` (Josev): `josev_car.py CONFIG.json`.

Runs in that package's own environment; of this repository it knows nothing. The charger keeps the standard's times. The
environment's TIMEOUT_FACTOR multiplies those of the car (default 1): encoding and decoding may cost it several hundred
milliseconds of CPU on a busy machine, where CurrentDemandRes is due within 250 ms.
"""

from __future__ import annotations

import importlib
import os
from enum import Enum
from typing import Any


def stretch(module_name: str, factor: float) -> None:
    """Replace the module's `Timeouts` by the same names with `factor` times the seconds, before anybody imports it."""
    module: Any = importlib.import_module(module_name)
    members = {name: member.value * factor for name, member in module.Timeouts.__members__.items()}
    make: Any = Enum
    module.Timeouts = make("Timeouts", members, type=float)


def tell_pilot() -> None:
    """Say on standard output when the car closes or opens S2: the pilot hangs in another process."""
    controller: Any = importlib.import_module("iso15118.evcc.controller.simulator").SimEVController

    async def enable_charging(self: Any, enabled: bool) -> None:
        print(f"PILOT {'C' if enabled else 'B'}", flush=True)

    controller.enable_charging = enable_charging


def main() -> None:
    """Stretch where it is wanted, then run the car as its own command does."""
    factor = float(os.environ.get("TIMEOUT_FACTOR", "1"))
    if factor != 1.0:
        for protocol in ("iso15118_2", "din_spec", "iso15118_20"):
            stretch(f"iso15118.shared.messages.{protocol}.timeouts", factor)
        stretch("iso15118.shared.messages.timeouts", factor)
    tell_pilot()
    importlib.import_module("iso15118.evcc.main").run()


if __name__ == "__main__":
    main()
