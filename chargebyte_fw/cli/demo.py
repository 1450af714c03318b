"""`secc demo`: watch a virtual car charge at the shipped configuration, over real frames on a virtual cable."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from chargebyte_fw.cli.arguments import percent, positive
from chargebyte_fw.cli.outputs import output_file
from chargebyte_fw.cli.text import existing_folder

EXAMPLE = """examples:
  secc demo                             an ISO 15118-2 session, within a minute
  secc demo --protocol din --speed 5    DIN SPEC 70121, five times faster
  secc demo --protocol iso20-dc --pnc   ISO 15118-20 over TLS 1.3, paid by the car's contract
  secc demo --protocol iso20-dc-bpt     into the car, and back to the grid
  secc demo --ocpp 2.0.1                under a small CSMS, which stops the car
  secc demo --keep-running              go on: plug, unplug, stop, uart cut 2, estop, ... from the keyboard"""
PROTOCOLS = (
    *("iso2", "din", "basic", "iso2-ac", "iso20-dc", "iso20-ac", "iso20-dc-bpt", "iso20-ac-bpt", "mcs", "mcs-bpt"),
)
OCPP_VERSIONS = ("1.6", "2.0.1", "2.1")
WITHOUT_TLS = ("basic", "din")
INSIDE = "SECC_DEMO_INSIDE"
"""Set in the environment of the demo once it is in a network namespace of its own."""
ENERGY_STEP_PERCENT = 10.0


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="watch a virtual car charge",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLE,
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, default=None, help="what the car speaks (iso2)")
    parser.add_argument(
        "--ocpp", choices=OCPP_VERSIONS, default="", help="under a small CSMS of this version, which stops the car"
    )
    parser.add_argument("--tls", action="store_true", help="over TLS, with certificates made for the demo")
    parser.add_argument("--pnc", action="store_true", help="Plug and Charge: paid by the car's contract, over TLS")
    parser.add_argument(
        "--control-mode", choices=("Scheduled", "Dynamic"), default="", help="of ISO 15118-20 (default: the charger's)"
    )
    parser.add_argument("--battery-kWh", type=positive, default=1.0, metavar="E", help="capacity (default 1)")
    parser.add_argument("--target-soc-percent", type=percent, default=80.0, metavar="P", help="where it stops (80)")
    parser.add_argument("--soc-percent", type=percent, default=None, metavar="P", help="where it begins (target - 10)")
    parser.add_argument("--speed", type=positive, default=1.0, metavar="N", help="run N times faster than real time")
    parser.add_argument("--broker", choices=("auto", "mosquitto", "embedded"), default="auto", help="MQTT broker")
    parser.add_argument(
        "--power-supply",
        choices=("simulator", "infypower"),
        default="simulator",
        help="what makes the direct current: a simulator, or rectifier modules behind CAN frames",
    )
    parser.add_argument(
        "--script",
        default=None,
        help="what the car does, in EvManager's command language: 'sleep 1;iso_wait_slac_matched;...'; help lists it",
    )
    parser.add_argument("--keep-running", action="store_true", help="take commands until quit, Ctrl-D or a signal")
    parser.add_argument("--plain", action="store_true", help="one line an event instead of a screen")
    parser.add_argument(
        "--screenshot", type=output_file, default=None, metavar="FILE.svg", help="save a picture of the screen"
    )
    parser.add_argument(
        "--root",
        type=existing_folder,
        default=None,
        metavar="DIR",
        help="whose shipped configurations: a checkout or an image's root (default: this installation's)",
    )
    parser.add_argument(
        "--trace", type=output_file, default=None, metavar="FILE.cbor", help="save what was recorded, for secc trace"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; exit status 0 when the car charged and left."""
    if arguments.protocol is None:
        arguments.protocol = "basic" if arguments.ocpp else "iso2"
    if arguments.soc_percent is None:
        arguments.soc_percent = max(0.0, arguments.target_soc_percent - ENERGY_STEP_PERCENT)
    if arguments.soc_percent >= arguments.target_soc_percent and arguments.script is None:
        print("secc demo: the battery is at its target already: lower --soc-percent", file=sys.stderr)
        return 2
    if wrong := _wrong_combination(arguments):
        print(f"secc demo: {wrong}", file=sys.stderr)
        return 2
    from chargebyte_fw.kernel.extras import require

    require("rich", "paho", "pyroute2", "cryptography", "websockets", extra="demo")
    if arguments.script is not None and (status := _check_script(arguments.script, arguments.protocol)) is not None:
        return status
    if os.environ.get(INSIDE) != "1":
        _go_inside()
    from chargebyte_fw.cli.demo_show import show

    return show(arguments)


def _check_script(text: str, protocol: str) -> int | None:
    """Print the commands for `help`, and what is wrong with a script; returns the exit status, None: it is right."""
    from chargebyte_fw.cli.table import COLUMNS, fold, size
    from chargebyte_fw.sim.car_commands import check_script
    from chargebyte_fw.sim.script import ScriptError, commands

    if text.strip() == "help":
        print("\n".join(fold(commands(), size(piped=COLUMNS).columns)))
        return 0
    try:
        check_script(text, protocol)
    except ScriptError as error:
        print(f"secc demo: --script: {error}", file=sys.stderr)
        print("\n".join(fold(f"commands: {commands()}", size(sys.stderr, COLUMNS).columns, "  ")), file=sys.stderr)
        return 2
    return None


def _wrong_combination(arguments: argparse.Namespace) -> str:
    """Return why the options do not go together; empty where they do."""
    protocol = arguments.protocol
    if arguments.ocpp and protocol != "basic":
        return f"the charger under a CSMS is AC by the pilot alone: --ocpp goes with basic, not with {protocol}"
    if arguments.power_supply == "infypower" and (protocol == "basic" or "-ac" in protocol):
        kind = "a basic session is AC" if protocol == "basic" else f"{protocol} is AC"
        return f"{kind}: --power-supply infypower needs iso2 or din"
    if (arguments.tls or arguments.pnc) and protocol in WITHOUT_TLS:
        return f"{protocol} has no TLS: --tls and --pnc need iso2 or iso20-..."
    if protocol.endswith("bpt") and arguments.control_mode == "Scheduled":
        return "the grid orders the energy back: --control-mode Scheduled leaves that to the car"
    return ""


def _go_inside() -> None:
    """Execute the command again in a network namespace of its own, in place of this process."""
    from chargebyte_fw.sim.net_cable import way_into_a_namespace

    prefix = way_into_a_namespace()
    os.environ[INSIDE] = "1"
    os.execvp(prefix[0], [*prefix, sys.executable, "-m", "chargebyte_fw.cli.main", *sys.argv[1:]])
