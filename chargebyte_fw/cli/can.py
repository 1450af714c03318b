"""`secc can`: the DBC file that makes the frames of the CAN mirror readable for every CAN tool."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EXAMPLE = """example, with `can_mirror_device: vcan0` in the driver's configuration:
  secc can dbc --short-ids -o safety.dbc
  candump vcan0 | cantools decode safety.dbc"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "can",
        help="write the DBC file of the CAN mirror",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLE,
    )
    parser.add_argument("what", choices=("dbc",))
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where to write it (default: standard output)"
    )
    parser.add_argument(
        "--short-ids",
        action="store_true",
        help="ids of 11 bits, for tools that take a small number for one (as `cantools decode` does)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file; exit status 1 when it cannot be written."""
    from chargebyte_fw.board.link.messages.dbc import ENCODING, dbc

    text = dbc(short_ids=arguments.short_ids)
    if arguments.output is None:
        sys.stdout.buffer.write(text.encode(ENCODING))
        return 0
    try:
        arguments.output.write_text(text, ENCODING)
    except OSError as error:
        print(f"secc: {arguments.output}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
