"""`secc plc`: the powerline modem: which one it is, whether its link is up, and how to start it again."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.text import add_root

RESET_LINE = "nPLC_RESET_INT"
PULSE_S = 0.1
EXAMPLE = """examples:
  secc plc info                  vendor, chip, firmware, network, and what to know about it
  secc plc link --wait 20        status 0 as soon as a link is up, 1 when there is none
  secc plc reset                 by message; --line pulls the reset line, also of a modem that does not answer"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "plc",
        help="look at the powerline modem, or reset it",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLE,
    )
    what = parser.add_subparsers(dest="what", metavar="info|link|reset", required=True)
    info = what.add_parser("info", help="ask the modem who it is")
    info.add_argument("--json", action="store_true", help="as JSON")
    _common(info, _info)
    link = what.add_parser("link", help="whether the modem is linked to another one: status 0 yes, 1 no")
    link.add_argument("--wait", type=float, default=0.0, metavar="S", help="wait so long for a link")
    _common(link, _link)
    reset = what.add_parser("reset", help="start the modem again and wait until it answers")
    reset.add_argument("--force", action="store_true", help="even while a link is up, that is, a car may be charging")
    reset.add_argument(
        "--line", nargs="?", const=RESET_LINE, metavar="NAME", help=f"pull this GPIO line (default {RESET_LINE}) low"
    )
    reset.add_argument("--chip", type=Path, metavar="DEV", help="GPIO chip of the line (default: whichever has it)")
    add_root(reset)
    _common(reset, _reset)


def _common(parser: argparse.ArgumentParser, run: Any) -> None:
    parser.add_argument("-i", "--interface", default="eth1", metavar="IF", help="interface of the modem (eth1)")
    parser.set_defaults(run=run)


def _info(arguments: argparse.Namespace) -> int:
    """Print what the modem reports."""
    import asyncio

    import msgspec

    from chargebyte_fw.modules.slac.tool import examine

    modem = asyncio.run(examine(arguments.interface))
    if arguments.json:
        print(msgspec.json.encode(modem).decode())
        return 0
    link = {True: "up", False: "down", None: "not told"}[modem.link_up]
    rows = [
        ("modem", " ".join(word for word in (modem.vendor, modem.chip) if word)),
        ("firmware", modem.firmware),
        ("address", modem.mac),
        ("driver", modem.driver),
        ("link", link),
        *(("network", network) for network in modem.networks),
        *(("note", note) for note in modem.notes),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<9} {value}")
    return 0


def _link(arguments: argparse.Namespace) -> int:
    """Print whether there is a link."""
    import asyncio

    from chargebyte_fw.modules.slac.tool import ANSWER_S, link_status

    give_up_at = time.monotonic() + arguments.wait
    while not (up := asyncio.run(link_status(arguments.interface))) and time.monotonic() < give_up_at:
        time.sleep(ANSWER_S)
    print("up" if up else "down")
    return 0 if up else 1


def _reset(arguments: argparse.Namespace) -> int:
    """Reset the modem by message or by its line."""
    import asyncio

    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.modules.slac.tool import link_status, restart, wait_for

    try:
        linked = asyncio.run(link_status(arguments.interface))
    except Unavailable:
        if arguments.line is None:
            raise
        linked = False  # the line is for a modem that does not answer
    if linked and not arguments.force:
        print("secc: a link is up: a car may be charging (--force resets nevertheless)", file=sys.stderr)
        return 1
    began_s = time.monotonic()
    if arguments.line is None:
        modem = asyncio.run(restart(arguments.interface))
    else:
        _pull(arguments)
        modem = asyncio.run(wait_for(arguments.interface))
    print(f"{modem.vendor} modem {modem.mac} is back after {time.monotonic() - began_s:.1f} s")
    for note in modem.notes:
        print(f"note: {note}")
    return 0


def _pull(arguments: argparse.Namespace) -> None:
    from chargebyte_fw.board.gpio import take_output
    from chargebyte_fw.kernel.log import ModuleLog
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.kernel.runtime import Runtime

    line = take_output(
        Runtime(root=root_at(arguments.root, hardware=True)), arguments.line, arguments.chip, ModuleLog("plc")
    )
    try:
        line.set(False)
        time.sleep(PULSE_S)
        line.set(True)
    finally:
        line.close()
