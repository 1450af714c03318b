"""`secc can`: the DBC file that makes the frames of the CAN mirror readable for every CAN tool."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.outputs import STDOUT, output_file, write_bytes

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
    parser.add_argument("what", choices=("dbc",), help="what to write")
    parser.add_argument(
        "-o", "--output", type=output_file, metavar="FILE", help="where to write it (default: standard output)"
    )
    parser.add_argument(
        "--short-ids",
        action="store_true",
        help="ids of 11 bits, for tools that take a small number for one (as `cantools decode` does)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file."""
    from chargebyte_fw.board.link.messages.dbc import ENCODING, dbc

    text = dbc(short_ids=arguments.short_ids)
    write_bytes(Path(STDOUT) if arguments.output is None else arguments.output, text.encode(ENCODING))
    return 0
