"""`secc hil`: hardware in the loop; the rig brings the subcommand itself, found by entry point (nothing imports it)."""

from __future__ import annotations

import argparse
import sys
from typing import Any

GROUP = "chargebyte_fw.commands"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand; the rig's package fills it."""
    from importlib.metadata import entry_points

    parser = subparsers.add_parser("hil", help="prove reactions and deadlines on a rig")
    found = entry_points(group=GROUP, name="hil")
    if found:
        next(iter(found)).load()(parser)
    else:
        parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
        parser.set_defaults(run=_missing)


def _missing(_arguments: argparse.Namespace) -> int:
    print("secc: the rig's package (hil) is not installed beside chargebyte_fw", file=sys.stderr)
    return 1
