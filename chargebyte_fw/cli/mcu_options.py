"""Options of `secc mcu`: those of `ra-update`, with its environment variables, and the virtual board's."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw import VERSION

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.programmer import Wiring

PLATFORMS = {"charge-som": 0x81, "charge-control-y": 0x82}
ENVIRONMENT = {
    "gpiochip": "SAFETY_MCU_GPIOCHIP",
    "reset_gpio": "SAFETY_MCU_RESET_GPIO",
    "md_gpio": "SAFETY_MCU_MD_GPIO",
    "uart": "SAFETY_MCU_UART",
}
DEFAULTS: dict[str, Any] = {
    "gpiochip": None,
    "reset_gpio": "nSAFETY_RESET_INT",
    "md_gpio": "SAFETY_BOOTMODE_SET",
    "uart": "/dev/ttyLP2",
    "reset_period": 500,
    "flash_area": "code",
    "stop_stack": False,
    "verbose": False,
    "root": Path("/"),
    "sim": None,
    "sim_speed": 1.0,
    "sim_power_cut": None,
}


def common() -> argparse.ArgumentParser:
    """Return the options that may stand before and after the command; what is not given is `settle`d later."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    wiring = parser.add_argument_group("wiring (default < environment < option)")
    wiring.add_argument(
        "-c", "--gpiochip", metavar="DEV", help="chip of both lines (SAFETY_MCU_GPIOCHIP; default: whichever has them)"
    )
    wiring.add_argument(
        "-r", "--reset-gpio", metavar="NAME", help="reset line (SAFETY_MCU_RESET_GPIO; default: nSAFETY_RESET_INT)"
    )
    wiring.add_argument(
        "-m", "--md-gpio", metavar="NAME", help="boot mode line (SAFETY_MCU_MD_GPIO; default: SAFETY_BOOTMODE_SET)"
    )
    wiring.add_argument("-d", "--uart", metavar="DEV", help="UART (SAFETY_MCU_UART; default: /dev/ttyLP2)")
    wiring.add_argument(
        "-p", "--reset-period", type=int, metavar="MS", help="how long the reset line is pulled (default: 500)"
    )
    wiring.add_argument(
        "--stop-stack",
        action="store_true",
        help="if the charging stack holds the UART: stop it, and start its unit again afterwards",
    )
    wiring.add_argument("--root", type=Path, metavar="DIR", help="where the file system of the charger is (default: /)")
    add_version(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="tell each reset; monitor: each frame")
    virtual = parser.add_argument_group("virtual board")
    virtual.add_argument(
        "--sim", type=Path, metavar="DIR", help="use a virtual controller in this process; its flash is kept in DIR"
    )
    virtual.add_argument(
        "--sim-speed", type=float, metavar="N", help="its clock, N times faster; 0: as fast as possible (default: 1)"
    )
    virtual.add_argument(
        "--sim-power-cut",
        type=_moment,
        metavar="WHEN",
        help="its power goes once: PERCENT of the writing, or in the middle of erase or verify",
    )
    return parser


def add_version(parser: argparse.ArgumentParser, *words: str) -> None:
    """Add `-V`; `--version` is the version of a parameter block."""
    parser.add_argument(
        "-V", *words, action="version", version=f"secc {VERSION}", help="print the version of this program and exit"
    )


def _moment(text: str) -> str:
    try:
        good = text in ("erase", "verify") or 0 <= float(text) <= 100
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage, erase or verify")
    return text


def settle(arguments: argparse.Namespace) -> None:
    """Fill in what was not given: from the environment, then the defaults."""
    for name, default in DEFAULTS.items():
        if not hasattr(arguments, name):
            environment = ENVIRONMENT.get(name)
            setattr(arguments, name, (os.environ.get(environment) if environment else None) or default)


def wiring_of(arguments: argparse.Namespace) -> Wiring:
    """Return how the controller is connected."""
    from chargebyte_fw.board.flash.programmer import Wiring

    return Wiring(
        uart=arguments.uart,
        gpiochip=arguments.gpiochip,
        reset_line=arguments.reset_gpio,
        mode_line=arguments.md_gpio,
        reset_hold_s=max(arguments.reset_period, 0) / 1000,
    )
