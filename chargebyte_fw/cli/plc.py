"""`secc plc`: the powerline modem: which one it is, whether its link is up, and how to start it again."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.arguments import not_negative
from chargebyte_fw.cli.table import pairs
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
    info = _add(what, "info", "ask the modem who it is", _info, "info", "info -i plc0 --json")
    link = _add(what, "link", "whether the modem is linked to another one: status 0 yes, 1 no", _link, "link --wait 20")
    for one in (info, link):
        one.add_argument("--json", action="store_true", help="print as JSON")
    link.add_argument("--wait", type=not_negative, default=0.0, metavar="S", help="wait so long for a link")
    restart = "start the modem again and wait until it answers"
    reset = _add(what, "reset", restart, _reset, "reset", "reset --line --force")
    reset.add_argument("--force", action="store_true", help="even while a link is up, that is, a car may be charging")
    reset.add_argument(
        "--line", nargs="?", const=RESET_LINE, metavar="NAME", help=f"pull this GPIO line (default {RESET_LINE}) low"
    )
    reset.add_argument("--chip", type=Path, metavar="DEV", help="GPIO chip of the line (default: whichever has it)")
    add_root(reset)


def _add(what: Any, name: str, help: str, run: Any, *examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = what.add_parser(
        name, help=help, description=help, examples=[f"secc plc {line}" for line in examples]
    )
    parser.add_argument("-i", "--interface", default="eth1", metavar="IF", help="interface of the modem (eth1)")
    parser.set_defaults(run=_run, do=run)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.interfaces import require_interface

    require_interface(arguments.interface)
    status: int = arguments.do(arguments)
    return status


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
    print(pairs([(name, value) for name, value in rows if value]))
    return 0


def _link(arguments: argparse.Namespace) -> int:
    """Print whether there is a link."""
    import asyncio

    from chargebyte_fw.modules.slac.tool import ANSWER_S, link_status

    give_up_at = time.monotonic() + arguments.wait
    while not (up := asyncio.run(link_status(arguments.interface))) and time.monotonic() < give_up_at:
        time.sleep(ANSWER_S)
    if arguments.json:
        print(json.dumps({"interface": arguments.interface, "up": bool(up)}))
    else:
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
